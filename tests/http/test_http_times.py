"""Deadlines, on a loop whose time jumps."""

import asyncio

import pytest

from lambent.clock import VirtualTimeLoop
from lambent.http import HttpServer, Request, Response


class _Wire(asyncio.Transport):
    """A connection without a socket: what the server writes, and when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended_at: float | None = None
        self.ended = asyncio.Event()

    def write(self, data) -> None:
        self.written += data

    def writelines(self, list_of_data) -> None:
        self.written += b"".join(list_of_data)

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.ended_at is not None

    def close(self) -> None:
        if self.ended_at is None:
            self.ended_at = asyncio.get_running_loop().time()
            self.ended.set()

    def abort(self) -> None:
        self.close()

    def resume_reading(self) -> None:
        pass


async def _ok(request: Request) -> Response:
    return Response(body=b"ok")


async def _life(script: list[tuple[float, bytes]]) -> tuple[float, bytes]:
    """Feeds bytes at these pauses; gives when the connection ended, counted from the start, and what was written."""
    server = HttpServer(_ok)
    await server.startup("127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    protocol = server.new_protocol()
    wire = _Wire()
    start = loop.time()
    protocol.connection_made(wire)
    for pause_s, data in script:
        await asyncio.sleep(pause_s)
        if wire.ended_at is None:
            protocol.data_received(data)
    await wire.ended.wait()
    protocol.connection_lost(None)
    await server.shutdown(0)
    return (wire.ended_at or 0.0) - start, wire.written


@pytest.mark.parametrize(
    ("script", "ends_at", "begins_with"),
    [
        pytest.param([], 75, b"", id="a connection that says nothing"),
        pytest.param([(60, b"GET / HTTP/1.1\r\n\r\n")], 135, b"HTTP/1.1 200", id="idle after an answer"),
        pytest.param([(20, b"GET / HT"), (4, b"T"), (4, b"P")], 35, b"HTTP/1.1 408", id="a header that drips"),
        pytest.param(
            [(0, b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"), (50, b"a"), (50, b"b")],
            165,
            b"HTTP/1.1 408",
            id="a body that stops",
        ),
    ],
)
def test_a_connection_ends_when_its_time_is_over(script, ends_at, begins_with):
    loop = VirtualTimeLoop()
    try:
        ended, written = loop.run_until_complete(_life(script))
    finally:
        loop.close()
    assert ends_at <= ended <= ends_at + 3
    assert written.startswith(begins_with)
