"""Functions on strings: the standard ones and the strings extension of CEL. Positions count code points."""

from typing import Any, Final

from lambent.cel.errors import Fault
from lambent.cel.limits import bounded_items, bounded_length, bounded_text
from lambent.cel.registry import function

_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""White space as Unicode defines it; the set of Python's `strip` has four control characters more."""

_LOWER: Final = {upper: upper + 32 for upper in range(65, 91)}
_UPPER: Final = {lower: lower - 32 for lower in range(97, 123)}
_QUOTED: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip


@function("startsWith", "string string -> bool", "Whether the string begins with the prefix.")
def starts_with(text: str, prefix: str) -> bool:
    return text.startswith(prefix)


@function("endsWith", "string string -> bool", "Whether the string ends with the suffix.")
def ends_with(text: str, suffix: str) -> bool:
    return text.endswith(suffix)


@function("contains", "string string -> bool", "Whether the string contains the other.")
def contains(text: str, part: str) -> bool:
    return part in text


@function("charAt", "string int -> string", 'The character at a position; `""` at the end; an error beyond.')
def char_at(text: str, at: int) -> str:
    _within(text, at)
    return text[at : at + 1]


@function("indexOf", "string string -> int", "Where the part occurs first, or -1.")
def index_of(text: str, part: str) -> int:
    return text.find(part)


@function("indexOf", "string string int -> int", "Where the part occurs first from a position on, or -1.")
def index_of_from(text: str, part: str, start: int) -> int:
    _within(text, start)
    return text.find(part, start)


@function("lastIndexOf", "string string -> int", "Where the part occurs last, or -1.")
def last_index_of(text: str, part: str) -> int:
    return text.rfind(part)


@function("lastIndexOf", "string string int -> int", "Where the part begins last at or before a position, or -1.")
def last_index_of_before(text: str, part: str, start: int) -> int:
    _within(text, start)
    return text.rfind(part, 0, start + len(part))


def _within(text: str, at: int) -> None:
    if not 0 <= at <= len(text):
        raise Fault("index", "position outside the string")


@function("lowerAscii", "string -> string", "ASCII letters in lower case.")
def lower_ascii(text: str) -> str:
    return text.translate(_LOWER)


@function("upperAscii", "string -> string", "ASCII letters in upper case.")
def upper_ascii(text: str) -> str:
    return text.translate(_UPPER)


@function("replace", "string string string -> string", "All occurrences replaced.")
def replace(text: str, old: str, new: str) -> str:
    return replace_some(text, old, new, -1)


@function("replace", "string string string int -> string", "The first so many occurrences replaced; all if negative.")
def replace_some(text: str, old: str, new: str, limit: int) -> str:
    if len(new) > len(old):
        count = text.count(old) if limit < 0 else min(limit, text.count(old))
        bounded_length(len(text) + count * (len(new) - len(old)))
    return text.replace(old, new, limit if limit >= 0 else -1)


@function(
    "split", "string string -> list", "The parts between separators; characters for an empty one.", profile="strict"
)
def split(text: str, separator: str) -> list[str]:
    bounded_items(text.count(separator) + 1)
    return text.split(separator) if separator else list(text)


@function("split", "string string int -> list", "At most so many parts; all if negative.", profile="strict")
def split_some(text: str, separator: str, limit: int) -> list[str]:
    if limit < 0:
        return split(text, separator)
    if limit == 0:
        return []
    if not separator:
        return [*text[: limit - 1], text[limit - 1 :]] if len(text) > limit else list(text)
    return text.split(separator, limit - 1)


@function("split", "string string -> list", "The parts between separators; an empty one is an error.", profile="koreo")
def split_strictly(text: str, separator: str) -> list[str]:
    if not separator:
        raise Fault("argument", "split: the separator is empty")
    return split(text, separator)


@function("split", "string string int -> list", "At most so many parts; all if negative.", profile="koreo")
def split_some_strictly(text: str, separator: str, limit: int) -> list[str]:
    if not separator:
        raise Fault("argument", "split: the separator is empty")
    return split_some(text, separator, limit)


@function("substring", "string int -> string", "The part from a position to the end.")
def substring_from(text: str, start: int) -> str:
    return substring(text, start, len(text))


@function("substring", "string int int -> string", "The part from a position up to, not including, another.")
def substring(text: str, start: int, end: int) -> str:
    if not 0 <= start <= end <= len(text):
        raise Fault("index", "substring: positions outside the string or in the wrong order")
    return text[start:end]


@function("trim", "string -> string", "Without white space at both ends.")
def trim(text: str) -> str:
    return text.strip(_SPACE)


@function("join", "list -> string", "The strings of a list, one after the other.")
def join(items: list[Any]) -> str:
    return join_with(items, "")


@function("join", "list string -> string", "The strings of a list with a separator between them.")
def join_with(items: list[Any], separator: str) -> str:
    total = len(separator) * max(0, len(items) - 1)
    for item in items:
        if not isinstance(item, str):
            raise Fault("overload", "join: every item must be a string")
        total += len(item)
    bounded_length(total)
    return separator.join(items)


@function("reverse", "string -> string", "The characters in reverse order.")
def reverse(text: str) -> str:
    return text[::-1]


@function("strings.quote", "string -> string", "The string as a literal with quotes and escapes.")
def quote(text: str) -> str:
    valid = text.encode("utf-8", "replace").decode()
    return bounded_text('"' + "".join(_QUOTED.get(char, char) for char in valid) + '"')
