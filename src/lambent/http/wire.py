"""Response heads as bytes (RFC 9112), without I/O.

A head is made of a cached status line, the service's headers, and what the server adds: Date, framing
(Content-Length or chunked) and Connection. Not here: reading requests (httptools does it, `http.protocol`).
"""

import time
from enum import Enum
from http import HTTPStatus

from lambent.http.message import Headers

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"connection: close\r\n"
KEEP_ALIVE = b"connection: keep-alive\r\n"
LAST_CHUNK = b"0\r\n\r\n"

_STATUS_LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}
_date_second = -1
_date_line = b""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Framing(Enum):
    """How the peer learns where a body ends."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


def may_have_body(method: str, status: int) -> bool:
    """Whether content may follow the head (RFC 9110, 6.4.1)."""
    return method != "HEAD" and status >= 200 and status not in (204, 304)


def head(status: int, headers: Headers, *, framing: Framing, length: int = 0, connection: bytes = b"") -> bytes:
    """The head with its empty line. `length` is used with `Framing.LENGTH` unless the service named one; `connection`
    is the whole Connection line, when there is to be one. Raises ValueError when a header would break the head (a line
    break inside)."""
    lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, _date()]
    lines += [b"%b: %b\r\n" % pair for pair in headers if pair[0].lower() not in _OWN_HEADERS]
    if framing is Framing.LENGTH and not declared_length(headers):
        lines.append(b"content-length: %d\r\n" % length)
    elif framing is Framing.CHUNKED:
        lines.append(b"transfer-encoding: chunked\r\n")
    if connection:
        lines.append(connection)
    block = b"".join(lines)
    if block.count(b"\n") != len(lines) or block.count(b"\r") != len(lines):
        raise ValueError("a response header contains a line break")
    return block + b"\r\n"


_OWN_HEADERS = frozenset((b"connection", b"transfer-encoding", b"date", b"keep-alive"))


def declared_length(headers: Headers) -> bytes:
    """The service's own Content-Length, or empty."""
    for name, value in headers:
        if len(name) == 14 and name.lower() == b"content-length":
            return value
    return b""


def _date() -> bytes:
    """The Date line, made once a second (RFC 9110, 5.6.7); the library that writes one takes 3 ms to import."""
    global _date_second, _date_line
    now = int(time.time())
    if now != _date_second:
        year, month, day, hour, minute, second, weekday, *_ = time.gmtime(now)
        text = f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year} {hour:02}:{minute:02}:{second:02} GMT"
        _date_second, _date_line = now, f"date: {text}\r\n".encode()
    return _date_line
