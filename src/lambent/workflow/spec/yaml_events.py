"""The events of the C parser as a tree of nodes. Imported only when there is text to read.

Events, not the C composer: it recurses, and a document of a hundred thousand brackets ends the process. Here depth,
alias expansion and size have limits, so no text can do more than be refused.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from lambent.workflow.spec.yaml_nodes import MAX_DEPTH, MAX_NODES, Mark, Node, YamlProblem, plain_value

_STR_TAG = "tag:yaml.org,2002:str"
# What people have usually written when libyaml says this.
_HINTS = (
    ("mapping values are not allowed", 'text that holds ": ", as a conditional does, goes into quotes or a block (|)'),
    ("cannot start any token", "YAML is indented with spaces, and text that begins with @, ` or % goes into quotes"),
    ("unexpected end of stream", "a quote is not closed"),
    ("did not find expected key", "a line before it is indented differently"),
    ("did not find expected ','", "a bracket is not closed"),
)


class _Loader(yaml.CSafeLoader):
    """Only the event interface is used."""


def _mark(mark: Any) -> Mark:
    return Mark(mark.index, mark.line, mark.column)


class _Builder:
    """Turns the events of one document into nodes, with an explicit stack."""

    def __init__(self) -> None:
        self.root: Node | None = None
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
        hint = next((hint for words, hint in _HINTS if words in message), "")
        raise YamlProblem(message, mark.line if mark else 0, mark.column if mark else 0, hint) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise YamlProblem(f"not readable as YAML ({type(error).__name__})", 0, 0) from None
