"""What a schema says of merging: one `Shape` per node, made on first use (types may contain themselves).

Deduced shapes stand for values without schema: maps merge by key, lists are replaced as a whole.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from lambent.kubeserver.builtin.empties import go_types

JsonSchema = Mapping[str, Any]
Kind = Literal["atomic", "struct", "set", "keyed"]


class Shape:
    """`members` are declared fields, `rest` the shape of others (None: there are none); `item` and `keys` of lists.

    `kind` "struct" is any object that merges by member; "atomic" is a scalar, or a list or map replaced as a whole.
    """

    __slots__ = ("_item", "_members", "_rest", "defaults", "keys", "kind", "type")

    def __init__(
        self,
        kind: Kind,
        *,
        members: "Mapping[str, Callable[[], Shape]] | None" = None,
        rest: "Callable[[], Shape] | None" = None,
        item: "Callable[[], Shape] | None" = None,
        keys: tuple[str, ...] = (),
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = kind
        self.type = ""
        self.keys = keys
        self.defaults = defaults or {}
        self._members: dict[str, Shape | Callable[[], Shape]] = dict(members or {})
        self._rest = rest
        self._item = item

    def declares(self, name: str) -> bool:
        return name in self._members

    def member(self, name: str) -> "Shape | None":
        """The shape below a name; None when the schema does not know it."""
        found = self._members.get(name)
        if found is None:
            return self._rest() if self._rest is not None else None
        if isinstance(found, Shape):
            return found
        made = self._members[name] = found()
        return made

    @property
    def item(self) -> "Shape":
        return self._item() if self._item is not None else ATOMIC


ATOMIC = Shape("atomic")
DEDUCED: Shape = Shape("struct", rest=lambda: DEDUCED)
"""A value without schema; that a list or scalar is found there is seen from the value."""


_TEXT: JsonSchema = {"type": "string"}
ENVELOPE_SCHEMAS: Mapping[str, JsonSchema] = {
    "apiVersion": _TEXT,
    "kind": _TEXT,
    "metadata": {"$ref": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
}
"""What every custom object has, and every object embedded in one, whatever its schema says."""

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_DEFAULTED = {"io.k8s.api.core.v1.LocalObjectReference": ("name",)}
"""Members that are left out when they are empty, but have a default, of which the schemas say nothing."""
_ZERO = {"string": "", "integer": 0, "boolean": False}


class ShapeMaker:
    """Shapes of one document's schemas; `$ref`s are looked up in `definitions` and made once."""

    def __init__(self, definitions: Mapping[str, JsonSchema]) -> None:
        self._definitions = definitions
        self._named: dict[str, Shape] = {}

    def make(self, schema: JsonSchema, *, is_open: bool = False) -> Shape:
        """`is_open` below a node that preserves unknown fields: objects there take members they do not declare."""
        name = schema.get("$ref")
        if isinstance(name, str):
            if name not in self._named:
                self._named[name] = _quantity() if name == _QUANTITY else self._plain(self._definitions[name])
            found = self._named[name]
            return ATOMIC if schema.get("x-kubernetes-map-type") == "atomic" else found
        return self._plain(schema, is_open=is_open)

    def lazily(self, schema: JsonSchema, *, is_open: bool) -> Callable[[], Shape]:
        made: list[Shape] = []

        def get() -> Shape:
            if not made:
                made.append(self.make(schema, is_open=is_open))
            return made[0]

        return get

    def _plain(self, schema: JsonSchema, *, is_open: bool = False) -> Shape:
        if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
            return ATOMIC
        found = self._merging(schema, is_open=is_open or bool(schema.get("x-kubernetes-preserve-unknown-fields")))
        if found in (ATOMIC, DEDUCED) and isinstance(schema.get("type"), str):
            found = Shape(found.kind, rest=_deduced if found is DEDUCED else None)
        if isinstance(schema.get("type"), str):
            # A text with a format is a scalar of any type to structured-merge-diff.
            is_any = schema["type"] == "string" and schema.get("format", "") not in ("", "byte")
            found.type = "scalar" if is_any else schema["type"]
        return found

    def _merging(self, schema: JsonSchema, *, is_open: bool) -> Shape:
        match schema.get("type"):
            case "object":
                return self._object(schema, is_open=is_open)
            case "array":
                return self._array(schema, is_open=is_open)
            case None:
                return DEDUCED if schema.get("x-kubernetes-preserve-unknown-fields") else ATOMIC
            case _:
                return ATOMIC

    def _object(self, schema: JsonSchema, *, is_open: bool) -> Shape:
        if schema.get("x-kubernetes-embedded-resource"):
            schema = {**schema, "properties": {**(schema.get("properties") or {}), **ENVELOPE_SCHEMAS}}
        declared = (schema.get("properties") or {}).items()
        members = {name: self.lazily(child, is_open=is_open) for name, child in declared}
        others = schema.get("additionalProperties")
        rest: Callable[[], Shape] | None = None
        if isinstance(others, Mapping) and others:
            rest = self.lazily(others, is_open=is_open)
        elif others or is_open:
            rest = _deduced
        is_whole = schema.get("x-kubernetes-map-type") == "atomic"
        return Shape("atomic" if is_whole else "struct", members=members, rest=rest)

    def _array(self, schema: JsonSchema, *, is_open: bool) -> Shape:
        items = schema.get("items") or {}
        match schema.get("x-kubernetes-list-type"):
            case "set":
                return Shape("set", item=self.lazily(items, is_open=is_open))
            case "map":
                keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
                return Shape(
                    "keyed", item=self.lazily(items, is_open=is_open), keys=keys, defaults=self._defaults(items, keys)
                )
            case _:
                return Shape("atomic", item=self.lazily(items, is_open=is_open)) if items else ATOMIC

    def _defaults(self, items: JsonSchema, keys: tuple[str, ...]) -> dict[str, Any]:
        """Of the keys; those of a struct have the zero of their type where nothing else is said."""
        is_struct = "$ref" in items
        properties = (self._definitions[items["$ref"]] if is_struct else items).get("properties") or {}
        name = items.get("$ref", "")
        written = _DEFAULTED.get(name) or go_types()["always"].get(name, ())
        zeros = {key: _ZERO.get(properties.get(key, {}).get("type")) for key in keys if key in written}
        given = {key: properties[key]["default"] for key in keys if "default" in properties.get(key, {})}
        return {key: zero for key, zero in zeros.items() if zero is not None} | given


def _quantity() -> Shape:
    """A text or a number."""
    shape = Shape("atomic")
    shape.type = "scalar"
    return shape


def _deduced() -> Shape:
    return DEDUCED
