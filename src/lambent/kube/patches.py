"""The two patch formats that need no schema: JSON merge patch (RFC 7386) and JSON patch (RFC 6902).

Pure: the target is never changed, the result may share parts with target and patch. An inapplicable JSON patch raises
`PatchError`, a failed `test` its subclass `TestFailed`. As kube-apiserver does, `replace` of an absent member of an
object adds it. Not here: strategic merge and server-side apply, which need the kinds' schemas (`kubeserver`).
"""

import copy
from collections.abc import Sequence
from typing import Any

import orjson


class PatchError(ValueError):
    """The patch does not fit the object; the message names the operation and path."""


class TestFailed(PatchError):
    """A `test` operation found another value."""

    __test__ = False


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return _without_nulls(patch) if isinstance(patch, list) else patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def _without_nulls(value: Any) -> Any:
    """Objects in lists lose their nulls too, as kube-apiserver reads RFC 7386."""
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(member) for name, member in value.items() if member is not None}


def json_patch(target: Any, operations: Sequence[dict[str, Any]]) -> Any:
    """RFC 6902: add, remove, replace, move, copy, test, in order; all or nothing."""
    document = copy.deepcopy(target)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            if isinstance(error, PatchError):
                raise
            raise PatchError(f"cannot {operation.get('op')} at {operation.get('path')!r}") from error
    return document


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    path = _tokens(operation["path"])
    match operation.get("op"):
        case "add":
            return _put(document, path, copy.deepcopy(operation.get("value")), insert=True)
        case "replace":
            return _put(document, path, copy.deepcopy(operation.get("value")), insert=False)
        case "remove":
            return _take(document, path)[1]
        case "move":
            value, rest = _take(document, _tokens(operation["from"]))
            return _put(rest, path, value, insert=True)
        case "copy":
            return _put(document, path, copy.deepcopy(_found(document, _tokens(operation["from"]))), insert=True)
        case "test":
            if not _same(_found(document, path), operation.get("value")):
                raise TestFailed(f"testing path {operation['path']!r} failed")
            return document
        case other:
            raise PatchError(f"unknown operation {other!r}")


def _tokens(pointer: Any) -> list[str]:
    if not isinstance(pointer, str):
        raise PatchError("a path is a text")
    if pointer and not pointer.startswith("/"):
        raise PatchError(f"path {pointer!r} does not begin with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _same(left: Any, right: Any) -> bool:
    """Equality of JSON texts but for the order of members, as kube-apiserver compares: neither True nor 1.0 is 1."""
    sort = orjson.OPT_SORT_KEYS
    return orjson.dumps(left, option=sort) == orjson.dumps(right, option=sort)


def _index(items: list[Any], token: str, *, end: int) -> int:
    if not isinstance(items, list):
        raise TypeError(token)
    number = len(items) if token == "-" else int(token)
    if -(end + 1) <= number < 0:  # counted from the last place there is: kube-apiserver's reading of RFC 6902
        number += end + 1
    if not 0 <= number <= end:
        raise IndexError(token)
    return number


def _find(document: Any, path: list[str]) -> Any:
    for token in path:
        document = document[_index(document, token, end=len(document) - 1)] if _is_list(document) else document[token]
    return document


def _found(document: Any, path: list[str]) -> Any:
    """For a test or a copy: a member that its object lacks is null."""
    parent = _find(document, path[:-1]) if path else None
    return parent.get(path[-1]) if isinstance(parent, dict) else _find(document, path)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _put(document: Any, path: list[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent = _find(document, path[:-1])
    last = path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif insert:
        at = _index(parent, last, end=len(parent))
        parent.insert(at, value)
    else:
        parent[_index(parent, last, end=len(parent) - 1)] = value
    return document


def _take(document: Any, path: list[str]) -> tuple[Any, Any]:
    if not path:
        raise PatchError("nothing is left when the whole is taken")
    parent = _find(document, path[:-1])
    last = path[-1]
    if isinstance(parent, dict):
        return parent.pop(last), document
    at = _index(parent, last, end=len(parent) - 1)
    return parent.pop(at), document
