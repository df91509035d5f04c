"""Tables: what `kubectl get` shows. Columns of builtin kinds stand in `columns`, those of custom kinds are JSONPaths.

Source: Kubernetes API concepts, "Receiving resources as Tables"; columns as kube-apiserver 1.34.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lambent.kubeserver.answers.ages import age
from lambent.kubeserver.answers.columns import BUILTIN, PLAIN, Cells
from lambent.kubeserver.answers.jsonpath import PathError, compile_path
from lambent.kubeserver.resources import Column, Resource

_LARGEST = 1 << 63
_NAME = Column("Name", "string", "", 0, "name", "Name must be unique within a namespace.")


def _readable(columns: Sequence[Column]) -> Sequence[Column]:
    """Those before the first whose path cannot be read: kube-apiserver shows no more."""
    for index, column in enumerate(columns):
        try:
            compile_path(column.path)
        except PathError:
            return columns[:index]
    return columns


def _custom_cells(columns: Sequence[Column]) -> Cells:
    paths = [(column.type, compile_path(column.path)) for column in columns]

    def cells(obj: Any, now: datetime) -> list[Any]:
        return [obj["metadata"]["name"], *(_cell(kind, find(obj), now) for kind, find in paths)]

    return cells


# What Go's JSON writer escapes for the sake of HTML.
_ESCAPED = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})


def _cell(kind: str, value: Any, now: datetime) -> Any:
    """A value as the cell of a column of this type; None for one of another type."""
    match kind, value:
        case "date", str():
            return age(value, now)
        case "string", bool():
            return str(value).lower()
        case "string", dict() | list():
            import orjson

            text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
            return text.translate(_ESCAPED)
        case "string", str() | int() | float():
            return str(value)
        case "boolean", bool():
            return value
        case "number", int() | float() if not isinstance(value, bool):
            return int(number) if abs(number := float(value)) < _LARGEST and number.is_integer() else number
        case "integer", int() | float() if not isinstance(value, bool):
            return int(value) if abs(value) < _LARGEST else -_LARGEST
    return None


def _c(name: str, kind: str = "string", priority: int = 0) -> Column:
    return Column(name, kind, "", priority)


def layout(resource: Resource) -> tuple[list[dict[str, Any]], Cells]:
    """Column definitions, and the function that fills a row."""
    if resource.columns is not None:
        columns = _readable(resource.columns)
        return _definitions((_NAME, *columns)), _custom_cells(columns)
    own, cells = BUILTIN.get((resource.group, resource.kind), PLAIN)
    if resource.kind == "Event":  # the one kind whose first column is not its name
        return _definitions(own), cells
    return _definitions((_NAME, *own)), lambda obj, now: [obj["metadata"]["name"], *cells(obj, now)]


def scale_columns(resource: Resource) -> list[dict[str, Any]]:
    """Of a scale subresource; those of custom kinds have formats of their own."""
    name = _NAME if resource.custom else _c("Name")
    counts = (_c("Desired", "integer"), _c("Available", "integer"))
    return _definitions((name, *counts, _c("Age", "date" if resource.custom else "string")))


def _definitions(columns: Sequence[Column]) -> list[dict[str, Any]]:
    return [
        {"name": c.name, "type": c.type, "format": c.format, "description": c.description, "priority": c.priority}
        for c in columns
    ]
