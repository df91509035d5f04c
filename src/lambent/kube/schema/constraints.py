"""Bounds on strings, numbers, lists and maps, each as a check of one value.

A string shows the first of maxLength, minLength, pattern, and its format besides; a number shows all. Lengths count
code points. Patterns run in the `regex` engine under a time limit, so that a pattern with nested repeats cannot stall
the server.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from lambent.kube.schema.formats import FORMATS
from lambent.kube.schema.problems import (
    Fault,
    bad_factor,
    duplicate,
    invalid,
    no_object,
    too_long,
    too_many,
    wrong_format,
)

if TYPE_CHECKING:
    import regex

Check = Callable[[Any], list[Fault] | None]

_PATTERN_LIMIT_S = 0.1  # RE2, which kube-apiserver uses, is linear; 100 ms is far beyond any honest match
_SUBJECT_LIMIT = 64 * 1024


@lru_cache(maxsize=4096)
def _pattern(text: str) -> "regex.Pattern[str]":
    """Go's syntax, which a definition's patterns were checked for; those of builtin kinds are all simple."""
    # Here, as both take a while to import, and a server starts without a pattern.
    import regex

    from lambent.cel.library.pattern_syntax import translate

    return regex.compile(translate(text, koreo=True).text, regex.V0)


def _matches(text: str, subject: str) -> bool:
    if len(subject) > _SUBJECT_LIMIT:
        return False
    try:
        # Mostly microseconds: letting other threads in meanwhile costs a wait for the interpreter each time.
        return _pattern(text).search(subject, timeout=_PATTERN_LIMIT_S, concurrent=False) is not None
    except TimeoutError:
        return False


def string_checks(schema: Mapping[str, Any]) -> list[Check]:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    known = FORMATS.get(schema.get("format", ""))
    if longest is None and shortest is None and pattern is None and known is None:
        return []

    def check(value: Any) -> list[Fault] | None:
        if type(value) is not str:
            return None
        if longest is not None and len(value) > longest:
            return [too_long(longest)]
        if shortest is not None and len(value) < shortest:
            return [invalid(value, f"should be at least {shortest} chars long")]
        if pattern is not None and not _matches(pattern, value):
            return [invalid(value, f"should match '{pattern}'")]
        return None

    if known is None:
        return [check]
    return [
        check,
        lambda value: None if type(value) is not str or known(value) else [wrong_format(value, schema["format"])],
    ]


def number_checks(schema: Mapping[str, Any]) -> list[Check]:
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    open_low, open_high = bool(schema.get("exclusiveMinimum")), bool(schema.get("exclusiveMaximum"))
    if low is None and high is None and step is None:
        return []
    # Bounds are cut to integers before an integer is held against them, as kube-apiserver does.
    cut = {key: int(schema[key]) for key in ("minimum", "maximum", "multipleOf") if schema.get(key) is not None}
    whole = all(schema[key] == value for key, value in cut.items())
    on_integers = (lambda _: None) if whole else number_checks({**schema, **cut})[0]

    def check(value: Any) -> list[Fault] | None:
        if type(value) not in (int, float):
            return None
        if type(value) is int and not whole:
            return on_integers(value)
        faults: list[Fault] = []
        if low is not None and (value < low or (open_low and value == low)):
            faults.append(invalid(value, f"should be greater than {'' if open_low else 'or equal to '}{low}"))
        if high is not None and (value > high or (open_high and value == high)):
            faults.append(invalid(value, f"should be less than {'' if open_high else 'or equal to '}{high}"))
        if step == 0:
            faults.append(bad_factor())
        elif step and not _is_multiple(value, step):
            faults.append(invalid(value, f"should be a multiple of {step}"))
        return faults or None

    return [check]


def _is_multiple(value: float, step: float) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    ratio = value / step
    return abs(ratio - round(ratio)) < 1e-9


def array_checks(schema: Mapping[str, Any]) -> list[Check]:
    out: list[Check] = []
    most, least = schema.get("maxItems"), schema.get("minItems")
    if most is not None:
        out.append(lambda value: [too_many(len(value), most)] if len(value) > most else None)
    if least is not None:
        out.append(
            lambda value: [invalid(len(value), f"should have at least {least} items")] if len(value) < least else None
        )
    kind = schema.get("x-kubernetes-list-type")
    if kind == "set" or schema.get("uniqueItems"):
        out.append(_unique(lambda one: one))
    elif kind == "map":
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        defaults = _key_defaults(schema, keys)
        out.append(_unique(lambda one: _key_of(one, keys, defaults), of=dict))
        out.append(_all_objects)
    return out


def _all_objects(value: Any) -> list[Fault] | None:
    """The first that is none."""
    found = (no_object(one, index) for index, one in enumerate(value) if type(one) is not dict and one is not None)
    return [first] if (first := next(found, None)) is not None else None


def _key_defaults(schema: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    properties = (schema.get("items") or {}).get("properties") or {}
    return {key: properties[key]["default"] for key in keys if "default" in properties.get(key, {})}


def _key_of(item: Any, keys: tuple[str, ...], defaults: Mapping[str, Any]) -> Any:
    if type(item) is not dict:
        return {} if item is None else item
    return {key: item.get(key, defaults.get(key)) for key in keys if key in item or key in defaults}


def _unique(key: Callable[[Any], Any], *, of: type | None = None) -> Check:
    def check(value: Any) -> list[Fault] | None:
        if of is not None and any(one is not None and type(one) is not of for one in value):
            return None
        told: dict[Any, bool] = {}
        faults: list[Fault] = []
        for index, one in enumerate(value):
            what = key(one)
            mark = what if type(what) is str else orjson.dumps(what, option=orjson.OPT_SORT_KEYS)
            if told.get(mark) is False:  # each value is told once, however often it comes again
                faults.append(duplicate(what, index))
            told[mark] = mark in told
        return faults or None

    return check


def object_checks(schema: Mapping[str, Any]) -> list[Check]:
    out: list[Check] = []
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None:
        out.append(lambda value: [too_many(len(value), most)] if len(value) > most else None)
    if least is not None:
        out.append(
            lambda value: (
                [invalid(len(value), f"should have at least {least} properties")] if len(value) < least else None
            )
        )
    return out
