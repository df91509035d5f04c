"""Entries of `metadata.managedFields`, decoded by who they belong to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from lambent.kubeserver.writes.ownership.fieldsets import Fields

_OPERATIONS = ("Apply", "Update")


class Manager(NamedTuple):
    """Who: an Apply entry is one per manager and subresource; an Update entry also per version."""

    name: str
    operation: str
    api_version: str
    subresource: str

    def text(self) -> str:
        """As a conflict names it."""
        shown = f'"{self.name}"'
        if self.subresource:
            shown += f' with subresource "{self.subresource}"'
        if self.operation == "Update":
            shown += f" using {self.api_version}"
        return shown


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manager owns, and when it last changed that ("" when it never changed a value)."""

    fields: Fields
    time: str = ""


Managers = dict[Manager, Entry]


def decode(entries: Any, *, is_trusted: bool = False) -> Managers | None:
    """None when the list cannot be read; it is then ignored, as clients that do not know it may damage it."""
    out: Managers = {}
    if not isinstance(entries, list):
        return None
    for one in entries:
        if not isinstance(one, dict) or one.get("operation") not in _OPERATIONS or one.get("fieldsType") != "FieldsV1":
            return None
        names = [one.get(name, "") for name in ("manager", "apiVersion", "subresource", "time")]
        fields = one.get("fieldsV1", {})
        if not all(isinstance(name, str) for name in names) or not isinstance(fields, dict):
            return None
        if not is_trusted and not (names[1] and _is_trie(fields)):
            return None
        out[Manager(names[0], one["operation"], names[1], names[2])] = Entry(fields, names[3])
    return out


def _is_trie(fields: Any) -> bool:
    return isinstance(fields, dict) and all(_is_trie(child) for child in fields.values())


def encode(managers: Managers) -> list[dict[str, Any]]:
    """Apply first, then by time, then by name."""
    found: Iterable[tuple[Manager, Entry]] = (item for item in managers.items() if item[1].fields)
    ordered = sorted(found, key=lambda item: (item[0].operation, item[1].time, item[0]))
    out = []
    for who, entry in ordered:
        one: dict[str, Any] = {"manager": who.name, "operation": who.operation, "apiVersion": who.api_version}
        if entry.time:
            one["time"] = entry.time
        one |= {"fieldsType": "FieldsV1", "fieldsV1": entry.fields}
        if who.subresource:
            one["subresource"] = who.subresource
        out.append(one)
    return out


def is_reset(entries: Any, *, custom: bool) -> bool:
    """`[{}]` gives up all bookkeeping, a null is such an entry; `[]` does so for builtin kinds."""
    return entries in ([{}], [None]) or (entries == [] and not custom)
