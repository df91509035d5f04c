"""What functions print: each line goes to the terminal with the function's name in front, and to `logs/<function>.log`.

One file handle per function, opened at its first line; names are safe as file names by Lambda's own pattern.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO


class FunctionOutput:
    """The sink the execution back end writes to: `write(function name, whole lines as bytes)`."""

    def __init__(self, directory: Path, *, echo: TextIO | None = None) -> None:
        self._directory = directory
        self._echo = echo
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
            self._echo.flush()

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


Sink = Callable[[str, bytes], None]
