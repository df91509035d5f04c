"""How Go's decoder reads a body into the struct of a builtin kind, and what it says when it cannot.

`Reader` walks only the parts of a body whose types read themselves: quantities and times are brought into their one
form, base64 is checked, a null in a map of texts becomes "". `mismatch` explains the first member of a wrong type in
the words of encoding/json: struct, path and Go type. Source: Go's encoding/json, apimachinery's Quantity and Time.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from lambent.kubeserver.validation.quantities import NotAQuantity, canonical

JsonSchema = Mapping[str, Any]
_Read = Callable[[Any], Any]
_PREFIX = "io.k8s.apimachinery.pkg"
_QUANTITY = f"{_PREFIX}.api.resource.Quantity"
_TIMES = {f"{_PREFIX}.apis.meta.v1.Time": False, f"{_PREFIX}.apis.meta.v1.MicroTime": True}
_INT_OR_TEXT = f"{_PREFIX}.util.intstr.IntOrString"
_OPAQUE = ("JSONSchemaProps", "FieldsV1", "RawExtension")  # what is below them reads itself, or is another's affair


class Unreadable(ValueError):
    """A body that Go's decoder refuses; the message is its text."""


@cache
def _named_types() -> dict[str, dict[str, str]]:
    """Struct -> member -> Go type, where the schema does not tell it."""
    found: dict[str, dict[str, str]] = orjson.loads((Path(__file__).parent / "types.json").read_bytes())["types"]
    return found


_INTEGERS = {"int32": 31, "int64": 63}


# Values that read themselves.


def read_quantity(value: Any) -> Any:
    if value is None:
        return "0"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    try:
        return canonical(text)
    except NotAQuantity as error:
        raise Unreadable(str(error)) from None


_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_LAYOUT = ("2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05")


def _read_time(value: Any, *, micro: bool) -> Any:
    if not isinstance(value, str):
        return value  # a wrong type is told like any other
    if not value and not micro:
        return None
    found = _STAMP.match(value)
    if found is None or (micro and len(found[7] or "") != 7) or not _exists(found):
        layout = "2006-01-02T15:04:05.000000Z07:00" if micro else "2006-01-02T15:04:05Z07:00"
        raise Unreadable(f"parsing time {_quoted(value)}{_why_no_time(value, layout, micro=micro)}")
    return value if found[8] == "Z" and (micro or not found[7]) else _in_utc(found, micro=micro)


def _exists(found: re.Match[str]) -> bool:
    from datetime import datetime

    try:
        datetime.fromisoformat(found[0][:19])
    except ValueError:
        return False
    return True


def _in_utc(found: re.Match[str], *, micro: bool) -> str:
    from datetime import UTC, datetime

    zone = "+00:00" if found[8] == "Z" else found[8]
    moment = datetime.fromisoformat(f"{found[0][:19]}{found[7] if micro else ''}{zone}").astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _why_no_time(value: str, layout: str, *, micro: bool) -> str:
    """Where Go's parser stops: it eats the layout's elements one after the other."""
    rest, lead = value, f' as "{layout}": cannot parse'
    for element in _LAYOUT:
        size = len(element)
        is_sign = not element[0].isdigit()
        if rest[:size] != element if is_sign else not (len(rest) >= size and rest[:size].isdecimal()):
            return f'{lead} {_quoted(rest)} as "{element}"'
        number, rest = rest[:size], rest[size:]
        limits = {"01": (1, 12, "month"), "15": (0, 23, "hour"), "04": (0, 59, "minute"), "05": (0, 59, "second")}
        if element in limits and not limits[element][0] <= int(number) <= limits[element][1]:
            return f": {limits[element][2]} out of range"
    fraction = re.match(r"\.\d+", rest)
    if micro and (fraction is None or len(fraction[0]) != 7):
        return f'{lead} {_quoted(rest)} as ".000000"'
    rest = rest[fraction.end() :] if fraction else rest
    zone = re.match(r"Z|[+-]\d\d:\d\d", rest)
    if zone is None:
        return f'{lead} {_quoted(rest)} as "Z07:00"'
    if rest[zone.end() :]:
        return f": extra text: {_quoted(rest[zone.end() :])}"
    return ": day out of range"


def _read_bytes(value: Any) -> Any:
    if isinstance(value, str):
        try:
            b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable(f"illegal base64 data at input byte {_first_bad_byte(value)}") from None
    return value


