"""Strategic merge patch, for builtin kinds: lists merge by the keys their schema declares.

Directives: `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/x`, `$deleteFromPrimitiveList/x`. Neither
argument is changed. Source: Kubernetes docs, "Strategic merge patch"; order of list items as kube-apiserver: those of
the patch keep their order, those only the server has keep theirs, and the live order decides between the two.
"""

from collections.abc import Hashable, Mapping
from typing import Any

from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.writes.ownership.values import go_text

JsonSchema = Mapping[str, Any]
Definitions = Mapping[str, JsonSchema]

_ORDER, _DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"


def strategic_merge(original: Any, patch: Any, schema: JsonSchema, definitions: Definitions) -> Any:
    """The patched object; raises 500 for a directive or list item that means nothing, as kube-apiserver does."""
    return _Merge(definitions).objects(original, patch, schema)


class _Merge:
    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def _resolved(self, schema: JsonSchema) -> JsonSchema:
        return self._definitions.get(schema["$ref"], {}) if "$ref" in schema else schema

    def _below(self, schema: JsonSchema, name: str) -> JsonSchema:
        """The schema of a member, with the patch hints of the place where it stands."""
        node = self._resolved(schema)
        found = (node.get("properties") or {}).get(name)
        if found is None:
            others = node.get("additionalProperties")
            found = others if isinstance(others, Mapping) else {}
        return found

    def objects(self, original: Any, patch: dict[str, Any], schema: JsonSchema) -> dict[str, Any]:
        directive = patch.get("$patch")
        if directive == "delete":
            return {}
        if directive == "replace":
            return {key: value for key, value in patch.items() if key != "$patch"}
        if "$patch" in patch:
            raise _meaningless(f"unknown patch type: {go_text(directive)} in map: {go_text(patch)}")
        out = dict(original) if isinstance(original, dict) else {}
        retained = patch.get("$retainKeys")
        if retained is not None:
            if not isinstance(retained, list) or any(
                not name.startswith("$") and name not in retained for name in patch
            ):
                raise bad_request("invalid patch format of retainKeys")
            out = {key: value for key, value in out.items() if key in retained}
        for name, value in patch.items():
            if not name.startswith("$"):
                self._member(out, name, value, self._below(schema, name))
        self._lists_by_directive(out, original, patch, schema)
        return out

    def _member(self, out: dict[str, Any], name: str, value: Any, schema: JsonSchema) -> None:
        if value is None:
            out.pop(name, None)
        elif name not in out:
            if not _is_directive(value):
                out[name] = _taken(value)
        elif isinstance(value, dict):
            is_replaced = "replace" in _strategies(schema)
            out[name] = value if is_replaced else self.objects(out.get(name), value, schema)
        elif isinstance(value, list) and "merge" in _strategies(schema):
            out[name] = self.lists(out.get(name) or [], value, schema)
        else:
            out[name] = value

    def _lists_by_directive(
        self, out: dict[str, Any], original: Any, patch: dict[str, Any], schema: JsonSchema
    ) -> None:
        for directive, value in patch.items():
            if directive.startswith(_DELETE):
                name = directive.removeprefix(_DELETE)
                if name not in out:
                    continue
                present = out.get(name) or []
                if not isinstance(value, list) or not isinstance(present, list):
                    raise bad_request("invalid patch format of primitive list")
                out[name] = [one for one in present if one not in value]
        for directive, order in patch.items():
            if directive.startswith(_ORDER):
                name = directive.removeprefix(_ORDER)
                key = self._below(schema, name).get("x-kubernetes-patch-merge-key", "")
                _check_order(patch.get(name) or [], order, key)
                if name in out:
                    live = (original.get(name) if isinstance(original, dict) else None) or []
                    if not all(isinstance(one, list) for one in (out[name], order, live)):
                        raise bad_request("invalid patch format of setElementOrder list")
                    out[name] = _ordered(out[name], order, live, key)

    def lists(self, original: list[Any], patch: list[Any], schema: JsonSchema) -> list[Any]:
        key = schema.get("x-kubernetes-patch-merge-key", "")
        if any(isinstance(one, list) for one in patch):
            raise ApiError(422, "lists of lists are not supported", details={})
        if not any(isinstance(one, dict) for one in (*original, *patch)):
            merged = list(dict.fromkeys((*original, *patch)))
            return _ordered(merged, patch, original, "")
        item_schema = schema.get("items") or {}
        replaces = any(isinstance(one, dict) and one.get("$patch") == "replace" for one in patch)
        merged = [] if replaces else list(original)
        kept: list[Any] = []
        for one in patch:
            self._item(merged, one, key, item_schema, kept)
        return _ordered(merged, kept, [] if replaces else original, key)

    def _item(self, merged: list[Any], one: Any, key: str, schema: JsonSchema, kept: list[Any]) -> None:
        directive = one.get("$patch") if isinstance(one, dict) else None
        if directive == "replace":
            return
        if not isinstance(one, dict) or key not in one:
            raise _meaningless(f"map: {go_text(one)} does not contain declared merge key: {key}")
        if directive == "merge":
            raise _meaningless("merging lists cannot yet be specified in the patch")
        if directive not in (None, "delete"):
            raise _meaningless(f"unknown patch type: {go_text(directive)} in map: {go_text(one)}")
        at = next((i for i, other in enumerate(merged) if other.get(key) == one[key]), None)
        if directive == "delete":
            merged[:] = [other for other in merged if other.get(key) != one[key]]
            return
        kept.append(one)
        if at is None:
            merged.append(one)
        else:
            merged[at] = self.objects(merged[at], one, schema)


