"""The socket side of a Runtime API: one loopback listener per instance, one raw protocol object per connection.

httptools parses, `runtime.api` answers; the protocol keeps the order of answers, parks one poll, and tells whether an
event's bytes left. The write buffer's high mark is 0, so the transport reports every byte that stays behind
(`pause_writing`) and its leaving (`resume_writing`): a connection that closes in between did not deliver.

Bounds: connections per instance, head size and count, body per route, pipelined requests behind a parked poll.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

import httptools

from lambent.runtime.api import BAD_REQUEST, ApiRequest, RuntimeApi

log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_HEAD_BYTES = 64 * 1024
_HEADERS = 100
# The one large header: a runtime's traceback as JSON, up to 1 MB. Nobody reads it yet, so it is not kept.
_FAULT_HEADER = b"lambda-runtime-function-xray-error-cause"
# httptools holds a header until it is complete, so bytes are also counted as they come in: the fault header, the rest,
# and one read of the largest size that event loops make.
_HEAD_READ_BYTES = 2**20 + _HEAD_BYTES + 2**18
# A runtime pipelines at most one poll behind a response; more is a broken client.
_PIPELINED = 16
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _HeadTooLarge(Exception):
    """More or longer headers than any runtime sends."""


class OpenDoor(Protocol):
    """A listening API. `address` is host:port for `AWS_LAMBDA_RUNTIME_API`."""

    address: str

    async def close(self) -> None: ...


Door = Callable[[RuntimeApi, "DoorLimits"], Awaitable[OpenDoor]]


class DoorLimits(Protocol):
    @property
    def connection_limit(self) -> int: ...

    @property
    def idle_connection_s(self) -> float: ...

    @property
    def base_port(self) -> int: ...


class LoopbackDoor:
    """A listener on 127.0.0.1 that only one instance is told of."""

    def __init__(self, api: RuntimeApi, limits: DoorLimits) -> None:
        self.api = api
        self.address = ""
        self._limits = limits
        self._connections: set[ApiConnection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await self._listen(self._limits.base_port)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"{_HOST}:{port}"

    async def _listen(self, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(lambda: ApiConnection(self), _HOST, port)
        except OSError:
            if port == 0:
                raise
            return await loop.create_server(lambda: ApiConnection(self), _HOST, 0)

    def admit(self, connection: "ApiConnection") -> bool:
        if len(self._connections) >= self._limits.connection_limit:
            return False
        self._connections.add(connection)
        self._sweep_later()
        return True

    def forget(self, connection: "ApiConnection") -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            if not self._connections:
                self.api.exchange.connections_gone()

    def _sweep_later(self) -> None:
        """One timer per door, and only while there are connections."""
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._limits.idle_connection_s, self._close_idle)

    def _close_idle(self) -> None:
        self._sweep = None
        before = asyncio.get_running_loop().time() - self._limits.idle_connection_s
        for connection in list(self._connections):
            connection.close_if_idle_since(before)
        if self._connections:
            self._sweep_later()

    async def close(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.abort()
            await self._server.wait_closed()


async def loopback_door(api: RuntimeApi, limits: DoorLimits) -> OpenDoor:
    """Opens a `LoopbackDoor`."""
    door = LoopbackDoor(api, limits)
    await door.open()
    return door


class ApiConnection(asyncio.Protocol):
    """One connection; also the `Poller` of a parked poll."""

    def __init__(self, door: LoopbackDoor) -> None:
        self._door = door
        self._api = door.api
        self._parser = httptools.HttpRequestParser(self)
        self._is_parked = False
        self._is_delivering = False
        self._is_broken = False
        self._has_polled = False
        self._backlog: deque[ApiRequest] = deque()
        self._touched_s = asyncio.get_running_loop().time()
        self._begin()

    # --- asyncio callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)
        if not self._door.admit(self):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._touched_s = asyncio.get_running_loop().time()
        if not self._is_reading_body:
            self._head_read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _HeadTooLarge):
                log.exception("a request of a runtime met a defect")
            self._break()
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._break()
        if self._head_read > _HEAD_READ_BYTES and not self._is_reading_body:
            self._break()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_broken = True
        if self._is_parked or self._is_delivering:
            undelivered, self._is_parked = self._is_delivering, False
            self._is_delivering = False
            self._api.exchange.poll_lost(self, undelivered=undelivered)
        elif self._body_of and self._is_reading_body:
            self._api.exchange.respond_truncated(self._body_of)
        self._door.forget(self)

    def pause_writing(self) -> None:
        self._is_stuck = True

    def resume_writing(self) -> None:
        self._is_stuck = False
        self._is_delivering = False

    # --- httptools callbacks

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = 0
        self._head_read = 0
        self._chunks: list[bytes] = []
        self._size = 0
        self._limit = 0
        self._is_reading_body = False
        self._body_of = ""

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.lower()
        if key == _FAULT_HEADER:
            return
        self._headers[key] = value
        self._count(len(name) + len(value))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > _HEAD_BYTES or len(self._headers) > _HEADERS:
            raise _HeadTooLarge

    def on_headers_complete(self) -> None:
        self._path = self._url.partition(b"?")[0]
        self._limit = self._api.body_limit(self._path)
        self._is_reading_body = True
        if self._path.endswith(b"/response"):
            self._body_of = self._path.rsplit(b"/", 2)[-2].decode("latin-1")
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._limit:
            self._chunks.append(body)
        elif not self._path.endswith(b"/response"):
            # Error bodies are cut, responses refused.
            room = self._limit - (self._size - len(body))
            if room > 0:
                self._chunks.append(body[:room])
        else:
            self._chunks.clear()

    def on_message_complete(self) -> None:
        self._is_reading_body = False
        is_refused = self._size > self._limit and self._path.endswith(b"/response")
        chunks = self._chunks
        body = None if is_refused else chunks[0] if len(chunks) == 1 else b"".join(chunks)
        request = ApiRequest(self._parser.get_method(), self._path, self._headers, body, self)
        if self._is_parked:
            self._hold(request)
        else:
            self._answer(request)

    # --- answers

    def _hold(self, request: ApiRequest) -> None:
        self._backlog.append(request)
        if len(self._backlog) > _PIPELINED:
            self._break()

    def _answer(self, request: ApiRequest) -> None:
        if self._is_broken:
            return
        # Before the call: an event that waits is delivered inside it.
        self._is_parked = True
        self._has_polled = self._has_polled or request.path.endswith(b"/next")
        answer = self._api.receive(request)
        if answer is not None:
            self._is_parked = False
            self._transport.write(answer)
            if not self._parser.should_keep_alive():
                self._transport.close()

    def deliver(self, head: bytes, payload: bytes) -> None:
        self._is_parked = False
        self._is_stuck = False
        self._is_delivering = True
        self._transport.writelines((head, payload))
        # A transport that sent everything at once never reported a rest.
        self._is_delivering = self._is_stuck
        while self._backlog and not self._is_parked:
            self._answer(self._backlog.popleft())

    def _break(self) -> None:
        if not self._is_broken:
            self._is_broken = True
            self._transport.write(BAD_REQUEST)
            self._transport.close()

    def close_if_idle_since(self, moment_s: float) -> None:
        if not self._has_polled and self._touched_s < moment_s:
            self._transport.abort()

    def abort(self) -> None:
        self._transport.abort()
