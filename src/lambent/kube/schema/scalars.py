"""Checks of values without members: texts, numbers, booleans, enums; and what a value of another type is told.

Not here: the bounds of a type (`constraints`) and objects and lists (`compiler`).
"""

from collections.abc import Mapping
from typing import Any

import orjson

from lambent.kube.schema.constraints import Check, number_checks, string_checks
from lambent.kube.schema.problems import Fault, not_supported, unformatted, unknown, wrong_type

JsonSchema = Mapping[str, Any]


def placed(faults: list[Fault] | None, found: list[Fault], segment: str, *, key: str | None = None) -> list[Fault]:
    """All faults, those of a member now below its segment of the path; `key` is the other spelling of a map's."""
    for fault in found:
        fault.at.append(key if fault.keyed and key is not None else segment)
    return found if faults is None else [*faults, *found]


def every(checks: list[Check]) -> Check:
    """One check that tells what all of them find."""
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> list[Fault] | None:
        faults: list[Fault] = []
        for one in checks:
            faults += one(value) or ()
        return faults or None

    return check


def typed(kind: type, name: str, checks: list[Check], *, cut: bool) -> Check:
    """Further checks of a value of one Python type; `name` is what the schema calls it."""
    if not checks:
        return lambda value: None if type(value) is kind else [wrong_type(value, name), *lost(value, cut=cut)]
    inner = every(checks)
    return lambda value: inner(value) if type(value) is kind else [wrong_type(value, name), *lost(value, cut=cut)]


def formatted(schema: JsonSchema, *, cut: bool) -> Check:
    """A text with a known format, which is told in place of the type and lets a list pass, as in kube-apiserver."""
    name, of_text = schema["format"], every(string_checks(schema))

    def check(value: Any) -> list[Fault] | None:
        if type(value) is str:
            return of_text(value)
        if value is None:
            return [wrong_type(value, "string")]
        gone = lost(value, cut=cut)
        return gone or None if type(value) is list else [unformatted(value, name), *gone]

    return check


def lost(value: Any, *, cut: bool) -> list[Fault]:
    """The members below a value that should have none: nothing declares them; `cut` removes them."""
    if type(value) is dict:
        gone = [unknown(f".{name}") for name in value]
        if cut:
            value.clear()
        return gone
    found: list[Fault] | None = None
    for index, one in enumerate(value if type(value) is list else ()):
        found = placed(found, lost(one, cut=cut), f"[{index}]")
    return found or []


_LARGEST_WHOLE = 2**53 - 1
"""Above it a float no longer tells one integer from the next, and JSON schema takes it for none."""


def _is_whole(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer() and abs(value) <= _LARGEST_WHOLE)


def integer(checks: list[Check], *, cut: bool) -> Check:
    inner = every(checks) if checks else None

    def check(value: Any) -> list[Fault] | None:
        if _is_whole(value):
            return inner(value) if inner is not None else None
        bounds = inner(value) if inner is not None and type(value) is float else None
        return [wrong_type(value, "integer"), *(bounds or ()), *lost(value, cut=cut)]

    return check


def number(checks: list[Check], *, cut: bool) -> Check:
    inner = every(checks)

    def check(value: Any) -> list[Fault] | None:
        if type(value) in (int, float):
            return inner(value)
        return [wrong_type(value, "number"), *lost(value, cut=cut)]

    return check


def int_or_string(schema: JsonSchema, *, cut: bool) -> Check:
    as_text, as_number = every(string_checks(schema)), every(number_checks(schema))

    def check(value: Any) -> list[Fault] | None:
        if type(value) is str:
            return as_text(value)
        if _is_whole(value):
            return as_number(value)
        return [wrong_type(value, "integer,string"), *lost(value, cut=cut)]

    return check


def enumerated(allowed: list[Any]) -> Check:
    """A number is turned into each listed number's type before it is compared, as kube-apiserver does: 2.5 is a 2."""
    known = {orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in allowed}
    texts = {one for one in allowed if type(one) is str}
    numbers = [one for one in allowed if type(one) in (int, float)]

    def check(value: Any) -> list[Fault] | None:
        if type(value) is str:
            found = value in texts
        elif type(value) in (int, float):
            found = any(type(one)(value) == one for one in numbers)
        else:
            found = orjson.dumps(value, option=orjson.OPT_SORT_KEYS) in known
        return None if found else [not_supported(value, allowed)]

    return check
