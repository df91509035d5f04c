"""What Go says of a body whose members have other types than the struct of its kind.

`mismatch` explains the first such member in the words of encoding/json: struct, path and Go type; `unrestorable` in
those of the converter that the outcome of a strategic merge or an apply goes through. Source: Go's encoding/json,
apimachinery's converter.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lambent.kubeserver.builtin.empties import go_types
from lambent.kubeserver.builtin.structs import (
    INT_OR_TEXT,
    INTEGERS,
    JSON_NAMES,
    OPAQUE,
    QUANTITY,
    TIMES,
    JsonSchema,
    json_name,
)


def _named_types() -> dict[str, dict[str, str]]:
    """Struct -> member -> Go type, where the schema does not tell it."""
    found: dict[str, dict[str, str]] = go_types()["types"]
    return found


def mismatch(value: Any, schema: JsonSchema, definitions: Mapping[str, JsonSchema]) -> str:
    """The first member that does not fit, as encoding/json tells it; "" when all do."""
    name = schema.get("$ref", "")
    return _Mismatch(definitions).find(value, schema, name.rpartition(".")[2], (), _bare(name))


def _bare(name: str) -> str:
    return ".".join(name.split(".")[-2:])


class _Mismatch:
    def __init__(self, definitions: Mapping[str, JsonSchema]) -> None:
        self._definitions = definitions

    def find(self, value: Any, schema: JsonSchema, struct: str, path: tuple[str, ...], kind: str) -> str:
        """`struct` is the one whose member the value is, `kind` the value's Go type."""
        name = schema.get("$ref", "")
        if value is None or name == QUANTITY or name.rpartition(".")[2] in OPAQUE:
            return ""
        node = self._definitions[name] if name else schema
        if name in TIMES:
            return "" if isinstance(value, str) else _text(value, struct, path, "string")
        if name == INT_OR_TEXT:
            is_good = isinstance(value, str) or (_is_int(value) and _fits(value, {"format": "int32"}))
            return "" if is_good else _text(value, struct, path, "int32")
        wanted = _WANTED.get(node.get("type", ""))
        if wanted is None:
            return ""
        if node.get("format") == "byte" and isinstance(value, list):
            wrong = next((one for one in value if one is not None and not (_is_int(one) and 0 <= one < 256)), None)
            return "" if wrong is None else _text(wrong, struct, path, "uint8")
        if not wanted(value) or (node["type"] == "integer" and not _fits(value, node)):
            return _text(value, struct, path, kind or self._go_type(schema, "", ""))
        return self._below(value, node, name, struct, path, kind)

    def _below(self, value: Any, node: JsonSchema, name: str, struct: str, path: tuple[str, ...], kind: str) -> str:
        if isinstance(value, list):
            items = node.get("items") or {}
            kind = kind[2:] if kind.startswith("[]") else self._go_type(items, "", "")
            found = (self.find(one, items, struct, path, kind) for one in value)
        elif isinstance(value, dict) and isinstance(node.get("additionalProperties"), Mapping):
            others = node["additionalProperties"]
            kind = self._go_type(others, "", "")
            found = (self.find(one, others, struct, path, kind) for one in value.values())
        elif isinstance(value, dict):
            known = node.get("properties") or {}
            own = name.rpartition(".")[2] or struct
            found = (
                self.find(one, known[key], own, (*path, key), self._go_type(known[key], name, key))
                for key, one in value.items()
                if key in known
            )
        else:
            return ""
        return next(filter(None, found), "")

    def _go_type(self, schema: JsonSchema, struct: str, member: str) -> str:
        named = _named_types().get(struct, {}).get(member)
        if named is not None:
            return named
        if "$ref" in schema:
            return _bare(schema["$ref"])
        if isinstance(schema.get("additionalProperties"), Mapping):
            return f"map[string]{self._go_type(schema['additionalProperties'], '', '')}"
        if isinstance(schema.get("items"), Mapping):
            return f"[]{self._go_type(schema['items'], '', '')}"
        match schema.get("type"):
            case "integer":
                return str(schema.get("format", "int64"))
            case "number":
                return "float64"
            case "boolean":
                return "bool"
        return "[]uint8" if schema.get("format") == "byte" else "string"


def unrestorable(value: Any, schema: JsonSchema, definitions: Mapping[str, JsonSchema], member: str = "") -> str:
    """The first member that does not fit, as the converter to structs tells it."""
    name = schema.get("$ref", "")
    if value is None or name == QUANTITY or name.rpartition(".")[2] in OPAQUE:
        return ""
    if name in TIMES:  # which read their own JSON, as numbers or texts do, which were read before
        found = JSON_NAMES[type(value)]
        return "" if found == "string" else f"json: cannot unmarshal {found} into Go value of type string"
    if name == INT_OR_TEXT:
        return ""
    node = definitions[name] if name else schema
    kind, found = node.get("type", ""), _GO_KINDS[type(value)]
    if kind == "array":
        if not isinstance(value, list):
            return f"cannot restore slice from {found}"
        return next(filter(None, (unrestorable(one, node.get("items") or {}, definitions) for one in value)), "")
    if kind != "object":
        return _unconvertible(value, kind, node, member)
    others, known = node.get("additionalProperties"), node.get("properties") or {}
    if not isinstance(value, dict):
        return f"cannot restore {'map from' if isinstance(others, Mapping) else 'struct from:'} {found}"
    rest = others if isinstance(others, Mapping) else {}
    named = _named_types().get(name, {})
    below = (unrestorable(one, known.get(key, rest), definitions, named.get(key, "")) for key, one in value.items())
    return next(filter(None, below), "")


_GO_KINDS = {str: "string", bool: "bool", int: "int64", float: "float64", dict: "map", list: "slice"}


def _unconvertible(value: Any, kind: str, node: JsonSchema, named: str) -> str:
    if kind not in _WANTED or _WANTED[kind](value):
        return ""
    if node.get("format") == "byte":
        return f"cannot restore slice from {_GO_KINDS[type(value)]}"
    plain = {"integer": node.get("format", "int64"), "boolean": "bool", "number": "float64"}.get(kind, "string")
    if plain == "string" and type(value) is int:  # Go would make a letter of a number; the converter will not
        return f"cannot convert int64 to {named or plain}"
    return f"unrecognized type: {plain}"


_WANTED: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fits(value: Any, node: JsonSchema) -> bool:
    bits = INTEGERS.get(node.get("format", ""), 63)
    return isinstance(value, int) and -(1 << bits) <= value < 1 << bits


def _text(value: Any, struct: str, path: tuple[str, ...], kind: str) -> str:
    got = json_name(value) if kind in INTEGERS or kind == "uint8" else JSON_NAMES[type(value)]
    where = f"Go struct field {struct}.{'.'.join(path)}" if path else "Go value"
    return f"json: cannot unmarshal {got} into {where} of type {kind}"
