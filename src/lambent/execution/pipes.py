"""The output pipes of a process: read when readable, and without waiting when someone asks for what is there."""

import asyncio
import os
from collections.abc import Callable

_CHUNK = 64 * 1024


class OutputPipe:
    """One pipe; `writer` is for the child and closed by `started`."""

    def __init__(self, stream: str, on_output: Callable[[str, bytes], None]) -> None:
        self._stream = stream
        self._on_output = on_output
        self._reader, self.writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._reader, False)

    def started(self) -> None:
        """The child has its copy: ours goes, so that the end of input can come."""
        os.close(self.writer)
        self.writer = -1
        asyncio.get_running_loop().add_reader(self._reader, self.drain)

    def drain(self) -> None:
        """Everything that lies in the pipe now."""
        while self._reader >= 0:
            try:
                data = os.read(self._reader, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self.close()
                return
            self._on_output(self._stream, data)

    def close(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1
        if self._reader >= 0:
            asyncio.get_running_loop().remove_reader(self._reader)
            os.close(self._reader)
            self._reader = -1
