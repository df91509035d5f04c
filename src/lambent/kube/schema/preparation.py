"""What happens to an object before its members are checked: nulls go, empty members go, defaults come.

Source: Kubernetes docs, CustomResourceDefinition, "Defaulting and Nullable".
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

JsonSchema = Mapping[str, Any]


def preparation(schema: JsonSchema, *, omits_empty: bool, fills: bool) -> Callable[[dict[str, Any]], None]:
    """Drops nulls that are not allowed, then (`fills`) fills absent members that have a default."""
    properties: Mapping[str, JsonSchema] = schema.get("properties") or {}
    drop_nulls = _null_dropper(schema)
    defaults = [(name, _maker(child["default"])) for name, child in properties.items() if fills and "default" in child]
    omitted = _omitted(schema) if omits_empty else ()
    if not defaults and not omitted:
        return drop_nulls

    def prepare(value: dict[str, Any]) -> None:
        drop_nulls(value)
        for name, empty in omitted:
            if value.get(name, 0) == empty:
                del value[name]
        for name, make in defaults:
            if name not in value:
                value[name] = make()

    return prepare


def _null_dropper(schema: JsonSchema) -> Callable[[dict[str, Any]], None]:
    properties: Mapping[str, JsonSchema] = schema.get("properties") or {}
    may_be_null = frozenset(name for name, child in properties.items() if _allows_null(child))
    others = schema.get("additionalProperties")
    rest_null = _allows_null(others) if isinstance(others, Mapping) else True

    def drop(value: dict[str, Any]) -> None:
        if None in value.values():
            for name in [key for key, member in value.items() if member is None]:
                if name not in may_be_null and not (name not in properties and rest_null):
                    del value[name]

    return drop


def _omitted(schema: JsonSchema) -> tuple[tuple[str, Any], ...]:
    """Optional members that are lists or maps, with what is empty of them."""
    needed = schema.get("required") or ()
    properties: Mapping[str, JsonSchema] = schema.get("properties") or {}
    return tuple(
        (name, [] if child.get("type") == "array" else {})
        for name, child in properties.items()
        if name not in needed and (child.get("type") == "array" or "additionalProperties" in child)
    )


def _allows_null(schema: JsonSchema) -> bool:
    return bool(schema.get("nullable"))


def _maker(default: Any) -> Callable[[], Any]:
    if isinstance(default, (dict, list)):
        raw = orjson.dumps(default)
        return lambda: orjson.loads(raw)
    return lambda: default
