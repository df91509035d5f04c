"""One connection's incoming side: bytes in, complete requests out, no I/O.

`RequestReader.feed(data)` gives exchanges in the order of the wire; a refused request becomes an exchange with
`refusal` set, after which the reader ignores all input (the connection ends with that answer). httptools parses;
the bounds are ours: its callbacks come only for complete headers, so unfinished ones are bounded by counting raw bytes.
"""

from dataclasses import dataclass

import httptools

from lambent.http.limits import Limits
from lambent.http.message import Headers, Request


@dataclass(slots=True)
class Exchange:
    """A request to be answered; `refusal` is the status to refuse it with instead of asking the service."""

    request: Request
    keep_alive: bool
    http10: bool = False
    refusal: int = 0


class RequestReader:
    """`is_reading` tells whether a request has begun and is not complete; `in_body` whether its headers are.
    `expects_continue` stays true until the caller has sent 100 (or the body has begun)."""

    def __init__(self, limits: Limits, *, scheme: str = "http", peer: str = "") -> None:
        self._limits = limits
        self._scheme = scheme
        self._peer = peer
        self._parser = httptools.HttpRequestParser(self)
        self._done: list[Exchange] = []
        self.is_dead = False
        self.is_reading = False
        self.in_body = False
        self.expects_continue = False
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: Headers = []
        self._header_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._body_limit = 0

    def feed(self, data: bytes) -> list[Exchange]:
        """Exchanges completed by these bytes."""
        if self.is_dead:
            return []
        self._done = []
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.refuse(400)
        if self.is_reading and not self.in_body and not self.is_dead:
            self._header_bytes += len(data)
            if self._header_bytes > 2 * self._limits.header_bytes:
                self.refuse(431)
        return self._done

    def refuse(self, status: int) -> Exchange:
        """End the connection's input with this answer."""
        request = Request(self._method(), self._url, self._headers, b"", self._scheme, self._peer)
        exchange = Exchange(request, keep_alive=False, refusal=status)
        if not self.is_dead:
            self._done.append(exchange)
        self.is_dead, self.is_reading = True, False
        self._body = []
        return exchange

    def _method(self) -> str:
        try:
            return str(self._parser.get_method().decode("ascii"))
        except (AttributeError, UnicodeDecodeError):
            return "GET"

    def _ignore_upgrade(self, rest: bytes) -> None:
        """We offer no other protocol, which a server says by answering the request as it is (RFC 9110, 7.8)."""
        if self._done and self._done[-1].request.method == "CONNECT":
            self._done.pop()
            self.refuse(400)
            return
        self._parser = httptools.HttpRequestParser(self)
        done = self._done
        self._done = done + (self.feed(rest) if rest else [])

    # --- httptools callbacks

    def on_message_begin(self) -> None:
        self._reset()
        self.is_reading = True

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_header(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_body or self.is_dead:
            return  # a trailer
        self._count_header(len(name) + len(value) + 4)
        self._headers.append((name.lower(), value))

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self._limits.header_bytes and not self.is_dead:
            self.refuse(431)

    def on_headers_complete(self) -> None:
        if self.is_dead:
            return
        self.in_body = True
        length, expects = 0, False
        for name, value in self._headers:
            if name == b"content-length":
                length = int(value) if value.isdigit() else 0
            elif name == b"transfer-encoding":
                length = length or 1
            elif name == b"expect" and value.lower() == b"100-continue":
                expects = True
        if not length:
            return
        self._body_limit = self._limits.body(self._method(), self._url, self._headers)
        if length > self._body_limit:
            self.refuse(413)
            return
        self.expects_continue = expects and self._parser.get_http_version() == "1.1"

    def on_body(self, body: bytes) -> None:
        if self.is_dead:
            return
        self.expects_continue = False
        self._body_bytes += len(body)
        if self._body_bytes > self._body_limit:
            self.refuse(413)
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self.is_dead:
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(self._method(), self._url, self._headers, body, self._scheme, self._peer)
        http10 = self._parser.get_http_version() == "1.0"
        self._done.append(Exchange(request, self._parser.should_keep_alive(), http10))
        self.is_reading = self.in_body = self.expects_continue = False
        self._body = []
