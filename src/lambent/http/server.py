"""The HTTP/1.1 server: listening, TLS and plain text on one port, the sweep of deadlines, draining.

With an `ssl_context` each connection's first byte decides: 0x16 (a TLS handshake record) goes to TLS, all else is
plain text. The byte is peeked at before asyncio gets the socket, so no byte has to be handed back.
Not here: routes (the `Service` owns them) and the protocol (`http.protocol`).
"""

import asyncio
import errno
import logging
import socket
import ssl

from lambent import telemetry
from lambent.errors import UsageError
from lambent.http.limits import Limits
from lambent.http.message import Request, Response, Service
from lambent.http.protocol import HttpProtocol

log = logging.getLogger(__name__)

_LAST_PORT = 65_535
_BACKLOG = 1024
_SWEEP_S = 1.0
"""How late a deadline may be noticed; all of them are tens of seconds."""
_TLS_HANDSHAKE_RECORD = b"\x16"

_failures = telemetry.counter("http_service_failures_total", "Requests whose service raised.")
_open = telemetry.gauge("http_connections", "Open connections.")


class HttpServer:
    """Serves `service` on one port. `cancel_on_disconnect` cancels a service at work when its client goes away;
    without it the work is finished and the answer dropped (as AWS does with a synchronous invocation)."""

    def __init__(
        self,
        service: Service,
        *,
        limits: Limits | None = None,
        ssl_context: ssl.SSLContext | None = None,
        cancel_on_disconnect: bool = False,
    ) -> None:
        self.service = service
        self.cancel_on_disconnect = cancel_on_disconnect
        self.is_stopping = False
        self._limits = limits or Limits()
        self._ssl_context = ssl_context
        self._connections: set[HttpProtocol] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self._sniffing: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._acceptor: asyncio.Task[None] | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._socket: socket.socket | None = None

    # --- life

    async def startup(self, host: str, port: int) -> tuple[str, int]:
        """Listens and gives the bound address; port 0 takes a free one. Raises UsageError when it cannot."""
        listener = _listen(host, port)
        bound = listener.getsockname()
        loop = asyncio.get_running_loop()
        if self._ssl_context is None:
            self._listener = await loop.create_server(self.new_protocol, sock=listener, backlog=_BACKLOG)
        else:
            self._socket = listener
            self._acceptor = loop.create_task(self._accept(listener, self._ssl_context))
        self._sweep()
        return str(bound[0]), int(bound[1])

    async def shutdown(self, drain_s: float = 5.0) -> int:
        """Stops; gives the number of requests that had to be cancelled because they outlived `drain_s`."""
        self.is_stopping = True
        await self._stop_accepting()
        for connection in list(self._connections):
            connection.close_when_idle()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=drain_s)
        cancelled = list(self._tasks)
        for task in cancelled:
            task.cancel()
        if cancelled:
            log.warning("requests cancelled at shutdown", extra={"count": len(cancelled)})
            await asyncio.gather(*cancelled, return_exceptions=True)
        await self._close_connections()
        if self._sweeper is not None:
            self._sweeper.cancel()
        return len(cancelled)

    async def _stop_accepting(self) -> None:
        if self._listener is not None:
            self._listener.close()
        tasks = [*self._sniffing, *([self._acceptor] if self._acceptor else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:  # here, since an acceptor that is cancelled before its first step closes nothing
            self._socket.close()

    async def _close_connections(self) -> None:
        """Their answers are written; give the sockets a moment to flush, then cut."""
        try:
            async with asyncio.timeout(1.0):
                await self.without_connections()
        except TimeoutError:
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)

    # --- accepting

    def new_protocol(self) -> HttpProtocol:
        """One plain-text connection's protocol."""
        return HttpProtocol(self, self._limits, scheme="http")

    def _tls(self) -> HttpProtocol:
        return HttpProtocol(self, self._limits, scheme="https")

    async def _accept(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:
                # Out of file descriptors, or a peer that left at once: neither may end the server.
                log.warning("accept failed", extra={"errno": error.errno})
                await asyncio.sleep(0.05)
                continue
            if len(self._sniffing) + len(self._connections) >= self._limits.connections:
                connection.close()
                continue
            connection.setblocking(False)
            # asyncio sets it only on sockets that name their protocol; without it an answer waits 40 ms for an ACK.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._sniff(connection, context))
            self._sniffing.add(task)
            task.add_done_callback(self._sniffing.discard)

    async def _sniff(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        handed_over = False
        try:
            async with asyncio.timeout(self._limits.keep_alive_s):
                first = await _peek(connection)
            if not first:
                return
            handed_over = True
            if first == _TLS_HANDSHAKE_RECORD:
                await loop.connect_accepted_socket(
                    self._tls, connection, ssl=context, ssl_handshake_timeout=self._limits.header_read_s
                )
            else:
                await loop.connect_accepted_socket(self.new_protocol, connection)
        except OSError as error:
            # A failed handshake, a peer that left or said nothing: its own affair.
            log.debug("connection refused before HTTP", extra={"error": type(error).__name__})
        finally:
            if not handed_over:
                connection.close()

    # --- what protocols tell the server

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    async def without_connections(self) -> None:
        """Waits until no client is connected."""
        await self._all_closed.wait()

    def admit(self, connection: HttpProtocol) -> bool:
        """Registers a connection; False when there are too many or the server stops."""
        self._connections.add(connection)
        self._all_closed.clear()
        _open.inc()
        return len(self._connections) <= self._limits.connections and not self.is_stopping

    def forget(self, connection: HttpProtocol) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            _open.dec()
        if not self._connections:
            self._all_closed.set()

    def track(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ask(self, request: Request) -> Response:
        """The answer to a request of this process, as it would come over the wire."""
        try:
            return await self.service(request)
        except Exception:  # noqa: BLE001 - the catch-all around a service for callers without a connection
            return self.failure(request)

    def failure(self, request: Request) -> Response:
        """Called while handling what a service raised: logs and counts it, and gives what to answer."""
        path = request.raw_path.decode("latin-1")
        log.exception("the service failed", extra={"method": request.method, "path": path})
        _failures.inc()
        return self._limits.refuse(request, 500)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in [c for c in self._connections if c.deadline <= now]:
            connection.expire()
        self._sweeper = loop.call_later(_SWEEP_S, self._sweep)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"{port} is no port: they are 0 to {_LAST_PORT} (0 takes a free one)")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(_why_not(host, port, error)) from error
    listener.setblocking(False)
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by another program: stop it or choose another port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs more rights: choose a port above 1023"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"


async def _peek(connection: socket.socket) -> bytes:
    """The first byte, left in the socket; empty when the peer closed."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)
