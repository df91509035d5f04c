"""The math extension of CEL: extremes, rounding, signs, classification and bits."""

from collections.abc import Callable
from math import ceil, floor, isfinite, isinf, isnan, sqrt, trunc
from typing import Any

from lambent.cel.errors import Fault
from lambent.cel.operators import int64, less
from lambent.cel.registry import function
from lambent.cel.values import UINT_MAX, UInt, kind_of

_NUMBER = "int|uint|double"
_MAX_ARGUMENTS = 8


def _extremes(name: str, doc: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function of one to eight numbers, or of a list of them."""

    def declare(implementation: Callable[..., Any]) -> Callable[..., Any]:
        function(name, "list -> dyn", doc)(lambda items: implementation(*items))
        for count in range(1, _MAX_ARGUMENTS + 1):
            function(name, f"{' '.join([_NUMBER] * count)} -> dyn", doc)(implementation)
        return implementation

    return declare


def _numbers(name: str, items: tuple[Any, ...]) -> None:
    if not items:
        raise Fault("argument", f"{name}: no numbers given")
    if any(kind_of(item) not in ("int", "uint", "double") for item in items):
        raise Fault("overload", f"{name}: every argument must be a number")


@_extremes("math.greatest", "The greatest of some numbers.")
def greatest(*items: Any) -> Any:
    _numbers("math.greatest", items)
    best = items[0]
    for item in items[1:]:
        if less(best, item):
            best = item
    return best


@_extremes("math.least", "The least of some numbers.")
def least(*items: Any) -> Any:
    _numbers("math.least", items)
    best = items[0]
    for item in items[1:]:
        if less(item, best):
            best = item
    return best


def _integral(value: float, rounded: Callable[[float], int]) -> float:
    return float(rounded(value)) if isfinite(value) else value


@function("math.ceil", "double -> double", "The nearest whole number not below.")
def ceiling(value: float) -> float:
    return _integral(value, ceil)


@function("math.floor", "double -> double", "The nearest whole number not above.")
def floored(value: float) -> float:
    return _integral(value, floor)


@function("math.round", "double -> double", "The nearest whole number, halves away from zero.")
def rounded(value: float) -> float:
    if not isfinite(value):
        return value
    whole = float(trunc(value))
    if abs(value - whole) < 0.5:
        return whole
    return whole + 1 if value > 0 else whole - 1


@function("math.trunc", "double -> double", "Without its fraction.")
def truncated(value: float) -> float:
    return _integral(value, trunc)


@function("math.abs", "int -> int", "The absolute value.")
def absolute_int(value: int) -> int:
    return int64(abs(value))


@function("math.abs", "uint|double -> dyn", "The absolute value.")
def absolute(value: Any) -> Any:
    return value if type(value) is UInt else abs(value)


@function("math.sign", "int|uint|double -> dyn", "-1, 0 or 1 in the type of the number; NaN for NaN.")
def sign(value: Any) -> Any:
    if value != value:
        return value
    return type(value)((value > 0) - (value < 0))


@function("math.sqrt", "int|uint|double -> double", "The square root; NaN for a negative number.")
def square_root(value: Any) -> float:
    return float("nan") if value < 0 else sqrt(value)


@function("math.isNaN", "double -> bool", "Whether the number is NaN.")
def is_nan(value: float) -> bool:
    return isnan(value)


@function("math.isInf", "double -> bool", "Whether the number is infinite.")
def is_inf(value: float) -> bool:
    return isinf(value)


@function("math.isFinite", "double -> bool", "Whether the number is neither infinite nor NaN.")
def is_finite(value: float) -> bool:
    return isfinite(value)


def _bits(operation: Callable[[int, int], int], a: int, b: int) -> int:
    result = operation(int(a), int(b))
    return UInt(result) if type(a) is UInt else result


@function("math.bitAnd", "int int -> int", "Bits set in both.")
@function("math.bitAnd", "uint uint -> uint", "Bits set in both.")
def bit_and(a: int, b: int) -> int:
    return _bits(int.__and__, a, b)


@function("math.bitOr", "int int -> int", "Bits set in either.")
@function("math.bitOr", "uint uint -> uint", "Bits set in either.")
def bit_or(a: int, b: int) -> int:
    return _bits(int.__or__, a, b)


@function("math.bitXor", "int int -> int", "Bits set in one of them.")
@function("math.bitXor", "uint uint -> uint", "Bits set in one of them.")
def bit_xor(a: int, b: int) -> int:
    return _bits(int.__xor__, a, b)


@function("math.bitNot", "int -> int", "Every bit inverted.")
def bit_not(value: int) -> int:
    return ~value


@function("math.bitNot", "uint -> uint", "Every bit inverted.")
def bit_not_uint(value: int) -> UInt:
    return UInt(UINT_MAX ^ int(value))


@function("math.bitShiftLeft", "int int -> int", "Bits moved left; zero from 64 places on.")
@function("math.bitShiftLeft", "uint int -> uint", "Bits moved left; zero from 64 places on.")
def shift_left(value: int, places: int) -> int:
    _shift(places)
    bits = (int(value) << places) & UINT_MAX if places < 64 else 0
    if type(value) is UInt:
        return UInt(bits)
    return bits - 2**64 if bits >= 2**63 else bits


@function("math.bitShiftRight", "int int -> int", "Bits moved right, zeros moved in; zero from 64 places on.")
@function("math.bitShiftRight", "uint int -> uint", "Bits moved right; zero from 64 places on.")
def shift_right(value: int, places: int) -> int:
    _shift(places)
    bits = (int(value) & UINT_MAX) >> places if places < 64 else 0
    if type(value) is UInt:
        return UInt(bits)
    return bits - 2**64 if bits >= 2**63 else bits


def _shift(places: int) -> None:
    if places < 0:
        raise Fault("argument", "a shift cannot be negative")
