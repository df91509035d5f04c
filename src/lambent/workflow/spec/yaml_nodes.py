"""YAML as a tree of nodes with positions, and the values that they mean.

Plain scalars follow what kubectl sends for them (YAML 1.1 booleans, numbers with a leading digit or sign) rather than
PyYAML's own rules: a date, `1:30` and `=` stay strings. Keys are always text. Not here: any kind of ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 200
# A document of the API server is at most 1.5 MiB; 200 000 nodes are more than such a text can hold honestly.
MAX_NODES = 200_000

_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_BASED = re.compile(r"[-+]?0(x[0-9a-fA-F]+|o?[0-7]+|b[01]+)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_MAX_DIGITS = 400


class YamlProblem(Exception):
    """The text is not a document; line and column count from 0 within the text."""

    def __init__(self, message: str, line: int, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.hint = message, line, column, hint


@dataclass(slots=True, eq=False)
class Mark:
    """Offsets count characters of the parsed text; line and column count from 0."""

    index: int
    line: int
    column: int


@dataclass(slots=True, eq=False)
class Node:
    """A scalar (`value`), a sequence (`items`) or a mapping (`keys` beside `items`)."""

    kind: str
    start: Mark
    end: Mark
    value: Any = None
    style: str = ""
    height: int = 1
    keys: list["Node"] = field(default_factory=list)
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Duplicate:
    """A mapping key that stands twice; the later one wins."""

    key: str
    first: Mark
    second: Mark


def plain_value(text: str) -> Any:
    """The value of an unquoted scalar."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text[0] not in "+-.0123456789" or len(text) > _MAX_DIGITS:
        return text
    if _INT.match(text):
        return int(text)
    if _BASED.match(text):
        digits = text.lower().lstrip("+-")
        number = int(digits, 0) if digits[1] in "xob" else int(digits, 8)
        return -number if text[0] == "-" else number
    return _finite(text) if _FLOAT.match(text) else text


def _finite(text: str) -> Any:
    number = float(text)
    return text if number in (float("inf"), float("-inf")) else number


def key_text(key: Node, text: str) -> str:
    """A key as JSON has it: its own spelling, except that YAML's words for true and false become those two."""
    if isinstance(key.value, str):
        return key.value
    if key.value is None:
        return "null" if key.start.index != key.end.index else ""
    if isinstance(key.value, bool):
        return "true" if key.value else "false"
    return text[key.start.index : key.end.index]


def to_value(node: Node, text: str, duplicates: list[Duplicate]) -> Any:
    """Plain JSON-like data; shared aliases become separate containers."""
    if node.kind == "scalar":
        return node.value
    if node.kind == "list":
        return [to_value(item, text, duplicates) for item in node.items]
    result: dict[str, Any] = {}
    seen: dict[str, Mark] = {}
    for key_node, item in _merged(node):
        key = key_text(key_node, text)
        if key in seen:
            duplicates.append(Duplicate(key, seen[key], key_node.start))
        seen[key] = key_node.start
        result[key] = to_value(item, text, duplicates)
    return result


def _merged(node: Node) -> Iterator[tuple[Node, Node]]:
    """Pairs of a mapping with `<<` expanded: the mapping's own keys win over merged ones."""
    own = {key.value for key in node.keys if key.value != "<<"}
    taken: set[Any] = set()
    for key, item in zip(node.keys, node.items, strict=True):
        if key.value != "<<" or key.style:
            yield key, item
            continue
        for source in item.items if item.kind == "list" else [item]:
            for pair in _merged(source):
                if pair[0].value not in own and pair[0].value not in taken:
                    taken.add(pair[0].value)
                    yield pair
