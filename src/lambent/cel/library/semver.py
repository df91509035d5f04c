"""Semantic versions, as Kubernetes has them for validation rules; in the strict profile.

Source: Semantic Versioning 2.0.0; Kubernetes documentation, "Common Expression Language in Kubernetes". What is built
with (`+...`) takes no part in any comparison.
"""

import re
from functools import total_ordering
from typing import Final

from lambent.cel.errors import Fault
from lambent.cel.registry import function
from lambent.cel.values import register_kind

_STRICT: Final = "strict"
_PART: Final = re.compile(r"[0-9A-Za-z-]+")
_DIGITS: Final = re.compile(r"[0-9]+")
_NUMBERS: Final = ("major", "minor", "patch")


@total_ordering
class Semver:
    """A version; `before` are the parts of what it comes before, each a number or a text."""

    __slots__ = ("before", "numbers")

    def __init__(self, numbers: tuple[int, ...], before: tuple[int | str, ...]) -> None:
        self.numbers: Final = numbers
        self.before: Final = before

    def _key(self) -> tuple[object, ...]:
        """Numbers come before texts, and a release after all that comes before it."""
        parts = tuple((isinstance(part, str), part) for part in self.before)
        return (self.numbers, not parts, parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Semver) and self._key() == other._key()

    def __lt__(self, other: "Semver") -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())


register_kind(Semver, "semver")


@function("semver", "string -> semver", "The semantic version that the string spells.", profile=_STRICT)
def semver(text: str) -> Semver:
    if not text:
        raise _bad("Version string empty")
    core, _, build = text.partition("+")
    if "+" in text and not all(map(_PART.fullmatch, build.split("."))):
        raise _bad(
            "Build meta data is empty" if not build else f'Invalid character(s) found in build meta data "{build}"'
        )
    core, dash, before = core.partition("-")
    numbers = core.split(".", 2)
    if len(numbers) != 3:
        raise _bad("No Major.Minor.Patch elements found")
    parsed = tuple(_number(name, digits) for name, digits in zip(_NUMBERS, numbers, strict=True))
    return Semver(parsed, tuple(map(_before, before.split("."))) if dash else ())


def _bad(why: str) -> Fault:
    return Fault("conversion", why)


def _number(name: str, digits: str) -> int:
    if not _DIGITS.fullmatch(digits):
        raise _bad(f'Invalid character(s) found in {name} number "{digits}"')
    if len(digits) > 1 and digits[0] == "0":
        raise _bad(f'{name.capitalize()} number must not contain leading zeroes "{digits}"')
    if int(digits) >= 2**64:
        raise _bad(f'strconv.ParseUint: parsing "{digits}": value out of range')
    return int(digits)


def _before(part: str) -> int | str:
    if not part:
        raise _bad("Prerelease is empty")
    if not _DIGITS.fullmatch(part):
        if not _PART.fullmatch(part):
            raise _bad(f'Invalid character(s) found in prerelease "{part}"')
        return part
    if len(part) > 1 and part[0] == "0":
        raise _bad(f'Numeric PreRelease version must not contain leading zeroes "{part}"')
    return int(part)


@function("semver", "string bool -> semver", "The version; true takes v1, 1.2 and 01.2.3 as well.", profile=_STRICT)
def semver_normalized(text: str, normalize: bool) -> Semver:
    return semver(_normalized(text) if normalize else text)


def _normalized(text: str) -> str:
    text = text.removeprefix("v")
    end = next((at for at, sign in enumerate(text) if sign in "-+"), len(text))
    if text[:end].count(".") < 2 and end < len(text):
        raise _bad("short version cannot contain PreRelease/Build meta data")
    parts = [part.lstrip("0") or "0" if part else part for part in text[:end].split(".", 2)]
    return ".".join([*parts, *["0"] * (3 - len(parts))]) + text[end:]


@function("isSemver", "string -> bool", "Whether the string spells a semantic version.", profile=_STRICT)
def is_semver(text: str) -> bool:
    return is_semver_normalized(text, False)


@function("isSemver", "string bool -> bool", "Whether `semver` would take the string.", profile=_STRICT)
def is_semver_normalized(text: str, normalize: bool) -> bool:
    try:
        semver_normalized(text, normalize)
    except Fault:
        return False
    return True


@function("major", "semver -> int", "The first number.", profile=_STRICT)
def major(version: Semver) -> int:
    return version.numbers[0]


@function("minor", "semver -> int", "The second number.", profile=_STRICT)
def minor(version: Semver) -> int:
    return version.numbers[1]


@function("patch", "semver -> int", "The third number.", profile=_STRICT)
def patch(version: Semver) -> int:
    return version.numbers[2]


@function("compareTo", "semver semver -> int", "-1, 0 or 1 as the first is older, equal or newer.", profile=_STRICT)
def compare(a: Semver, b: Semver) -> int:
    return (a > b) - (a < b)


@function("isGreaterThan", "semver semver -> bool", "Whether the first is newer.", profile=_STRICT)
def is_greater(a: Semver, b: Semver) -> bool:
    return a > b


@function("isLessThan", "semver semver -> bool", "Whether the first is older.", profile=_STRICT)
def is_less(a: Semver, b: Semver) -> bool:
    return a < b
