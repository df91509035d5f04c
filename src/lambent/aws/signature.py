"""Checking SigV4 signatures: header form, presigned URLs, S3's signed chunks. Pure: no clock, no keys of its own.

A signature is an HMAC over a canonical form of the request, with a key derived from the secret, the day, the region
and the service. Verifying means building the same canonical form from what arrived. S3 signs the path as it is; every
other service signs it normalised and encoded once more.
Source: AWS IAM user guide, "Create a signed AWS API request"; Amazon S3 API reference, "Authenticating requests" and
"Signature calculations: transferring a payload in multiple chunks".
"""

import hashlib
import hmac
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote_to_bytes

from lambent.aws.errors import ServiceError
from lambent.aws.sigv4 import CredentialScope, credential_scope

SKEW = timedelta(minutes=5)
PRESIGNED_LIMIT_S = 7 * 24 * 3600

Secrets = Callable[[str], str | None]
"""The secret of an access key, or None for a key that nobody issued."""

_EMPTY = hashlib.sha256(b"").hexdigest()
_UNSIGNED = "UNSIGNED-PAYLOAD"
_SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_UNRESERVED = "-_.~"
_FIELD = re.compile(rb"(SignedHeaders|Signature)=([^,\s]+)")
_CHUNK = re.compile(rb"([0-9a-fA-F]+);chunk-signature=([0-9a-f]{64})\r\n")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it arrived: raw path and query, lower-case header names, the body complete."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        return next((value for key, value in self.headers if key == name), b"")


@dataclass(frozen=True, slots=True)
class _Claim:
    """What the request says about its own signature."""

    scope: CredentialScope
    signed_headers: tuple[str, ...]
    signature: str
    time: datetime
    stamp: str
    expires_s: int | None = None

    @property
    def scope_text(self) -> str:
        return f"{self.scope.date}/{self.scope.region}/{self.scope.service}/aws4_request"


def verify(request: SignedRequest, secrets: Secrets, *, now: datetime) -> CredentialScope:
    """The scope of a request whose signature is right. Raises ServiceError, 403, with AWS's code and words."""
    claim = _claim(request)
    _check_time(claim, now)
    secret = secrets(claim.scope.access_key)
    if secret is None:
        raise _refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
    payload = _payload_hash(request, claim)
    key = signing_key(secret, claim.scope)
    canonical = canonical_request(request, claim.signed_headers, payload, is_s3=claim.scope.service == "s3")
    wanted = _sign(key, claim, "AWS4-HMAC-SHA256", _sha256(canonical))
    if not hmac.compare_digest(wanted, claim.signature):
        raise _mismatch()
    if payload == _SIGNED_CHUNKS:
        _check_chunks(request.body, key, claim)
    return claim.scope


# --- what the request says


