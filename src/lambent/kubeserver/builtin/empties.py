"""What is empty, as Go's structs know it: which empty members are as absent ones, and which are always written.

Go holds a member by a pointer or as such. Of the latter an empty text, a zero or false is what an absent one is, and a
null is the empty value; when an object is written, members without `omitempty` stand there even when they are empty.
Source: Go's encoding/json, the tags of Kubernetes' types (`types.json`).
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

JsonSchema = Mapping[str, Any]
_Fill = Callable[[Any], None]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_TEXTS = {"io.k8s.apimachinery.pkg.api.resource.Quantity": "0", "io.k8s.apimachinery.pkg.util.intstr.IntOrString": 0}
_OTHERS = (f"{_META}Time", f"{_META}MicroTime", f"{_META}FieldsV1")
_ZEROS = {"string": "", "integer": 0, "boolean": False, "number": 0}


@cache
def go_types() -> dict[str, Any]:
    """`types`: schema -> member -> Go type, where the schema does not tell; `pointers`, `always`: schema -> members."""
    found: dict[str, Any] = orjson.loads((Path(__file__).parent / "types.json").read_bytes())
    return found


def empty(schema: JsonSchema) -> Any:
    """The value that Go has where none was given."""
    name = schema.get("$ref", "")
    if name in _TEXTS:
        return _TEXTS[name]
    return {} if name and name not in _OTHERS else _ZEROS.get(schema.get("type", ""))


def same_as_absent(name: str, schema: JsonSchema) -> dict[str, Any]:
    """Members of the struct with this name and the empty value of each that says no more than its absence."""
    pointers = go_types()["pointers"].get(name)
    if pointers is None:  # a struct that Go reads in a way of its own
        return {}
    return {
        member: _ZEROS[child["type"]]
        for member, child in (schema.get("properties") or {}).items()
        if child.get("type") in _ZEROS and member not in pointers
    }


class Filler:
    """Adds to objects of one schema, in place, what Go always has: structs, or all that it writes when it is empty."""

    def __init__(self, schema: JsonSchema, definitions: Mapping[str, JsonSchema], *, structs_only: bool) -> None:
        self._definitions = definitions
        self._structs_only = structs_only
        self._compiled: dict[str, _Fill | None] = {}
        self._fill = self._node(schema)

    def fill(self, obj: Any) -> None:
        if self._fill is not None:
            self._fill(obj)

    def _node(self, schema: JsonSchema) -> _Fill | None:
        name = schema.get("$ref")
        if name is not None:
            if name not in self._compiled:
                self._compiled[name] = None  # what contains itself has nothing to add
                self._compiled[name] = self._struct(name)
            return self._compiled[name]
        below = schema.get("items") or schema.get("additionalProperties")
        inner = self._node(below) if isinstance(below, Mapping) else None
        return None if inner is None else _each(inner)

    def _struct(self, name: str) -> _Fill | None:
        members: Mapping[str, JsonSchema] = self._definitions[name].get("properties") or {}
        pointers = go_types()["pointers"].get(name, ())
        always = [member for member in go_types()["always"].get(name, ()) if member in members]
        zeros = {member: None if member in pointers else empty(members[member]) for member in always}
        missing = [(member, zero) for member, zero in zeros.items() if zero == {} or not self._structs_only]
        below = {member: fill for member, child in members.items() if (fill := self._node(child)) is not None}
        return _filling(missing, below) if missing or below else None


def _each(inner: _Fill) -> _Fill:
    def fill(value: Any) -> None:
        for one in value.values() if isinstance(value, dict) else value or ():
            inner(one)

    return fill


def _filling(missing: list[tuple[str, Any]], below: Mapping[str, _Fill]) -> _Fill:
    def fill(value: Any) -> None:
        if not isinstance(value, dict):
            return
        for member, zero in missing:
            if member not in value:
                value[member] = {} if zero == {} else zero
        for member, inner in below.items():
            if (found := value.get(member)) is not None:
                inner(found)

    return fill
