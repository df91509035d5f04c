"""ConfigMaps and Secrets: keys, sizes, what a Secret's type needs, and what stays once it is immutable."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.requests.decoding import go_json_error
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import forbidden, go_kind, invalid, required, texts, too_long, unchanged

_SIZE_LIMIT_BYTES = 1024 * 1024
_ACCOUNT = "kubernetes.io/service-account.name"
_NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_JSON = ("kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson")


def _size(encoded: str) -> int:
    """Bytes of a base64 text, which holds no line ends here."""
    return len(encoded) // 4 * 3 - encoded.count("=")


def config_map(obj: Any) -> Iterator[Problem]:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for key in data:
        yield from texts(f"data[{key}]", key, names.config_key(key))
        if key in binary:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        yield from texts(f"binaryData[{key}]", key, names.config_key(key))
    if sum(len(value.encode()) for value in data.values()) + sum(map(_size, binary.values())) > _SIZE_LIMIT_BYTES:
        yield too_long("", _SIZE_LIMIT_BYTES)


def kept(new: Any, old: Any) -> Iterator[Problem]:
    """What `immutable` protects."""
    if not old.get("immutable"):
        return
    text = "field is immutable when `immutable` is set"
    if not new.get("immutable"):
        yield forbidden("immutable", text)
    for name in ("data", "binaryData"):
        if (new.get(name) or {}) != (old.get(name) or {}):
            yield forbidden(name, text)


def secret(obj: Any) -> Iterator[Problem]:
    data = obj.get("data") or {}
    for key in data:
        yield from texts(f"data[{key}]", key, names.config_key(key))
    if sum(map(_size, data.values())) > _SIZE_LIMIT_BYTES:
        yield too_long("data", _SIZE_LIMIT_BYTES)
    kind = obj.get("type", "")
    if kind == "kubernetes.io/service-account-token":
        if not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT):
            yield required(f"metadata.annotations[{_ACCOUNT}]")
    elif kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield required("data[username]")
        yield required("data[password]")
    for key in _NEEDED.get(kind, ()):
        if key not in data or (kind == "kubernetes.io/ssh-auth" and not data[key]):
            yield required(f"data[{key}]")
        elif kind in _JSON:
            yield from _json_object(f"data[{key}]", data[key])


def _json_object(path: str, encoded: str) -> Iterator[Problem]:
    raw = base64.b64decode(encoded)
    try:
        value = json.loads(raw)
        text = f"json: cannot unmarshal {go_kind(value)} into Go value of type map[string]interface {{}}"
        why = "" if isinstance(value, dict) or value is None else text
    except ValueError:
        why = go_json_error(raw)
    if why:
        yield invalid(path, "<secret contents redacted>", why)


def kept_secret(new: Any, old: Any) -> Iterator[Problem]:
    yield from unchanged("type", new.get("type", ""), old.get("type", ""))
    yield from kept(new, old)
