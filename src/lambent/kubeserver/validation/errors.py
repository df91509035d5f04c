"""Field errors of builtin kinds, in the words kube-apiserver has for them.

Each function gives one `Problem`: a field path, a cause's reason and the text. A value is shown as Go's JSON writer
would: texts in quotes, maps with sorted keys. Source: Kubernetes API conventions, "Validation"; texts as
kube-apiserver 1.34.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from lambent.kube.schema import Problem

IMMUTABLE = "field is immutable"
POSITIVE, NOT_NEGATIVE = "must be greater than 0", "must be greater than or equal to 0"

_GO_KINDS = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


def show(value: Any) -> str:
    """A value as a refusal quotes it."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def go_kind(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    return _GO_KINDS.get(type(value), "null")


def go_struct(value: Mapping[str, Any], *members: str, nested: Mapping[str, Sequence[str]] | None = None) -> str:
    """A struct whose Go names are shown, `Name` for the member `name`, all of them, null when absent.

    `nested` has the names of those members that are structs themselves.
    """
    parts = []
    for name in members:
        found, inner = value.get(name[0].lower() + name[1:]), (nested or {}).get(name)
        parts.append(f'"{name}":{show(found) if found is None or inner is None else go_struct(found, *inner)}')
    return "{" + ",".join(parts) + "}"


def go_named(value: Mapping[str, Any], members: Mapping[str, str]) -> str:
    """A struct of texts, all of whose Go names are told."""
    return "{" + ",".join(f'"{name}":{show(value.get(member, ""))}' for name, member in members.items()) + "}"


def required(path: str, text: str = "") -> Problem:
    return Problem(path, "FieldValueRequired", f"Required value: {text}" if text else "Required value")


def invalid(path: str, value: Any, text: str) -> Problem:
    return invalid_shown(path, show(value), text)


def invalid_shown(path: str, shown: str, text: str) -> Problem:
    return Problem(path, "FieldValueInvalid", f"Invalid value: {shown}: {text}" if text else f"Invalid value: {shown}")


def unsupported(path: str, value: Any, allowed: Sequence[str]) -> Problem:
    return unsupported_shown(path, show(value), allowed)


def unsupported_shown(path: str, shown: str, allowed: Sequence[str]) -> Problem:
    listed = ", ".join(show(one) for one in allowed)
    return Problem(path, "FieldValueNotSupported", f"Unsupported value: {shown}: supported values: {listed}")


def duplicate(path: str, value: Any) -> Problem:
    return Problem(path, "FieldValueDuplicate", f"Duplicate value: {show(value)}")


def forbidden(path: str, text: str) -> Problem:
    return Problem(path, "FieldValueForbidden", f"Forbidden: {text}")


def not_found(path: str, value: Any, text: str = "") -> Problem:
    return Problem(path, "FieldValueNotFound", f"Not found: {show(value)}{f': {text}' if text else ''}")


def too_long(path: str, limit: int) -> Problem:
    return Problem(path, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def too_many(path: str, count: int, limit: int) -> Problem:
    noun = "item" if limit == 1 else "items"
    return Problem(path, "FieldValueTooMany", f"Too many: {count}: must have at most {limit} {noun}")


def texts(path: str, value: Any, found: Iterable[str]) -> list[Problem]:
    """One `Invalid value` per text a rule of names gave."""
    return [invalid(path, value, text) for text in found]


def unchanged(path: str, new: Any, old: Any) -> Iterator[Problem]:
    if new != old:
        yield invalid(path, new, IMMUTABLE)
