"""Functions on optional values; the macros `optMap` and `optFlatMap` are in `lambent.cel.loops`."""

from typing import Any

from lambent.cel.errors import Fault
from lambent.cel.registry import function
from lambent.cel.values import NONE, Duration, OptionalValue


@function("optional.of", "dyn -> optional", "An optional with the value.")
def optional_of(value: Any) -> OptionalValue:
    return OptionalValue(value)


@function("optional.none", "-> optional", "The empty optional.")
def optional_none() -> OptionalValue:
    return NONE


@function("optional.ofNonZeroValue", "dyn -> optional", 'An optional with the value, empty for null, 0, "", [], {}.')
def optional_of_non_zero(value: Any) -> OptionalValue:
    return NONE if _is_zero(value) else OptionalValue(value)


def _is_zero(value: Any) -> bool:
    if type(value) is OptionalValue:
        return not value.present
    if type(value) is Duration:
        return value.nanos == 0
    return not value


@function("hasValue", "optional -> bool", "Whether the optional has a value.")
def has_value(optional: OptionalValue) -> bool:
    return optional.present


@function("value", "optional -> dyn", "The value; an error if there is none.")
def value_of(optional: OptionalValue) -> Any:
    if not optional.present:
        raise Fault("key", "the optional has no value")
    return optional.value


@function("orValue", "optional dyn -> dyn", "The value, or the other if there is none.")
def or_value(optional: OptionalValue, other: Any) -> Any:
    return optional.value if optional.present else other


@function("or", "optional optional -> optional", "The optional, or the other if it has no value.")
def or_optional(optional: OptionalValue, other: OptionalValue) -> OptionalValue:
    return optional if optional.present else other


@function("optional.unwrap", "list -> list", "The values of a list of optionals, empty ones left out.")
@function("unwrapOpt", "list -> list", "The values of a list of optionals, empty ones left out.")
def unwrap(items: list[Any]) -> list[Any]:
    if not all(type(item) is OptionalValue for item in items):
        raise Fault("overload", "unwrap: every item must be an optional")
    return [item.value for item in items if item.present]
