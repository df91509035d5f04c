"""Conversions between types, `type`, `dyn` and `size`."""

from math import isfinite
from typing import Any, Final

from lambent.cel.errors import Fault
from lambent.cel.operators import int64, uint64
from lambent.cel.registry import function
from lambent.cel.values import INT_MAX, INT_MIN, UINT_MAX, CelType, UInt, type_of

_BOOLEANS: Final = {
    "1": True, "t": True, "true": True, "TRUE": True, "True": True,
    "0": False, "f": False, "false": False, "FALSE": False, "False": False,
}  # fmt: skip


@function("dyn", "dyn -> dyn", "The value itself, with its static type forgotten.")
def to_dyn(value: Any) -> Any:
    return value


@function("type", "dyn -> type", "The type of the value.")
def to_type(value: Any) -> CelType:
    return type_of(value)


@function("size", "string|bytes|list|map -> int", "Characters of a string, bytes, items or entries.")
def size(value: Any) -> int:
    return len(value)


@function("size", "null -> int", "0: Koreo counts null as empty, and its published tests rely on it.", profile="koreo")
def size_of_null(value: None) -> int:
    return 0


@function("bool", "bool -> bool", "The same value.")
@function("int", "int -> int", "The same value.")
@function("double", "double -> double", "The same value.")
@function("string", "string -> string", "The same value.")
@function("bytes", "bytes -> bytes", "The same value.")
@function("list", "list -> list", "The same value.")
@function("map", "map -> map", "The same value.")
@function("uint", "uint -> uint", "The same value.")
@function("timestamp", "timestamp -> timestamp", "The same value.")
@function("duration", "duration -> duration", "The same value.")
def identity(value: Any) -> Any:
    return value


@function("list", "map -> list", "The keys of a map.", profile="koreo")
def map_keys(value: dict[Any, Any]) -> list[Any]:
    return list(value)


@function("bool", "string -> bool", "1, t, true, True, TRUE and 0, f, false, False, FALSE; anything else is an error.")
def bool_from_string(text: str) -> bool:
    value = _BOOLEANS.get(text)
    if value is None:
        raise Fault("conversion", "the string does not spell a bool")
    return value


@function("int", "uint -> int", "The same number; an error above 2^63-1.")
def int_from_uint(value: int) -> int:
    return int64(int(value))


@function("int", "double -> int", "Truncated toward zero; an error outside 64 bits.")
def int_from_double(value: float) -> int:
    if not INT_MIN < value < INT_MAX:
        raise Fault("conversion", "double outside the range of int")
    return int(value)


@function("int", "string -> int", "Decimal digits with an optional sign.")
def int_from_string(text: str) -> int:
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        raise Fault("conversion", "the string does not spell an int")
    number = int(text)
    if not INT_MIN <= number <= INT_MAX:
        raise Fault("conversion", "the number is outside the range of int")
    return number


@function("uint", "int -> uint", "The same number; an error below 0.")
def uint_from_int(value: int) -> UInt:
    return uint64(value)


@function("uint", "double -> uint", "Truncated toward zero; an error outside 64 bits.")
def uint_from_double(value: float) -> UInt:
    if not 0 <= value < UINT_MAX:
        raise Fault("conversion", "double outside the range of uint")
    return UInt(int(value))


@function("uint", "string -> uint", "Decimal digits.")
def uint_from_string(text: str) -> UInt:
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        raise Fault("conversion", "the string does not spell a uint")
    return uint64(int(text))


@function("double", "int|uint -> double", "The nearest double.")
def double_from_int(value: int) -> float:
    return float(value)


@function("double", "string -> double", "A decimal number, NaN, or Infinity with an optional sign.")
def double_from_string(text: str) -> float:
    if "_" in text or text != text.strip() or not text.isascii():
        raise Fault("conversion", "the string does not spell a double")
    try:
        return float(text)
    except ValueError:
        raise Fault("conversion", "the string does not spell a double") from None


@function("string", "int|uint -> string", "Decimal digits.")
def string_from_int(value: int) -> str:
    return str(int(value))


@function("string", "bool -> string", "`true` or `false`.")
def string_from_bool(value: bool) -> str:
    return "true" if value else "false"


@function("string", "double -> string", "The shortest decimal that reads back as the same double; `1` for 1.0.")
def string_from_double(value: float) -> str:
    if not isfinite(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


@function("string", "bytes -> string", "The text of UTF-8 bytes; an error if they are not UTF-8.")
def string_from_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Fault("conversion", "the bytes are not UTF-8") from None


@function("string", "type -> string", "The name of the type.", profile="koreo")
def string_from_type(value: CelType) -> str:
    return value.name


@function("string", "null -> string", "`null`.", profile="koreo")
def string_from_null(_value: None) -> str:
    return "null"


@function("bytes", "string -> bytes", "The text as UTF-8.")
def bytes_from_string(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
