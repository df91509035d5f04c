"""The JSONPath of printer columns, read and followed as the Go library does that kube-apiserver has.

A path is names behind dots, `..` for any depth, and brackets: an index, a slice, a name in quotes, `*`, several of
them with commas, or a filter such as `[?(@.type=="Ready")]`. Compiled once per column; the first match is the answer.
Source: Kubernetes docs, "JSONPath Support"; client-go's jsonpath. Not here: `range`, which columns have no use for.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_Step = Callable[[list[Any]], list[Any]]
Find = Callable[[Any], Any]
_ENDS = frozenset(" \t\r\n.,[]$@{}")
_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?\d*)(?::(-?\d*))?(?::(-?\d*))?", re.ASCII)
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[\d.]*", re.ASCII)
_LARGEST, _DIGITS = 1 << 63, 20


class PathError(ValueError):
    """The text is not a path."""


class _NoAnswerError(Exception):
    """A path that cannot be followed in this value."""


@lru_cache(maxsize=2048)
def compile_path(text: str) -> Find:
    """A function that answers the first match or None; raises `PathError`."""
    steps = _Parser(text).steps()

    def find(value: Any) -> Any:
        try:
            found = _followed(steps, value)
        except _NoAnswerError:
            return None
        return found[0] if found else None

    return find


def _followed(steps: list[_Step], value: Any) -> list[Any]:
    found = [value]
    for step in steps:
        found = step(found)
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._steps: list[_Step] = []

    def steps(self) -> list[_Step]:
        while self._at < len(self._text):
            rest, sign = self._text[self._at :], self._text[self._at]
            if sign == "}":  # the path ends; what follows is text around it
                break
            if rest.startswith("[?("):
                self._filter()
            elif rest.startswith(".."):
                self._depth()
            elif sign in " @$":
                self._at += 1
            elif sign == "[":
                self._brackets()
            elif sign == ".":
                self._at += 1
                self._name()
            else:
                self._literal(sign)
        return self._steps

    def _name(self) -> None:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _ENDS:
            self._at += 2 if self._text[self._at] == "\\" else 1
        name = self._text[start : self._at]
        self._steps.append(_every if name == "*" else _member(name.replace("\\", "")))

    def _depth(self) -> None:
        if self._steps and self._steps[-1] is _any_depth:
            raise PathError("two of .. in a row")
        self._at += 2
        self._steps.append(_any_depth)
        if self._text[self._at : self._at + 1].isalnum() or self._text[self._at : self._at + 1] == "_":
            self._name()

    def _brackets(self) -> None:
        inner, end, _ = self._text[self._at + 1 :].partition("]")
        if not end or "\n" in inner:
            raise PathError("unterminated array")
        self._at += len(inner) + 2
        self._steps += _element(inner)

    def _filter(self) -> None:
        start = self._at = self._at + 3
        quote, is_closed = "", False
        while not ((sign := self._next()) == ")" and bool(quote) == is_closed):
            if sign in "\"'" and not quote:
                quote = sign
            elif sign == quote and self._text[self._at - 2] != "\\":
                is_closed = True
        text = self._text[start : self._at - 1]
        if self._next() != "]":
            raise PathError("unclosed array expect ]")
        self._steps.append(_filtered(text))

    def _next(self) -> str:
        if self._at >= len(self._text) or self._text[self._at] == "\n":
            raise PathError("unterminated filter")
        self._at += 1
        return self._text[self._at - 1]

    def _literal(self, sign: str) -> None:
        if sign in "\"'":
            end = self._text.find(sign, self._at + 1)
            if end < 0:
                raise PathError("unterminated quoted string")
            self._steps.append(_always(self._text[self._at + 1 : end]))
            self._at = end + 1
            return
        start = self._at
        if sign in "+-" or sign.isdecimal():
            self._at = start + len(_NUMBER.match(self._text, start)[0])  # type: ignore[index]  # matches the empty text
            self._steps.append(_always(_number(self._text[start : self._at])))
        elif sign.isalpha() or sign == "_":
            while self._at < len(self._text) and self._text[self._at] not in _ENDS:
                self._at += 1
            word = self._text[start : self._at]
            self._steps.append(_always(word == "true") if word in ("true", "false") else _unknown_word)
        else:
            raise PathError(f"unrecognized character in action: {sign!r}")


def _number(text: str) -> int | float:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        raise PathError(f"cannot parse number {text}") from None


def _element(text: str) -> list[_Step]:
    """What brackets choose."""
    parts = text.split(",")
    if len(parts) > 1:
        ways = [_element(part.strip(" ")) for part in parts]
        return [lambda values: [one for way in ways for value in values for one in _followed(way, value)]]
    if key := _KEY.fullmatch(text):
        return _Parser(f".{key[1]}").steps()
    found = _SLICE.fullmatch(":" if text == "*" else text)
    if found is None:
        raise PathError(f"invalid array index {text}")
    first, last, step = (None if part in (None, "") else _index(part) for part in found.groups())
    if found[2] is None:
        last = None if first == -1 else (first or 0) + 1
    return [_sliced(first or 0, last, 1 if step is None else step)]


def _index(text: str) -> int:
    digits = text.lstrip("-0")  # Python takes no text of thousands of digits for a number
    if text == "-" or len(digits) > _DIGITS or int(digits or "0") >= _LARGEST:
        raise PathError(f"array index {text} is not a number")
    return int(digits or "0") * (-1 if text.startswith("-") else 1)


def _member(name: str) -> _Step:
    return lambda values: [value[name] for value in values if isinstance(value, dict) and name in value]


def _every(values: list[Any]) -> list[Any]:
    return [one for value in values for one in _children(value)]


def _any_depth(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if below := _children(value):
            found += [value, *_any_depth(below)]
    return found


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _sliced(first: int, last: int | None, step: int) -> _Step:
    """Unlike Python's, Go's library follows no slice beyond the ends of a list."""

    def chosen(items: list[Any]) -> list[Any]:
        size = len(items)
        start = first + size if first < 0 else first
        end = size if last is None else last + size if last < 0 else last
        if start != end and not 0 <= start < end <= size:
            raise _NoAnswerError
        return items[start:end:step] if start != end else []

    def follow(values: list[Any]) -> list[Any]:
        if step <= 0:
            raise _NoAnswerError
        return [one for value in values for one in chosen(_items(value))]

    return follow


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _NoAnswerError
    return value


def _always(literal: Any) -> _Step:
    return lambda _: [literal]


def _unknown_word(_: list[Any]) -> list[Any]:
    raise _NoAnswerError


def _filtered(text: str) -> _Step:
    comparison = _COMPARISON.fullmatch(text)
    if comparison is None:
        exists = _Parser(text).steps()
        return lambda values: [one for value in values for one in _items(value) if _followed(exists, one)]
    left, right = _Parser(comparison[1]).steps(), _Parser(comparison[3]).steps()
    operator = comparison[2]

    def passes(one: Any) -> bool:
        found, wanted = _followed(left, one), _followed(right, one)
        return bool(found and wanted) and _compared(found[0], operator, wanted[0])

    return lambda values: [one for value in values for one in _items(value) if passes(one)]


def _compared(value: Any, operator: str, wanted: Any) -> bool:
    """Go compares values of one type; others leave the path without an answer."""
    if type(value) is not type(wanted) or isinstance(value, (dict, list)):
        raise _NoAnswerError
    if operator in ("==", "!="):
        return bool(value == wanted) == (operator == "==")
    if operator not in ("<", "<=", ">", ">=") or isinstance(value, bool) or value is None:
        raise _NoAnswerError
    if value == wanted:
        return "=" in operator
    return bool(value < wanted) == (operator[0] == "<")


def simple_path(text: str) -> list[str]:
    """The members of a plain dotted path such as `.spec.replicas`."""
    return [part for part in text.split(".") if part]


def value_at(obj: Any, path: str) -> Any:
    """What stands at a plain dotted path, or None; the paths of scales are these, whatever signs their names have."""
    for name in simple_path(path):
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj
