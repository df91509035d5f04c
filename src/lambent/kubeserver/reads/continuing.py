"""Continue tokens: the version a list shows and the last key of a page, in the form kube-apiserver gives them.

They are signed with a key of this process, so that a page cannot be forged. Refusals are in the words of Go's readers
of base64 and JSON. Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
"""

import base64
import hashlib
import hmac
import string
from typing import Any

import orjson

from lambent.kubeserver.requests.decoding import go_json_error
from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.validation.errors import go_kind

_VERSION = "meta.k8s.io/v1"
_ALPHABET = frozenset(string.ascii_letters + string.digits + "-_")


def seal(key: bytes, rv: int, start: str) -> str:
    """`start` is the last key of the page, within what the request lists."""
    text = orjson.dumps({"v": _VERSION, "rv": rv, "start": start + "\0", "mark": _mark(key, rv, start)})
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def open_sealed(key: bytes, token: str) -> tuple[int, str]:
    """The version and the last key; raises 400 for what is no token of this process."""
    held = _read(token)
    if held.get("v", "") != _VERSION:
        raise _invalid(f"server does not recognize this encoded version {held.get('v', '')}")
    rv, start = held.get("rv") or 0, held.get("start") or ""
    if not rv:
        raise _invalid(f"incorrect encoded start resourceVersion (version {_VERSION})")
    if not start:
        raise _invalid(f"encoded start key empty (version {_VERSION})")
    start = start.removesuffix("\0")
    if not hmac.compare_digest(str(held.get("mark", "")).encode(), _mark(key, rv, start).encode()):
        raise _invalid("it was not made by this server")
    return rv, start


def _mark(key: bytes, rv: int, start: str) -> str:
    return hmac.new(key, f"{rv} {start}".encode(), hashlib.sha256).hexdigest()[:24]


def _invalid(why: str) -> ApiError:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")


def _read(token: str) -> dict[str, Any]:
    raw = _decoded(token)
    try:
        held = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _invalid(go_json_error(raw)) from None
    if held is None:
        return {}
    if not isinstance(held, dict):
        raise _invalid(f"json: cannot unmarshal {go_kind(held)} into Go value of type storage.continueToken")
    for name, wanted, go_type in (("v", str, "string"), ("rv", int, "int64"), ("start", str, "string")):
        value = held.get(name)
        if value is not None and (type(value) is not wanted):
            where = f"Go struct field continueToken.{name} of type {go_type}"
            raise _invalid(f"json: cannot unmarshal {go_kind(value)} into {where}")
    return held


def _decoded(token: str) -> bytes:
    """Base64 without padding; a line break counts for nothing."""
    kept = [(at, sign) for at, sign in enumerate(token) if sign not in "\r\n"]
    wrong = next((at for at, sign in kept if sign not in _ALPHABET), None)
    if wrong is None and len(kept) % 4 == 1:
        wrong = kept[-1][0]
    if wrong is not None:
        raise _invalid(f"illegal base64 data at input byte {wrong}")
    text = "".join(sign for _, sign in kept)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
