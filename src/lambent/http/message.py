"""A request and a response of the raw HTTP/1.1 server, and the service that turns one into the other.

Header names are lower-case bytes; values are bytes as received. The target is kept raw (percent-encoding and case
untouched: SigV4 and S3 keys need it). Not here: parsing (`http.protocol`) or routing (the consumer's).
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """`target` is path and query as on the wire; `body` is complete (bounded by the server's limit)."""

    method: str
    target: bytes
    headers: Headers
    body: bytes = b""
    scheme: str = "http"
    peer: str = ""

    @property
    def raw_path(self) -> bytes:
        return self.target.partition(b"?")[0]

    @property
    def raw_query(self) -> bytes:
        return self.target.partition(b"?")[2]

    def header(self, name: bytes, default: bytes = b"") -> bytes:
        """First value of a lower-case header name."""
        for key, value in self.headers:
            if key == name:
                return value
        return default


class Shared(bytes):
    """A chunk that many streamed answers send: the form it has on the wire is made once."""

    _framed = b""

    def framed(self) -> bytes:
        if not self._framed:
            self._framed = b"%x\r\n%b\r\n" % (len(self), self)
        return self._framed


Outlet = Callable[[bytes], bool]


class Pushing(ABC, AsyncIterator[bytes]):
    """A streamed body that can do without the turn of a task: while its next chunk is waited for, it may give one to
    the outlet, which sends it or gives False (the peer is slow or gone); then the body has to yield that chunk."""

    @abstractmethod
    def attach(self, outlet: Outlet) -> None:
        """Tells the outlet, before the first chunk is asked for."""


@dataclass(slots=True)
class Response:
    """`body` as bytes gets a Content-Length; as an async iterator it is sent chunked, chunk by chunk, and closed
    (`aclose`) when the peer goes away. See also `Pushing`."""

    status: int = 200
    headers: Headers = field(default_factory=list)
    body: bytes | AsyncIterator[bytes] = b""


Service = Callable[[Request], Awaitable[Response]]


def content_type(value: bytes, extra: Iterable[tuple[bytes, bytes]] = ()) -> Headers:
    """A header list that begins with this content type."""
    return [(b"content-type", value), *extra]
