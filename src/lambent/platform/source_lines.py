"""From a field path of the API ("spec.layers[2].name") to the line and column in the YAML it came from.

Works on the node tree PyYAML composes; the deepest part of the path that exists in the text answers, since a server
also complains of fields that are missing.
"""

import re

import yaml

_STEP = re.compile(r"\[(\d+)\]|\[([^\]]+)\]|([^.\[\]]+)")


def line_of(node: yaml.Node, path: str) -> tuple[int, int]:
    """1-based line and column of the value at `path`; of the document when the path is empty."""
    for index, bracket_key, key in _STEP.findall(path):
        child = _item(node, int(index)) if index else _member(node, bracket_key or key)
        if child is None:
            break
        node = child
    return node.start_mark.line + 1, node.start_mark.column + 1


def _member(node: yaml.Node, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _item(node: yaml.Node, index: int) -> yaml.Node | None:
    if not isinstance(node, yaml.SequenceNode) or index >= len(node.value):
        return None
    return node.value[index]  # type: ignore[no-any-return]  # PyYAML's stubs say Any
