"""Whether an applied value fits its schema: every misfit, in the words of structured-merge-diff.

Types, undeclared fields, list items without keys, items that occur twice. Not here: what else is wrong with a value,
which the schema's own validation tells (`lambent.kube.schema`).
"""

from collections.abc import Iterator
from typing import Any

import orjson

from lambent.kubeserver.writes.ownership.shapes import DEDUCED, Shape
from lambent.kubeserver.writes.ownership.values import element_of, go_text

_WANTED: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "scalar": (str, int, float, bool),
}
_LOOSE = {"object": "map", "array": "list", "boolean": "boolean", "scalar": "any scalar"}
_GO_TYPES = {str: "string", bool: "bool", dict: "map[string]interface {}", list: "[]interface {}"}


def misfits(shape: Shape, value: Any, path: str = "", *, applied: bool = True) -> Iterator[str]:
    """`.path: what is wrong`, one each; null fits everything. Only an `applied` value is refused for what the schema
    lacks, and for items that occur twice."""
    if value is None:
        return
    if shape.type in _WANTED and type(value) not in _WANTED[shape.type]:
        yield f"{path}: {_mismatch(shape.type, value)}"
    elif isinstance(value, dict) and (shape.kind == "struct" or shape.type == "object"):
        yield from _of_members(shape, value, path, applied=applied)
    elif isinstance(value, list):
        yield from _of_items(shape, value, path, applied=applied)


def _mismatch(wanted: str, value: Any) -> str:
    if wanted == "string":
        return f"expected {wanted}, got &value.valueUnstructured{{Value:{go_syntax(value)}}}"
    if wanted in _LOOSE:
        return f"expected {_LOOSE[wanted]}, got &{{{go_text(value)}}}"
    return f"expected numeric (int or float), got {_GO_TYPES[type(value)]}"


def _of_members(shape: Shape, value: dict[str, Any], path: str, *, applied: bool) -> Iterator[str]:
    for name, member in sorted(value.items()):
        below = shape.member(name)
        if below is None and applied:
            yield f"{path}.{name}: field not declared in schema"
            return
        yield from misfits(below or DEDUCED, member, f"{path}.{name}", applied=applied)


def _of_items(shape: Shape, value: list[Any], path: str, *, applied: bool) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(value):
        if shape.kind not in ("set", "keyed"):
            yield from misfits(shape.item, item, f"{path}[{index}]", applied=applied)
            continue
        if why := _unplaceable(shape, item):
            yield f"{path}: element {index}: {why}"
            return
        element = element_of(shape, item)
        shown = key_text(element)
        if element in seen and applied:
            yield f"{path}: duplicate entries for key [{shown}]"
        seen.add(element)
        yield from misfits(shape.item, item, f"{path}[{shown}]", applied=applied)


def _unplaceable(shape: Shape, item: Any) -> str:
    """Why an item has no path element; "" when it has."""
    if shape.kind == "set":
        if isinstance(item, list):
            return "not supported: associative list with lists as elements"
        found = "an explicit null" if item is None else "a map type" if isinstance(item, dict) else ""
        return found and f"associative list without keys has an element that's {found}"
    if not isinstance(item, dict):
        return f"associative list with keys may not have {'a null element' if item is None else 'non-map elements'}"
    if any(key in item or key in shape.defaults for key in shape.keys):
        return ""
    listed = " ".join(f'"{key}"' for key in shape.keys)
    lead = f"associative list with keys has an element that omits all key fields [{listed}]"
    return f"{lead} (and doesn't have default values for any key fields)"


def key_text(element: str) -> str:
    """An element of a list as a refusal names it: `k="a",p="x"`, or `="a"` for a set."""
    kind, _, text = element.partition(":")
    if kind != "k":
        return f"={text}"
    return ",".join(f"{name}={orjson.dumps(value).decode()}" for name, value in sorted(orjson.loads(text).items()))


def go_syntax(value: Any) -> str:
    """A value as Go's `%#v` prints it."""
    if isinstance(value, dict):
        members = ", ".join(f"{orjson.dumps(name).decode()}:{go_syntax(one)}" for name, one in sorted(value.items()))
        return f"map[string]interface {{}}{{{members}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(go_syntax, value))}}}"
    return "interface {}(nil)" if value is None else orjson.dumps(value).decode()
