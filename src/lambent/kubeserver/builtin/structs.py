"""How Go's decoder reads a body into the struct of a builtin kind.

`Reader` walks the parts of a body whose types read themselves: quantities and times are brought into their one form,
base64 is checked, a null in a list or a map of texts becomes the empty value, what is as good as absent is dropped.
Source: Go's encoding/json, apimachinery's Quantity and Time. Not here: what is said of members of other types
(`mismatches`).
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from lambent.kubeserver.builtin.empties import empty, same_as_absent

JsonSchema = Mapping[str, Any]
_Read = Callable[[Any], Any]
_PREFIX = "io.k8s.apimachinery.pkg"
QUANTITY = f"{_PREFIX}.api.resource.Quantity"
TIMES = {f"{_PREFIX}.apis.meta.v1.Time": False, f"{_PREFIX}.apis.meta.v1.MicroTime": True}
INT_OR_TEXT = f"{_PREFIX}.util.intstr.IntOrString"
OPAQUE = ("JSONSchemaProps", "FieldsV1", "RawExtension")  # what is below them reads itself, or is another's affair


class Unreadable(ValueError):
    """A body that Go's decoder refuses; the message is its text."""


INTEGERS = {"int32": 31, "int64": 63}


def read_quantity(value: Any, *, is_amount: bool = False) -> Any:
    """`is_amount`: of a named resource, of which there are no parts below a thousandth."""
    # Rational numbers are 3 ms of a start, and most servers are given no quantity for a while.
    from lambent.kubeserver.validation.quantities import NotAQuantity, canonical

    if value is None:
        return "0"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    try:
        return canonical(text, 1000) if is_amount else canonical(text)
    except NotAQuantity as error:
        raise Unreadable(str(error)) from None


_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_LAYOUT = ("2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05")


def _read_time(value: Any, *, micro: bool) -> Any:
    if not isinstance(value, str):
        return value  # a wrong type is told like any other
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