def _is_directive(value: Any) -> bool:
    """Which means nothing where there is nothing it could be done to."""
    return isinstance(value, dict) and "$patch" in value


def _taken(value: Any) -> Any:
    """A value as it is taken where none was."""
    if isinstance(value, dict):
        return {name: _taken(one) for name, one in value.items() if one is not None and not _is_directive(one)}
    return [_taken(one) for one in value if not _is_directive(one)] if isinstance(value, list) else value


def _strategies(schema: JsonSchema) -> list[str]:
    return str(schema.get("x-kubernetes-patch-strategy", "")).split(",")


def _meaningless(text: str) -> ApiError:
    return ApiError(500, text, reason="")


def _check_order(items: Any, order: Any, key: str) -> None:
    """What a patch puts into a list has to stand in the order that it gives."""
    if not isinstance(items, list) or not isinstance(order, list):
        raise bad_request("invalid patch format of setElementOrder list")
    if not order:
        return
    places = iter([_mark(one, key) for one in order])
    kept = [_mark(one, key) for one in items if not (isinstance(one, dict) and "$patch" in one)]
    if not all(mark in places for mark in kept):  # each is looked for behind the one before
        texts = f"{go_text(items)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n"
        raise _meaningless(f"The order in patch list:\n{texts}")


def _mark(item: Any, key: str) -> Hashable:
    """What an item is found by; a text stands for what cannot be looked up."""
    value = item.get(key) if key and isinstance(item, dict) else item
    return value if isinstance(value, Hashable) else repr(value)


def _ordered(merged: list[Any], wanted: list[Any], live: list[Any], key: str) -> list[Any]:
    """`merged` with the items of `wanted` in that order, the others in live order, interleaved by the live order."""
    place = {_mark(one, key): index for index, one in reversed(list(enumerate(live)))}
    rank = {_mark(one, key): index for index, one in reversed(list(enumerate(wanted)))}
    right = sorted((one for one in merged if _mark(one, key) in rank), key=lambda one: rank[_mark(one, key)])
    left = [one for one in merged if _mark(one, key) not in rank]
    left.sort(key=lambda one: place.get(_mark(one, key), len(place)))
    out: list[Any] = []
    while left and right:
        first, second = place.get(_mark(left[0], key)), place.get(_mark(right[0], key))
        is_before = first is not None and second is not None and first < second
        out.append((left if is_before else right).pop(0))
    return out + left + right
