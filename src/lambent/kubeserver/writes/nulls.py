"""Nulls in what server-side apply made: an applied null is a value, not an absent member.

Any other write drops the nulls that a custom kind does not allow; here a member without default is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import errors


def refused_nulls(schema: Mapping[str, Any], value: Any, path: str = "") -> Iterator[Problem]:
    """What is wrong with each null whose schema is typed, not nullable, and without default."""
    if isinstance(value, list):
        items = schema.get("items")
        for index, one in enumerate(value if isinstance(items, Mapping) else ()):
            yield from refused_nulls(schema["items"], one, f"{path}[{index}]")
    elif isinstance(value, dict):
        others = schema.get("additionalProperties")
        for name, member in value.items():
            below = (schema.get("properties") or {}).get(name, others)
            if isinstance(below, Mapping):
                yield from _member(below, member, f"{path}.{name}" if path else name)


def _member(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[Problem]:
    if value is not None:
        yield from refused_nulls(schema, value, path)
        return
    kind = "integer,string" if schema.get("x-kubernetes-int-or-string") else schema.get("type")
    if kind and not schema.get("nullable") and "default" not in schema:
        text = f'Invalid value: "null": {path} in body must be of type {kind}: "null"'
        yield Problem(path, "FieldValueTypeInvalid", text, blocking=True)
        if schema.get("enum"):
            listed = [one if isinstance(one, str) else errors.show(one) for one in schema["enum"]]
            yield errors.unsupported_shown(path, "null", listed)