def _read_bytes(value: Any, *, is_converted: bool) -> Any:
    """A list of numbers is as good as a text; line ends in a text are passed over."""
    if isinstance(value, str):
        try:
            raw = b64decode(value.replace("\r", "").replace("\n", ""), validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable(f"illegal base64 data at input byte {_first_bad_byte(value)}") from None
        return b64encode(raw).decode()
    if not isinstance(value, list):
        return value
    numbers = [0 if one is None else one for one in value]
    if is_converted and all(type(one) in (int, float) for one in numbers):
        numbers = [_wrapped(one, 256, "uint8") % 256 for one in numbers]
    if not all(type(one) is int and 0 <= one < 256 for one in numbers):
        raise Unreadable("unrecognized type: uint8" if is_converted else "")
    return b64encode(bytes(numbers)).decode()


def _first_bad_byte(text: str) -> int:
    """Where Go's decoder stops: at a sign it does not know, else where the group begins that is not filled."""
    for at, sign in enumerate(text):
        if sign == "=":
            if at % 4 == 2 and at + 1 == len(text):
                return len(text)
            wanted = 4 - at % 4  # signs that fill the group
            is_filled = at % 4 >= 2 and text[at : at + wanted] == "=" * wanted
            return at + wanted if is_filled else at
        if not (sign.isascii() and (sign.isalnum() or sign in "+/")):
            return at
    return len(text) - len(text) % 4


def _wrapped(value: float, size: int, kind: str) -> int:
    """A number as Go's converter makes it fit: its last bits."""
    if value != value // 1:
        raise Unreadable(f"cannot convert float64 to {kind}")
    whole = int(value) if -(1 << 63) <= value < 1 << 63 else -(1 << 63)
    return (whole + size // 2) % size - size // 2


def _whole_number(schema: JsonSchema, *, is_converted: bool) -> _Read:
    """Of the size that Go's type has; the text of the refusal names the place, which `mismatch` finds."""
    kind = schema.get("format", "int64")
    bits = INTEGERS.get(kind, 63)
    low, high = -(1 << bits), 1 << bits
    if is_converted:
        return lambda value: _wrapped(value, 2 * high, kind) if type(value) in (int, float) else value

    def read(value: Any) -> Any:
        if isinstance(value, float) or (type(value) is int and not low <= value < high):
            raise Unreadable("")
        return value

    return read


def _read_int_or_text(value: Any, *, is_converted: bool) -> Any:
    if is_converted and isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) or (type(value) is int and -(1 << 31) <= value < 1 << 31):
        return value
    raise Unreadable(f"json: cannot unmarshal {json_name(value)} into Go value of type int32" if is_converted else "")


JSON_NAMES: dict[type, str] = {
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
    dict: "object",
    list: "array",
}


def json_name(value: Any) -> str:
    """What a value is to Go's decoder, a number with its digits."""
    name = JSON_NAMES[type(value)]
    return f"{name} {orjson.dumps(value).decode()}" if name == "number" else name


class Reader:
    """The reading parts of one schema; `read` changes the body in place and raises `Unreadable`.

    `is_converted`: as what is decoded already is converted to a struct, which makes numbers fit and tells no places.
    """

    def __init__(
        self, schema: JsonSchema, definitions: Mapping[str, JsonSchema], *, is_converted: bool = False
    ) -> None:
        self._definitions = definitions
        self._is_converted = is_converted
        self._compiled: dict[str, _Read | None] = {}
        self._read = self._node(schema)

    def read(self, body: Any) -> None:
        if self._read is not None:
            self._read(body)

    def _node(self, schema: JsonSchema) -> _Read | None:
        name = schema.get("$ref")
        if name is None:
            return self._typed(schema)
        if name == QUANTITY:
            return read_quantity
        if name == INT_OR_TEXT:
            return partial(_read_int_or_text, is_converted=self._is_converted)
        if name in TIMES:
            micro = TIMES[name]
            return lambda value: _read_time(value, micro=micro)
        if name.rpartition(".")[2] in OPAQUE:
            return None
        if name not in self._compiled:
            self._compiled[name] = None  # what contains itself holds nothing to read here
            self._compiled[name] = self._typed(self._definitions[name], name)
        return self._compiled[name]

    def _typed(self, schema: JsonSchema, name: str = "") -> _Read | None:
        if schema.get("format") == "byte":
            return partial(_read_bytes, is_converted=self._is_converted)
        if schema.get("type") == "integer":
            return _whole_number(schema, is_converted=self._is_converted)
        if isinstance(schema.get("items"), Mapping):
            return _list_of(self._node(schema["items"]), empty(schema["items"]))
        others = schema.get("additionalProperties")
        if isinstance(others, Mapping):
            if others.get("$ref") == QUANTITY:
                return _map_of(partial(read_quantity, is_amount=True), None)
            zero = "" if others.get("type") == "string" else None
            return _map_of(self._node(others), zero)
        members = {member: self._node(child) for member, child in (schema.get("properties") or {}).items()}
        readers = {member: read for member, read in members.items() if read is not None}
        return _struct_of(readers, same_as_absent(name, schema))


def _list_of(item: _Read | None, zero: Any) -> _Read | None:
    """A null in a list is the empty value."""

    def read(value: Any) -> Any:
        if isinstance(value, list):
            if zero is not None and None in value:
                value[:] = [({} if zero == {} else zero) if one is None else one for one in value]
            if item is not None:
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


def _struct_of(members: Mapping[str, _Read], droppable: Mapping[str, Any]) -> _Read | None:
    if not members and not droppable:
        return None

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            for name in droppable.keys() & value.keys():
                if (given := value[name]) == droppable[name] and type(given) is type(droppable[name]):
                    del value[name]
            for name, one in members.items():
                if value.get(name) is not None:
                    value[name] = one(value[name])
        return value

    return read