def _first_bad_byte(text: str) -> int:
    """Where Go's decoder stops: at a sign it does not know, else at the end of what does not fill a group."""
    for at, sign in enumerate(text):
        if sign == "=":
            is_last = len(text) - at <= 2 and at % 4 >= 2 and set(text[at:]) == {"="}
            return len(text) if is_last else at
        if not (sign.isascii() and (sign.isalnum() or sign in "+/")):
            return at
    return len(text) - len(text) % 4 if len(text) % 4 == 1 else len(text)


def _whole_number(schema: JsonSchema) -> _Read:
    """Of the size that Go's type has; the text of the refusal names the place, which `mismatch` finds."""
    bits = _INTEGERS.get(schema.get("format", ""), 63)
    low, high = -(1 << bits), 1 << bits

    def read(value: Any) -> Any:
        if isinstance(value, float) or (type(value) is int and not low <= value < high):
            raise Unreadable("")
        return value

    return read


class Reader:
    """The reading parts of one schema; `read` changes the body in place and raises `Unreadable`."""

    def __init__(self, schema: JsonSchema, definitions: Mapping[str, JsonSchema]) -> None:
        self._definitions = definitions
        self._compiled: dict[str, _Read | None] = {}
        self._read = self._node(schema)

    def read(self, body: Any) -> None:
        if self._read is not None:
            self._read(body)

    def _node(self, schema: JsonSchema) -> _Read | None:
        name = schema.get("$ref")
        if name is None:
            return self._typed(schema)
        if name == _QUANTITY:
            return read_quantity
        if name in _TIMES:
            micro = _TIMES[name]
            return lambda value: _read_time(value, micro=micro)
        if name.rpartition(".")[2] in _OPAQUE:
            return None
        if name not in self._compiled:
            self._compiled[name] = None  # what contains itself holds nothing to read here
            self._compiled[name] = self._typed(self._definitions[name])
        return self._compiled[name]

    def _typed(self, schema: JsonSchema) -> _Read | None:
        if schema.get("format") == "byte":
            return _read_bytes
        if schema.get("type") == "integer":
            return _whole_number(schema)
        if isinstance(schema.get("items"), Mapping):
            return _list_of(self._node(schema["items"]))
        others = schema.get("additionalProperties")
        if isinstance(others, Mapping):
            zero = "" if others.get("type") == "string" else None
            return _map_of(self._node(others), zero)
        members = {name: self._node(child) for name, child in (schema.get("properties") or {}).items()}
        return _struct_of({name: read for name, read in members.items() if read is not None})


def _list_of(item: _Read | None) -> _Read | None:
    if item is None:
        return None

    def read(value: Any) -> Any:
        if isinstance(value, list):
            value[:] = [item(one) for one in value]
        return value

    return read


def _map_of(item: _Read | None, zero: Any) -> _Read | None:
    if item is None and zero is None:
        return None

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            for key, member in value.items():
                if member is None and zero is not None:
                    value[key] = zero
                elif item is not None:
                    value[key] = item(member)
        return value

    return read


def _struct_of(members: Mapping[str, _Read]) -> _Read | None:
    if not members:
        return None

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            for name, one in members.items():
                if value.get(name) is not None:
                    value[name] = one(value[name])
        return value

    return read


# What is said of a wrong type.

_JSON_NAMES: dict[type, str] = {
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
    dict: "object",
    list: "array",
}


def mismatch(value: Any, schema: JsonSchema, definitions: Mapping[str, JsonSchema]) -> str:
    """The first member that does not fit, as encoding/json tells it; "" when all do."""
    name = schema.get("$ref", "")
    return _Mismatch(definitions).find(value, schema, name.rpartition(".")[2], (), _bare(name))


def _bare(name: str) -> str:
    return ".".join(name.split(".")[-2:])


