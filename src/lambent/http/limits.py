"""The bounds of the HTTP server: sizes, times, and how an answer to a refused request looks.

Source: ours (invoke specification, "HTTP surface").
"""

from collections.abc import Callable
from dataclasses import dataclass

from lambent.http.message import Headers, Request, Response, content_type

MIB = 1024 * 1024

BodyLimit = Callable[[str, bytes, Headers], int]
Refuse = Callable[[Request, int], Response]

_REASONS = {
    400: b"the request is not valid HTTP/1.1\n",
    408: b"the request did not arrive in time\n",
    413: b"the request body is larger than this route allows\n",
    431: b"the request's headers are larger than 64 KiB\n",
    500: b"internal error\n",
    503: b"the server is stopping or has too many requests\n",
}


def default_body_limit(method: str, target: bytes, headers: Headers) -> int:
    """16 MiB for every route: more than any JSON request of the APIs needs. Uploads want a limit of their own."""
    return 16 * MIB


def refuse_plainly(request: Request, status: int) -> Response:
    """A plain-text answer; servers of AWS or Kubernetes routes give one in their own error form."""
    return Response(status, content_type(b"text/plain; charset=utf-8"), _REASONS.get(status, b"refused\n"))


@dataclass(frozen=True, slots=True)
class Limits:
    """`body` maps (method, raw target, headers) to bytes; `refuse` makes an answer for 400, 408, 413, 431, 500, 503."""

    body: BodyLimit = default_body_limit
    refuse: Refuse = refuse_plainly
    header_bytes: int = 64 * 1024
    header_read_s: float = 10.0
    body_stall_s: float = 60.0
    keep_alive_s: float = 75.0
    write_stall_s: float = 60.0
    """A peer that reads nothing for this long while we have bytes for it is gone."""
    linger_s: float = 5.0
    """After a refusal the rest of a body is read and dropped this long: closing at once would reset the
    connection, and the client would never see the answer."""
    connections: int = 10_000
