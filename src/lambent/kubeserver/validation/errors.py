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


def show(value: Any) -> str:
    """A value as a refusal quotes it."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def go_struct(value: Mapping[str, Any], *members: str) -> str:
    """A struct whose Go names are shown, `Name` for the member `name`, all of them, null when absent."""
    return "{" + ",".join(f'"{name}":{show(value.get(name[0].lower() + name[1:]))}' for name in members) + "}"


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


def texts(path: str, value: Any, found: Iterable[str]) -> Iterator[Problem]:
    """One `Invalid value` per text a rule of names gave."""
    for text in found:
        yield invalid(path, value, text)


def not_negative(path: str, value: int | None) -> Iterator[Problem]:
    if (value or 0) < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def positive(path: str, value: int | None, *, text: str = POSITIVE) -> Iterator[Problem]:
    """Of a number that may be absent."""
    if value is not None and value <= 0:
        yield invalid(path, value, text)


def one_of(path: str, value: Any, allowed: Sequence[str], *, text: str = "") -> Iterator[Problem]:
    """A text that has to be there and to be one of several; the answer lists them by alphabet."""
    if not value:
        yield required(path, text)
    elif value not in allowed:
        yield unsupported(path, value, sorted(allowed))


def unchanged(path: str, new: Any, old: Any) -> Iterator[Problem]:
    if new != old:
        yield invalid(path, new, IMMUTABLE)


def listed(path: str, value: str | None, allowed: Sequence[str]) -> Iterator[Problem]:
    """Of a text that may be absent."""
    if value is not None and value not in allowed:
        yield unsupported(path, value, allowed)


def go_struct_of(value: Mapping[str, Any], members: Iterable[str], nested: Mapping[str, Sequence[str]]) -> str:
    """As `go_struct`, of a struct some of whose members are structs, by their names in `nested`."""
    parts = []
    for name in members:
        member = name[0].lower() + name[1:]
        found = value.get(member)
        inner = nested.get(member)
        shown = show(found) if found is None or inner is None else go_struct(found, *inner)
        parts.append(f'"{name}":{shown}')
    return "{" + ",".join(parts) + "}"
