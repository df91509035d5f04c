"""Sets of characters as sorted ranges of code points: the classes of RE2 and their algebra."""

from typing import Final

Ranges = tuple[tuple[int, int], ...]
LAST: Final = 0x10FFFF
ANY: Final[Ranges] = ((0, LAST),)
NO_NEWLINE: Final[Ranges] = ((0, 9), (11, LAST))


def normal(ranges: list[tuple[int, int]]) -> Ranges:
    """The same characters as disjoint ranges in order."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(ranges: Ranges) -> Ranges:
    """All other characters."""
    found: list[tuple[int, int]] = []
    at = 0
    for low, high in ranges:
        if low > at:
            found.append((at, low - 1))
        at = high + 1
    if at <= LAST:
        found.append((at, LAST))
    return tuple(found)


def overlap(a: Ranges, b: Ranges) -> bool:
    """Whether the sets have a character in common."""
    return any(low <= other_high and other_low <= high for low, high in a for other_low, other_high in b)


def both_cases(ranges: Ranges) -> Ranges:
    """The set with the other case of its ASCII letters."""
    more = list(ranges)
    for low, high in ranges:
        for first, last, shift in ((65, 90, 32), (97, 122, -32)):
            if low <= last and first <= high:
                more.append((max(low, first) + shift, min(high, last) + shift))
    return normal(more)


def of(text: str) -> Ranges:
    """A set from its pairs of ends: `of("azAZ")` has all ASCII letters."""
    return normal([(ord(text[at]), ord(text[at + 1])) for at in range(0, len(text), 2)])


PERL: Final[dict[str, Ranges]] = {"d": of("09"), "w": of("09AZ__az"), "s": of("\t\n\f\r  ")}
POSIX: Final[dict[str, Ranges]] = {
    "alnum": of("09AZaz"),
    "alpha": of("AZaz"),
    "ascii": ((0, 127),),
    "blank": of("\t\t  "),
    "cntrl": ((0, 31), (127, 127)),
    "digit": of("09"),
    "graph": of("!~"),
    "lower": of("az"),
    "print": of(" ~"),
    "punct": of("!/:@[`{~"),
    "space": of("\t\r  "),
    "upper": of("AZ"),
    "word": of("09AZ__az"),
    "xdigit": of("09AFaf"),
}


def written(ranges: Ranges) -> str:
    """The set as the inside of a bracket expression."""
    return "".join(_char(low) if low == high else f"{_char(low)}-{_char(high)}" for low, high in ranges)


def _char(code: int) -> str:
    char = chr(code)
    return char if char.isascii() and char.isalnum() else f"\\U{code:08x}"
