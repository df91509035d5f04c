"""A workflow, its trigger, the objects and a clock that the test moves: what passes of a WorkflowTest run in.

The pass, the status and the record are the controller's own; only the driver differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lambent.workflow.engine import Catalog, Ok, RunResult, Workflow, WorkflowPass, owner_of, parent_of
from lambent.workflow.engine.expressions import Compiler, Failed
from lambent.workflow.engine.managed import ANNOTATION, next_record, parse_record
from lambent.workflow.engine.patches import merge
from lambent.workflow.engine.publishing import wanted_status
from lambent.workflow.engine.requeue import Attempt, next_attempts, requeue_s
from lambent.workflow.spec import Document, seconds
from lambent.workflow.testing.memory_api import MemoryApi, Place, Refusal
from lambent.workflow.testing.readiness import Readiness, changed, whole

_START = datetime(2026, 1, 1, tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_MAX_PASSES = 1000


@dataclass(slots=True)
class Pass:
    """What one pass came to; a write is `{verb, kind, name, body}`."""

    result: RunResult
    status: dict[str, Any]
    writes: list[dict[str, Any]]
    managed: dict[str, Any]
    requeue_s: float | None


@dataclass(slots=True)
class World:
    """The trigger, the objects and the clock between passes."""

    workflow: Workflow
    catalog: Catalog
    parent: dict[str, Any]
    api: MemoryApi = field(default_factory=MemoryApi)
    now: datetime = _START
    attempts: dict[str, Attempt] = field(default_factory=dict)

    def run(self) -> Pass:
        """One pass, with what it publishes."""
        before = len(self.api.writes)
        running = WorkflowPass(self.workflow, parent_of(self.parent), self.catalog, owner=owner_of(self.parent))
        effects = running.start()
        while effects:
            effect = effects.pop(0)
            effects += running.feed(effect, self.api.answer(effect))
        assert running.result is not None
        result = running.result
        self.attempts = next_attempts(result, self.attempts)
        record = next_record(result, parse_record(self.parent["metadata"]))
        stamp = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        present = self.parent.get("status") or {}
        status = {**present, **wanted_status(result, present, now=stamp, generation=None)}
        annotations = {**(self.parent["metadata"].get("annotations") or {}), ANNOTATION: record.text()}
        self.parent = {
            **self.parent,
            "metadata": {**self.parent["metadata"], "annotations": annotations},
            "status": status,
        }
        writes = [
            {"verb": written.verb, "kind": written.ref.kind, "name": written.ref.name, "body": written.body}
            for written in self.api.writes[before:]
        ]
        return Pass(result, status, writes, record.resources, requeue_s(self.attempts.values()))

    def change(self, case: Mapping[str, Any]) -> None:
        """What a case does before its pass: time, trigger, objects, refusals. Raises `Failed`."""
        if case.get("advance"):
            self.advance(seconds(case["advance"]))
        if case.get("patchParent"):
            self.parent = whole(merge(self.parent, case["patchParent"]), "the trigger")
        for change in case.get("set") or ():
            self._set(_place(change), change["overlay"])
        for ref in case.get("delete") or ():
            self.api.delete(_place(ref))
        for fault in case.get("fail") or ():
            name, times = fault.get("name") or "", fault.get("times") or 1
            self.api.refusals.append(Refusal(fault["verb"], fault["kind"], name, fault["status"], times))

    def _set(self, place: Place, overlay: Mapping[str, Any]) -> None:
        """Lays values over an object; expressions see it as `resource`."""
        live = self.api.objects.get(place)
        if live is None:
            raise Failed(f"{place[1]} {place[3]} does not exist and cannot be set", "")
        self.api.put(changed(live, Compiler(Document({})).overlay(overlay, (), ("resource",))))

    def advance(self, delay_s: float) -> None:
        """Time passes, at most to its end."""
        self.now = _later(self.now, delay_s)

    def converge(self, within_s: float, ready: Readiness) -> Pass:
        """Passes as the controller would run them (at once after a write, else when the next is due) until one is Ok
        or the time is over; the last one. Raises `Failed`.
        """
        end = _later(self.now, within_s)
        done = self.run()
        for _ in range(_MAX_PASSES):
            if isinstance(done.result.outcome, Ok):
                break
            for place, live in list(self.api.objects.items()):
                if place[1] in ready:
                    self.api.put(changed(live, ready[place[1]]))
            if not done.writes:
                self.now = _END if done.requeue_s is None else _later(self.now, done.requeue_s)
            if self.now > end:
                break
            done = self.run()
        return done


def _place(ref: Mapping[str, Any]) -> Place:
    return ref["apiVersion"], ref["kind"], ref.get("namespace") or "", ref["name"]


def _later(moment: datetime, delay_s: float) -> datetime:
    """The moment after a delay, or the end of time."""
    try:
        return moment + timedelta(seconds=delay_s)
    except OverflowError:
        return _END
