"""What a runtime prints: bytes from pipes in, whole lines to a sink out, and the tail of one invocation.

Reading never waits for the sink: the sink is a plain call that must not block (it buffers or drops itself). Lines
longer than 256 KiB are split, so a runtime that never ends its line costs bounded memory.
"""

import logging
from collections.abc import Callable

from lambent.runtime.metrics import LOG_DROPPED_BYTES

log = logging.getLogger(__name__)

LogSink = Callable[[str, bytes], None]
"""`sink(function name, whole lines)`; each line ends with a newline."""

TAIL_BYTES = 4_096
"""Length of `X-Amz-Log-Result` before base64. Source: AWS Lambda API reference, "Invoke"."""

_LINE_LIMIT = 256 * 1024


def discard(function: str, lines: bytes) -> None:
    """The sink of those who do not care."""


class LineSplitter:
    """Joins the pieces of one stream to whole lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Every line that is complete now, as one piece that ends with a newline; may be empty."""
        end = data.rfind(b"\n") + 1
        if end:
            lines, self._rest = self._rest + data[:end], data[end:]
        else:
            lines, self._rest = b"", self._rest + data
        while len(self._rest) > _LINE_LIMIT:
            lines += self._rest[:_LINE_LIMIT] + b"\n"
            self._rest = self._rest[_LINE_LIMIT:]
        return lines

    def flush(self) -> bytes:
        """The last, unfinished line with a newline put behind it."""
        rest, self._rest = self._rest, b""
        return rest + b"\n" if rest else b""


class LogTail:
    """The last 4096 bytes of one invocation's lines, platform lines included."""

    def __init__(self) -> None:
        self._bytes = b""

    def add(self, lines: bytes) -> None:
        self._bytes = (self._bytes + lines[-TAIL_BYTES:])[-TAIL_BYTES:]

    def bytes(self) -> bytes:
        return self._bytes


class InstanceLog:
    """Lines of one instance: to the sink always, to the tail of the current invocation when it asked for one."""

    def __init__(self, function: str, sink: LogSink) -> None:
        self._function = function
        self._sink = sink
        self._streams = {"stdout": LineSplitter(), "stderr": LineSplitter()}
        self.tail: LogTail | None = None
        self._has_dropped = False

    @property
    def is_wanted(self) -> bool:
        return self._sink is not discard or self.tail is not None

    def output(self, stream: str, data: bytes) -> None:
        self.lines(self._streams[stream].feed(data))

    def flush(self) -> None:
        """Unfinished lines count as finished: the invocation or the process they belong to has ended."""
        for splitter in self._streams.values():
            self.lines(splitter.flush())

    def lines(self, lines: bytes) -> None:
        if not lines:
            return
        if self.tail is not None:
            self.tail.add(lines)
        try:
            self._sink(self._function, lines)
        except OSError as error:
            self._drop(len(lines), error)

    def _drop(self, size: int, error: OSError) -> None:
        """A full disk costs lines, never an invocation."""
        LOG_DROPPED_BYTES.labels(function=self._function).inc(size)
        if not self._has_dropped:
            self._has_dropped = True
            log.warning("output of a function is lost: %s", error.strerror, extra={"function": self._function})
