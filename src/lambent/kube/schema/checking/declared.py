"""The types a schema declares for its rules: what `self` is, how large it can be, and how small.

Members whose names CEL cannot spell, and nodes without a type, are not there for rules. Sizes are in elements: items of
a list, entries of a map, bytes of a text. Source: Kubernetes docs, "Validation rules", "Type mapping" and "Resource
use"; the bounds are those of kube-apiserver, which allows a request 3 MiB.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lambent.kube.schema.checking import types
from lambent.kube.schema.checking.types import Type

REQUEST_BYTES = 3 * 1024 * 1024
_BYTES_A_CHARACTER = 4
_LONGEST_TIME, _DATE, _SHORTEST_TIME, _SHORTEST_DURATION = 32, 12, 21, 3  # with their quotation marks
_IDENTIFIER = re.compile(r"[A-Za-z_.\-/][A-Za-z0-9_.\-/]*")
_RESERVED = frozenset(
    (
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
        "let", "loop", "package", "namespace", "return", "var", "void", "while",
    )
)  # fmt: skip
_WORDS = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_TO_SPELL = re.compile(r"__|[.\-/]")
_TEXT = {"type": "string"}
_META = {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}}


@dataclass(frozen=True, slots=True)
class Declared:
    """A node of the schema for rules; `most` is its greatest number of elements, `least` its smallest size in bytes."""

    type: Type
    most: int = 0
    least: int = 0
    members: dict[str, "Declared"] = field(default_factory=dict)
    key: "Declared | None" = None
    element: "Declared | None" = None

    def named(self, name: str) -> "Declared":
        """With a name for each object type below, by its place."""
        members = {one: found.named(f"{name}.{one}") for one, found in self.members.items()}
        if self.type.name == "object":
            return replace(self, type=types.struct(name), members=members)
        if self.element is None:
            return self
        inner = self.element.named(f"{name}.{'@elem' if self.key else '@idx'}")
        made = types.list_of(inner.type) if self.key is None else types.map_of(self.key.type, inner.type)
        return replace(self, type=made, element=inner)

    def structs(self) -> Iterator[tuple[str, dict[str, Type]]]:
        """Every object type at or below, with its members."""
        if self.members or self.type.kind is types.Kind.STRUCT:
            yield self.type.name, {name: found.type for name, found in self.members.items()}
        for found in (*self.members.values(), self.element):
            if found is not None:
                yield from found.structs()


def spelled(name: str) -> str | None:
    """A member's name as rules write it; None for one that cannot be written."""
    if name in _RESERVED:
        return f"__{name}__"
    if not _IDENTIFIER.fullmatch(name):
        return None
    return _TO_SPELL.sub(lambda found: _WORDS[found[0]], name)


def declared(schema: Any, *, is_root: bool = False) -> Declared | None:
    """None for what rules cannot see; `is_root` of a custom object or an embedded one."""
    if schema.get("x-kubernetes-int-or-string"):
        return Declared(types.DYN, _most_of_text(schema, REQUEST_BYTES - 2), 1)
    kind = schema.get("type")
    if is_root:
        schema = {**schema, "properties": _with_envelope(schema.get("properties") or {})}
    match kind:
        case "array":
            return _list(schema)
        case "object":
            others = schema.get("additionalProperties")
            return _map(schema, others) if isinstance(others, dict) else _object(schema)
        case "string":
            return _text(schema)
        case "boolean":
            return Declared(types.BOOL, least=4)
        case "number":
            return Declared(types.DOUBLE, least=1)
        case "integer":
            return Declared(types.INT, least=1)
    return None


def _with_envelope(properties: dict[str, Any]) -> dict[str, Any]:
    """With kind, version and name, as declared when all of them are, else as plain texts."""
    meta = properties.get("metadata") or {}
    named = [(meta.get("properties") or {}).get(one) for one in ("name", "generateName")]
    found = [properties.get("kind"), properties.get("apiVersion"), *named]
    if meta.get("type") == "object" and all((one or {}).get("type") == "string" for one in found):
        return properties
    return {**properties, "apiVersion": _TEXT, "kind": _TEXT, "metadata": _META}


def _below(schema: Any) -> Declared | None:
    return declared(schema, is_root=bool(schema.get("x-kubernetes-embedded-resource")))


def _list(schema: Any) -> Declared | None:
    items = schema.get("items")
    item = _below(items) if isinstance(items, dict) else None
    if item is None:
        return None
    most = schema.get("maxItems")
    most = (REQUEST_BYTES - 2) // (item.least + 1) if most is None else max(most, 0)
    return Declared(types.list_of(item.type), most, 2, element=item)


def _map(schema: Any, others: Any) -> Declared | None:
    value = _below(others)
    if value is None:
        return None
    most = schema.get("maxProperties")
    most = (REQUEST_BYTES - 2) // (value.least + 6) if most is None else max(most, 0)
    key = Declared(types.STRING, least=2)
    return Declared(types.map_of(types.STRING, value.type), most, 2, key=key, element=value)


def _object(schema: Any) -> Declared:
    needed = schema.get("required") or ()
    members: dict[str, Declared] = {}
    least = 2
    for name, child in (schema.get("properties") or {}).items():
        found = _below(child)
        if found is None:
            continue
        if (written := spelled(name)) is not None:
            members[written] = found
        if name in needed and child.get("default") is None:
            least += len(name.encode()) + found.least + 4
    return Declared(types.struct("object"), 0, least, members=members)


def _text(schema: Any) -> Declared:
    match schema.get("format"):
        case "byte":
            most = schema.get("maxLength")
            return Declared(types.BYTES, REQUEST_BYTES - 2 if most is None else max(most, 0), 2)
        case "duration":
            return Declared(types.DURATION, _LONGEST_TIME, _SHORTEST_DURATION)
        case "date":
            return Declared(types.TIMESTAMP, _DATE, _DATE)
        case "date-time":
            return Declared(types.TIMESTAMP, _LONGEST_TIME, _SHORTEST_TIME)
    listed = [len(one.encode()) for one in schema.get("enum") or () if isinstance(one, str)]
    return Declared(types.STRING, _most_of_text(schema, max(listed) if listed else REQUEST_BYTES - 2), 2)


def _most_of_text(schema: Any, otherwise: int) -> int:
    most = schema.get("maxLength")
    return otherwise if most is None else max(most, 0) * _BYTES_A_CHARACTER
