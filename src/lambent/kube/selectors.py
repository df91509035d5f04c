"""Label and field selectors as predicates.

Label grammar: `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x,y)`, `a`, `!a`, `a>5`, `a<5`, joined by commas.
Field grammar: `path=value`, `path!=value`, joined by commas; an absent field equals "".
Source: Kubernetes documentation, "Labels and Selectors", "Field Selectors". Which fields a kind lets one select is the
server's business, not decided here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from lambent.kube.types import KubeObject, Selector

Labels = Mapping[str, str]
LabelTest = Callable[[Labels], bool]

_SET = re.compile(r"^\s*([^\s!=<>,()]+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_COMPARE = re.compile(r"^\s*([^\s!=<>,()]+)\s*(==|!=|=|>|<)\s*([^\s!=<>,()]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([^\s!=<>,()]+)\s*$")
_COMMA = re.compile(r",(?![^(]*\))")
_FIELD = re.compile(r"^\s*([^=!]+?)\s*(==|!=|=)\s*(.*?)\s*$")


class SelectorError(ValueError):
    """The selector does not follow the grammar; the message holds the part that does not."""


def label_test(selector: str) -> LabelTest:
    """A predicate over labels; raises SelectorError."""
    if not selector.strip():
        return lambda labels: True
    tests = [_requirement(part) for part in _COMMA.split(selector)]
    return lambda labels: all(test(labels) for test in tests)


def _requirement(part: str) -> LabelTest:
    if found := _SET.match(part):
        name, operator, values = found.groups()
        wanted = frozenset(value.strip() for value in values.split(","))
        if operator == "in":
            return lambda labels: name in labels and labels[name] in wanted
        return lambda labels: name not in labels or labels[name] not in wanted
    if found := _COMPARE.match(part):
        return _comparison(*found.groups())
    if found := _EXISTS.match(part):
        negated, name = bool(found[1]), found[2]
        return lambda labels: (name in labels) != negated
    raise SelectorError(f"unable to parse requirement: {part.strip()!r}")


def _comparison(name: str, operator: str, value: str) -> LabelTest:
    if operator in ("=", "=="):
        return lambda labels: name in labels and labels[name] == value
    if operator == "!=":
        return lambda labels: labels.get(name) != value
    try:
        bound = int(value)
    except ValueError:
        raise SelectorError(f"{name}{operator}{value}: the value must be an integer") from None

    def ordered(labels: Labels) -> bool:
        try:
            number = int(labels[name])
        except (KeyError, ValueError):
            return False
        return number > bound if operator == ">" else number < bound

    return ordered


def field_requirements(selector: str) -> list[tuple[str, bool, str]]:
    """(path, is_equal, value) of each part; raises SelectorError."""
    parts = []
    for part in filter(str.strip, selector.split(",")):
        found = _FIELD.match(part)
        if found is None:
            raise SelectorError(f"invalid field selector: {part.strip()!r}")
        parts.append((found[1], found[2] != "!=", found[3]))
    return parts


def field_value(obj: Mapping[str, Any], path: str) -> str:
    """The field at a dotted path as a selector sees it."""
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def object_test(selector: Selector) -> Callable[[KubeObject], bool]:
    """A predicate over objects for both kinds of selector; raises SelectorError."""
    labels = label_test(selector.labels)
    fields = field_requirements(selector.fields)

    def matches(obj: KubeObject) -> bool:
        own = obj["metadata"].get("labels") or {}
        return labels(own) and all((field_value(obj, path) == value) is equal for path, equal, value in fields)

    return matches
