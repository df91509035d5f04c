"""Quantities as Kubernetes writes them: `500m`, `1Gi`. Source: Kubernetes docs, "Quantity".

A quantity is read exactly, rounded up to a billionth, and written in one canonical form: no fraction, the largest
suffix that leaves a whole number, and the family of suffixes that it was written with.
"""

import re
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_SHAPE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(.*)\Z", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_EXPONENT = re.compile(r"[eE]([+-]?\d+)\Z", re.ASCII)
_NANO = Fraction(1, 10**9)
_LARGEST = Fraction(2**63 - 1)
_FURTHEST = 1000
_DIGITS_OF_INT64 = 19


class NotAQuantity(ValueError):
    """The message is the text of kube-apiserver."""


def parse(text: str) -> tuple[Fraction, str]:
    """The value and the family of its suffix: "decimal", "binary" or "exponent"."""
    return _known(text) if len(text) <= _SHORT else _read(text)


def canonical(text: str, parts: int = 10**9) -> str:
    """The one way to write this quantity, rounded away from 0 to a whole number of `parts` of 1; raises
    `NotAQuantity`.
    """
    return _known_form(text, parts) if len(text) <= _SHORT else _form(text, parts)


def _read(text: str) -> tuple[Fraction, str]:
    shape = _SHAPE.match(text.strip())
    if shape is None:
        raise NotAQuantity(f"quantities must match the regular expression '{PATTERN}'")
    number, suffix = _number(shape[1]), shape[2]
    if suffix in _DECIMAL:
        value, family = number * Fraction(10) ** _DECIMAL[suffix], "decimal"
    elif suffix in _BINARY:
        value, family = number * 2 ** _BINARY[suffix], "binary"
    elif (exponent := _EXPONENT.match(suffix)) is not None:
        value, family = number * Fraction(10) ** _power(exponent[1]), "exponent"
    elif re.fullmatch("[eEinumkKMGTP]*[-+]?[0-9]*", suffix):
        raise NotAQuantity("unable to parse quantity's suffix")
    else:
        raise NotAQuantity(f"quantities must match the regular expression '{PATTERN}'")
    rounded = Fraction(ceil(abs(value) / _NANO)) * _NANO
    return (min(rounded, _LARGEST) if value >= 0 else -min(rounded, _LARGEST)), family


def _number(text: str) -> Fraction:
    """Thousands of digits tell no more than that this is far too much, or that there is something left."""
    if len(text) <= _FURTHEST:
        return Fraction(text)
    whole, _, rest = text.lstrip("+-").partition(".")
    whole, rest = whole.lstrip("0"), rest.rstrip("0")
    whole = whole if len(whole) <= _FURTHEST else "9" * _FURTHEST
    rest = rest if len(rest) <= _FURTHEST else f"{rest[:_FURTHEST]}1"
    value = Fraction(f"{whole or 0}.{rest or 0}")
    return -value if text.startswith("-") else value


def _power(text: str) -> int:
    """No further than where every number is too large or too small: a power of millions takes minutes."""
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > _DIGITS_OF_INT64:
        raise NotAQuantity("unable to parse quantity's suffix")
    size = min(int(digits or "0"), _FURTHEST)
    return -size if text.startswith("-") else size


def _form(text: str, parts: int) -> str:
    value, family = parse(text)
    if parts % value.denominator:
        value = Fraction(ceil(value * parts) if value > 0 else floor(value * parts), parts)
    if value == 0:
        return "0"
    if family == "binary" and abs(value) >= 1024 and value.denominator == 1:
        return _in_powers(value, sorted(_BINARY.items(), key=lambda one: -one[1]), 2)
    if family == "exponent":
        steps = [(f"e{power}" if power else "", power) for power in range(18, -10, -3)]
        return _in_powers(value, steps, 10)
    return _in_powers(value, sorted(_DECIMAL.items(), key=lambda one: -one[1]), 10)


_SHORT = 24  # no one writes a longer one, and so the caches stay small
# Most objects say the same few, and each is asked for several times while one is judged.
_known, _known_form = lru_cache(maxsize=1024)(_read), lru_cache(maxsize=1024)(_form)


def _in_powers(value: Fraction, steps: list[tuple[str, int]], radix: int) -> str:
    for suffix, power in steps:
        scaled = value / Fraction(radix) ** power
        if scaled.denominator == 1:
            return f"{scaled.numerator}{suffix}"
    return str(value.numerator)
