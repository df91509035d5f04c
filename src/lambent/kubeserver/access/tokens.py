"""Bearer tokens: the administrator's random one, and signed ones minted for ServiceAccounts.

A minted token is a JWT signed with HMAC-SHA256 under the administrator's token, so it dies with the state directory.
Compared in constant time. Not here: what a user may do (nothing is enforced).
"""

import base64
import hashlib
import hmac
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from lambent.clock import WallClock, rfc3339
from lambent.kubeserver.call import ADMIN, User
from lambent.kubeserver.status import invalid
from lambent.kubeserver.validation.access import token_life

_ISSUER = "https://kubernetes.default.svc"
_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
_DEFAULT_LIFE_S = 3_600


def check_request(spec: Any) -> None:
    """Raises 422 for a life that is too short or too long."""
    if found := [*token_life(spec.get("expirationSeconds", _DEFAULT_LIFE_S), "spec.expirationSeconds")]:
        raise invalid("authentication.k8s.io", "TokenRequest", "", found)


class Tokens:
    """`path` None makes a token for this process only; else it is made once and kept there, mode 0600."""

    def __init__(self, path: Path | None, clock: WallClock) -> None:
        self._clock = clock
        self.admin = _kept(path) if path else secrets.token_urlsafe(32)
        self._key = hashlib.sha256(b"serviceaccount" + self.admin.encode()).digest()

    def user_of(self, token: str) -> User | None:
        if hmac.compare_digest(token.encode(), self.admin.encode()):
            return ADMIN
        return self._service_account(token)

    def mint(self, namespace: str, name: str, uid: str, spec: dict[str, Any]) -> dict[str, Any]:
        """The status of a TokenRequest: token and expiry."""
        life = int(spec.get("expirationSeconds") or _DEFAULT_LIFE_S)
        now = self._clock()
        claims = {
            "aud": spec.get("audiences") or [_ISSUER],
            "exp": int(now.timestamp()) + life,
            "iat": int(now.timestamp()),
            "iss": _ISSUER,
            "jti": secrets.token_hex(16),
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        body = _HEADER + b"." + _encode(orjson.dumps(claims))
        token = (body + b"." + _encode(self._sign(body))).decode()
        return {"token": token, "expirationTimestamp": rfc3339(now + timedelta(seconds=life))}

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).digest()

    def _service_account(self, token: str) -> User | None:
        body, _, mark = token.encode().rpartition(b".")
        if not hmac.compare_digest(_encode(self._sign(body)), mark):
            return None
        claims = orjson.loads(_decode(body.partition(b".")[2]))
        if claims["exp"] < _seconds(self._clock()):
            return None
        account = claims["kubernetes.io"]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{account['namespace']}", "system:authenticated")
        return User(claims["sub"], groups, account["serviceaccount"]["uid"])


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _kept(path: Path) -> str:
    if path.exists():
        return path.read_text().strip()
    token = secrets.token_urlsafe(32)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(token)
    return token
