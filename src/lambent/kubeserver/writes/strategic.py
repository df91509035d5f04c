"""Strategic merge patch, for builtin kinds: lists merge by the keys their schema declares.

Directives: `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/x`, `$deleteFromPrimitiveList/x`. Neither
argument is changed. Source: Kubernetes docs, "Strategic merge patch"; order of list items as kube-apiserver: those of
the patch keep their order, those only the server has keep theirs, and the live order decides between the two.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import orjson

from lambent.kubeserver.status import ApiError, bad_request
from lambent.kubeserver.writes.ownership.values import go_text

JsonSchema = Mapping[str, Any]
Definitions = Mapping[str, JsonSchema]

_ORDER, _DELETE, _RETAIN = "$setElementOrder", "$deleteFromPrimitiveList", "$retainKeys"


def strategic_merge(original: Any, patch: Any, schema: JsonSchema, definitions: Definitions) -> Any:
    """The patched object; raises 500 for a directive or list item that means nothing, as kube-apiserver does."""
    return _Merge(definitions).objects(original, patch, schema)


class _Merge:
    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def _below(self, schema: JsonSchema, name: str) -> JsonSchema:
        """The schema of a member, with the patch hints of the place where it stands."""
        node = self._definitions.get(schema["$ref"], {}) if "$ref" in schema else schema
        found = (node.get("properties") or {}).get(name)
        if found is None:
            others = node.get("additionalProperties")
            found = others if isinstance(others, Mapping) else {}
        return found

    def _declared(self, schema: JsonSchema, name: str) -> JsonSchema:
        """The same of a list whose order a patch gives: a struct has to have it."""
        struct = schema.get("$ref", "")
        if struct and name not in (self._definitions.get(struct, {}).get("properties") or {name: {}}):
            text = f"unable to find api field in struct {struct.rpartition('.')[2]} for the json field"
            raise _meaningless(f"{text} {orjson.dumps(name).decode()}")
        return self._below(schema, name)

    def objects(self, original: Any, patch: dict[str, Any], schema: JsonSchema) -> dict[str, Any]:
        directive = patch.get("$patch")
        if directive == "delete":
            return {}
        if directive == "replace":
            return {key: value for key, value in patch.items() if key != "$patch"}
        if "$patch" in patch:
            raise _unknown(patch)
        out = dict(original) if isinstance(original, dict) else {}
        if _RETAIN in patch:
            out = _retained(out, patch)
        done = [self._order(out, patch, key, schema) for key in patch if key.startswith(_ORDER)]
        for key, value in patch.items():
            if key in done or key == _RETAIN or key.startswith(_ORDER):
                continue
            is_removal = key.startswith(_DELETE)
            name = _named(key, _DELETE, "primitive list") if is_removal else key
            self._member(out, name, value, self._below(schema, name), is_removal=is_removal)
        return out

    def _member(self, out: dict[str, Any], name: str, value: Any, schema: JsonSchema, *, is_removal: bool) -> None:
        if value is None:
            out.pop(name, None)
        elif name not in out or type(out[name]) is not type(value):
            if is_removal:
                return
            if _is_directive(value):
                out.pop(name, None)
            else:
                out[name] = _taken(value)
        elif isinstance(value, dict):
            is_replaced = "replace" in _strategies(schema)
            out[name] = value if is_replaced else self.objects(out[name], value, schema)
        elif isinstance(value, list) and (is_removal or "merge" in _strategies(schema)):
            out[name] = self.lists(out[name], value, schema, is_removal=is_removal)
        elif not is_removal:
            out[name] = value

    def _order(self, out: dict[str, Any], patch: dict[str, Any], directive: str, schema: JsonSchema) -> str:
        """Merges the list that a directive orders, and orders it; the answer is the list's name."""
        order = patch[directive]
        _check_type([], order)
        name = _named(directive, _ORDER, "setElementOrder list")
        for holder in (out, patch):
            if name in holder:
                _check_type([], holder[name])
        below = self._declared(schema, name)
        key = below.get("x-kubernetes-patch-merge-key", "")
        live = out.get(name) or []
        if name in patch:
            _check_order(patch[name], order, key)
            out[name] = self.lists(live, patch[name], below) if name in out else _taken(patch[name])
        if name in out:
            if key:
                _check_keys(out[name], order, key)
            out[name] = _ordered(out[name], order, live, key)
        return name

    def lists(
        self, original: list[Any], patch: list[Any], schema: JsonSchema, *, is_removal: bool = False
    ) -> list[Any]:
        if not original and not patch:
            return original
        kinds = {type(one) for one in (*original, *patch)}
        if len(kinds) > 1:
            raise _meaningless(f"list element types are not identical: {go_text([original, patch])}")
        if kinds == {list}:
            raise ApiError(422, "lists of lists are not supported", details={})
        if kinds == {dict}:
            return self._keyed(original, patch, schema)
        if is_removal:
            return [one for one in original if one not in patch]
        return _ordered(list(dict.fromkeys((*original, *patch))), patch, original, "")

    def _keyed(self, original: list[Any], patch: list[Any], schema: JsonSchema) -> list[Any]:
        key = schema.get("x-kubernetes-patch-merge-key", "")
        if not key:
            raise _meaningless("cannot merge lists without merge key for struct")
        merged, plain, is_replaced = _directed(original, patch, key)
        if is_replaced:
            merged, original = [], []
        for one in plain:
            value = _key_of(one, key)
            at = None if is_replaced else next((i for i, other in enumerate(merged) if other.get(key) == value), None)
            if at is None:
                merged.append(one)
            else:
                merged[at] = self.objects(merged[at], one, schema.get("items") or {})
        return _ordered(merged, plain, original, key)


