"""Checks a parameter dict against the model, in AWS's words.

`2 validation errors detected: Value '<v>' at '<lowerCamel.path>' failed to satisfy constraint: Member must ...; ...`.
Members bound to the query come before those of the path, the others keep the model's order: so AWS prints them.
Elements of lists and maps are reported once, on the container, with all constraints of an element.
Source: recorded answers of AWS.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import regex

from lambent.aws.errors import ServiceError
from lambent.functions.codec.corrections import corrections

_PRINTED_LAST = ("uri",)
_SECRET = "*** sensitive ***"


def validate(shape: Any, parameters: dict[str, Any]) -> None:
    """Raises ValidationException naming every violated constraint."""
    if shape is None:
        return
    problems = list(_structure(shape, parameters, ""))
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        text = f"{len(problems)} validation {noun} detected: " + "; ".join(problems)
        raise ServiceError("ValidationException", text)


def _structure(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    members = shape.members.items()
    ordered = sorted(members, key=lambda item: item[1].serialization.get("location") in _PRINTED_LAST)
    for name, member in ordered:
        where = f"{path}.{_camel(name)}" if path else _camel(name)
        if name in value:
            yield from _member(member, value[name], where)
        elif name in shape.required_members:
            yield _problem(None, where, "Member must not be null")


def _member(shape: Any, value: Any, path: str) -> Iterator[str]:
    shown = _SECRET if shape.metadata.get("sensitive") else value
    for text in _broken(shape, value):
        yield _problem(shown, path, text)
    if shape.type_name == "structure":
        yield from _structure(shape, value, path)
    elif shape.type_name == "list":
        yield from _elements(shape.member, value, path, "Member")
    elif shape.type_name == "map":
        yield from _keys_and_values(shape, value, path)


def _elements(shape: Any, values: list[Any], path: str, noun: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for index, value in enumerate(values, start=1):
            yield from _structure(shape, value or {}, f"{path}.{index}.member")
    elif any(value is None or any(_broken(shape, value)) for value in values):
        yield _problem(values, path, f"{noun} must satisfy constraint: [{', '.join(_element_texts(shape))}]")


def _keys_and_values(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    shown = _SECRET if shape.metadata.get("sensitive") else value
    if any(any(_broken(shape.key, key)) for key in value):
        yield _problem(shown, path, f"Map keys must satisfy constraint: [{', '.join(_texts(shape.key))}]")
    if any(item is None or any(_broken(shape.value, item)) for item in value.values()):
        yield _problem(shown, path, f"Map value must satisfy constraint: [{', '.join(_element_texts(shape.value))}]")


def _element_texts(shape: Any) -> list[str]:
    nullable = shape.name in corrections().nullable_element
    return [*_texts(shape), *([] if nullable else ["Member must not be null"])]


def _texts(shape: Any) -> list[str]:
    """Every constraint of a shape, in AWS's order."""
    return [text for text, _ in _constraints(shape)]


def _broken(shape: Any, value: Any) -> Iterator[str]:
    for text, holds in _constraints(shape):
        if not holds(value):
            yield text


def _constraints(shape: Any) -> Iterator[tuple[str, Any]]:
    meta = shape.metadata
    upper = corrections().maximum.get(shape.name, meta.get("max"))
    lower = meta.get("min")
    if shape.type_name in ("string", "list", "map", "blob"):
        if upper is not None:
            yield f"Member must have length less than or equal to {upper}", lambda v: len(v) <= upper
        if lower is not None:
            yield f"Member must have length greater than or equal to {lower}", lambda v: len(v) >= lower
    elif shape.type_name in ("integer", "long", "double"):
        number = float if shape.type_name == "double" else int
        if upper is not None:
            yield f"Member must have value less than or equal to {number(upper)}", lambda v: v <= upper
        if lower is not None:
            yield f"Member must have value greater than or equal to {number(lower)}", lambda v: v >= lower
    pattern = meta.get("pattern")
    if pattern:
        matches = compiled(pattern).fullmatch
        told = f"Member must satisfy regular expression pattern: {pattern}"
        # Names and ARNs are short: giving the interpreter up to match one costs more than the match.
        yield told, lambda v: matches(v, concurrent=False) is not None
    allowed = enum_of(shape)
    if allowed:
        yield f"Member must satisfy enum value set: [{', '.join(allowed)}]", lambda v: v in allowed


def enum_of(shape: Any) -> tuple[str, ...]:
    """The values of an enum as AWS prints them; empty for a shape that is none or is checked elsewhere."""
    known = corrections()
    if shape.name in known.unchecked_enum or shape.type_name != "string":
        return ()
    return known.enum.get(shape.name) or tuple(shape.metadata.get("enum") or ())


@lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str]:
    """A Java pattern of the model. ASCII classes as in Java; `\\p{..}` is what the library is for."""
    return regex.compile(pattern, regex.ASCII | regex.VERSION0)


def _problem(value: Any, path: str, text: str) -> str:
    printed = "null" if value is None else f"'{_printed(value)}'"
    return f"Value {printed} at '{path}' failed to satisfy constraint: {text}"


def _printed(value: Any) -> str:
    """As Java's toString."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_printed(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_printed(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]
