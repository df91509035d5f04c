"""A WSGI app as a `Service`: a bounded set of threads runs the app, a bounded queue waits for them.

More waiting requests than the queue holds are answered 503 at once (back-pressure instead of memory). The app gets
the decoded path in PATH_INFO, as PEP 3333 asks, and the raw target as REQUEST_URI and RAW_URI, which S3 keys and
SigV4 need. Its answer is collected whole before it is sent. A thread that has begun cannot be cancelled: a caller
that goes away only loses its answer.
"""

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from lambent.http.lane import Lane
from lambent.http.limits import Refuse, refuse_plainly
from lambent.http.message import Headers, Request, Response

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class WsgiService:
    """`threads` requests run and `queue` more wait; `refuse` shapes the 503 of the next one.

    Requests of which `may_wait` says that the app may keep them waiting (long polls) have `waiting_threads` of their
    own, so that they cannot take all threads from the others.
    """

    def __init__(
        self,
        app: WsgiApp,
        *,
        threads: int = 8,
        queue: int = 256,
        refuse: Refuse = refuse_plainly,
        may_wait: Callable[[Request], bool] | None = None,
        waiting_threads: int = 64,
    ) -> None:
        if threads < 1 or queue < 0 or waiting_threads < 1:
            raise ValueError("a WSGI service needs at least one thread and a queue that is not negative")
        self._app = app
        self._refuse = refuse
        self._may_wait = may_wait
        self._lane = Lane("wsgi", threads, queue)
        self._waiting_lane = Lane("wsgi-wait", waiting_threads, queue)

    async def __call__(self, request: Request) -> Response:
        waits = self._may_wait is not None and self._may_wait(request)
        lane = self._waiting_lane if waits else self._lane
        if lane.is_full:
            response = self._refuse(request, 503)
            response.headers.append((b"retry-after", b"1"))
            return response
        return await asyncio.shield(lane.run(run_app, self._app, request))

    async def shutdown(self, drain_s: float = 5.0) -> int:
        """Drops what is queued and waits for the threads at work, at most this long; gives how many are still at it.
        They end with the process: a thread cannot be cancelled."""
        left = await asyncio.gather(self._lane.shutdown(drain_s), self._waiting_lane.shutdown(drain_s))
        return sum(left)


def environ_of(request: Request) -> Environ:
    """The PEP 3333 environment of a request."""
    host, _, port = request.header(b"host", b"localhost").decode("latin-1").rpartition(":")
    if not port.isdigit():
        host, port = f"{host}:{port}".strip(":"), "443" if request.scheme == "https" else "80"
    target = request.target.decode("latin-1")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.raw_path).decode("latin-1"),
        "QUERY_STRING": request.raw_query.decode("latin-1"),
        "REQUEST_URI": target,
        "RAW_URI": target,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.peer.rpartition(":")[0],
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        # WSGI folds `-` and `_` of header names; who must tell them apart reads the originals.
        "lambent.headers": request.headers,
    }
    _add_headers(environ, request.headers)
    return environ


def _add_headers(environ: Environ, headers: Headers) -> None:
    for name, value in headers:
        if name in (b"content-length", b"transfer-encoding"):
            continue  # the body is complete: its length is known and its framing gone
        key = name.decode("latin-1").upper().replace("-", "_")
        if key != "CONTENT_TYPE":
            key = f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text


def run_app(app: WsgiApp, request: Request) -> Response:
    """Calls the app in this thread and collects its answer. Raises what the app raises."""
    response = Response()
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], Any]:
        response.status = int(status[:3])
        response.headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers]
        return written.append

    chunks = app(environ_of(request), start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    response.body = b"".join(written)
    return response
