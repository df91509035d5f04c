"""The floor of a watch's fan-out: what the system alone takes to copy the same bytes to as many sockets.

A loop of blocking sends, a run of changes at a time as the server hands them out, to the readers of the `kubeserver`
benchmark. No server can be below it, whatever it is written in.
"""

import socket
import subprocess
import sys
import time

RUNS = 20
PAUSE_S = 0.05


def cpu_us_per_change(watchers: int, changes: int, size_bytes: int) -> float:
    """CPU microseconds to send one change of that size to all watchers, `changes` of them in each send."""
    text = (b"x" * (size_bytes - 1) + b"\n") * changes
    with socket.create_server(("127.0.0.1", 0), backlog=watchers) as listener:
        command = (sys.executable, "-m", "benchmarks.kubeserver", "watch", str(listener.getsockname()[1]), "none", "0")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as readers:
            connections = [listener.accept()[0] for _ in range(watchers)]
            try:
                return _send_all(connections, text) / changes * 1e6
            finally:
                for connection in connections:
                    connection.close()
                readers.communicate(b"all sent\n")


def _send_all(connections: list[socket.socket], text: bytes) -> float:
    """Mean CPU seconds of a run."""
    began = time.process_time()
    for _ in range(RUNS):
        for connection in connections:
            connection.sendall(text)
        time.sleep(PAUSE_S)
    return (time.process_time() - began) / RUNS
