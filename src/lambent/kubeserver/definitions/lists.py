"""Lists and maps of a schema: how their members merge (`x-kubernetes-list-type` and its companions)."""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.definitions.internal import go_items
from lambent.kubeserver.definitions.refusals import invalid
from lambent.kubeserver.validation.errors import forbidden, required, unsupported

_LIST, _KEYS, _MAP = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
_NO_KEY = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
_NULL_KEY = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
_SET_ITEM = "must be atomic as item of a list with x-kubernetes-list-type=set"


def list_problems(schema: Any, path: str) -> Iterator[Problem]:
    """What is wrong with how a list or map says it merges."""
    kind, of_list, of_map = schema.get("type") or "", schema.get(_LIST), schema.get(_MAP)
    if of_map is not None and kind != "object":
        yield _mistyped(kind, f"{path}.type", f"must be object if {_MAP} is specified")
    if of_map not in (None, "atomic", "granular"):
        yield unsupported(f"{path}.{_MAP}", of_map, ("atomic", "granular"))
    if of_list is not None and kind != "array":
        yield _mistyped(kind, f"{path}.type", f"must be array if {_LIST} is specified")
    elif of_list == "set" and isinstance(schema.get("items"), dict):
        yield from _set_items(schema["items"], path)
    if of_list not in (None, "atomic", "set", "map"):
        yield unsupported(f"{path}.{_LIST}", of_list, ("atomic", "set", "map"))
    if schema.get(_KEYS) and of_list != "map":
        text = f"must be map if {_KEYS} is non-empty"
        yield required(f"{path}.{_LIST}", text) if of_list is None else invalid(f"{path}.{_LIST}", of_list, text)
    if of_list == "map":
        yield from _keyed(schema, path)
    if of_list in ("set", "map") and isinstance(schema.get("items"), dict):
        yield from _whole_items(schema, of_list, path)


def _mistyped(kind: str, path: str, text: str) -> Problem:
    return invalid(path, kind, text) if kind else required(path, text)


def _set_items(items: Any, path: str) -> Iterator[Problem]:
    of_list = items.get(_LIST)
    if items.get("type") == "array" and of_list not in (None, "atomic"):
        yield invalid(f"{path}.items.{_LIST}", of_list, _SET_ITEM)
    elif items.get("type") == "object" and items.get(_MAP) != "atomic":
        yield invalid(f"{path}.items.{_MAP}", of_list, _SET_ITEM)  # shown is the list type, as kube-apiserver does


def _keyed(schema: Any, path: str) -> Iterator[Problem]:
    keys, items = schema.get(_KEYS) or [], schema.get("items")
    if not keys:
        yield required(f"{path}.{_KEYS}", f"must not be empty if {_LIST} is map")
    if items is None:
        yield required(f"{path}.items", f"must have a schema if {_LIST} is map")
        return
    if not isinstance(items, dict):
        yield invalid(f"{path}.items", go_items(items), f"must only have a single schema if {_LIST} is map")
        return
    if items.get("type") != "object":
        text = f"must be object if parent array's {_LIST} is map"
        yield invalid(f"{path}.items.type", items.get("type") or "", text)
        return
    for index, key in enumerate(keys):
        found = (items.get("properties") or {}).get(key)
        if found is None:
            yield invalid(f"{path}.{_KEYS}", keys, "entries must all be names of item properties")
        elif found.get("type") in ("array", "object"):
            where = f"{path}.items.properties[{key}].type"
            yield invalid(where, "object", f"must be a scalar type if parent array's {_LIST} is map")
        if key in keys[:index]:
            yield invalid(f"{path}.{_KEYS}", keys, "must not contain duplicate entries")


def _whole_items(schema: Any, of_list: str, path: str) -> Iterator[Problem]:
    """Items and their keys may not be null, and a key is always there."""
    items = schema["items"]
    if items.get("nullable"):
        yield forbidden(f"{path}.items.nullable", f"cannot be nullable when {_LIST} is {of_list}")
    for key in (schema.get(_KEYS) or ()) if of_list == "map" else ():
        found = (items.get("properties") or {}).get(key)
        if found is None:
            continue
        where = f"{path}.items.properties[{key}]"
        if key not in (items.get("required") or ()) and found.get("default") is None:
            yield required(f"{where}.default", _NO_KEY)
        if found.get("nullable"):
            yield forbidden(f"{where}.nullable", _NULL_KEY)
