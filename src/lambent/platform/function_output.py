"""What functions print: each line goes to the terminal with the function's name in front, and to `logs/<function>.log`.

One file handle per function, opened at its first line; names are safe as file names by Lambda's own pattern. A
terminal can stand still (a paused one, a pipe nobody reads), and the loop must not stand with it: a thread of its own
writes the echo from a bounded queue, and lines that find the queue full are left out and counted. The file has them.
"""

import queue
import threading
from pathlib import Path
from typing import BinaryIO, TextIO

_QUEUE_LINES = 10_000
_LAST_LINES_S = 1.0  # at the end: long enough for a living terminal, and a dead one holds nobody up


class Echo:
    """Lines to a stream, from a thread."""

    def __init__(self, stream: TextIO, *, limit: int = _QUEUE_LINES) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(limit)
        self._left_out = 0
        self._thread = threading.Thread(target=self._run, name="function-output", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Never waits."""
        try:
            self._tell_left_out(block=False)
            self._lines.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """Waits a moment for what is queued."""
        try:
            self._tell_left_out(block=True)
            self._lines.put(None, timeout=_LAST_LINES_S)
        except queue.Full:
            return
        self._thread.join(_LAST_LINES_S)

    def _tell_left_out(self, *, block: bool) -> None:
        if self._left_out:
            note = f"({self._left_out} lines of functions left out here; the logs have them)\n"
            self._lines.put(note, block, _LAST_LINES_S)
            self._left_out = 0

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            self._stream.write(line)
            if self._lines.empty():
                self._stream.flush()


class FunctionOutput:
    """The sink the execution back end writes to: `write(function name, whole lines as bytes)`."""

    def __init__(self, directory: Path, *, echo: TextIO | None = None) -> None:
        self._directory = directory
        self._echo = Echo(echo) if echo is not None else None
        self._files: dict[str, BinaryIO] = {}

    def write(self, function: str, text: bytes) -> None:
        file = self._files.get(function)
        if file is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._files[function] = (self._directory / f"{function}.log").open("ab", buffering=0)
        file.write(text)
        if self._echo is not None:
            for line in text.decode(errors="replace").splitlines():
                self._echo.write(f"{function} | {line}\n")

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()
        if self._echo is not None:
            self._echo.close()
