"""The vocabulary of the kinds' tables: one `Field` says what validator, CRD generator and field reference know of a
field. A free-form object (`fields` is None) accepts anything JSON-like.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FieldType = Literal["string", "integer", "number", "boolean", "object", "array", "any"]
# How a string (or the strings inside a free-form object) is read: as text, perhaps as an expression, as one always.
Expression = Literal["never", "may", "must"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`exactly_one` groups name members of which one must be present; `retired` members are refused with a hint."""

    type: FieldType
    doc: str = ""
    required: bool = False
    default: Any = None
    expression: Expression = "never"
    enum: tuple[str, ...] = ()
    pattern: str = ""
    pattern_hint: str = ""
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    items: "Field | None" = None
    fields: "Mapping[str, Field] | None" = None
    exactly_one: tuple[tuple[str, ...], ...] = ()
    at_least_one: tuple[str, ...] = ()
    retired: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of document: its group and version, its names and the table of its spec."""

    group: str
    version: str
    kind: str
    plural: str
    doc: str
    spec: Field
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"


def text(doc: str = "", **options: Any) -> Field:
    return Field(type="string", doc=doc, **options)


def integer(doc: str = "", **options: Any) -> Field:
    return Field(type="integer", doc=doc, **options)


def flag(default: bool, doc: str = "") -> Field:
    return Field(type="boolean", doc=doc, default=default)


def free(doc: str = "", **options: Any) -> Field:
    """A free-form object."""
    return Field(type="object", doc=doc, **options)


def record(members: Mapping[str, Field], doc: str = "", **options: Any) -> Field:
    """An object with exactly these members."""
    return Field(type="object", doc=doc, fields=members, **options)


def array(items: Field, doc: str = "", **options: Any) -> Field:
    return Field(type="array", doc=doc, items=items, **options)
