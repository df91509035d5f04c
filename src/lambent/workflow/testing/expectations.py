"""Expected against actual, exactly and in both directions, as a list of path differences.

Before comparing, our own traces go: the last-applied annotation and our label, and the maps that they leave empty.
Compare directives in the expected object apply; texts that are JSON compare by structure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson

from lambent.workflow.engine.comparison import AS_MAP, AS_SET, DIRECTIVES, EXACT, same_json, strictly_equal
from lambent.workflow.engine.patches import (
    APPLIED_BY_ANNOTATION,
    LAST_APPLIED_ANNOTATION,
    MANAGED_LABEL,
    without_directives,
)

_ANNOTATIONS = frozenset({LAST_APPLIED_ANNOTATION, APPLIED_BY_ANNOTATION})


class _Absent(Enum):
    """A member of an enumeration, because it stays itself on the way to another process and back."""

    ABSENT = "nothing"


ABSENT: Any = _Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Mismatch:
    """`expected` or `actual` is `ABSENT` when that side has nothing there; `said` is a sentence to show instead."""

    path: str
    expected: Any
    actual: Any
    said: str = ""

    def __str__(self) -> str:
        said = self.said or f"expected {_show(self.expected)}, got {_show(self.actual)}"
        return f"{self.path or '(root)'}: {said}"


def _show(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else repr(value)


def without_traces(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object without our annotations and label."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping):
        return dict(obj)
    cleaned = dict(metadata)
    for name, own in (("annotations", _ANNOTATIONS), ("labels", frozenset({MANAGED_LABEL}))):
        members = cleaned.get(name)
        if isinstance(members, Mapping) and not own.isdisjoint(members):
            rest = {key: value for key, value in members.items() if key not in own}
            if rest:
                cleaned[name] = rest
            else:
                del cleaned[name]
    return {**obj, "metadata": cleaned}


def mismatches(expected: Any, actual: Any, path: str = "") -> Iterator[Mismatch]:
    """Every difference, in the order of the expected object."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        yield from _maps(expected, actual, path)
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _lists(expected, actual, path)
    elif isinstance(expected, str) and isinstance(actual, str):
        if expected != actual and not same_json(expected, actual):
            yield from _texts(expected, actual, path)
    elif not strictly_equal(expected, actual):
        yield Mismatch(path, expected, actual)


def _maps(expected: Mapping[str, Any], actual: Mapping[str, Any], path: str) -> Iterator[Mismatch]:
    as_set, as_map, exact = (expected.get(name) for name in (AS_SET, AS_MAP, EXACT))
    for key, want in expected.items():
        if key in DIRECTIVES:
            continue
        below = f"{path}.{key}" if path else key
        have = actual.get(key, ABSENT)
        if have is ABSENT:
            yield Mismatch(below, without_directives(want), ABSENT)
        elif isinstance(as_set, list) and key in as_set:
            yield from _sets(want, have, below)
        elif isinstance(as_map, Mapping) and key in as_map:
            yield from _keyed(want, have, below, as_map[key])
        elif isinstance(exact, list) and key in exact and isinstance(want, str):
            yield from [] if want == have else [Mismatch(below, want, have)]
        else:
            yield from mismatches(want, have, below)
    for key, have in actual.items():
        if key not in expected and key not in DIRECTIVES:
            yield Mismatch(f"{path}.{key}" if path else key, ABSENT, have)


def _texts(expected: str, actual: str, path: str) -> Iterator[Mismatch]:
    """Two texts that differ; where both are JSON, what differs inside, below the path `(json)`."""
    want, have = (parsed(text) for text in (expected, actual))
    if type(want) is type(have) and isinstance(want, dict | list):
        yield from mismatches(want, have, f"{path}(json)")
    else:
        yield Mismatch(path, expected, actual)


def parsed(text: str) -> Any:
    """The value of a text that is a JSON object or array, else None."""
    try:
        return orjson.loads(text) if text.lstrip()[:1] in ("{", "[") else None
    except orjson.JSONDecodeError:
        return None


def _lists(expected: list[Any], actual: list[Any], path: str) -> Iterator[Mismatch]:
    for index in range(max(len(expected), len(actual))):
        below = f"{path}[{index}]"
        if index >= len(actual):
            yield Mismatch(below, expected[index], ABSENT)
        elif index >= len(expected):
            yield Mismatch(below, ABSENT, actual[index])
        else:
            yield from mismatches(expected[index], actual[index], below)


def _sets(expected: Any, actual: Any, path: str) -> Iterator[Mismatch]:
    if not isinstance(expected, list) or not isinstance(actual, list):
        yield from mismatches(expected, actual, path)
        return
    for item in expected:
        if not any(strictly_equal(item, other) for other in actual):
            yield Mismatch(f"{path}[]", item, ABSENT)
    for item in actual:
        if not any(strictly_equal(item, other) for other in expected):
            yield Mismatch(f"{path}[]", ABSENT, item)


def _keyed(expected: Any, actual: Any, path: str, keys: Any) -> Iterator[Mismatch]:
    names = keys if isinstance(keys, list) else [keys]
    both = [side for side in (expected, actual) if isinstance(side, list) and all(isinstance(x, Mapping) for x in side)]
    if len(both) < 2:
        yield from mismatches(expected, actual, path)
        return
    want, have = ({tuple(str(item.get(name)) for name in names): item for item in side} for side in both)
    for key in want.keys() | have.keys():
        label = ",".join(f"{name}={value}" for name, value in zip(names, key, strict=True))
        if key not in have or key not in want:
            yield Mismatch(f"{path}[{label}]", want.get(key, ABSENT), have.get(key, ABSENT))
        else:
            yield from mismatches(want[key], have[key], f"{path}[{label}]")
