"""The record of managed resources: what the annotation on the trigger says, and what has become of older entries.

Compact JSON `{workflow, uid, resources: {<label>: null | ref | nested | list}, orphans: [ref, ...]}`. An entry is kept
while its step cannot say what it manages (it waits, is skipped or failed), and a uid while nobody can ask for it: one
that is stale goes with the next look, which finds no object or another one. A resource is an orphan only when the step
that managed it is Ok without it, or no longer exists.

The record's own `uid` is that of its trigger. Annotations are copied with their object (a manifest that was exported, a
backup), and a copy must not end what the original manages: a record of another object counts as none. One without a
uid, as Koreo writes it, is taken for the object's own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from lambent.workflow.engine.outcomes import Ok
from lambent.workflow.engine.patches import RECORD_ANNOTATION, compact_json
from lambent.workflow.engine.references import Place, ResourceRef
from lambent.workflow.engine.step_run import RunResult

ANNOTATION = RECORD_ANNOTATION


@dataclass(slots=True, eq=False)
class Record:
    """A parsed annotation; `resources` holds plain JSON and is not changed, `by_label` what of it has been read.

    `uid` is the trigger's, empty for one that no server has stored. `is_anothers` says that the annotation was written
    for another object, so that nothing of it is here.
    """

    workflow: str
    resources: dict[str, Any]
    orphans: list[ResourceRef]
    by_label: dict[str, list[ResourceRef]] = field(default_factory=dict)
    uid: str = ""
    is_anothers: bool = False

    def text(self) -> str:
        """The annotation."""
        value: dict[str, Any] = {"workflow": self.workflow}
        if self.uid:
            value["uid"] = self.uid
        value["resources"] = self.resources
        if self.orphans:
            value["orphans"] = [orphan.record() for orphan in self.orphans]
        return compact_json(value)

    def copy(self) -> "Record":
        """Another record with orphans of its own; what was made of the entries is shared."""
        return replace(self, orphans=list(self.orphans))

    def of(self, label: str) -> list[ResourceRef]:
        """What a step manages. Thousands of entries take milliseconds, so they are read once."""
        found = self.by_label.get(label)
        if found is None:
            found = self.by_label[label] = list(_flat(self.resources.get(label)))
        return found

    def refs(self) -> list[ResourceRef]:
        """Every resource in the order of the steps, orphans last; each once, as the step has it that does not only
        read it.
        """
        found: dict[Place, ResourceRef] = {}
        for label in self.resources:
            for ref in self.of(label):
                if not ref.is_readonly or ref.place not in found:
                    found[ref.place] = ref
        found.update((ref.place, ref) for ref in self.orphans)
        return list(found.values())


def parse_record(metadata: Mapping[str, Any]) -> Record:
    """The record on an object; empty when there is none, it cannot be read, or it is another object's.

    An object without a uid, which no server has stored, may be the one that the record names.
    """
    annotations = metadata.get("annotations")
    text = annotations.get(ANNOTATION) if isinstance(annotations, Mapping) else None
    value = _read(text) if isinstance(text, str) else {}
    recorded, uid = value.get("uid"), metadata.get("uid")
    if recorded and uid and recorded != uid:
        return anothers(uid)
    resources, workflow, orphans = value.get("resources"), value.get("workflow"), value.get("orphans")
    return Record(
        workflow if isinstance(workflow, str) else "",
        resources if isinstance(resources, dict) else {},
        list(_flat(orphans)) if isinstance(orphans, list) else [],
        uid=str(uid or recorded or ""),
    )


def anothers(uid: str) -> Record:
    """The record of an object (with this uid) whose annotation was written for another one."""
    return Record("", {}, [], uid=uid, is_anothers=True)


def _read(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _flat(entry: Any) -> Iterator[ResourceRef]:
    """In order, and without recursion: the text may be anybody's, and a trigger must be deletable whatever it says."""
    left = [entry]
    while left:
        item = left.pop()
        ref = ResourceRef.from_record(item)
        if ref is not None:
            yield ref
        elif isinstance(item, list | dict):
            left.extend(reversed(item if isinstance(item, list) else item.values()))


def next_record(result: RunResult, previous: Record) -> Record:
    """The record after a pass. A uid that the pass could not ask for stays as it was."""
    before = {ref.place: ref for ref in previous.refs()}
    record = Record(result.workflow.identity.name, {}, [], uid=previous.uid)
    for label, step_result in result.steps.items():
        managed = _recalled(step_result.managed, before)
        entry, refs = _entry(managed), list(_named(managed))
        if not isinstance(step_result.outcome, Ok):
            told = {ref.place for ref in refs}
            kept = [ref for ref in previous.of(label) if ref.place not in told]
            entry, refs = _beside(entry, kept, previous.resources.get(label)), [*refs, *kept]
        record.resources[label], record.by_label[label] = entry, refs
    current = record.refs()
    places = {ref.place for ref in current}
    gone = [ref for place, ref in before.items() if place not in places and not ref.is_readonly]
    if gone:
        objects, uids = {_object(ref) for ref in current}, {ref.uid for ref in current if ref.uid}
        record.orphans = [ref for ref in gone if _object(ref) not in objects and ref.uid not in uids]
    return record


def _object(ref: ResourceRef) -> tuple[str, ...]:
    """Its place whatever the version: a function that turns to a newer one of its kind manages the same object."""
    return (ref.api_version.rpartition("/")[0], *ref.place[1:])


def _named(managed: Any) -> Iterator[ResourceRef]:
    if isinstance(managed, ResourceRef):
        yield managed
    elif isinstance(managed, list | dict):
        for item in managed.values() if isinstance(managed, dict) else managed:
            yield from _named(item)


def _recalled(managed: Any, before: Mapping[Place, ResourceRef]) -> Any:
    """With the uids that were known before in place of those that are not known now."""
    if isinstance(managed, ResourceRef):
        known = before.get(managed.place) if managed.uid is None else None
        return replace(managed, uid=known.uid) if known is not None else managed
    if isinstance(managed, list):
        return [_recalled(item, before) for item in managed]
    if isinstance(managed, dict):
        return {label: _recalled(item, before) for label, item in managed.items()}
    return managed


def _entry(managed: Any) -> Any:
    if isinstance(managed, ResourceRef):
        return managed.record()
    if isinstance(managed, list):
        return [_entry(item) for item in managed]
    if isinstance(managed, dict):
        return {label: _entry(item) for label, item in managed.items()}
    return None


def _beside(now: Any, kept: list[ResourceRef], before: Any) -> Any:
    """A step that is not Ok keeps what it managed before beside what it manages now."""
    if now is None:
        return before
    entries = [ref.record() for ref in kept]
    return [*(now if isinstance(now, list) else [now]), *entries] if entries else now
