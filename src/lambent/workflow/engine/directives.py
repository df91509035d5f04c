"""What can be said of compare directives before anything runs: shapes, missing fields, sets of objects, double keys."""

from collections.abc import Iterator, Mapping
from typing import Any

from lambent.workflow.engine.comparison import AS_MAP, AS_SET, DIRECTIVES
from lambent.workflow.engine.expressions import is_expression
from lambent.workflow.spec import Diagnostic, Document, FieldPath


def check_directives(document: Document, value: Any, path: FieldPath, *, is_part: bool = False) -> Iterator[Diagnostic]:
    """Every directive of a static structure, at every level. A part laid over a target may name the target's fields."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from check_directives(document, item, (*path, index))
    if not isinstance(value, Mapping):
        return
    for name in (name for name in value if name in DIRECTIVES):
        yield from _directive(document, value, name, (*path, name), is_part=is_part)
    for key, item in value.items():
        if key not in DIRECTIVES:
            yield from check_directives(document, item, (*path, key), is_part=is_part)


def _directive(
    document: Document, siblings: Mapping[str, Any], name: str, path: FieldPath, *, is_part: bool
) -> Iterator[Diagnostic]:
    fields = siblings[name]
    if is_expression(fields):
        return
    wanted = dict if name == AS_MAP else list
    if not isinstance(fields, wanted) or not all(isinstance(field, str) for field in fields):
        shape = "a map from field to key names" if name == AS_MAP else "a list of field names"
        yield document.diagnose("directive-shape", f"{name} must be {shape}", path)
        return
    for field in fields:
        target = siblings.get(field)
        if field not in siblings:
            if is_part:
                continue
            message = f'{name} names "{field}", which is not set here'
            yield document.diagnose("directive-unknown-field", message, path, severity="warning")
        elif name == AS_SET and isinstance(target, list) and any(isinstance(item, Mapping | list) for item in target):
            yield document.diagnose("directive-set-of-objects", f'"{field}" holds objects; use {AS_MAP}', path)
        elif name == AS_MAP and isinstance(target, list):
            yield from _keys(document, field, target, fields[field], (*path[:-1], field))
        elif name in (AS_SET, AS_MAP) and not isinstance(target, list) and not is_expression(target):
            message = f'{name} names "{field}", which is not a list'
            yield document.diagnose("directive-not-a-list", message, path, severity="warning")


def _keys(document: Document, field: str, items: list[Any], keys: Any, path: FieldPath) -> Iterator[Diagnostic]:
    names = keys if isinstance(keys, list) else [keys]
    seen: set[str] = set()
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            if not is_expression(item):
                yield document.diagnose("directive-keys", f'"{field}" must hold objects', (*path, index))
            continue
        absent = [name for name in names if item.get(name) is None]
        if absent:
            yield document.diagnose("directive-keys", f'key field "{absent[0]}" is missing', (*path, index))
            continue
        values = [item[name] for name in names]
        key = repr(values)
        if key in seen and not any(is_expression(value) for value in values):
            yield document.diagnose("directive-keys", f'"{field}" has this key twice', (*path, index))
        seen.add(key)
