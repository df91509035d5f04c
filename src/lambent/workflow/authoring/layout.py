"""One YAML document written anew: two spaces per level, lists below their key, apiVersion to spec in that order.

Scalars, flow collections and comments keep their own text; only their place changes. At most one empty line stands
between entries. Comments belong to the entry below them, those after a value to that value.
"""

import re
from collections.abc import Iterator

from lambent.workflow.spec.yaml_events import parse_nodes
from lambent.workflow.spec.yaml_nodes import Node, YamlProblem

_FIRST = ("apiVersion", "kind", "metadata", "spec")
_STEP = 2


def laid_out(text: str) -> str | None:
    """The document, or None when it is not a block mapping."""
    try:
        nodes = list(parse_nodes(text))
    except YamlProblem:
        return None
    if len(nodes) != 1 or nodes[0].kind != "map" or text[nodes[0].start.index] == "{":
        return None
    lines = _Writer(text).document(nodes[0])
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Writer:
    """`_lines` is the source; line numbers count from 0."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")

    def document(self, root: Node) -> list[str]:
        entries = []
        last = -1
        for key, item in zip(root.keys, root.items, strict=True):
            before = self._above(last, key.start.line, key.start.column, 0)
            entries.append((str(key.value), [*before, *self._entry(key, item, 0)]))
            last = self._last_line(key, item)
        order = {name: index for index, name in enumerate(_FIRST)}
        entries.sort(key=lambda entry: order.get(entry[0], len(order)))
        tail = self._above(last, len(self._lines), 0, 0)
        return [line for _, lines in entries for line in lines] + tail

    def _above(self, last: int, line: int, column: int, indent: int) -> list[str]:
        """Comments and empty lines between two entries, moved as the second entry is moved."""
        found: list[str] = []
        for text in self._lines[last + 1 : line]:
            stripped = text.strip()
            if stripped.startswith("#"):
                moved = indent + (len(text) - len(text.lstrip())) - column
                found.append(" " * max(moved, 0) + stripped)
            elif not stripped and (not found or found[-1]):
                found.append("")
        return found

    def _block(self, node: Node, indent: int, last: int) -> Iterator[str]:
        """The entries of a block collection; `last` is the line above them."""
        if node.kind == "map":
            for key, item in zip(node.keys, node.items, strict=True):
                yield from self._above(last, key.start.line, key.start.column, indent)
                yield from self._entry(key, item, indent)
                last = self._last_line(key, item)
            return
        for item in node.items:
            dash = self._dash_line(item, last)
            column = self._lines[dash].index("-")
            yield from self._above(last, dash, column, indent)
            yield from self._item(item, dash, indent)
            last = max(dash, self._last_line(None, item))

    def _entry(self, key: Node, item: Node, indent: int) -> Iterator[str]:
        head = " " * indent + self._text[key.start.index : key.end.index] + ":"
        if self._is_block(item):
            yield head + self._after(self._text.index(":", key.end.index) + 1)
            yield from self._block(item, indent + _STEP, key.start.line)
        else:
            yield from self._value(head, item, indent + _STEP)

    def _item(self, item: Node, dash: int, indent: int) -> Iterator[str]:
        head = " " * indent + "-"
        if not self._is_block(item):
            yield from self._value(head, item, indent + _STEP)
            return
        lines = list(self._block(item, indent + _STEP, dash if item.start.line > dash else dash - 1))
        comment = self._after(self._lines_start(dash) + self._lines[dash].index("-") + 1)
        if item.start.line > dash and comment:
            yield head + comment
            yield from lines
            return
        while lines and not lines[0].strip():
            lines.pop(0)
        if lines and lines[0].lstrip().startswith("#"):
            yield head
            yield from lines
        else:
            yield f"{head} {lines[0].lstrip()}"
            yield from lines[1:]

    def _value(self, head: str, item: Node, indent: int) -> Iterator[str]:
        """A scalar or flow collection behind its key or dash."""
        source = self._text[item.start.index : item.end.index]
        if not source.strip():
            yield head + self._after(item.end.index)
            return
        if item.style in ("|", ">"):
            header, _, body = self._text[item.start.index :].partition("\n")
            yield f"{head} {header.rstrip()}"
            yield from self._body(body.split("\n")[: self._last_line(None, item) - item.start.line], indent)
            return
        first, *rest = source.split("\n")
        yield f"{head} {first}" + (self._after(item.end.index) if not rest else "")
        for index, line in enumerate(rest):
            is_last = index == len(rest) - 1
            yield (" " * indent + line.strip() if line.strip() else "") + (
                self._after(item.end.index) if is_last else ""
            )

    def _body(self, lines: list[str], indent: int) -> Iterator[str]:
        depth = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        for line in lines:
            yield " " * indent + line[depth:] if line.strip() else ""

    def _after(self, index: int) -> str:
        """The comment behind a place on its line, with a space before it."""
        rest = self._text[index:].partition("\n")[0]
        comment = re.match(r"\s+(#.*)", rest)
        return f" {comment.group(1)}" if comment else ""

    def _is_block(self, node: Node) -> bool:
        return node.kind != "scalar" and bool(node.items) and self._text[node.start.index] not in "{["

    def _lines_start(self, line: int) -> int:
        return sum(len(text) + 1 for text in self._lines[:line])

    def _dash_line(self, item: Node, last: int) -> int:
        """The line of the dash before an item; nothing but comments and empty lines may stand between the two."""
        line = item.start.line
        while line > last + 1 and not self._lines[line].lstrip().startswith("-"):
            line -= 1
        return line

    def _last_line(self, key: Node | None, item: Node) -> int:
        """The last line with content of an entry."""
        if self._is_block(item):
            last = len(item.items) - 1
            return self._last_line(item.keys[last] if item.kind == "map" else None, item.items[last])
        if item.style in ("|", ">"):
            line = item.end.line if item.end.column else item.end.line - 1
            while line > item.start.line and not self._lines[line].strip():
                line -= 1
            return line
        return max(item.end.line, key.start.line if key is not None else 0)
