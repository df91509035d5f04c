"""The values that a custom kind's scale is made of, judged at every write: numbers of 32 bits that are not negative.

Source: kube-apiserver 1.34, which reads them by the paths of the definition once more than its schema does.
"""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.answers.jsonpath import simple_path
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.validation import errors
from lambent.kubeserver.writes.ownership.values import go_text

_MOST = 2**31 - 1
_GO_TYPES = {
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    dict: "map[string]interface {}",
    list: "[]interface {}",
    type(None): "<nil>",
}


def scale_values(draft: Draft) -> None:
    """Adds what is wrong with them to the draft's problems."""
    paths = draft.resource.scale
    if paths is None or not draft.resource.custom:
        return
    if draft.subresource != "status":
        draft.problems += _number(draft.new, paths.spec_path)
    draft.problems += _number(draft.new, paths.status_path)
    if paths.selector_path:
        found = _found(draft.new, paths.selector_path, str)
        if isinstance(found, Problem):
            draft.problems.append(found)


def _number(obj: Any, path: str) -> Iterator[Problem]:
    found = _found(obj, path, int)
    if isinstance(found, Problem):
        yield found
    elif found < 0:
        yield errors.invalid(path, found, "should be a non-negative integer")
    elif found > _MOST:
        yield errors.invalid(path, found, f"should be less than or equal to {_MOST}")


def _found(value: Any, path: str, wanted: type) -> Any:
    """The value at a path, the type's zero where there is none; a problem when it has another type."""
    parts = simple_path(path)
    for at, part in enumerate(parts):
        if value is None:
            return wanted()
        if not isinstance(value, dict):
            return _mistyped(path, parts[: at + 1], value, "map[string]interface{}", wanted)
        if part not in value:
            return wanted()
        value = value[part]
    return value if type(value) is wanted else _mistyped(path, parts, value, _GO_TYPES[wanted], wanted)


def _mistyped(path: str, parts: list[str], value: Any, needed: str, wanted: type) -> Problem:
    text = f".{'.'.join(parts)} accessor error: {go_text(value)} is of the type {_GO_TYPES[type(value)]}"
    return errors.invalid(path, wanted(), f"{text}, expected {needed}")
