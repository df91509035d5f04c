"""One connection of the HTTP/1.1 server: the asyncio side of `http.reading` and `http.wire`.

Requests of a connection are answered one after the other in the order of the wire (pipelining), each by a task of
its own. Reading pauses while several complete requests wait. The peer's going away closes a streamed body;
whether it also cancels a service at work is the server's choice. Time is watched by one sweep per server instead of
a timer per connection.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from lambent.http.limits import Limits
from lambent.http.message import Pushing, Response, Shared
from lambent.http.reading import Exchange, RequestReader
from lambent.http.wire import CLOSE, CONTINUE, KEEP_ALIVE, LAST_CHUNK, Framing, declared_length, head, may_have_body

if TYPE_CHECKING:
    from lambent.http.server import HttpServer

# Complete requests that may wait on one connection before we stop reading from it.
_PIPELINE_DEPTH = 16
# Up to here one copy is cheaper than a second system call.
_COPY_BELOW = 64 * 1024


class PeerGone(ConnectionError):
    """The client went away before its answer was complete."""


class HttpProtocol(asyncio.Protocol):
    def __init__(self, server: "HttpServer", limits: Limits, *, scheme: str) -> None:
        self._server = server
        self._limits = limits
        self._scheme = scheme
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Exchange] = deque()
        self._task: asyncio.Task[None] | None = None
        self._is_streaming = False
        self._has_begun = False
        self._writable: asyncio.Future[None] | None = None
        self._is_paused = False
        self._is_closing = False
        self.deadline = math.inf
        """Loop time after which `expire` is due; the server's sweep looks at it."""

    # --- asyncio callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        name: Any = transport.get_extra_info("peername")
        peer = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else ""
        self._reader = RequestReader(self._limits, scheme=self._scheme, peer=peer)
        self._rest()
        if not self._server.admit(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        self._waiting.clear()
        self._server.forget(self)
        self.resume_writing()
        if self._task is not None and (self._is_streaming or self._server.cancel_on_disconnect):
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        exchanges = self._reader.feed(data)
        if exchanges and not self._is_closing:
            self._waiting += exchanges
            if self._task is None:
                self._answer_next()
            if len(self._waiting) > _PIPELINE_DEPTH:
                self._transport.pause_reading()
        if self._reader.is_reading:
            self._watch_reading()

    def eof_received(self) -> bool:
        """The peer may have gone or only sent all it wants (the wire does not tell): an answer at work is still sent, a
        stream, which might never end, is not. TLS knows no half-closed connection."""
        self._is_closing = True
        may_end = self._is_streaming or self._server.cancel_on_disconnect or self._scheme == "https"
        return self._task is not None and not may_end

    def pause_writing(self) -> None:
        self._is_paused = True
        self.deadline = self._loop.time() + self._limits.write_stall_s

    def resume_writing(self) -> None:
        self._is_paused = False
        self.deadline = math.inf
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    # --- time

    def _rest(self) -> None:
        """Between requests."""
        self.deadline = self._loop.time() + self._limits.keep_alive_s

    def _watch_reading(self) -> None:
        """A request is incomplete: its header has a fixed time from its first byte, its body one without progress."""
        if self._reader.expects_continue and self._task is None:
            self._reader.expects_continue = False
            self._transport.write(CONTINUE)
        if self._task is not None:
            return
        if self._reader.in_body:
            self.deadline = self._loop.time() + self._limits.body_stall_s
        else:
            self.deadline = min(self.deadline, self._loop.time() + self._limits.header_read_s)

    def expire(self) -> None:
        """The deadline passed: an unfinished request is told so, all else just ends."""
        self.deadline = math.inf
        if self._task is None and self._reader.is_reading and not self._is_closing:
            self._waiting.append(self._reader.refuse(408))
            self._answer_next()
        else:
            self._transport.abort()

    # --- answering

    def _answer_next(self) -> None:
        self.deadline = math.inf
        exchange = self._waiting.popleft()
        self._task = self._loop.create_task(self._answer(exchange))
        self._server.track(self._task)

    async def _answer(self, exchange: Exchange) -> None:
        """Runs one exchange and hands the connection on; raises only when cancelled."""
        self._has_begun = False
        try:
            await self._serve(exchange)
        except PeerGone:
            exchange.keep_alive = False
        except Exception:  # noqa: BLE001 - the one catch-all around a service: log, count, answer or cut
            self._fail(exchange)
        except BaseException:
            # Cut, so that the peer sees a truncated answer as an error and not as an end.
            self._transport.abort()
            raise
        finally:
            self._task = None
        self._go_on(exchange)

    async def _serve(self, exchange: Exchange) -> None:
        request = exchange.request
        if exchange.refusal:
            response = self._limits.refuse(request, exchange.refusal)
        else:
            response = await self._server.service(request)
        if self._server.is_stopping:
            exchange.keep_alive = False
        if isinstance(response.body, bytes):
            await self._send_bytes(exchange, response, response.body)
        else:
            await self._send_stream(exchange, response, response.body)

    def _fail(self, exchange: Exchange) -> None:
        response = self._server.failure(exchange.request)
        exchange.keep_alive = False
        if self._has_begun:
            self._transport.abort()
        elif not self._transport.is_closing():
            body = response.body if isinstance(response.body, bytes) else b""
            self._write_whole(exchange, response, body)

    def _go_on(self, exchange: Exchange) -> None:
        """After an answer: the next request, or rest, or the end."""
        if self._transport.is_closing():
            return
        if exchange.refusal:
            self._linger()
        elif self._waiting and exchange.keep_alive:
            self._answer_next()
            if len(self._waiting) <= _PIPELINE_DEPTH:
                self._transport.resume_reading()
        elif not exchange.keep_alive or self._is_closing:
            self._close()
        else:
            self._rest()
            if self._reader.is_reading:
                self._watch_reading()

    def _linger(self) -> None:
        """Read and drop what the peer still sends; `expire` ends it."""
        self._is_closing = True
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.deadline = self._loop.time() + self._limits.linger_s

    def _close(self) -> None:
        """End once the peer has read what is written, within the write deadline."""
        self.deadline = self._loop.time() + self._limits.write_stall_s
        self._transport.close()

    def close_when_idle(self) -> None:
        """The server stops: end now, or with the answer at work."""
        if self._task is None:
            self._close()

    def abort(self) -> None:
        self._transport.abort()

    # --- writing

    async def _send_bytes(self, exchange: Exchange, response: Response, body: bytes) -> None:
        if self._transport.is_closing():
            raise PeerGone
        self._write_whole(exchange, response, body)
        if self._is_paused:
            await self._drain()

    def _write_whole(self, exchange: Exchange, response: Response, body: bytes) -> None:
        status = response.status
        framing = Framing.LENGTH if may_have_body("", status) else Framing.NONE
        declared = declared_length(response.headers)
        if declared and declared != b"%d" % len(body) and may_have_body(exchange.request.method, status):
            raise ValueError("the service's Content-Length is not its body's")
        start = head(status, response.headers, framing=framing, length=len(body), connection=_connection(exchange))
        self._has_begun = True
        if not body or not may_have_body(exchange.request.method, status):
            self._transport.write(start)
        elif len(body) < _COPY_BELOW:
            self._transport.write(start + body)
        else:
            self._transport.writelines((start, body))

    async def _send_stream(self, exchange: Exchange, response: Response, chunks: AsyncIterator[bytes]) -> None:
        self._is_streaming = True
        try:
            if self._transport.is_closing():
                raise PeerGone
            framing = self._stream_framing(exchange, response)
            start = head(response.status, response.headers, framing=framing, connection=_connection(exchange))
            self._has_begun = True
            self._transport.write(start)
            if framing is not Framing.NONE:
                await self._write_chunks(response, chunks, framing)
        finally:
            self._is_streaming = False
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()

    def _stream_framing(self, exchange: Exchange, response: Response) -> Framing:
        if not may_have_body(exchange.request.method, response.status):
            return Framing.NONE
        if declared_length(response.headers):
            return Framing.LENGTH
        if exchange.http10:
            exchange.keep_alive = False
            return Framing.CLOSE
        return Framing.CHUNKED

    async def _write_chunks(self, response: Response, chunks: AsyncIterator[bytes], framing: Framing) -> None:
        is_chunked = framing is Framing.CHUNKED
        if is_chunked and isinstance(chunks, Pushing):
            chunks.attach(self._push)
        sent = 0
        async for chunk in chunks:
            if chunk:
                sent += len(chunk)
                if is_chunked:
                    self._write_chunk(chunk)
                else:
                    self._transport.write(chunk)
            if self._is_paused:
                await self._drain()
            elif self._transport.is_closing():
                raise PeerGone
        if is_chunked:
            self._transport.write(LAST_CHUNK)
        elif framing is Framing.LENGTH and sent != int(declared_length(response.headers)):
            raise ValueError("a streamed body is not as long as its Content-Length")

    def _push(self, chunk: bytes) -> bool:
        if self._is_paused or self._transport.is_closing():
            return False
        self._write_chunk(chunk)
        return True

    def _write_chunk(self, chunk: bytes) -> None:
        if isinstance(chunk, Shared):
            self._transport.write(chunk.framed())
        elif len(chunk) < _COPY_BELOW:
            self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        else:
            self._transport.writelines((b"%x\r\n" % len(chunk), chunk, b"\r\n"))

    async def _drain(self) -> None:
        """Waits until the peer has read; the write deadline bounds it."""
        self._writable = self._loop.create_future()
        try:
            await self._writable
        finally:
            self._writable = None
        if self._transport.is_closing():
            raise PeerGone


def _connection(exchange: Exchange) -> bytes:
    """HTTP/1.1 keeps a connection unless told otherwise, HTTP/1.0 closes it unless told otherwise."""
    if not exchange.keep_alive:
        return CLOSE
    return KEEP_ALIVE if exchange.http10 else b""
