"""Which of the names a definition asks for it gets: within a group each name belongs to whoever had it first.

Plural, singular and short names share one space, kind and list kind another. Names that are refused stay what they
were; the rest are taken. Source: Kubernetes docs, "Custom Resources"; reasons and texts as kube-apiserver 1.34.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lambent.kubeserver.definitions.refusals import shown

Names = dict[str, Any]
NOBODY: Names = {"plural": "", "kind": ""}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The names a definition has now; the reason and text why `NamesAccepted` is false, empty when it is true."""

    names: Names
    reason: str = ""
    message: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.reason


def accept(wanted: Names, held: Names, taken: Iterable[Names]) -> Acceptance:
    """`held` are the names accepted so far, `taken` those of all definitions of the group, with or without this one."""
    others = list(taken)
    resources = {name for one in others for name in (one.get("plural"), one.get("singular"))}
    resources |= {name for one in others for name in one.get("shortNames") or ()}
    kinds = {name for one in others for name in (one.get("kind"), one.get("listKind"))}
    names, reason, message = dict(held), "", ""
    for field, used in (("plural", resources), ("singular", resources), ("shortNames", resources),
                        ("kind", kinds), ("listKind", kinds)):  # fmt: skip
        clashes = _clashes(wanted.get(field), held.get(field), used)
        if clashes:
            reason = f"{field[0].upper()}{field[1:]}Conflict"
            message = clashes[0] if len(clashes) == 1 else f"[{', '.join(clashes)}]"
        else:
            names[field] = wanted.get(field)
    names["categories"] = wanted.get("categories")
    kept = {field: value for field, value in names.items() if value or field in NOBODY}
    return Acceptance(kept, reason, message)


def _clashes(wanted: Any, held: Any, used: set[Any]) -> list[str]:
    if wanted == held:
        return []
    if isinstance(wanted, list):
        new = [name for name in wanted if name not in (held or ())]
        return list(dict.fromkeys(f"{shown(name)} is already in use" for name in new if name in used))
    return [f"{shown(wanted)} is already in use"] if wanted in used else []
