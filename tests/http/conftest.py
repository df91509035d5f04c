import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from lambent.http import HttpServer, Request, Response, Service


def pytest_asyncio_loop_factories(config, item):
    """Every test of the server runs on both loops: they differ at the edges that it stands on."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Peer:
    """A client of raw bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def send_eof(self) -> None:
        self._writer.write_eof()

    async def until(self, end: bytes) -> bytes:
        return await self._reader.readuntil(end)

    async def exactly(self, count: int) -> bytes:
        return await self._reader.readexactly(count)

    async def rest(self) -> bytes:
        """All until the server closes, without the Date lines."""
        lines = (await self._reader.read()).split(b"\r\n")
        return b"\r\n".join(line for line in lines if not line.startswith(b"date: "))

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def abort(self) -> None:
        """Leaves with a reset, which the server cannot take for a half-closed connection."""
        linger_no_time = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
        self._writer.transport.abort()


class Running:
    def __init__(self, server: HttpServer, host: str, port: int) -> None:
        self.server = server
        self.host = host
        self.port = port
        self.peers: list[Peer] = []

    async def connect(self) -> Peer:
        peer = Peer(*await asyncio.open_connection(self.host, self.port))
        self.peers.append(peer)
        return peer

    async def talk(self, data: bytes) -> bytes:
        """Everything the server says to these bytes until it closes."""
        peer = await self.connect()
        await peer.send(data)
        return await peer.rest()


Serve = Callable[..., Awaitable[Running]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers on free ports and stops them, and every client, after the test."""
    started: list[Running] = []

    async def start(service: Service, **options) -> Running:
        server = HttpServer(service, **options)
        running = Running(server, *await server.startup("127.0.0.1", 0))
        started.append(running)
        return running

    yield start
    for running in started:
        for peer in running.peers:
            await peer.close()
        await running.server.shutdown(0.1)


async def echo(request: Request) -> Response:
    """Answers with what it got, one part per line."""
    return Response(body=b"%b %b|%b" % (request.method.encode(), request.target, request.body))


@pytest.fixture
def echo_service() -> Service:
    return echo
