"""Links to stored archives: `GET /_lambent/artifacts/<sha256>?expires=..&signature=..`.

GetFunction's `Code.Location` is such a link, good for ten minutes. The signature is an HMAC over digest and expiry with
a secret of this state directory; who has the link needs no other credential, as with a pre-signed URL of S3.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs

from lambent.clock import WallClock, utc_now
from lambent.functions.artifacts import ArtifactStore
from lambent.http.message import Request, Response

PREFIX = b"/_lambent/artifacts/"
_VALID_S = 600


def _signature(sha256: str, expires: str, secret: bytes) -> str:
    return hmac.new(secret, f"{sha256}:{expires}".encode(), hashlib.sha256).hexdigest()


def signed_query(sha256: str, *, secret: bytes, now: datetime) -> str:
    expires = str(int(now.timestamp()) + _VALID_S)
    return f"expires={expires}&signature={_signature(sha256, expires, secret)}"


class Downloads:
    """The `Service` behind those links."""

    def __init__(self, artifacts: ArtifactStore, secret: bytes, *, clock: WallClock = utc_now) -> None:
        self._artifacts = artifacts
        self._secret = secret
        self._clock: Callable[[], datetime] = clock

    async def __call__(self, request: Request) -> Response:
        sha256 = request.raw_path.removeprefix(PREFIX).decode("latin-1")
        query = parse_qs(request.raw_query.decode("latin-1"))
        expires, given = query.get("expires", [""])[0], query.get("signature", [""])[0]
        if not hmac.compare_digest(given.encode(), _signature(sha256, expires, self._secret).encode()):
            return _refused(403, b"AccessDenied")
        if int(expires) < self._clock().timestamp():
            return _refused(403, b"Request has expired")
        try:
            content = await self._artifacts.read(sha256)
        except FileNotFoundError:
            return _refused(404, b"NoSuchKey")
        return Response(200, [(b"content-type", b"application/zip")], content)


def _refused(status: int, text: bytes) -> Response:
    return Response(status, [(b"content-type", b"text/plain")], text)