class _Mismatch:
    def __init__(self, definitions: Mapping[str, JsonSchema]) -> None:
        self._definitions = definitions

    def find(self, value: Any, schema: JsonSchema, struct: str, path: tuple[str, ...], kind: str) -> str:
        """`struct` is the one whose member the value is, `kind` the value's Go type."""
        name = schema.get("$ref", "")
        if value is None or name == _QUANTITY or name.rpartition(".")[2] in _OPAQUE:
            return ""
        node = self._definitions[name] if name else schema
        if name in _TIMES:
            return "" if isinstance(value, str) else _text(value, struct, path, "string")
        if name == _INT_OR_TEXT:
            return "" if _is_int(value) or isinstance(value, str) else _text(value, struct, path, "int32")
        wanted = _WANTED.get(node.get("type", ""))
        if wanted is None:
            return ""
        if not wanted(value) or (node["type"] == "integer" and not _fits(value, node)):
            return _text(value, struct, path, kind or self._go_type(schema, "", ""))
        return self._below(value, node, name, struct, path)

    def _below(self, value: Any, node: JsonSchema, name: str, struct: str, path: tuple[str, ...]) -> str:
        if isinstance(value, list):
            items = node.get("items") or {}
            kind = self._go_type(items, "", "")
            found = (self.find(one, items, struct, path, kind) for one in value)
        elif isinstance(value, dict) and isinstance(node.get("additionalProperties"), Mapping):
            others = node["additionalProperties"]
            kind = self._go_type(others, "", "")
            found = (self.find(one, others, struct, path, kind) for one in value.values())
        elif isinstance(value, dict):
            known = node.get("properties") or {}
            own = name.rpartition(".")[2] or struct
            found = (
                self.find(one, known[key], own, (*path, key), self._go_type(known[key], name, key))
                for key, one in value.items()
                if key in known
            )
        else:
            return ""
        return next(filter(None, found), "")

    def _go_type(self, schema: JsonSchema, struct: str, member: str) -> str:
        named = _named_types().get(struct, {}).get(member)
        if named is not None:
            return named
        if "$ref" in schema:
            return _bare(schema["$ref"])
        if isinstance(schema.get("additionalProperties"), Mapping):
            return f"map[string]{self._go_type(schema['additionalProperties'], '', '')}"
        if isinstance(schema.get("items"), Mapping):
            return f"[]{self._go_type(schema['items'], '', '')}"
        match schema.get("type"):
            case "integer":
                return str(schema.get("format", "int64"))
            case "number":
                return "float64"
            case "boolean":
                return "bool"
        return "[]uint8" if schema.get("format") == "byte" else "string"


def unrestorable(value: Any, schema: JsonSchema, definitions: Mapping[str, JsonSchema], member: str = "") -> str:
    """The first member of a strategic merge's outcome that does not fit, as the converter to structs tells it."""
    name = schema.get("$ref", "")
    if value is None or name in (_QUANTITY, _INT_OR_TEXT, *_TIMES) or name.rpartition(".")[2] in _OPAQUE:
        return ""
    node = definitions[name] if name else schema
    kind, found = node.get("type", ""), _GO_KINDS[type(value)]
    if kind == "array":
        if not isinstance(value, list):
            return f"cannot restore slice from {found}"
        return next(filter(None, (unrestorable(one, node.get("items") or {}, definitions) for one in value)), "")
    if kind != "object":
        return _unconvertible(value, kind, node, member)
    others, known = node.get("additionalProperties"), node.get("properties") or {}
    if not isinstance(value, dict):
        return f"cannot restore {'map from' if isinstance(others, Mapping) else 'struct from:'} {found}"
    rest = others if isinstance(others, Mapping) else {}
    named = _named_types().get(name, {})
    below = (unrestorable(one, known.get(key, rest), definitions, named.get(key, "")) for key, one in value.items())
    return next(filter(None, below), "")


_GO_KINDS = {str: "string", bool: "bool", int: "int64", float: "float64", dict: "map", list: "slice"}


def _unconvertible(value: Any, kind: str, node: JsonSchema, named: str) -> str:
    if kind not in _WANTED or _WANTED[kind](value):
        return ""
    plain = {"integer": node.get("format", "int64"), "boolean": "bool", "number": "float64"}.get(kind, "string")
    if plain == "string" and type(value) is int:  # Go would make a letter of a number; the converter will not
        return f"cannot convert int64 to {named or plain}"
    return f"unrecognized type: {plain}"


_WANTED: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fits(value: Any, node: JsonSchema) -> bool:
    bits = _INTEGERS.get(node.get("format", ""), 63)
    return isinstance(value, int) and -(1 << bits) <= value < 1 << bits


def _text(value: Any, struct: str, path: tuple[str, ...], kind: str) -> str:
    got = _JSON_NAMES[type(value)]
    if got == "number" and kind in _INTEGERS:
        got = f"number {orjson.dumps(value).decode()}"
    where = f"Go struct field {struct}.{'.'.join(path)}" if path else "Go value"
    return f"json: cannot unmarshal {got} into {where} of type {kind}"
