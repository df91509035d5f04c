"""JSON text from values and back, with the limits and the exactness of the language."""

from functools import cache
from math import isfinite
from typing import Any

from lambent.cel.errors import CelError, Fault, LimitFault
from lambent.cel.limits import MAX_TEXT, Budget
from lambent.cel.operators import int64
from lambent.cel.values import BoolKey, Duration, OptionalValue, Timestamp, kind_of


def write_json(value: Any, *, ordered: bool = False, compact: bool = False) -> str:
    """JSON with non-ASCII characters escaped, keys in map order unless `ordered`. Errors: `Fault`, `LimitFault`."""
    encoder, form = _encoder(ordered, compact), _Plain()
    plain = form.of(value)
    if form.longest <= MAX_TEXT:
        text: str = encoder.encode(plain)
        return text
    pieces: list[str] = []
    size = 0
    for piece in encoder.iterencode(plain):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_TEXT:
            raise LimitFault(f"to_json: more than {MAX_TEXT} characters")
    return "".join(pieces)


@cache
def _encoder(ordered: bool, compact: bool) -> Any:
    from json import JSONEncoder

    return JSONEncoder(separators=(",", ":") if compact else (", ", ": "), sort_keys=ordered)


class _Plain:
    """Values in types that JSON knows; counted, see `Budget`. `longest` is what their text has at most."""

    def __init__(self) -> None:
        self.budget = Budget()
        self._chars = 0
        self._items = 1

    @property
    def longest(self) -> int:
        """An escaped character takes six, a number, or what stands around an item, less than thirty-two."""
        return 6 * self._chars + 64 * self._items

    def of(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            self._chars += len(value)
            return value
        if kind is int or kind is bool or value is None:
            return value
        if kind is float:
            if not isfinite(value):
                raise Fault("conversion", "NaN and infinity have no JSON form")
            return value
        if isinstance(value, dict):
            self._count(value)
            return {self._key(key): self.of(each) for key, each in value.items()}
        if isinstance(value, list):
            self._count(value)
            return [self.of(each) for each in value]
        special = self._special(value)
        self._chars += len(special) if isinstance(special, str) else 0
        return special

    def _count(self, value: Any) -> None:
        self.budget.charge(value)
        self._items += len(value)

    def _key(self, key: Any) -> str:
        text = _key(key)
        self._chars += len(text)
        return text

    def _special(self, value: Any) -> Any:
        from lambent.cel.library.encoders import base64_encode
        from lambent.cel.library.times import string_from_duration, string_from_timestamp

        if isinstance(value, Timestamp):
            return string_from_timestamp(value)
        if isinstance(value, Duration):
            return string_from_duration(value)
        if isinstance(value, bytes):
            return base64_encode(value)
        if isinstance(value, OptionalValue):
            return self.of(value.value) if value.present else None
        if isinstance(value, int):
            return int(value)
        if isinstance(value, str):
            return str(value)
        if kind_of(value) in ("ip", "cidr"):
            return str(value)
        raise Fault("conversion", f"{kind_of(value)} has no JSON form")


def json_value(value: Any) -> Any:
    """A result as plain JSON values: times as text, bytes as base64, an empty optional as null.

    Errors: `CelError` (conversion) for NaN, infinity and types; (limit) above a million items.
    """
    try:
        return _Plain().of(value)
    except Fault as fault:
        error = CelError(fault.code, f"the result has no JSON form: {fault.message}")
    except LimitFault as fault:
        error = CelError("limit", fault.message)
    except RecursionError:
        error = CelError("limit", "the result is nested too deeply")
    raise error


def _key(key: Any) -> str:
    if type(key) is str:
        return key
    if isinstance(key, BoolKey):
        key = key.value
    if isinstance(key, bool):
        return "true" if key else "false"
    return key if isinstance(key, str) else str(int(key))


def read_json(text: str) -> Any:
    """The value of a JSON text. Errors: `Fault` (conversion) if it is none, or a number or character has no value."""
    if len(text) > MAX_TEXT:
        raise LimitFault(f"from_json: more than {MAX_TEXT} characters")
    from json import dumps, loads

    try:
        value = loads(text, parse_int=_integer, parse_float=_double, parse_constant=_no_constant)
        if "\\u" in text:
            # Half a surrogate pair is no character: nothing could store or send it.
            dumps(value, ensure_ascii=False).encode()
        return value
    except RecursionError:
        raise Fault("conversion", "from_json: nested too deeply") from None
    except UnicodeEncodeError:
        raise Fault("conversion", "from_json: half a surrogate pair is not a character") from None
    except ValueError:
        raise Fault("conversion", "from_json: the string is not JSON") from None


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise Fault("conversion", "from_json: an integer exceeds 64 bits")
    return int64(int(digits))


def _double(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise Fault("conversion", "from_json: a number exceeds a double")
    return number


def _no_constant(_name: str) -> Any:
    raise Fault("conversion", "from_json: NaN and infinity are not JSON")
