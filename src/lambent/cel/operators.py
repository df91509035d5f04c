"""The operators over native values: equality, order, arithmetic, membership.

Every operator is exact about types where Python is not: `true` never equals 1, integers are checked 64-bit, division
truncates toward zero. Each raises `Fault` for what the language calls an error,
with kinds in the text and never a value.
"""

from math import inf, nan
from typing import Any, Final

from lambent.cel.errors import Fault
from lambent.cel.limits import Budget, bounded_items, bounded_length
from lambent.cel.values import (
    INT_MAX,
    INT_MIN,
    MISSING,
    UINT_MAX,
    Duration,
    Timestamp,
    UInt,
    find,
    kind_of,
)

_NUMBERS: Final = frozenset(("int", "uint", "double"))
_WALKED: Final = frozenset(("list", "map", "optional"))
_ORDERED: Final = frozenset(("bool", "string", "bytes", "timestamp", "duration"))


def no_overload(op: str, *operands: Any) -> Fault:
    """The fault of an operator applied to kinds it is not defined for."""
    return Fault("overload", f"no such overload: {f' {op} '.join(kind_of(each) for each in operands)}")


def boolean(value: Any) -> bool:
    """`value` if it is a boolean."""
    if value is True or value is False:
        return value
    raise Fault("overload", f"expected bool, found {kind_of(value)}")


def equal(a: Any, b: Any) -> bool:
    """Typed equality: numbers compare as numbers across their types, everything else only within its type."""
    kind = type(a)
    if kind is type(b) and (kind is str or kind is int):
        return a == b  # type: ignore[no-any-return]
    left, right = kind_of(a), kind_of(b)
    if left in _NUMBERS and right in _NUMBERS:
        return a == b  # type: ignore[no-any-return]
    if left != right:
        return False
    return _equal_parts(a, b, Budget()) if left in _WALKED else a == b


def _equal_parts(a: Any, b: Any, budget: Budget) -> bool:
    """Equality of what may be lists, maps or optionals."""
    if type(a) is str:
        return type(b) is str and a == b
    kind = kind_of(a)
    if kind not in _WALKED:
        return equal(a, b)
    if kind != kind_of(b):
        return False
    if kind == "optional":
        return a.present is b.present and (not a.present or _equal_parts(a.value, b.value, budget))
    if len(a) != len(b):
        return False
    budget.charge(a)
    if kind == "list":
        return all(_equal_parts(mine, other, budget) for mine, other in zip(a, b, strict=True))
    return _equal_maps(a, b, budget)


def unequal(a: Any, b: Any) -> bool:
    """`a != b`."""
    return not equal(a, b)


def _equal_maps(a: dict[Any, Any], b: dict[Any, Any], budget: Budget) -> bool:
    for key, value in a.items():
        other = find(b, key)
        if other is MISSING or not _equal_parts(value, other, budget):
            return False
    return True


def fingerprint(value: Any, budget: Budget) -> Any:
    """A hashable stand-in: two values are equal exactly if their fingerprints are."""
    kind = kind_of(value)
    if kind in _NUMBERS:
        return ("number", value if value == value else object())
    if kind == "optional":
        return (kind, value.present, fingerprint(value.value, budget))
    if kind not in _WALKED:
        return (kind, value)
    budget.charge(value)
    if kind == "list":
        return (kind, tuple([fingerprint(each, budget) for each in value]))
    return (kind, frozenset([(fingerprint(key, budget), fingerprint(each, budget)) for key, each in value.items()]))


def fingerprints(items: list[Any]) -> list[Any]:
    """The fingerprints of all items."""
    budget = Budget()
    return [fingerprint(item, budget) for item in items]


def contains(item: Any, container: Any) -> bool:
    """`item in container`: an element of a list by typed equality, or a key of a map."""
    if isinstance(container, dict):
        return find(container, item) is not MISSING
    if isinstance(container, list):
        if type(item) is str:
            return item in container
        return any(equal(item, each) for each in container)
    raise no_overload("in", item, container)


