"""Koreo's own functions: references to objects, overlays, string helpers and JSON text.

Behaviour follows Koreo's documentation; where Koreo errs (a core group in `group_ref`, the namespace of a
cluster-scoped object in `self_ref`) this is what was meant.
"""

from typing import Any

from lambent.cel.errors import Fault
from lambent.cel.library.json_text import read_json, write_json
from lambent.cel.limits import Budget
from lambent.cel.registry import function


def _target(source: dict[str, Any], name: str) -> dict[str, Any]:
    """The `external` or `name` and `namespace` part of a reference."""
    if "external" in source:
        if not source["external"]:
            raise Fault("argument", f"{name}: 'external' is empty")
        return {"external": source["external"]}
    if not source.get("name"):
        raise Fault("argument", f"{name}: 'name' is missing or empty")
    return {"name": source["name"], **_some(source, "namespace")}


def _some(source: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The keys that have a non-empty value."""
    return {key: source[key] for key in keys if source.get(key)}


@function(
    "to_ref",
    "map -> map",
    "A reference: apiVersion and kind if given, then external, or name and namespace.",
    profile="koreo",
)
def to_ref(source: dict[str, Any]) -> dict[str, Any]:
    return {**_some(source, "apiVersion", "kind"), **_target(source, "to_ref")}


@function("kindless_ref", "map -> map", "As `to_ref`, without apiVersion and kind.", profile="koreo")
def kindless_ref(source: dict[str, Any]) -> dict[str, Any]:
    return _target(source, "kindless_ref")


@function("group_ref", "map -> map", "As `to_ref`, with apiGroup in place of apiVersion.", profile="koreo")
def group_ref(source: dict[str, Any]) -> dict[str, Any]:
    group = source.get("apiGroup")
    if not group:
        version = source.get("apiVersion") or ""
        if not isinstance(version, str):
            raise Fault("argument", "group_ref: 'apiVersion' is not a string")
        group = version.rpartition("/")[0]
    head = {"apiGroup": group} if group else {}
    return {**head, **_some(source, "kind"), **_target(source, "group_ref")}


@function("self_ref", "map -> map", "apiVersion, kind, name and namespace of an object.", profile="koreo")
def self_ref(source: dict[str, Any]) -> dict[str, Any]:
    metadata = source.get("metadata")
    if not isinstance(metadata, dict):
        raise Fault("argument", "self_ref: the object has no metadata")
    reference = {}
    for key, holder in (("apiVersion", source), ("kind", source), ("name", metadata)):
        if not holder.get(key):
            raise Fault("argument", f"self_ref: the object has no {key}")
        reference[key] = holder[key]
    return {**reference, **_some(metadata, "namespace")}


@function(
    "config_connect_ready",
    "map -> bool",
    "Whether the one condition of type Ready is True with reason UpToDate.",
    profile="koreo",
)
def config_connect_ready(source: dict[str, Any]) -> bool:
    status = source.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    if not isinstance(conditions, list):
        return False
    ready = [each for each in conditions if isinstance(each, dict) and each.get("type") == "Ready"]
    return len(ready) == 1 and ready[0].get("reason") == "UpToDate" and ready[0].get("status") == "True"


@function(
    "overlay",
    "map map -> map",
    "The first map with the second merged into it; lists and null replace.",
    profile="koreo",
)
def overlay(under: dict[Any, Any], over: dict[Any, Any]) -> dict[Any, Any]:
    return _merged(under, over, Budget())


def _merged(under: dict[Any, Any], over: dict[Any, Any], budget: Budget) -> dict[Any, Any]:
    budget.charge(over)
    merged = dict(under)
    for key, value in over.items():
        own = merged.get(key)
        both_maps = isinstance(own, dict) and isinstance(value, dict)
        merged[key] = _merged(merged[key], value, budget) if both_maps else value
    return merged


@function("lower", "string -> string", "In lower case.", profile="koreo")
@function("toLower", "string -> string", "In lower case.", profile="koreo")
def lower(text: str) -> str:
    return text.lower()


@function("upper", "string -> string", "In upper case.", profile="koreo")
@function("toUpper", "string -> string", "In upper case.", profile="koreo")
def upper(text: str) -> str:
    return text.upper()


@function("strip", "string string -> string", "Without characters of the set at both ends.", profile="koreo")
def strip(text: str, characters: str) -> str:
    return text.strip(characters)


@function("lstrip", "string string -> string", "Without characters of the set at the beginning.", profile="koreo")
def lstrip(text: str, characters: str) -> str:
    return text.lstrip(characters)


@function("rstrip", "string string -> string", "Without characters of the set at the end.", profile="koreo")
def rstrip(text: str, characters: str) -> str:
    return text.rstrip(characters)


@function("split_first", "string string -> string", "The part before the first separator, or all.", profile="koreo")
def split_first(text: str, separator: str) -> str:
    return text.split(_separator(separator), 1)[0]


@function("split_last", "string string -> string", "The part after the last separator, or all.", profile="koreo")
def split_last(text: str, separator: str) -> str:
    return text.rsplit(_separator(separator), 1)[-1]


@function(
    "split_index",
    "string string int -> string",
    "The part at a position; a negative one is an error.",
    profile="enabled",
)
def split_index_strictly(text: str, separator: str, at: int) -> str:
    if at < 0:
        raise Fault("index", "split_index: the position is negative")
    return split_index(text, separator, at)


@function(
    "split_index",
    "string string int -> string",
    "The part at a position; negative counts from the end.",
    profile="koreo",
)
def split_index(text: str, separator: str, at: int) -> str:
    parts = text.split(_separator(separator))
    if not text:
        return ""
    if not -len(parts) <= at < len(parts):
        raise Fault("index", f"split_index: there are {len(parts)} parts")
    return parts[at]


def _separator(separator: str) -> str:
    if not separator:
        raise Fault("argument", "split: the separator is empty")
    return separator


@function("to_json", "dyn -> string", "The value as JSON text, in the order of the maps.", profile="koreo")
def to_json(value: Any) -> str:
    return write_json(value)


@function("to_json", "dyn string -> string", "As JSON text: `sorted`, `compact` or `sorted,compact`.", profile="koreo")
def to_json_with(value: Any, form: str) -> str:
    words = set(form.split(","))
    if not words <= {"sorted", "compact"}:
        raise Fault("argument", "to_json: the form must be 'sorted', 'compact' or 'sorted,compact'")
    return write_json(value, ordered="sorted" in words, compact="compact" in words)


@function("from_json", "string -> dyn", "The value of JSON text.", profile="koreo")
def from_json(text: str) -> Any:
    return read_json(text)
