"""Programs that write until they are killed with SIGKILL, and what they had told by then.

A program is Python text that defines `write(state)`, which prints a line for each write that was acknowledged. It is
read once; each writer is a fork of that process, so that twenty kills do not cost twenty starts.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.promises.figures import IS_FULL, stated

ROOT = Path(__file__).parents[2]
KILLS = stated(r"under `kill -9` \((\d+) times") if IS_FULL else stated(r"under `kill -9` \(.*short form (\d+)\)")
WRITERS = stated(r"under `kill -9` \(.* (\d+) writers")

_PARENT = """
import os, sys

for line in sys.stdin:
    state, answers = line.split()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(answers, os.O_WRONLY), 1)
        write(state)
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
"""


class Program:
    """A context manager around the process from which the writers are forked."""

    def __init__(self, text: str, folder: Path) -> None:
        self._answers = folder / "answers"
        os.mkfifo(self._answers)
        self._process = subprocess.Popen(
            [sys.executable, "-c", text + _PARENT], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def killed_after(self, acknowledged: int, state: Path) -> list[str]:
        """The lines of a writer that was killed after so many; at least those."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        print(state, self._answers, file=process.stdin, flush=True)
        pid = int(process.stdout.readline())
        with self._answers.open() as answers:
            lines = [answers.readline() for _ in range(acknowledged)]
            os.kill(pid, signal.SIGKILL)
            # What has no line end was cut by the kill.
            lines += [line for line in answers if line.endswith("\n")]
        assert all(lines[:acknowledged]), "the writer ended by itself"
        return [line.strip() for line in lines]