def _claim(request: SignedRequest) -> _Claim:
    authorization = request.header(b"authorization")
    scope = credential_scope(authorization, request.query)
    if scope is None or not scope.date:
        raise _refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
    if authorization:
        fields = dict(_FIELD.findall(authorization))
        signed, signature = fields.get(b"SignedHeaders", b""), fields.get(b"Signature", b"")
        stamp, expires = request.header(b"x-amz-date") or _http_date(request.header(b"date")), None
    else:
        query = dict(_pairs(request.query))
        signed, signature = query.get("X-Amz-SignedHeaders", "").encode(), query.get("X-Amz-Signature", "").encode()
        stamp, expires = query.get("X-Amz-Date", "").encode(), _expires(query.get("X-Amz-Expires", ""))
    names = tuple(signed.decode("latin-1").lower().split(";"))
    if "host" not in names:
        raise _refusal("InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    text = stamp.decode("latin-1")
    return _Claim(scope, names, signature.decode("latin-1"), _time(text), text, expires)


def _time(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _refusal(
            "IncompleteSignatureException", "Date must be in ISO-8601 'basic format'. See \"X-Amz-Date\"."
        ) from None


def _http_date(value: bytes) -> bytes:
    try:
        moment = datetime.strptime(value.decode("latin-1"), "%a, %d %b %Y %H:%M:%S GMT")
    except ValueError:
        return b""
    return moment.strftime("%Y%m%dT%H%M%SZ").encode()


def _expires(text: str) -> int:
    if not text.isdecimal() or int(text) > PRESIGNED_LIMIT_S:
        raise _refusal("InvalidSignatureException", "X-Amz-Expires must be a number of seconds less than a week")
    return int(text)


def _check_time(claim: _Claim, now: datetime) -> None:
    if claim.stamp[:8] != claim.scope.date:
        raise _refusal(
            "InvalidSignatureException",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date",
        )
    shown = now.strftime("%Y%m%dT%H%M%SZ")
    if claim.time > now + SKEW:
        limit = (now + SKEW).strftime("%Y%m%dT%H%M%SZ")
        text = f"Signature not yet current: {claim.stamp} is still later than {limit} ({shown} + 5 min.)"
        raise _refusal("InvalidSignatureException", text)
    if claim.expires_s is not None:
        if now > claim.time + timedelta(seconds=claim.expires_s):
            raise _refusal("ExpiredTokenException", "Request has expired")
    elif claim.time < now - SKEW:
        limit = (now - SKEW).strftime("%Y%m%dT%H%M%SZ")
        text = f"Signature expired: {claim.stamp} is now earlier than {limit} ({shown} - 5 min.)"
        raise _refusal("InvalidSignatureException", text)


# --- the canonical form


def canonical_request(request: SignedRequest, signed_headers: Sequence[str], payload: str, *, is_s3: bool) -> bytes:
    """The text whose hash is signed."""
    pairs = sorted(pair for pair in _encoded_pairs(request.query) if pair[0] != "X-Amz-Signature")
    lines = [
        request.method,
        _canonical_path(request.path, is_s3=is_s3),
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{_header_value(request, name)}" for name in signed_headers),
        "",
        ";".join(signed_headers),
        payload,
    ]
    return "\n".join(lines).encode()


def _canonical_path(path: bytes, *, is_s3: bool) -> str:
    if is_s3:
        # Part by part: an encoded slash belongs to a key and must stay encoded.
        return "/".join(quote(unquote_to_bytes(part), safe=_UNRESERVED) for part in path.split(b"/")) or "/"
    normal = posixpath.normpath(path.decode("latin-1")) if path else "/"
    normal = "/" + normal.lstrip("/")
    if path.endswith(b"/") and normal != "/":
        normal += "/"
    return quote(normal.encode("latin-1"), safe=f"/{_UNRESERVED}")


def _pairs(query: bytes) -> list[tuple[str, str]]:
    """Names and values, decoded; `+` is itself, as in AWS's rules."""
    parts = [part.partition(b"=") for part in query.split(b"&") if part]
    return [(_text(name), _text(value)) for name, _, value in parts]


def _encoded_pairs(query: bytes) -> list[tuple[str, str]]:
    parts = [part.partition(b"=") for part in query.split(b"&") if part]
    return [tuple(quote(unquote_to_bytes(x), safe=_UNRESERVED) for x in (n, v)) for n, _, v in parts]  # type: ignore[misc]


def _text(raw: bytes) -> str:
    return unquote_to_bytes(raw).decode("utf-8", "replace")


def _header_value(request: SignedRequest, name: str) -> str:
    values = [value.decode("utf-8", "replace") for key, value in request.headers if key == name.encode("latin-1")]
    return ",".join(" ".join(value.split()) for value in values)


def _payload_hash(request: SignedRequest, claim: _Claim) -> str:
    """What stands for the body; a hash that the request names must be the body's."""
    named = request.header(b"x-amz-content-sha256").decode("latin-1")
    if not named:
        return _UNSIGNED if claim.scope.service == "s3" and claim.expires_s is not None else _sha256(request.body)
    if named == _UNSIGNED or named.startswith("STREAMING-"):
        return named
    if named != _sha256(request.body):
        raise _refusal("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match")
    return named


# --- keys and signatures


def signing_key(secret: str, scope: CredentialScope) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _sign(key: bytes, claim: _Claim, algorithm: str, *rest: str) -> str:
    text = "\n".join((algorithm, claim.stamp, claim.scope_text, *rest))
    return hmac.digest(key, text.encode(), "sha256").hex()


def _check_chunks(body: bytes, key: bytes, claim: _Claim) -> None:
    """Each chunk's signature covers the one before, so chunks can be neither changed nor moved nor left out."""
    before, at, size = claim.signature, 0, -1
    while size != 0:
        found = _CHUNK.match(body, at)
        if found is None:
            raise _mismatch()
        size = int(found[1], 16)
        data = body[found.end() : found.end() + size]
        before = _sign(key, claim, "AWS4-HMAC-SHA256-PAYLOAD", before, _EMPTY, _sha256(data))
        if not hmac.compare_digest(before.encode(), found[2]):
            raise _mismatch()
        at = found.end() + size + 2


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mismatch() -> ServiceError:
    return _refusal(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.",
    )


def _refusal(code: str, message: str) -> ServiceError:
    return ServiceError(code, message, status=403)
