"""What can be wrong with a value, and how kube-apiserver says it.

A `Fault` is made where the value is; the nodes above it prepend their segment, so that a value without faults costs no
path at all. `Problems` is the finished report of one walk.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

Mode = Literal["prune", "warn", "strict"]

MAX_PROBLEMS = 100  # more than a person reads; kube-apiserver has no cap


class Fault:
    """One finding, not yet placed. `at` has path segments, innermost first; `unknown` marks a field without schema,
    `whole` what is reported on the whole object although it was found below, `keyed` one whose path names the values
    of maps as `[key]`."""

    __slots__ = ("at", "blocking", "keyed", "reason", "say", "unknown", "whole")

    def __init__(
        self,
        reason: str,
        say: Callable[[str], str],
        *,
        blocking: bool = False,
        unknown: bool = False,
        whole: bool = False,
        keyed: bool = False,
        at: str = "",
    ) -> None:
        self.reason = reason
        self.say = say
        self.blocking = blocking
        self.unknown = unknown
        self.whole = whole
        self.keyed = keyed
        self.at: list[str] = [at] if at else []

    def path(self) -> str:
        return "".join(reversed(self.at)).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Problem:
    """A field path, a Status cause reason (`FieldValueInvalid`, ...) and the message without the field."""

    path: str
    reason: str
    message: str
    blocking: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@dataclass(slots=True)
class Problems:
    """`errors` make the object invalid; `unknown` are paths of fields the schema does not declare."""

    errors: list[Problem] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def blocking(self) -> bool:
        """Whether an error is of the kind after which no rule runs."""
        return any(problem.blocking for problem in self.errors)

    def __bool__(self) -> bool:
        return bool(self.errors)


def finish(faults: list[Fault]) -> Problems:
    out = Problems()
    for fault in faults:
        path = fault.path()
        if fault.unknown:
            out.unknown.append(path)
        elif len(out.errors) < MAX_PROBLEMS:
            where = "<nil>" if fault.whole else path or "<nil>"
            out.errors.append(Problem(where, fault.reason, fault.say(path), fault.blocking))
    return out


def shown(value: Any) -> str:
    """A value as kube-apiserver quotes it in a message."""
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return orjson.dumps(value).decode()


_TYPE_NAMES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    dict: "object",
    list: "array",
    type(None): "null",
}


def wrong_type(value: Any, wanted: str) -> Fault:
    got = _TYPE_NAMES[type(value)]
    return Fault(
        "FieldValueTypeInvalid",
        lambda path: f'Invalid value: "{got}": {path} in body must be of type {wanted}: "{got}"',
        blocking=True,
    )


def unformatted(value: Any, wanted: str) -> Fault:
    """Of a value that is no text, where one of a format was wanted."""
    got = {int: "int64", float: "float64"}.get(type(value), "")
    text = f"in body must be of type {wanted}: {shown(got)}"
    return Fault("FieldValueTypeInvalid", lambda path: f"Invalid value: {shown(got)}: {path} {text}", blocking=True)


def required(at: str) -> Fault:
    return Fault("FieldValueRequired", lambda _: "Required value", blocking=True, at=at)


def unknown(at: str, *, keyed: bool = False) -> Fault:
    return Fault("", lambda _: "unknown field", unknown=True, keyed=keyed, at=at)


def wrong_format(value: str, wanted: str) -> Fault:
    text = f"in body must be of type {wanted}: {shown(value)}"
    return Fault("FieldValueTypeInvalid", lambda path: f"Invalid value: {shown(value)}: {path} {text}", blocking=True)


def bad_factor() -> Fault:
    """kube-apiserver cuts a factor below 1 to 0 for a value without fraction, and refuses that."""
    return Fault(
        "FieldValueInvalid",
        lambda path: f"Invalid value: 0: factor MultipleOf declared for {path} must be positive: 0",
    )


def invalid(value: Any, text: str) -> Fault:
    """`text` follows the path: `in body should match 'x'`."""
    return Fault("FieldValueInvalid", lambda path: f"Invalid value: {shown(value)}: {path} in body {text}")


def not_supported(value: Any, allowed: list[Any]) -> Fault:
    listed = ", ".join(shown(one if isinstance(one, str) else shown(one)) for one in allowed)
    return Fault(
        "FieldValueNotSupported",
        lambda _: f"Unsupported value: {shown(value)}: supported values: {listed}",
        blocking=True,
    )


def too_long(limit: int) -> Fault:
    noun = "byte" if limit == 1 else "bytes"
    return Fault("FieldValueTooLong", lambda _: f"Too long: may not be more than {limit} {noun}", blocking=True)


def too_many(count: int, limit: int) -> Fault:
    noun = "item" if limit == 1 else "items"
    return Fault("FieldValueTooMany", lambda _: f"Too many: {count}: must have at most {limit} {noun}", blocking=True)


def duplicate(value: Any, index: int) -> Fault:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return Fault("FieldValueDuplicate", lambda _: f"Duplicate value: {text}", keyed=True, at=f"[{index}]")


def no_object(value: Any, index: int) -> Fault:
    text = f"Invalid value: {shown(value)}: must be an object for an array of list-type map"
    return Fault("FieldValueInvalid", lambda _: text, keyed=True, at=f"[{index}]")


def junctor(text: str) -> Fault:
    """A failed anyOf, oneOf, allOf or not: reported on the whole object, naming the place in the text."""
    return Fault("FieldValueInvalid", lambda path: f'Invalid value: "": "{path}" {text}', whole=True)
