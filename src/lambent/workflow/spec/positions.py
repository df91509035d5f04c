"""Where a field, or a character inside its text, stands in the YAML source.

A scalar's value is shorter than its source: quotes, escapes, indentation and folded line ends are gone. The two are
aligned once, character by character, only when a diagnostic needs it.
"""

from collections.abc import Sequence

from lambent.workflow.spec.diagnostics import Span
from lambent.workflow.spec.yaml_nodes import Node, key_text

FieldPath = tuple[str | int, ...]
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


def path_text(path: Sequence[str | int]) -> str:
    """`spec.steps[0].inputs`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def find(root: Node, path: FieldPath, text: str) -> tuple[Node, Node | None]:
    """The deepest node on the path that exists, and its key (None for a list item or the root)."""
    node, key = root, None
    for part in path:
        if node.kind == "map" and isinstance(part, str):
            index = next((i for i, k in enumerate(node.keys) if key_text(k, text) == part), -1)
            if index < 0:
                return node, key
            node, key = node.items[index], node.keys[index]
        elif node.kind == "list" and isinstance(part, int) and part < len(node.items):
            node, key = node.items[part], None
        else:
            return node, key
    return node, key


def align(node: Node, text: str) -> list[int]:
    """For each character of a text scalar, its offset in the source, then the offset after the last one."""
    value, index, end = str(node.value), node.start.index, node.end.index
    if node.style in ("|", ">"):
        index = text.find("\n", index) + 1 or end
    elif node.style in ('"', "'"):
        index += 1
    offsets: list[int] = []
    for char in value:
        index, width = _match(char, text, index, end, node.style)
        offsets.append(min(index, end))
        index += width
    offsets.append(min(index, end))
    return offsets


def _match(char: str, text: str, index: int, end: int, style: str) -> tuple[int, int]:
    """Offset and width in the source of the next character of the value."""
    if style == '"' and index < end and text[index] == "\\" and text[index + 1 : index + 2] == "\n":
        index += 1
        while index < end and text[index].isspace():
            index += 1
    if index < end and text[index] == "\\" and style == '"':
        return index, _ESCAPE_LENGTH.get(text[index + 1 : index + 2], 2)
    if index < end and style == "'" and text[index] == "'" == char:
        return index, 2
    if index < end and text[index] == char:
        return index, 1
    if not char.isspace():
        while index < end and text[index].isspace():
            index += 1
        return index, 1
    # A folded line end: one character of the value is a run of white space in the source.
    start = index
    while index < end and text[index].isspace():
        index += 1
    return start, index - start


def span_of(node: Node) -> Span:
    """The whole of a node, on its first line when it is a container or a block."""
    start = node.start
    if node.kind != "scalar" or node.end.line != start.line:
        return Span(start.line + 1, start.column + 1, start.line + 1, start.column + 2)
    return Span(start.line + 1, start.column + 1, node.end.line + 1, node.end.column + 1)


def offset_of(value: str, line: int, col: int) -> int:
    """The offset in a text of a line and column that count from 1."""
    offset = 0
    for _ in range(line - 1):
        found = value.find("\n", offset)
        if found < 0:
            break
        offset = found + 1
    return min(offset + col - 1, len(value))


def span_within(node: Node, text: str, *, offset: int, width: int) -> Span:
    """The source of `width` characters of a scalar's value, from `offset` on; cut at the end of the line."""
    offsets = align(node, text)
    first = offsets[min(offset, len(offsets) - 1)]
    last = offsets[min(offset + max(width, 1), len(offsets) - 1)]
    line_start = text.rfind("\n", 0, first) + 1
    line_end = text.find("\n", first)
    line_end = len(text) if line_end < 0 else line_end
    line = text.count("\n", 0, first) + 1
    stop = max(min(last, line_end), first + 1)
    return Span(line, first - line_start + 1, line, stop - line_start + 1)
