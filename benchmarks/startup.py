"""`lambent up` from nothing to all-ready, its memory at rest, a warm invocation over HTTP; `lambent --help`.

Each run is a fresh process on an empty state directory. Resident memory counts the whole process tree with no function
running. Wall time, since that is what a person waits for; medians of five, the worst beside them.
"""

import base64
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._bars import bar
from benchmarks._compiled import compile_package

RUNS = 5
INVOCATIONS = 300
COMMAND = [sys.executable, "-m", "lambent"]
HANDLER = "def handler(event, context):\n    return event\n"


@contextmanager
def platform(state: str) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """A running platform and the seconds it took to be ready."""
    begin = time.perf_counter()
    command = [*COMMAND, "up", "--state", state, "--aws-port", "0", "--kube-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "lambent is up" in line:
                break
        yield process, time.perf_counter() - begin
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def resident_mb(pid: int) -> float:
    """Of a process and everything below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6 + sum(resident_mb(int(child)) for child in children)


def measure_up() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as state, platform(state) as (process, ready_s):
        return ready_s, resident_mb(process.pid)


def measure_help() -> float:
    begin = time.perf_counter()
    subprocess.run([*COMMAND, "--help"], stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begin) * 1000


def _archive() -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", HANDLER)
    return base64.b64encode(buffer.getvalue()).decode()


def _post(url: str, path: str, body: bytes) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url + path, body, method="POST"), timeout=30) as answer:
        return bytes(answer.read())


def measure_invocations() -> list[float]:
    """Milliseconds of warm invocations with 1 KiB payloads at c=1 over one connection, unmodified Python runtime."""
    import http.client

    with tempfile.TemporaryDirectory() as state, platform(state):
        url = json.loads((Path(state) / "lock").read_text())["aws"]
        role = "arn:aws:iam::999999999999:role/any"  # an account the embedded IAM does not know: not checked
        spec: dict[str, Any] = {
            "FunctionName": "echo", "Runtime": "python3.11", "Handler": "app.handler", "Role": role,
            "Code": {"ZipFile": _archive()},
        }  # fmt: skip
        _post(url, "/2015-03-31/functions", json.dumps(spec).encode())
        payload = json.dumps({"text": "x" * 1000}).encode()
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        durations = []
        for _ in range(INVOCATIONS + 50):
            begin = time.perf_counter()
            connection.request("POST", "/2015-03-31/functions/echo/invocations", payload)
            answer = connection.getresponse().read()
            durations.append((time.perf_counter() - begin) * 1000)
            assert len(answer) > 1000
        connection.close()
        return durations[50:]


def run() -> dict[str, Any]:
    compile_package()
    ready, memory = zip(*(measure_up() for _ in range(RUNS)), strict=True)
    helps = [measure_help() for _ in range(RUNS)]
    warm = sorted(measure_invocations())
    return {
        "runs": RUNS,
        "worst": {
            "ready_s": round(max(ready), 3),
            "resident_mb": round(max(memory), 1),
            "help_ms": round(max(helps), 1),
        },
        "warm_p99_ms": round(warm[int(len(warm) * 0.99)], 3),
        "bars": {
            "ready_s": bar(statistics.median(ready), 2.0),
            "resident_mb": bar(statistics.median(memory), 150.0),
            "help_ms": bar(statistics.median(helps), 150.0),
            "warm_invoke_p50_ms": bar(statistics.median(warm), 0.6),
        },
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
