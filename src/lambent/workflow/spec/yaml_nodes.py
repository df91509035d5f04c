"""YAML text to a tree of nodes with positions, from the C parser's events.

Events, not the C composer: it recurses, and a document of a hundred thousand brackets ends the process. Here depth,
alias expansion and size have limits, so no text can do more than be refused.

Plain scalars follow what kubectl sends for them (YAML 1.1 booleans, numbers with a leading digit or sign) rather than
PyYAML's own rules: a date, `1:30` and `=` stay strings. Keys are always text. Not here: any kind of ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_DEPTH = 200
# A document of the API server is at most 1.5 MiB; 200 000 nodes are more than such a text can hold honestly.
MAX_NODES = 200_000

_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_BASED = re.compile(r"[-+]?0(x[0-9a-fA-F]+|o?[0-7]+|b[01]+)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_STR_TAG = "tag:yaml.org,2002:str"
_MAX_DIGITS = 400


class YamlProblem(Exception):
    """The text is not a document; line and column count from 0 within the text."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass(slots=True)
class Mark:
    """Offsets count characters of the parsed text; line and column count from 0."""

    index: int
    line: int
    column: int


@dataclass(slots=True)
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


@dataclass(slots=True)
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


class _Loader(yaml.CSafeLoader):
    """Only the event interface is used."""


def _mark(mark: Any) -> Mark:
    return Mark(mark.index, mark.line, mark.column)


class _Builder:
    """Turns the events of one document into nodes, with an explicit stack."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.duplicates: list[Duplicate] = []
        self._stack: list[Node] = []
        self._pending: list[Node | None] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def event(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                self._place(self._scalar(event), event.anchor)
            case yaml.MappingStartEvent():
                self._open("map", event)
            case yaml.SequenceStartEvent():
                self._open("list", event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                node = self._stack.pop()
                self._pending.pop()
                node.end = _mark(event.end_mark)
                node.height = 1 + max((item.height for item in node.items), default=0)
            case yaml.AliasEvent():
                self._alias(event)

    def _scalar(self, event: Any) -> Node:
        is_plain = event.implicit[0] and not event.style
        value = plain_value(event.value) if is_plain and event.tag is None else event.value
        if event.tag is not None and event.tag not in (_STR_TAG, "!"):
            value = plain_value(event.value)
        return Node("scalar", _mark(event.start_mark), _mark(event.end_mark), value, event.style or "")

    def _open(self, kind: str, event: Any) -> None:
        node = Node(kind, _mark(event.start_mark), _mark(event.end_mark))
        if len(self._stack) >= MAX_DEPTH:
            raise YamlProblem(f"nested deeper than {MAX_DEPTH} levels", node.start.line, node.start.column)
        self._place(node, event.anchor)
        self._stack.append(node)
        self._pending.append(None)

    def _alias(self, event: Any) -> None:
        mark = _mark(event.start_mark)
        node = self._anchors.get(event.anchor)
        if node is None or any(node is opened for opened in self._stack):
            raise YamlProblem(f"alias *{event.anchor} has no complete anchor before it", mark.line, mark.column)
        if len(self._stack) + node.height > MAX_DEPTH:
            raise YamlProblem(f"nested deeper than {MAX_DEPTH} levels", mark.line, mark.column)
        self._count += _size(node)
        self._place(node, None)

    def _place(self, node: Node, anchor: str | None) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise YamlProblem(f"more than {MAX_NODES} values with aliases expanded", node.start.line, node.start.column)
        if anchor:
            self._anchors[anchor] = node
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        if parent.kind == "list":
            parent.items.append(node)
            return
        key = self._pending[-1]
        if key is None:
            if node.kind != "scalar":
                raise YamlProblem("a mapping key must be text", node.start.line, node.start.column)
            self._pending[-1] = node
        else:
            parent.keys.append(key)
            parent.items.append(node)
            self._pending[-1] = None


def _size(node: Node) -> int:
    """Nodes under an alias, counted no further than the limit."""
    total, queue = 0, [node]
    while queue and total <= MAX_NODES:
        top = queue.pop()
        total += 1
        queue.extend(top.items)
    return total


def parse_nodes(text: str) -> Iterator[Node]:
    """The documents of a text. Raises `YamlProblem`."""
    try:
        loader = _Loader(text)
        try:
            builder = _Builder()
            while loader.check_event():
                event = loader.get_event()
                if isinstance(event, yaml.DocumentStartEvent):
                    builder = _Builder()
                elif isinstance(event, yaml.DocumentEndEvent) and builder.root is not None:
                    yield builder.root
                else:
                    builder.event(event)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = str(error.problem or error.context)
        raise YamlProblem(message, mark.line if mark else 0, mark.column if mark else 0) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise YamlProblem(f"not readable as YAML ({type(error).__name__})", 0, 0) from None


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
