"""Target against live: the first difference, as `path: reason`.

The target says what must be there; live keys that it does not name are ignored. Directives inside the target change
the rules for their siblings:

    x-koreo-compare-as-set: [f]             lists of scalars, order and repetition ignored
    x-koreo-compare-as-map: {f: [k, ...]}   lists of objects by the tuple of their key fields
    x-koreo-compare-last-applied: [f]       compare with what was last applied, not with what is live
    x-lambent-compare-exact: [f]            do not read texts as JSON

The first two are for lists; where either side has none, they say nothing and the field is compared like any other.
Texts of a Secret (`stringData`) are compared with its data, where a server keeps them.

A null target equals missing or null, or a server that drops nulls would be patched for ever. Not here: fields to be
removed (`patches`).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

AS_SET = "x-koreo-compare-as-set"
AS_MAP = "x-koreo-compare-as-map"
LAST_APPLIED = "x-koreo-compare-last-applied"
EXACT = "x-lambent-compare-exact"
DIRECTIVES = frozenset({AS_SET, AS_MAP, LAST_APPLIED, EXACT})
_MAX_TEXT = 200
_MISSING: Any = object()
# Most of what is compared is of one of these and equal.
_SCALARS = frozenset((str, bool, int, float))


@dataclass(frozen=True, slots=True)
class Difference:
    """`path` is the field; `reason` never holds a value of Secret data.

    `is_fault`: the target contradicts its own directive, so that no live object could equal it.
    """

    path: str
    reason: str
    is_fault: bool = False

    def __str__(self) -> str:
        text = f"{self.path}: {self.reason}" if self.path else self.reason
        return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 3] + "..."


def first_difference(target: Any, live: Any, last_applied: Any = None) -> Difference | None:
    """The first difference in the order of the target's fields, or None."""
    return next(differences(target, live, last_applied), None)


def differences(target: Any, live: Any, last_applied: Any = None) -> Iterator[Difference]:
    """Every difference of two whole objects; values of a Secret are not shown."""
    is_secret = isinstance(target, Mapping) and target.get("kind") == "Secret"
    if is_secret and isinstance(live, Mapping) and "stringData" not in live:
        target, last_applied = as_stored(target), as_stored(last_applied)
    for difference in _object(target, live, last_applied, ""):
        if is_secret and difference.path.startswith(("data", "stringData")):
            yield Difference(difference.path, "differs")
        else:
            yield difference


def as_stored(obj: Any) -> Any:
    """A Secret as a server keeps it: `stringData` is for writing only and becomes part of `data`."""
    texts = obj.get("stringData") if isinstance(obj, Mapping) and obj.get("kind") == "Secret" else None
    if not isinstance(texts, Mapping):
        return obj
    encoded = {key: b64encode(text.encode()).decode() if isinstance(text, str) else text for key, text in texts.items()}
    data = obj.get("data")
    rest = {key: value for key, value in obj.items() if key != "stringData"}
    return {**rest, "data": {**(data if isinstance(data, Mapping) else {}), **encoded}}


def target_fault(target: Any) -> Difference | None:
    """Why a target could not even equal itself: a list to be compared as a map has a key twice, or lacks it."""
    return next((found for found in differences(target, target, target) if found.is_fault), None)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _object(target: Mapping[str, Any], live: Any, applied: Any, path: str) -> Iterator[Difference]:
    if type(live) is not dict and not isinstance(live, Mapping):
        yield Difference(path, f"expected an object, found {_kind(live)}")
        return
    as_set, as_map, by_applied, exact = _directives(target)
    before = applied if type(applied) is dict or isinstance(applied, Mapping) else {}
    for key, wanted in target.items():
        if key in DIRECTIVES or key == "ownerReferences":
            continue
        found = (before if key in by_applied else live).get(key, _MISSING)
        if type(wanted) is type(found) and type(wanted) in _SCALARS and wanted == found:
            continue
        below = _join(path, key)
        if found is _MISSING or found is None:
            if wanted is not None:
                yield Difference(below, "missing" if found is _MISSING else "is null")
        elif key in as_map and isinstance(wanted, list) and isinstance(found, list):
            yield from _keyed(wanted, found, before.get(key), below, as_map[key])
        elif key in as_set and isinstance(wanted, list) and isinstance(found, list):
            yield from _set(wanted, found, before.get(key), below)
        else:
            yield from _value(wanted, found, before.get(key), below, is_exact=key in exact)


def _directives(target: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any], Any, Any]:
    """Fields compared as sets, as maps, by last applied, exactly. A directive of the wrong shape says nothing."""
    if DIRECTIVES.isdisjoint(target):
        return (), {}, (), ()
    as_set, by_applied, exact = (_names(target.get(name)) for name in (AS_SET, LAST_APPLIED, EXACT))
    as_map = target.get(AS_MAP)
    return as_set, as_map if isinstance(as_map, Mapping) else {}, by_applied, exact


def _names(value: Any) -> Any:
    return value if isinstance(value, list) else ()


def _value(wanted: Any, found: Any, applied: Any, path: str, *, is_exact: bool = False) -> Iterator[Difference]:
    if type(wanted) is dict or isinstance(wanted, Mapping):
        yield from _object(wanted, found, applied, path)
    elif isinstance(wanted, list):
        yield from _list(wanted, found, applied, path)
    elif not _same_scalar(wanted, found, is_exact=is_exact):
        yield Difference(path, f"expected {_show(wanted)}, found {_show(found)}")


