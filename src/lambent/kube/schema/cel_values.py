"""What a rule sees of a string with a format: date-time and date are timestamps, duration a duration, byte bytes; and
of members that may be null: those that are null are absent.

`converter(schema)` is made once per node and is None where nothing below is of either kind, so that most rules read the
object itself. Source: Kubernetes docs, "Validation rules", type mapping.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

Convert = Callable[[Any], Any]


def converter(schema: Mapping[str, Any]) -> Convert | None:
    """Copies what changes and shares the rest; a value that does not fit its schema stays as it is."""
    made = _of_format(schema.get("format", "")) if schema.get("type") == "string" else None
    if made is not None:
        return lambda value: _safely(made, value)
    items, values = _below(schema.get("items")), _below(schema.get("additionalProperties"))
    found = {name: converter(child) for name, child in (schema.get("properties") or {}).items()}
    members = {name: convert for name, convert in found.items() if convert is not None}
    absent = frozenset(name for name, child in (schema.get("properties") or {}).items() if child.get("nullable"))
    if items is None and values is None and not members and not absent:
        return None

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return [items(one) for one in value] if items is not None else value
        if not isinstance(value, dict):
            return value
        return {
            name: _member(members.get(name, values), member)
            for name, member in value.items()
            if member is not None or name not in absent
        }

    return convert


def _below(schema: Any) -> Convert | None:
    return converter(schema) if isinstance(schema, Mapping) else None


def _member(convert: Convert | None, value: Any) -> Any:
    return value if convert is None else convert(value)


def _of_format(name: str) -> Convert | None:
    if name not in ("date-time", "date", "duration", "byte"):
        return None
    from lambent.cel.library.times import duration_from_string, timestamp_from_string

    made: dict[str, Convert] = {
        "date-time": timestamp_from_string,
        "date": lambda text: timestamp_from_string(f"{text}T00:00:00Z"),
        "duration": duration_from_string,
        "byte": lambda text: base64.b64decode(text, validate=True),
    }
    return made[name]


def _safely(convert: Convert, value: Any) -> Any:
    from lambent.cel.errors import Fault

    if not isinstance(value, str):
        return value
    try:
        return convert(value)
    except (Fault, ValueError):
        return value
