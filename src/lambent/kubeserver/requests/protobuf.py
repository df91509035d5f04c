"""Protobuf bodies in: what kubectl sends for `create configmap` and its like. Answers are always JSON.

The envelope is the magic `k8s\\0` and an `Unknown{typeMeta, raw}`; `raw` is decoded by the generated field table into
the dict that JSON would have given. Source: Kubernetes API concepts, "Kubernetes Protobuf encoding"; encoding rules of
proto2. A kind that is not in the table is a 415 that names it.
"""

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from lambent.clock import rfc3339, rfc3339_micro
from lambent.kubeserver.status import ApiError, bad_request

_MAGIC = b"k8s\x00"
_META = "k8s.io.apimachinery.pkg.apis.meta.v1"
_PACKAGES = {
    "": "core",
    "rbac.authorization.k8s.io": "rbac",
    "authentication.k8s.io": "authentication",
    "authorization.k8s.io": "authorization",
    "coordination.k8s.io": "coordination",
    "networking.k8s.io": "networking",
    "events.k8s.io": "events",
    "discovery.k8s.io": "discovery",
}
_SIGNED = frozenset({"int32", "int64"})

Fields = dict[str, tuple[str, str, bool]]


@cache
def _messages() -> dict[str, Fields]:
    raw = (Path(__file__).parent.parent / "builtin" / "protobuf.json").read_bytes()
    found: dict[str, Fields] = orjson.loads(raw)["messages"]
    return found


def decode_object(body: bytes) -> dict[str, Any]:
    """The object of a protobuf body; raises 400 for a broken one, 415 for a kind without field table."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body is not Kubernetes protobuf: its first bytes are not k8s\\0")
    try:
        return _decode_unknown(body[len(_MAGIC) :])
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise bad_request(f"the protobuf body is broken: {error}") from None


def _decode_unknown(body: bytes) -> dict[str, Any]:
    api_version = kind = ""
    raw = b""
    for number, value in _fields(body):
        if number == 1 and isinstance(value, bytes):
            names = {n: v.decode() for n, v in _fields(value) if isinstance(v, bytes)}
            api_version, kind = names.get(1, ""), names.get(2, "")
        elif number == 2 and isinstance(value, bytes):
            raw = value
    name = _message_name(api_version, kind)
    if name not in _messages():
        text = f"{api_version}, Kind={kind} cannot be read as protobuf by this server: send application/json"
        raise ApiError(415, text, details={})
    return {"apiVersion": api_version, "kind": kind, **_message(raw, name)}


def _message_name(api_version: str, kind: str) -> str:
    if kind == "DeleteOptions":
        return f"{_META}.DeleteOptions"
    group, _, version = api_version.rpartition("/")
    return f"k8s.io.api.{_PACKAGES.get(group, group)}.{version}.{kind}"


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of a message: varints and fixed numbers as int, the rest as bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 1:
                yield tag >> 3, struct.unpack_from("<Q", data, at)[0]
                at += 8
            case 2:
                size, at = _varint(data, at)
                if at + size > len(data):
                    raise IndexError("a length points beyond the end")
                yield tag >> 3, data[at : at + size]
                at += size
            case 5:
                yield tag >> 3, struct.unpack_from("<I", data, at)[0]
                at += 4
            case wire:
                raise IndexError(f"unknown wire type {wire}")


def _message(data: bytes, name: str) -> Any:
    special = _SPECIAL.get(name)
    if special is not None:
        return special(data)
    table = _messages().get(name, {})
    out: dict[str, Any] = {}
    for number, raw in _fields(data):
        field = table.get(str(number))
        if field is None:
            continue
        member, kind, is_list = field
        if kind.startswith("map<"):
            key, value = _map_entry(raw, kind)
            out.setdefault(member, {})[key] = value
        elif is_list:
            out.setdefault(member, []).extend(_packed(raw, kind))
        else:
            out[member] = _value(raw, kind)
    return _without_zeros(out)


def _without_zeros(message: dict[str, Any]) -> dict[str, Any]:
    """Go writes strings and lists that JSON would leave out; an empty string of a member means absent."""
    return {key: value for key, value in message.items() if value not in ("", [], None)}


def _packed(raw: int | bytes, kind: str) -> list[Any]:
    if isinstance(raw, bytes) and kind in ("int32", "int64", "bool"):
        out, at = [], 0
        while at < len(raw):
            value, at = _varint(raw, at)
            out.append(_value(value, kind))
        return out
    return [_value(raw, kind)]


def _map_entry(raw: int | bytes, kind: str) -> tuple[str, Any]:
    value_kind = kind[4:-1].partition(",")[2].strip().lstrip(".")
    key, value = "", _zero(value_kind)
    for number, part in _fields(raw if isinstance(raw, bytes) else b""):
        if number == 1 and isinstance(part, bytes):
            key = part.decode()
        elif number == 2:
            value = _value(part, value_kind)
    return key, value


def _zero(kind: str) -> Any:
    return {"string": "", "bytes": "", "bool": False, "int32": 0, "int64": 0}.get(kind, {})


def _value(raw: int | bytes, kind: str) -> Any:
    if isinstance(raw, int):
        if kind == "bool":
            return bool(raw)
        if kind == "double":
            return struct.unpack("<d", struct.pack("<Q", raw))[0]
        return raw - (1 << 64) if kind in _SIGNED and raw >= 1 << 63 else raw
    if kind == "string":
        return raw.decode()
    if kind == "bytes":
        return base64.b64encode(raw).decode()
    return _message(raw, kind)


def _numbers(data: bytes) -> dict[int, int]:
    return {n: (v - (1 << 64) if v >= 1 << 63 else v) for n, v in _fields(data) if isinstance(v, int)}


def _time(data: bytes) -> str | None:
    """Zero time is null: Go always writes the member."""
    parts = _numbers(data)
    seconds = parts.get(1, 0)
    if not data or seconds <= -62135596800:
        return None
    return rfc3339(datetime.fromtimestamp(seconds, UTC))


def _micro_time(data: bytes) -> str | None:
    parts = _numbers(data)
    if not data:
        return None
    return rfc3339_micro(datetime.fromtimestamp(parts.get(1, 0) + parts.get(2, 0) / 1e9, UTC))


def _int_or_string(data: bytes) -> int | str:
    values = dict(_fields(data))
    text = values.get(3, b"")
    return text.decode() if values.get(1) == 1 and isinstance(text, bytes) else _numbers(data).get(2, 0)


def _quantity(data: bytes) -> str:
    text = dict(_fields(data)).get(1, b"")
    return text.decode() if isinstance(text, bytes) else ""


def _fields_v1(data: bytes) -> Any:
    raw = dict(_fields(data)).get(1, b"{}")
    return orjson.loads(raw) if isinstance(raw, bytes) else {}


def _list_of_strings(data: bytes) -> list[str]:
    """`ExtraValue` and its like: a list of strings in a message of its own."""
    return [value.decode() for _, value in _fields(data) if isinstance(value, bytes)]


_SPECIAL = {
    f"{_META}.Time": _time,
    f"{_META}.MicroTime": _micro_time,
    f"{_META}.FieldsV1": _fields_v1,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.api.authentication.v1.ExtraValue": _list_of_strings,
    "k8s.io.api.authorization.v1.ExtraValue": _list_of_strings,
}
