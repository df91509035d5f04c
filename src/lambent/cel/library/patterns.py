"""`matches` and its like: regular expressions that cannot run away.

The syntax is RE2's (the CEL specification's), plus look-around and back-references in the koreo profile. A pattern is
put into the syntax of the `regex` package, whose matching can be interrupted: no single match takes more than 100 ms.
Subjects are limited, more tightly where repetitions are nested; in the strict profile a pattern of exponential cost is
refused outright. Where cost is at most quadratic and the subject short, the clock is not set: setting it costs more
than matching. `regex` is imported with the first pattern, so that expressions without patterns do not pay for it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from lambent.cel.errors import Fault, LimitFault
from lambent.cel.registry import function, prepared
from lambent.cel.values import kind_of

MAX_PATTERN: Final = 1024
MAX_SUBJECT: Final = 64 * 1024
MAX_SUBJECT_NESTED: Final = 4 * 1024
SHORT_SUBJECT: Final = 256
MAX_SECONDS: Final = 0.1


class Pattern:
    """A compiled pattern with its limits."""

    __slots__ = ("_compiled", "_max_subject", "_short")

    def __init__(self, pattern: str, *, koreo: bool) -> None:
        import regex

        from lambent.cel.library.pattern_syntax import translate

        if len(pattern) > MAX_PATTERN:
            raise Fault("regex", f"a pattern may have at most {MAX_PATTERN} characters")
        translated = translate(pattern, koreo=koreo)
        if translated.exponential and not koreo:
            raise Fault("regex", "the pattern may take exponential time; remove the repetition inside a repetition")
        try:
            self._compiled = regex.compile(translated.text, regex.V0)
        except (regex.error, RecursionError, OverflowError, ValueError):
            raise Fault("regex", "the pattern is not a regular expression") from None
        self._max_subject = MAX_SUBJECT_NESTED if translated.nested else MAX_SUBJECT
        self._short = 0 if translated.nested else SHORT_SUBJECT

    def matches(self, text: Any) -> bool:
        """Whether the pattern occurs in the text. Errors: `Fault` for another type, `LimitFault`."""
        if type(text) is str and len(text) <= self._short:
            return self._compiled.search(text) is not None
        return self._timed(self._compiled.search, text) is not None

    def find_all(self, text: Any) -> list[str]:
        """The parts of the text that match, one after the other."""
        return [
            match[0]
            for match in self._timed(lambda *args, **limit: list(self._compiled.finditer(*args, **limit)), text)
        ]

    def _timed(self, search: Callable[..., Any], text: Any) -> Any:
        if not isinstance(text, str):
            raise Fault("overload", f"a pattern cannot be searched in {kind_of(text)}")
        if len(text) > self._max_subject:
            raise LimitFault(f"a string of more than {self._max_subject} characters for this pattern")
        try:
            return search(text, timeout=MAX_SECONDS)
        except TimeoutError:
            raise LimitFault(f"the pattern took longer than {MAX_SECONDS:g} s") from None


@lru_cache(maxsize=1024)
def compiled(pattern: str, koreo: bool) -> Pattern:
    """The pattern ready to match. Errors: `Fault` (regex) for one that is too long, malformed or not allowed."""
    return Pattern(pattern, koreo=koreo)


@prepared("matches", argument=1)
def matcher(pattern: str, koreo: bool) -> Callable[[Any], bool]:
    """What a call of `matches` with a constant pattern becomes."""
    return compiled(pattern, koreo).matches


@function("matches", "string string -> bool", "Whether the pattern occurs in the string.", profile="koreo")
def matches(text: str, pattern: str) -> bool:
    return compiled(pattern, True).matches(text)


@function("matches", "string string -> bool", "Whether the RE2 pattern occurs in the string.", profile="strict")
def matches_strictly(text: str, pattern: str) -> bool:
    return compiled(pattern, False).matches(text)


@function("find", "string string -> string", 'The first part of the string that matches, or `""`.')
def find(text: str, pattern: str) -> str:
    found = compiled(pattern, False).find_all(text)
    return found[0] if found else ""


@function("findAll", "string string -> list", "The parts of the string that match.")
def find_all(text: str, pattern: str) -> list[str]:
    return compiled(pattern, False).find_all(text)


@function("findAll", "string string int -> list", "At most so many parts of the string that match.")
def find_some(text: str, pattern: str, limit: int) -> list[str]:
    found = compiled(pattern, False).find_all(text)
    return found if limit < 0 else found[:limit]
