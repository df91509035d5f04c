"""`lambent explain` of a managed resource: which trigger, workflow and step it belongs to, and why it is as it is.

Made from the records of managed resources and a forecast of the next pass of each trigger that names it. Names of
fields and of those who wrote them are shown, values never.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lambent.workflow.authoring.explanation import Cause, add_status, cause_of, object_name, state_of
from lambent.workflow.authoring.forecast import Forecast
from lambent.workflow.authoring.forecast_output import where
from lambent.workflow.authoring.texts import changed_fields
from lambent.workflow.engine import Answer, Catalog, Found, Refused, ResourceRef
from lambent.workflow.engine.managed import Record

VERSION = 1


@dataclass(slots=True)
class Holder:
    """A trigger whose record names the resource. `step` is empty for an orphan, `cause` absent when no pass could be
    forecast; `note` then says why. `fate` is what becomes of the resource when the trigger goes.
    """

    trigger: str
    workflow: str
    step: str
    fate: str
    note: str = ""
    differs_at: list[str] = field(default_factory=list)
    cause: Cause | None = None


@dataclass(slots=True)
class Ownership:
    """`state` is a line; `writers` are the field managers, each with what it last did and when."""

    object: str
    state: str
    is_there: bool
    writers: list[str] = field(default_factory=list)
    holders: list[Holder] = field(default_factory=list)

    @property
    def is_settled(self) -> bool:
        """It exists, and no step is anything but Ok about it."""
        causes = [holder.cause for holder in self.holders]
        return self.is_there and all(cause is not None and cause.outcome == "Ok" for cause in causes)

    def to_dict(self) -> dict[str, Any]:
        """Version 1: {version, object, state, is_there, writers, holders[{..., cause as of an explanation}]}."""
        return {"version": VERSION, **asdict(self)}


def ownership(ref: ResourceRef, answer: Answer) -> Ownership:
    """The resource itself, without holders."""
    if isinstance(answer, Refused):
        return Ownership(where(ref), f"cannot be read: {answer.code} {answer.message}", is_there=False)
    live = answer.object if isinstance(answer, Found) else None
    return Ownership(where(ref), state_of(ref, live), live is not None, list(_writers(live or {})))


def _writers(live: Mapping[str, Any]) -> Iterator[str]:
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        part = f" of {entry['subresource']}" if entry.get("subresource") else ""
        yield f"{entry.get('manager', '')} ({entry.get('operation', '')}{part}, {entry.get('time', '')})"


def step_of(record: Record, ref: ResourceRef) -> str | None:
    """The label of the step that manages a resource, empty for an orphan; None when the record does not name it."""
    for label, entry in record.resources.items():
        if any(known.place == ref.place for known in Record("", {label: entry}, []).refs()):
            return label
    return "" if any(orphan.place == ref.place for orphan in record.orphans) else None


def holder(trigger: Mapping[str, Any], record: Record, ref: ResourceRef, step: str) -> Holder:
    """What the record alone says."""
    return Holder(object_name(trigger), f"Workflow/{record.workflow}" if record.workflow else "", step, _fate(ref))


def _fate(ref: ResourceRef) -> str:
    if ref.is_readonly:
        return "stays; it is only read, never written or deleted"
    fates = {"destroy": "is deleted with its trigger", "abandon": "stays, without our marks"}
    return fates.get(ref.deletion, "goes with its trigger if that owns it, else stays")


def add_forecast(found: Holder, ref: ResourceRef, made: Forecast, trigger: Mapping[str, Any], catalog: Catalog) -> None:
    """What the next pass would find, do and say."""
    found.workflow = str(made.workflow.identity)
    if found.step not in made.passes[-1].result.steps:
        policy = "deleted by the next pass" if made.workflow.deletes_orphans else "kept (orphans: keep)"
        found.note = f"an orphan: no step manages it any longer; it is {policy}"
        return
    found.cause = cause_of(found.step, made, catalog)
    add_status(found.cause, trigger)
    for change in made.changes:
        if change.ref.place == ref.place and change.before is not None and change.after is not None:
            found.differs_at += [entry["path"] for entry in changed_fields(change.before, change.after)]
