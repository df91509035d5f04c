"""Quantities as Kubernetes writes them: `500m`, `1Gi`. Source: Kubernetes docs, "Quantity".

A quantity is read exactly, rounded up to a billionth, and written in one canonical form: no fraction, the largest
suffix that leaves a whole number, and the family of suffixes that it was written with.
"""

import re
from fractions import Fraction
from math import ceil, floor

PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_SHAPE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(.*)\Z", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_EXPONENT = re.compile(r"[eE]([+-]?\d+)\Z", re.ASCII)
_NANO = Fraction(1, 10**9)
MILLI = Fraction(1, 1000)
_LARGEST = Fraction(2**63 - 1)


class NotAQuantity(ValueError):
    """The message is the text of kube-apiserver."""


def parse(text: str) -> tuple[Fraction, str]:
    """The value and the family of its suffix: "decimal", "binary" or "exponent"."""
    shape = _SHAPE.match(text.strip())
    if shape is None:
        raise NotAQuantity(f"quantities must match the regular expression '{PATTERN}'")
    number, suffix = Fraction(shape[1]), shape[2]
    if suffix in _DECIMAL:
        value, family = number * Fraction(10) ** _DECIMAL[suffix], "decimal"
    elif suffix in _BINARY:
        value, family = number * 2 ** _BINARY[suffix], "binary"
    elif (exponent := _EXPONENT.match(suffix)) is not None:
        value, family = number * Fraction(10) ** int(exponent[1]), "exponent"
    elif re.fullmatch("[eEinumkKMGTP]*[-+]?[0-9]*", suffix):
        raise NotAQuantity("unable to parse quantity's suffix")
    else:
        raise NotAQuantity(f"quantities must match the regular expression '{PATTERN}'")
    rounded = Fraction(ceil(abs(value) / _NANO)) * _NANO
    return (min(rounded, _LARGEST) if value >= 0 else -min(rounded, _LARGEST)), family


def canonical(text: str, least: Fraction = _NANO) -> str:
    """The one way to write this quantity, rounded away from 0 to a multiple of `least`; raises `NotAQuantity`."""
    value, family = parse(text)
    if least != _NANO and value % least:
        value = (ceil(value / least) if value > 0 else floor(value / least)) * least
    if value == 0:
        return "0"
    if family == "binary" and abs(value) >= 1024 and value.denominator == 1:
        return _in_powers(value, sorted(_BINARY.items(), key=lambda one: -one[1]), 2)
    if family == "exponent":
        steps = [(f"e{power}" if power else "", power) for power in range(18, -10, -3)]
        return _in_powers(value, steps, 10)
    return _in_powers(value, sorted(_DECIMAL.items(), key=lambda one: -one[1]), 10)


def _in_powers(value: Fraction, steps: list[tuple[str, int]], radix: int) -> str:
    for suffix, power in steps:
        scaled = value / Fraction(radix) ** power
        if scaled.denominator == 1:
            return f"{scaled.numerator}{suffix}"
    return str(value.numerator)
