"""JSON texts as Go's decoder takes them: its words for what is none, and what it takes that other decoders refuse.

Source: Go's encoding/json, scanner: one step per character, and a stack of what is open.
"""

import json
import re
from typing import Any, NoReturn

_SPACE = " \t\r\n"
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = ("true", "false", "null")
_LONE = re.compile("[\ud800-\udfff]")
END = "unexpected end of JSON input"


class _Found(Exception):
    """The message of the first thing wrong."""


def loads_as_go(text: str) -> Any:
    """A text that is JSON but for lone surrogates, which become U+FFFD; raises ValueError for any other."""
    value = json.loads(text, parse_constant=_no_number, parse_float=_number)
    return _mended(value)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mended(name): _mended(member) for name, member in value.items()}
    return [_mended(one) for one in value] if isinstance(value, list) else value


def why_no_json(text: str) -> str:
    """What Go's decoder says of a text that is no JSON; "" for one that is."""
    try:
        at = _space(text, _value(text, _space(text, 0)))
        if at < len(text):
            raise _wrong(text, at, "after top-level value")
    except _Found as found:
        return str(found)
    return ""


_QUOTED = {
    "'": "\\'",
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_WITHIN = ("in ", "after decimal")
"""Where a scanner is inside a token; the end of the text is to it a space, which is wrong there."""


def _wrong(text: str, at: int, where: str) -> _Found:
    if at >= len(text) and not where.startswith(_WITHIN):
        return _Found(END)
    sign = text[at : at + 1] or " "
    quoted = _QUOTED.get(sign) or (sign if sign >= " " else f"\\x{ord(sign):02x}")
    return _Found(f"invalid character '{quoted}' {where}")


def _space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _value(text: str, at: int) -> int:
    if at >= len(text):
        raise _Found(END)
    match text[at]:
        case "{":
            return _object(text, at + 1)
        case "[":
            return _array(text, at + 1)
        case '"':
            return _string(text, at)
        case "t" | "f" | "n":
            return _word(text, at)
        case sign if sign in "-0123456789":
            return _digits(text, at)
    raise _wrong(text, at, "looking for beginning of value")


def _object(text: str, at: int) -> int:
    at = _space(text, at)
    if text[at : at + 1] == "}":
        return at + 1
    while True:
        if text[at : at + 1] != '"':
            raise _wrong(text, at, "looking for beginning of object key string")
        at = _space(text, _string(text, at))
        if text[at : at + 1] != ":":
            raise _wrong(text, at, "after object key")
        at = _space(text, _value(text, _space(text, at + 1)))
        if text[at : at + 1] == "}":
            return at + 1
        if text[at : at + 1] != ",":
            raise _wrong(text, at, "after object key:value pair")
        at = _space(text, at + 1)


def _array(text: str, at: int) -> int:
    at = _space(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        at = _space(text, _value(text, at))
        if text[at : at + 1] == "]":
            return at + 1
        if text[at : at + 1] != ",":
            raise _wrong(text, at, "after array element")
        at = _space(text, at + 1)


def _string(text: str, at: int) -> int:
    found = _STRING.match(text, at)
    if found is not None:
        return found.end()
    at += 1
    while at < len(text):
        if text[at] == "\\":
            at = _escape(text, at + 1)
        elif ord(text[at]) < 0x20:
            raise _wrong(text, at, "in string literal")
        else:
            at += 1
    raise _Found(END)


def _escape(text: str, at: int) -> int:
    if text[at : at + 1] != "u":
        if at < len(text) and text[at] in '"\\/bfnrt':
            return at + 1
        raise _wrong(text, at, "in string escape code")
    for place in range(at + 1, at + 5):
        if text[place : place + 1] not in tuple("0123456789abcdefABCDEF"):
            raise _wrong(text, place, "in \\u hexadecimal character escape")
    return at + 5


def _word(text: str, at: int) -> int:
    word = next(word for word in _WORDS if word[0] == text[at])
    for place, sign in enumerate(word[1:], at + 1):
        if text[place : place + 1] != sign:
            raise _wrong(text, place, f"in literal {word} (expecting '{sign}')")
    return at + len(word)


def _digits(text: str, at: int) -> int:
    found = _NUMBER.match(text, at)
    if found is None:
        raise _wrong(text, at + 1, "in numeric literal")
    at = found.end()
    rest = text[at : at + 1]
    if rest == "." and "." not in found[0] and "e" not in found[0].lower():
        raise _wrong(text, at + 1, "after decimal point in numeric literal")
    if rest in ("e", "E") and "e" not in found[0].lower():
        signed = text[at + 1 : at + 2] in ("+", "-")
        raise _wrong(text, at + (2 if signed else 1), "in exponent of numeric literal")
    return at
