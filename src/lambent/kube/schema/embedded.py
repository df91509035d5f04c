"""Where a schema says that an object is embedded (`x-kubernetes-embedded-resource`), and the ones in a value.

`embedded(schema)` is made once and is None for a schema without such a node, so that most objects are never searched.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Embedded:
    """A node of the schema with an embedded object at it or below it."""

    is_object: bool = False
    members: "dict[str, Embedded]" = field(default_factory=dict)
    values: "Embedded | None" = None
    items: "Embedded | None" = None

    def objects(self, value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Each embedded object with its path, outer ones first."""
        if isinstance(value, list) and self.items is not None:
            for index, one in enumerate(value):
                yield from self.items.objects(one, f"{path}[{index}]")
        if not isinstance(value, dict):
            return
        if self.is_object:
            yield path, value
        for name, member in value.items():
            if name in self.members:
                yield from self.members[name].objects(member, f"{path}.{name}".removeprefix("."))
            elif self.values is not None:
                yield from self.values.objects(member, f"{path}[{name}]")


def embedded(schema: Any) -> Embedded | None:
    """The nodes of a schema that are embedded objects, and the way to them."""
    if not isinstance(schema, Mapping):
        return None
    below = {name: embedded(child) for name, child in (schema.get("properties") or {}).items()}
    members = {name: node for name, node in below.items() if node is not None}
    is_object = bool(schema.get("x-kubernetes-embedded-resource"))
    values, items = embedded(schema.get("additionalProperties")), embedded(schema.get("items"))
    if not (is_object or members or values or items):
        return None
    return Embedded(is_object, members, values, items)
