"""`matches`: regular expressions that cannot run away.

The syntax is RE2's (the CEL specification's), plus look-around and back-references in the koreo profile. A pattern is
translated to the `regex` package, whose matching can be interrupted: no single match takes more than 100 ms. Subjects
are limited, more tightly where the pattern repeats a repetition. `regex` is imported with the first pattern, so that
expressions without patterns do not pay for it.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from lambent.cel.errors import Fault, LimitFault
from lambent.cel.registry import function

MAX_PATTERN: Final = 1024
MAX_SUBJECT: Final = 64 * 1024
MAX_SUBJECT_NESTED: Final = 4 * 1024
MAX_SECONDS: Final = 0.1


class Pattern(NamedTuple):
    """A compiled pattern and the longest subject it may meet."""

    search: Any
    max_subject: int


@lru_cache(maxsize=1024)
def compiled(pattern: str, koreo: bool) -> Pattern:
    """The pattern ready to match. Errors: `Fault` (regex) for one that is too long, malformed or not allowed."""
    import regex

    from lambent.cel.library.pattern_syntax import translate

    if len(pattern) > MAX_PATTERN:
        raise Fault("regex", f"a pattern may have at most {MAX_PATTERN} characters")
    translated = translate(pattern, koreo=koreo)
    try:
        search = regex.compile(translated.text, regex.V0).search
    except (regex.error, RecursionError, OverflowError, ValueError):
        raise Fault("regex", "the pattern is not a regular expression") from None
    return Pattern(search, MAX_SUBJECT_NESTED if translated.explosive else MAX_SUBJECT)


@function("matches", "string string -> bool", "Whether the pattern occurs in the string.", profile="koreo")
def matches(text: str, pattern: str) -> bool:
    return _matches(text, compiled(pattern, True))


@function("matches", "string string -> bool", "Whether the RE2 pattern occurs in the string.", profile="strict")
def matches_strictly(text: str, pattern: str) -> bool:
    return _matches(text, compiled(pattern, False))


def _matches(text: str, pattern: Pattern) -> bool:
    if len(text) > pattern.max_subject:
        raise LimitFault(f"matches: a string of more than {pattern.max_subject} characters for this pattern")
    try:
        return pattern.search(text, timeout=MAX_SECONDS) is not None
    except TimeoutError:
        raise LimitFault(f"matches: the pattern took longer than {MAX_SECONDS:g} s") from None
