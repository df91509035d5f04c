"""A graph as SVG, drawn by ourselves: steps in layers from top to bottom, an edge as a curve between two boxes.

The layer of a step is the length of the longest path to it; within a layer steps stay in their order. No crossing is
minimised: workflows are chains with few branches. Source: W3C, "Scalable Vector Graphics 2".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lambent.workflow.authoring.graph import COLOURS, Edge, Graph, Node, escaped

# Pixels. The width of a letter is that of a monospaced face of 12 pixels, rounded up.
_LETTER, _LINE, _PAD, _GAP_X, _GAP_Y, _MARGIN = 7.5, 16, 10, 36, 48, 24


@dataclass(slots=True)
class _Box:
    node: Node
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def svg(graph: Graph) -> str:
    """A complete SVG document."""
    rows = _layers(graph)
    boxes, width, height = _placed(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="monospace" font-size="12">',
        f"<title>{escaped(graph.workflow)}</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#546e7a"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
        f'<text x="{_MARGIN}" y="{_MARGIN}" font-weight="bold">{escaped(_title(graph))}</text>',
    ]
    parts += [_curve(edge, boxes) for edge in graph.edges]
    for box in boxes.values():
        parts += _drawn(box)
    return "\n".join([*parts, "</svg>"])


def _title(graph: Graph) -> str:
    return graph.workflow + (f" <- {graph.trigger}" if graph.trigger else "")


def _layers(graph: Graph) -> list[list[Node]]:
    """Steps stand after what they wait for, so one pass in their order suffices."""
    layer: dict[str, int] = {}
    for node in graph.nodes:
        layer[node.label] = 1 + max((layer[edge.source] for edge in graph.into(node.label)), default=-1)
    rows: list[list[Node]] = [[] for _ in range(1 + max(layer.values(), default=0))]
    for node in graph.nodes:
        rows[layer[node.label]].append(node)
    return rows


def _lines(node: Node) -> list[str]:
    return [node.label, *node.logic, *node.notes, *([node.outcome] if node.outcome else [])]


def _placed(rows: list[list[Node]]) -> tuple[dict[str, _Box], float, float]:
    """Boxes by label, and the size of the whole."""
    sizes = [[(max(map(len, _lines(n))) * _LETTER + 2 * _PAD, len(_lines(n)) * _LINE + _PAD) for n in r] for r in rows]
    widths = [sum(width for width, _ in row) + _GAP_X * (len(row) - 1) for row in sizes]
    whole = max(widths, default=0.0)
    boxes: dict[str, _Box] = {}
    y = 2.0 * _MARGIN
    for row, row_sizes, row_width in zip(rows, sizes, widths, strict=True):
        x = _MARGIN + (whole - row_width) / 2
        for node, (width, height) in zip(row, row_sizes, strict=True):
            boxes[node.label] = _Box(node, x, y, width, height)
            x += width + _GAP_X
        y += max((height for _, height in row_sizes), default=0) + _GAP_Y
    return boxes, max(whole, 320) + 2 * _MARGIN, y - _GAP_Y + _MARGIN


def _curve(edge: Edge, boxes: dict[str, _Box]) -> str:
    source, target = boxes[edge.source], boxes[edge.target]
    x1, y1, x2, y2 = source.middle, source.y + source.height, target.middle, target.y
    bend = max((y2 - y1) / 2, 12)
    dashes = "" if edge.when_not_ok == "depSkip" else ' stroke-dasharray="5 3"'
    path = f"M{x1:.1f},{y1:.1f} C{x1:.1f},{y1 + bend:.1f} {x2:.1f},{y2 - bend:.1f} {x2:.1f},{y2:.1f}"
    reason = escaped("\n".join(edge.because))
    shape = f'<path d="{path}" fill="none" stroke="#546e7a"{dashes} marker-end="url(#arrow)">'
    return f"{shape}<title>{reason}</title></path>"


def _drawn(box: _Box) -> Iterator[str]:
    fill = COLOURS.get(box.node.outcome, "#f5f7fa")
    place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    yield f'<rect {place} rx="6" fill="{fill}" stroke="#90a4ae"/>'
    for index, line in enumerate(_lines(box.node)):
        weight = ' font-weight="bold"' if index == 0 else ' fill="#455a64"'
        y = box.y + _PAD / 2 + (index + 0.75) * _LINE
        yield f'<text x="{box.x + _PAD:.1f}" y="{y:.1f}"{weight}>{escaped(line)}</text>'
