"""AWS in the same process, reached without a socket: the end of botocore's path to a service is replaced.

botocore still checks, serialises, retries and parses, so a caller cannot tell; only the signature (a scope without
one: the embedded AWS verifies none) and the transport are ours. Both hang on botocore's own events, `before-sign`,
`choose-signer` and `before-send`. Costs a fourth of a request over loopback.
Not here: what answers (`Send` is plain tuples, because this kit does not know our HTTP kit).
"""

import inspect
import time
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import botocore
from aiobotocore.awsrequest import AioAWSResponse

from lambent.aws.answers import WireHeaders

Send = Callable[[str, bytes, WireHeaders, bytes], Awaitable[tuple[int, WireHeaders, bytes]]]
"""Method, target, headers, body -> status, headers, body. Header names are lower-case bytes."""


def send_locally(session: Any, send: Send, *, access_key: str) -> None:
    """Every request of the session's clients goes to `send` (untyped library)."""

    def scope(request: Any, signing_name: str, region_name: str, **_: Any) -> None:
        day = time.strftime("%Y%m%d", time.gmtime())
        credential = f"{access_key}/{day}/{region_name}/{signing_name}/aws4_request"
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=none"
        )

    async def transport(request: Any, **_: Any) -> AioAWSResponse:
        place = urlsplit(request.url)
        target = f"{place.path or '/'}?{place.query}" if place.query else place.path or "/"
        headers = [(b"host", place.netloc.encode())]
        headers += [(_bytes(name).lower(), _bytes(value)) for name, value in request.headers.items()]
        status, answered, body = await send(request.method, target.encode(), headers, await _whole(request.body))
        fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in answered}
        return _Answer(request.url, status, fields, body)

    session.register("choose-signer", lambda **_: botocore.UNSIGNED)
    session.register("before-sign", scope)
    session.register("before-send", transport)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


async def _whole(body: Any) -> bytes:
    """botocore's body: nothing, text, bytes, or a file whose `read` may be a coroutine."""
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
        if inspect.isawaitable(body):
            body = await body
    return body.encode() if isinstance(body, str) else bytes(body)


class _Answer(AioAWSResponse):  # type: ignore[misc]  # the library is untyped
    def __init__(self, url: str, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(url, status, headers, _Raw(url, body))
        self._content = body


class _Raw:
    """What a streamed body reads from: the few things of aiohttp's response that aiobotocore uses."""

    def __init__(self, url: str, body: bytes) -> None:
        self.url = url
        self.content = _Content(body)

    def close(self) -> None:
        """Nothing is held."""


class _Content:
    def __init__(self, body: bytes) -> None:
        self._file = BytesIO(body)

    async def read(self, amount: int = -1) -> bytes:
        return self._file.read(amount)

    def at_eof(self) -> bool:
        return self._file.tell() == len(self._file.getbuffer())
