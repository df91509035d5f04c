"""The one validator: a document against the table of its kind, then the rules that span fields.

It reads values and changes none; every problem of a document is reported. Expressions are checked where they are
compiled (`engine`), with the same diagnostics.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from lambent.workflow.spec.diagnostics import Diagnostic, nearest
from lambent.workflow.spec.documents import Document
from lambent.workflow.spec.fields import Field
from lambent.workflow.spec.kinds import kind_of
from lambent.workflow.spec.positions import FieldPath, path_text
from lambent.workflow.spec.rules import cross_field

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_TYPE_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def validate(document: Document) -> list[Diagnostic]:
    """Everything wrong with the structure of a document; nothing for kinds that are not ours."""
    kind = kind_of(document.value)
    if kind is None:
        return []
    found = list(_metadata(document))
    if document.value.get("apiVersion") != kind.api_version:
        message = f"{kind.kind} is served as {kind.api_version}"
        found.append(document.diagnose("unknown-version", message, ("apiVersion",)))
    top = set(document.value) - {"apiVersion", "kind", "metadata", "spec", "status"}
    for name in sorted(top):
        hint = nearest(name, ("metadata", "spec"))
        found.append(document.diagnose("unknown-field", f'unknown field "{name}"', (name,), at_key=True, hint=hint))
    found += _check(document, kind.spec, document.value.get("spec"), ("spec",))
    if not any(diagnostic.is_error for diagnostic in found):
        found += cross_field(document, kind)
    return found


def _metadata(document: Document) -> Iterator[Diagnostic]:
    meta = document.value.get("metadata")
    name = meta.get("name") if isinstance(meta, Mapping) else None
    if not isinstance(name, str) or not name:
        yield document.diagnose("missing-field", "metadata.name is required", ("metadata",))


def _check(document: Document, table: Field, value: Any, path: FieldPath) -> Iterator[Diagnostic]:
    """A null counts as absent, as for an API server."""
    if value is None:
        if table.required:
            yield document.diagnose("missing-field", f"{path_text(path)} is required", path[:-1], at_key=True)
        return
    if table.type == "any":
        return
    if not isinstance(value, _TYPES[table.type]) or (isinstance(value, bool) and table.type != "boolean"):
        actual = _TYPE_NAMES.get(type(value), type(value).__name__)
        message = f"{path_text(path)} must be of type {table.type}, not {actual}"
        yield document.diagnose("wrong-type", message, path, hint=_type_hint(table, value))
        return
    if isinstance(value, str):
        yield from _check_text(document, table, value, path)
    elif isinstance(value, dict):
        yield from _check_object(document, table, value, path)
    elif isinstance(value, list):
        yield from _check_list(document, table, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_number(document, table, value, path)


def _type_hint(table: Field, value: Any) -> str:
    """YAML reads 1, true and no as what they look like; an expression gives a value only where one may stand."""
    if table.type == "string" and isinstance(value, bool) and table.expression != "never":
        return f'write "={str(value).lower()}"'
    if table.type == "string" and isinstance(value, bool | int | float):
        return "put it in quotes"
    if isinstance(value, str) and value.startswith("="):
        return "only its members may be expressions" if table.type == "object" else "it cannot be an expression"
    return ""


def _check_text(document: Document, table: Field, value: str, path: FieldPath) -> Iterator[Diagnostic]:
    where = path_text(path)
    if table.expression == "must" and not value.startswith("="):
        yield document.diagnose("not-an-expression", f"{where} must be an expression and begin with =", path)
    elif table.expression == "never" and value.startswith("=") and (table.enum or table.required):
        yield document.diagnose("expression-not-allowed", f"{where} is static and cannot be an expression", path)
    elif table.required and not value:
        yield document.diagnose("missing-field", f"{where} must not be empty", path)
    elif table.enum and value not in table.enum:
        choices = "one of " * (len(table.enum) > 1) + ", ".join(table.enum)
        yield document.diagnose("bad-choice", f"{where} must be {choices}", path, hint=nearest(value, table.enum))
    elif table.pattern and not _compiled(table.pattern).search(value):
        yield document.diagnose("bad-format", f"{where} must be {table.pattern_hint or table.pattern}", path)
    if table.max_length is not None and len(value) > table.max_length:
        yield document.diagnose("too-long", f"{where} is longer than {table.max_length} characters", path)


def _check_number(document: Document, table: Field, value: float, path: FieldPath) -> Iterator[Diagnostic]:
    where = path_text(path)
    if table.minimum is not None and value < table.minimum:
        yield document.diagnose("out-of-range", f"{where} must be at least {table.minimum}", path)
    if table.maximum is not None and value > table.maximum:
        yield document.diagnose("out-of-range", f"{where} must be at most {table.maximum}", path)


def _check_list(document: Document, table: Field, value: list[Any], path: FieldPath) -> Iterator[Diagnostic]:
    where = path_text(path)
    if table.min_items is not None and len(value) < table.min_items:
        yield document.diagnose(
            "too-few", f"{where} must have at least {table.min_items} item{'s' * (table.min_items > 1)}", path
        )
    if table.max_items is not None and len(value) > table.max_items:
        yield document.diagnose("too-many", f"{where} has more than {table.max_items} items", path)
    if table.items is None:
        return
    for index, item in enumerate(value):
        if item is None:
            yield document.diagnose("wrong-type", f"{where}[{index}] must not be null", (*path, index))
        yield from _check(document, table.items, item, (*path, index))


def _check_object(document: Document, table: Field, value: dict[str, Any], path: FieldPath) -> Iterator[Diagnostic]:
    where = path_text(path)
    if table.min_properties is not None and len(value) < table.min_properties:
        yield document.diagnose("too-few", f"{where} must not be empty", path, at_key=True)
    if table.max_properties is not None and len(value) > table.max_properties:
        yield document.diagnose("too-many", f"{where} has more than {table.max_properties} keys", path, at_key=True)
    if table.fields is None:
        return
    yield from _unknown(document, table, value, path)
    yield from _groups(document, table, value, path)
    for name, member in table.fields.items():
        yield from _check(document, member, value.get(name), (*path, name))


def _unknown(document: Document, table: Field, value: dict[str, Any], path: FieldPath) -> Iterator[Diagnostic]:
    known = table.fields or {}
    for name in value:
        if name in known:
            continue
        where = path_text((*path, name))
        if name in table.retired:
            message, code, hint = f"{where} is retired", "retired-field", table.retired[name]
        else:
            message, code, hint = f"unknown field {where}", "unknown-field", nearest(name, known)
        yield document.diagnose(code, message, (*path, name), at_key=True, hint=hint)


def _groups(document: Document, table: Field, value: dict[str, Any], path: FieldPath) -> Iterator[Diagnostic]:
    where = path_text(path)
    for group in table.exactly_one:
        present = [name for name in group if value.get(name) is not None]
        choices = ", ".join(group)
        if not present:
            yield document.diagnose("missing-choice", f"{where} needs exactly one of {choices}", path, at_key=True)
        elif len(present) > 1:
            extra = (*path, present[1])
            message = f"{where} has {' and '.join(present)}, but exactly one of {choices} is allowed"
            yield document.diagnose("contradictory-fields", message, extra, at_key=True)
    if table.at_least_one and not any(value.get(name) for name in table.at_least_one):
        choices = " or ".join(table.at_least_one)
        yield document.diagnose("missing-choice", f"{where} needs {choices}", path, at_key=True)