def _retained(out: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The members that a patch retains, which have to be all that it sets."""
    retained = patch[_RETAIN]
    if not isinstance(retained, list) or any(
        not name.startswith("$") and value is not None and name not in retained for name, value in patch.items()
    ):
        raise bad_request("invalid patch format of retainKeys")
    return {key: value for key, value in out.items() if key in retained}


def _directed(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any], bool]:
    """The list without what the patch deletes, the items that are no directives, and whether these replace it."""
    merged, plain, is_replaced = list(original), [], False
    for one in patch:
        match one.get("$patch") if "$patch" in one else one:
            case dict() if "$patch" not in one:
                plain.append(one)
            case "delete":
                value = _key_of(one, key)
                merged = [other for other in merged if other.get(key) != value]
            case "replace":
                is_replaced = True
            case "merge":
                raise _meaningless("merging lists cannot yet be specified in the patch")
            case _:
                raise _unknown(one)
    return merged, plain, is_replaced


def _key_of(item: Any, key: str) -> Any:
    if key not in item:
        raise _meaningless(f"map: {go_text(item)} does not contain declared merge key: {key}")
    return item[key]


def _named(directive: str, prefix: str, what: str) -> str:
    """The member that a directive is about."""
    name = directive.removeprefix(prefix)
    if not name.startswith("/"):
        raise bad_request(f"invalid patch format of {what}")
    return name[1:]


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


def _unknown(patch: dict[str, Any]) -> ApiError:
    return _meaningless(f"unknown patch type: {_as_text(patch['$patch'])} in map: {go_text(patch)}")


_GO_TYPES: dict[type, str] = {str: "string", bool: "bool", int: "int64", float: "float64"}
_CONTAINERS: dict[type, str] = {dict: "map[string]interface {}", list: "[]interface {}"}


def _as_text(value: Any) -> str:
    """As Go's `%s` prints it, which is at a loss with what is no text."""
    if type(value) in (int, float, bool):
        return f"%!s({_GO_TYPES[type(value)]}={go_text(value)})"
    return "%!s(<nil>)" if value is None else go_text(value)


def _check_type(wanted: Any, value: Any) -> None:
    if type(value) is not type(wanted):
        found = "%!s(<nil>)" if value is None else (_GO_TYPES | _CONTAINERS)[type(value)]
        raise _meaningless(f"expected a {_CONTAINERS[type(wanted)]}, but received a {found}")


def _check_order(items: list[Any], order: list[Any], key: str) -> None:
    """What a patch puts into a list has to stand in the order that it gives."""
    if not items or not order:
        return
    for one in (*items, *order) if key else ():
        _check_type({}, one)
    kept = [one for one in items if not _is_directive(one)]
    for one in (*kept, *order) if key else ():
        _key_of(one, key)
    places = iter([_mark(one, key) for one in order])
    if not all(_mark(one, key) in places for one in kept):  # each is looked for behind the one before
        texts = f"{go_text(items)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n"
        raise _meaningless(f"The order in patch list:\n{texts}")


def _check_keys(items: list[Any], order: list[Any], key: str) -> None:
    for one in items:
        _key_of(one, key)
    for index, one in enumerate(order if items else ()):
        if not isinstance(one, dict):
            raise _meaningless(f"value for key {index} is not a map")
    for one in order:
        _key_of(one, key)


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