def _list(wanted: list[Any], found: Any, applied: Any, path: str) -> Iterator[Difference]:
    if not isinstance(found, list):
        yield Difference(path, f"expected a list, found {_kind(found)}")
        return
    if len(wanted) != len(found):
        yield Difference(path, f"expected {len(wanted)} item(s), found {len(found)}")
        return
    before = applied if isinstance(applied, list) and len(applied) == len(wanted) else [None] * len(wanted)
    for index, (want, have) in enumerate(zip(wanted, found, strict=True)):
        yield from _value(want, have, before[index], f"{path}[{index}]")


def _set(wanted: list[Any], found: list[Any], applied: Any, path: str) -> Iterator[Difference]:
    if any(isinstance(item, Mapping | list) for item in [*wanted, *found]):
        # In order, then: equal lists stay equal, or the write that a difference asks for would come again and again.
        for below in _list(wanted, found, applied, path):
            hint = f"holds objects and cannot be compared as a set; use {AS_MAP}"
            yield below if below.is_fault else Difference(path, hint)
        return
    missing = [item for item in wanted if not any(_same_scalar(item, other) for other in found)]
    extra = [item for item in found if not any(_same_scalar(item, other) for other in wanted)]
    if missing:
        yield Difference(path, f"missing {_show(missing[0])}")
    elif extra:
        yield Difference(path, f"unexpected {_show(extra[0])}")


def _keyed(wanted: Any, found: Any, applied: Any, path: str, keys: Any) -> Iterator[Difference]:
    names = keys if isinstance(keys, list) else [keys]
    want, problem = _by_key(wanted, names)
    have, live_problem = _by_key(found, names)
    if problem or live_problem:
        side = "target" if problem else "live"
        yield Difference(path, f"cannot be compared as a map: {side} {problem or live_problem}", bool(problem))
        return
    before, _ = _by_key(applied, names)
    for key, item in want.items():
        below = f"{path}[{_key_text(names, item)}]"
        if key not in have:
            yield Difference(below, "missing")
        else:
            yield from _object(item, have[key], before.get(key), below)
    for key in have:
        if key not in want:
            yield Difference(f"{path}[{_key_text(names, have[key])}]", "unexpected element")
            return


def _by_key(items: Any, names: list[Any]) -> tuple[dict[Any, Mapping[str, Any]], str]:
    """Elements by the tuple of their key values, and what is wrong with them."""
    result: dict[Any, Mapping[str, Any]] = {}
    if not isinstance(items, list):
        return result, "is not a list"
    for item in items:
        if not isinstance(item, Mapping):
            return result, "holds an element that is not an object"
        absent = [name for name in names if item.get(name) is None]
        if absent:
            return result, f'has an element without key field "{absent[0]}"'
        deep = [name for name in names if isinstance(item[name], Mapping | list)]
        if deep:
            return result, f'has an element whose key field "{deep[0]}" is {_kind(item[deep[0]])}'
        key = tuple(_hashable(item[name]) for name in names)
        if key in result:
            return result, f"has the key ({_key_text(names, item)}) twice"
        result[key] = item
    return result, ""


def _hashable(value: Any) -> Any:
    """Typed: true is not 1."""
    if isinstance(value, bool):
        return ("bool", value)
    return value


def _key_text(names: list[Any], item: Mapping[str, Any]) -> str:
    return ",".join(f"{name}={_show(item[name])}" for name in names)


def _same_scalar(wanted: Any, found: Any, *, is_exact: bool = False) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return isinstance(wanted, bool) and isinstance(found, bool) and wanted == found
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted == found or (not is_exact and same_json(wanted, found))
    return bool(wanted == found) or _same_double(wanted, found)


def _same_double(wanted: Any, found: Any) -> bool:
    """A server keeps an integer beyond 64 bits as a double; against a double, doubles are compared."""
    if {type(wanted), type(found)} != {int, float}:
        return False
    try:
        return float(wanted) == float(found)
    except OverflowError:
        return False


def same_json(one: str, other: str) -> bool:
    """Both texts are JSON objects or arrays of the same structure; key order and spacing do not count."""
    if one[:1].isalnum() or other[:1].isalnum():
        return False
    left, right = one.strip(), other.strip()
    if left[:1] not in ("{", "[") or right[:1] != left[:1]:
        return False
    try:
        return strictly_equal(orjson.loads(left), orjson.loads(right))
    except orjson.JSONDecodeError:
        return False


def strictly_equal(one: Any, other: Any) -> bool:
    """Equal in both directions: numbers numerically, true never 1, key order ignored, list order kept."""
    if isinstance(one, Mapping):
        return (
            isinstance(other, Mapping)
            and one.keys() == other.keys()
            and all(strictly_equal(one[key], other[key]) for key in one)
        )
    if isinstance(one, list):
        return (
            isinstance(other, list)
            and len(one) == len(other)
            and all(strictly_equal(a, b) for a, b in zip(one, other, strict=True))
        )
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool) and one == other
    return bool(one == other)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a bool"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, Mapping) else "a number"


def _show(value: Any) -> str:
    """A short form of a value; containers by their kind only."""
    if isinstance(value, Mapping | list):
        return _kind(value)
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
