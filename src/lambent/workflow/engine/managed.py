"""The record of managed resources: what the annotation on the trigger says, and what has become of older entries.

Compact JSON `{workflow, resources: {<label>: null | ref | nested | list}, orphans: [ref, ...]}`. An entry is kept while
its step cannot say what it manages (it waits, is skipped or failed). A resource is an orphan only when the step that
managed it is Ok without it, or no longer exists.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from lambent.workflow.engine.outcomes import Ok
from lambent.workflow.engine.patches import RECORD_ANNOTATION, compact_json
from lambent.workflow.engine.references import ResourceRef
from lambent.workflow.engine.step_run import RunResult

ANNOTATION = RECORD_ANNOTATION


@dataclass(slots=True, eq=False)
class Record:
    """A parsed annotation; `resources` holds plain JSON and is not changed."""

    workflow: str
    resources: dict[str, Any]
    orphans: list[ResourceRef]
    _managed: list[ResourceRef] | None = None

    def text(self) -> str:
        """The annotation."""
        value: dict[str, Any] = {"workflow": self.workflow, "resources": self.resources}
        if self.orphans:
            value["orphans"] = [orphan.record() for orphan in self.orphans]
        return compact_json(value)

    def refs(self) -> list[ResourceRef]:
        """Every resource in the order of the steps, orphans last; each once."""
        if self._managed is None:
            self._managed = list(_flat(self.resources))
        found = [*self._managed, *self.orphans]
        return list({ref.place: ref for ref in found}.values())


def parse_record(metadata: Mapping[str, Any]) -> Record:
    """The record on an object; empty when there is none or it cannot be read."""
    annotations = metadata.get("annotations")
    text = annotations.get(ANNOTATION) if isinstance(annotations, Mapping) else None
    try:
        value = orjson.loads(text) if isinstance(text, str) else {}
    except orjson.JSONDecodeError:
        value = {}
    if not isinstance(value, dict):
        value = {}
    resources, workflow, orphans = value.get("resources"), value.get("workflow"), value.get("orphans")
    return Record(
        workflow if isinstance(workflow, str) else "",
        resources if isinstance(resources, dict) else {},
        list(_flat(orphans)) if isinstance(orphans, list) else [],
    )


def _flat(entry: Any) -> Iterator[ResourceRef]:
    if isinstance(entry, list):
        for item in entry:
            yield from _flat(item)
    elif isinstance(entry, dict):
        ref = ResourceRef.from_record(entry)
        if ref is not None:
            yield ref
        else:
            for item in entry.values():
                yield from _flat(item)


def next_record(result: RunResult, previous: Record) -> Record:
    """The record after a pass."""
    resources: dict[str, Any] = {}
    for label, step_result in result.steps.items():
        known = _entry(step_result.managed)
        if not isinstance(step_result.outcome, Ok) and known is None:
            known = previous.resources.get(label)
        elif not isinstance(step_result.outcome, Ok):
            known = _kept(known, previous.resources.get(label))
        resources[label] = known
    record = Record(result.workflow.identity.name, resources, [])
    current = {ref.place for ref in record.refs()}
    lost = [ref for ref in previous.refs() if ref.place not in current and not ref.is_readonly]
    record.orphans = list({ref.place: ref for ref in lost}.values())
    return record


def _entry(managed: Any) -> Any:
    if isinstance(managed, ResourceRef):
        return managed.record()
    if isinstance(managed, list):
        return [_entry(item) for item in managed]
    if isinstance(managed, dict):
        return {label: _entry(item) for label, item in managed.items()}
    return None


def _kept(now: Any, before: Any) -> Any:
    """A step that is not Ok keeps what it managed before beside what it manages now."""
    known = {ref.place for ref in _flat(now)}
    lost = [ref.record() for ref in _flat(before) if ref.place not in known]
    if not lost:
        return now
    return [*(now if isinstance(now, list) else [now]), *lost]