def _rank(op: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Both operands as Python values whose order is that of the language."""
    left, right = kind_of(a), kind_of(b)
    if left in _NUMBERS and right in _NUMBERS:
        return (a, b) if left != "double" != right else (float(a), float(b))
    if left == right and left in _ORDERED:
        return a, b
    raise no_overload(op, a, b)


def less(a: Any, b: Any) -> bool:
    """`a < b`."""
    if type(a) is int is type(b):
        return a < b
    a, b = _rank("<", a, b)
    return a < b  # type: ignore[no-any-return]


def less_equal(a: Any, b: Any) -> bool:
    """`a <= b`."""
    if type(a) is int is type(b):
        return a <= b
    a, b = _rank("<=", a, b)
    return a <= b  # type: ignore[no-any-return]


def greater(a: Any, b: Any) -> bool:
    """`a > b`."""
    if type(a) is int is type(b):
        return a > b
    a, b = _rank(">", a, b)
    return b < a  # type: ignore[no-any-return]


def greater_equal(a: Any, b: Any) -> bool:
    """`a >= b`."""
    if type(a) is int is type(b):
        return a >= b
    a, b = _rank(">=", a, b)
    return b <= a  # type: ignore[no-any-return]


def int64(value: int) -> int:
    """`value` if it fits a signed 64-bit integer."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise Fault("arithmetic", "integer overflow")


def uint64(value: int) -> UInt:
    """`value` as an unsigned 64-bit integer."""
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise Fault("arithmetic", "unsigned integer overflow")


def add(a: Any, b: Any) -> Any:
    """`a + b` for numbers of one type, strings, bytes, lists, and times."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            total = a + b
            return total if INT_MIN <= total <= INT_MAX else int64(total)
        if kind is str or kind is bytes:
            bounded_length(len(a) + len(b))
            return a + b
        if kind is float:
            return a + b
        if kind is list:
            bounded_items(len(a) + len(b))
            return a + b
        if kind is UInt:
            return uint64(int(a) + int(b))
    return _add_times(a, b)


def _add_times(a: Any, b: Any) -> Any:
    kinds = (type(a), type(b))
    if kinds == (Duration, Duration):
        return duration(a.nanos + b.nanos)
    if kinds in ((Timestamp, Duration), (Duration, Timestamp)):
        return timestamp(a.nanos + b.nanos)
    raise no_overload("+", a, b)


def subtract(a: Any, b: Any) -> Any:
    """`a - b` for numbers of one type and times."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            return int64(a - b)
        if kind is float:
            return a - b
        if kind is UInt:
            return uint64(int(a) - int(b))
        if kind is Duration or kind is Timestamp:
            return duration(a.nanos - b.nanos)
    elif kind is Timestamp and type(b) is Duration:
        return timestamp(a.nanos - b.nanos)
    raise no_overload("-", a, b)


def multiply(a: Any, b: Any) -> Any:
    """`a * b` for numbers of one type."""
    kind = type(a)
    if kind is type(b):
        if kind is int:
            return int64(a * b)
        if kind is float:
            return a * b
        if kind is UInt:
            return uint64(int(a) * int(b))
    raise no_overload("*", a, b)


def divide(a: Any, b: Any) -> Any:
    """`a / b`: integers truncate toward zero, a zero divisor is an error; doubles follow IEEE 754."""
    kind = type(a)
    if kind is not type(b) or kind not in (int, float, UInt):
        raise no_overload("/", a, b)
    if kind is float:
        return a / b if b else _divide_by_zero(a, b)
    if b == 0:
        raise Fault("arithmetic", "division by zero")
    quotient = abs(int(a)) // abs(int(b))
    if kind is UInt:
        return UInt(quotient)
    return int64(quotient if (a < 0) == (b < 0) else -quotient)


def _divide_by_zero(a: float, b: float) -> float:
    if a == 0 or a != a:
        return nan
    return inf if (a > 0) == (str(b) == "0.0") else -inf


def modulo(a: Any, b: Any) -> Any:
    """`a % b` for integers; the result has the sign of `a`."""
    kind = type(a)
    if kind is int is type(b) and a >= 0 < b:
        return a % b
    if kind is not type(b) or kind not in (int, UInt):
        raise no_overload("%", a, b)
    if b == 0:
        raise Fault("arithmetic", "modulus by zero")
    remainder = abs(int(a)) % abs(int(b))
    return UInt(remainder) if kind is UInt else (-remainder if a < 0 else remainder)


def negate(a: Any) -> Any:
    """`-a` for int and double."""
    kind = type(a)
    if kind is int:
        return int64(-a)
    if kind is float:
        return -a
    raise Fault("overload", f"no such overload: -{kind_of(a)}")


def negation(a: Any) -> bool:
    """`!a`."""
    return not boolean(a)


def timestamp(nanos: int) -> Timestamp:
    """A timestamp within years 1 to 9999."""
    if -62_135_596_800_000_000_000 <= nanos < 253_402_300_800_000_000_000:
        return Timestamp(nanos)
    raise Fault("arithmetic", "timestamp out of range")


def duration(nanos: int) -> Duration:
    """A duration within 64 bits of nanoseconds."""
    if INT_MIN <= nanos <= INT_MAX:
        return Duration(nanos)
    raise Fault("arithmetic", "duration out of range")


BINARY: Final = {
    "==": equal, "!=": unequal, "<": less, "<=": less_equal, ">": greater, ">=": greater_equal, "in": contains,
    "+": add, "-": subtract, "*": multiply, "/": divide, "%": modulo,
}  # fmt: skip
