"""`format`: the printf-like function of CEL's strings extension.

Clauses: `%s` any value, `%d` integers, `%f` and `%e` numbers with an optional precision, `%b` binary, `%o` octal,
`%x` and `%X` hexadecimal of integers, strings and bytes, `%%` a percent sign.
"""

from math import isfinite
from typing import Any, Final

from lambent.cel.errors import Fault
from lambent.cel.library.conversions import string_from_bytes
from lambent.cel.library.times import string_from_duration, string_from_timestamp
from lambent.cel.limits import Budget, bounded_length, bounded_text
from lambent.cel.registry import function
from lambent.cel.values import BoolKey, Duration, Timestamp, kind_of

MAX_PRECISION: Final = 300
_RADIX: Final = {"b": "b", "o": "o", "x": "x", "X": "X"}


@function("format", "string list -> string", "The text with each % clause replaced by the next argument.")
def format_text(text: str, args: list[Any]) -> str:
    pieces: list[str] = []
    rest = iter(args)
    at = size = 0
    while (percent := text.find("%", at)) >= 0:
        pieces.append(text[at:percent])
        if text[percent + 1 : percent + 2] == "%":
            pieces.append("%")
            at = percent + 2
        else:
            precision, at = _precision(text, percent + 1)
            pieces.append(_clause(text[at : at + 1], precision, rest))
            at += 1
        size += len(pieces[-1])
        bounded_length(size)
    pieces.append(text[at:])
    return bounded_text("".join(pieces))


def _precision(text: str, at: int) -> tuple[int, int]:
    """The precision of a clause, 6 by default, and where its letter stands."""
    if text[at : at + 1] != ".":
        return 6, at
    end = at + 1
    while text[end : end + 1] in tuple("0123456789"):
        end += 1
    digits = text[at + 1 : end]
    if not digits or len(digits) > 3 or int(digits) > MAX_PRECISION:
        raise Fault("argument", "format: invalid precision")
    return int(digits), end


def _clause(letter: str, precision: int, rest: Any) -> str:
    if letter not in ("s", "d", "f", "e", "b", "o", "x", "X"):
        raise Fault("argument", "format: unknown clause")
    missing = object()
    value = next(rest, missing)
    if value is missing:
        raise Fault("argument", "format: fewer arguments than clauses")
    if letter == "s":
        return as_text(value, Budget())
    if letter in ("f", "e"):
        return _number(value, letter, precision)
    return _integer(value, letter)


def _number(value: Any, letter: str, precision: int) -> str:
    if kind_of(value) not in ("int", "uint", "double"):
        raise Fault("argument", f"format: %{letter} needs a number, found {kind_of(value)}")
    number = float(value)
    return f"{number:.{precision}{letter}}" if isfinite(number) else _double(number)


def _integer(value: Any, letter: str) -> str:
    kind = kind_of(value)
    if letter == "d":
        if kind in ("int", "uint"):
            return str(int(value))
        if kind == "double" and not isfinite(value):
            return _double(value)
    elif kind in ("int", "uint") or (kind == "bool" and letter == "b"):
        return f"{int(value):{letter}}"
    elif kind in ("string", "bytes") and letter in "xX":
        digits: str = (value.encode() if kind == "string" else value).hex()
        return digits.upper() if letter == "X" else digits
    raise Fault("argument", f"format: %{letter} cannot show {kind}")


def as_text(value: Any, budget: Budget) -> str:
    """A value as `%s` shows it."""
    kind = kind_of(value)
    if kind == "list":
        budget.charge(value)
        return "[" + ", ".join([as_text(item, budget) for item in value]) + "]"
    if kind == "map":
        budget.charge(value)
        entries = sorted((as_text(key, budget), as_text(each, budget)) for key, each in value.items())
        return "{" + ", ".join(f"{key}: {each}" for key, each in entries) + "}"
    shown = _SCALARS.get(kind)
    if shown is None:
        raise Fault("argument", f"format: %s cannot show {kind}")
    return str(shown(value))


def _double(value: float) -> str:
    if not isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def _truth(value: bool | BoolKey) -> str:
    return "true" if (value.value if isinstance(value, BoolKey) else value) else "false"


def _moment(value: Timestamp) -> str:
    return string_from_timestamp(value)


def _span(value: Duration) -> str:
    return string_from_duration(value)


_SCALARS: Final[dict[str, Any]] = {
    "null": lambda _: "null",
    "bool": _truth,
    "int": int,
    "uint": int,
    "double": _double,
    "string": str,
    "bytes": string_from_bytes,
    "type": lambda value: value.name,
    "timestamp": _moment,
    "duration": _span,
}
