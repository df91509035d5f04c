"""`lambent plan`: what passes of a workflow would read and write, without writing anything.

The pass is the controller's own; only the driver differs. Reads are handed out (offline they come from files, with a
cluster from its API), writes happen to a copy in memory that later reads see. No controller makes resources ready here:
`converge` takes from a WorkflowTest what would, and without that ends where steps wait for theirs.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent.workflow.engine import (
    Answer,
    Catalog,
    Effect,
    Found,
    Plan,
    Read,
    ResourceRef,
    RunResult,
    Workflow,
    WorkflowPass,
    owner_of,
    parent_of,
    strictly_equal,
)
from lambent.workflow.engine.managed import Record, next_record, parse_record
from lambent.workflow.testing.memory_api import after_write
from lambent.workflow.testing.readiness import Readiness, changed

# A chain of a hundred steps, each of which creates its object and then waits, needs no more.
_MAX_PASSES = 200
ASSUMED_UID = "00000000-0000-0000-0000-000000000000"

Place = tuple[str, str, str, str]
Reading = Generator[ResourceRef, Answer, "Forecast"]


@dataclass(slots=True, eq=False)
class Change:
    """A write that would happen; `before` and `after` are the object, None where there is none."""

    step: str
    plan: Plan
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def ref(self) -> ResourceRef:
        assert self.plan.ref is not None
        return self.plan.ref


@dataclass(slots=True, eq=False)
class ForecastPass:
    """`became_ready` are the objects that were made ready after it."""

    result: RunResult
    changes: list[Change]
    became_ready: list[ResourceRef] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Forecast:
    """`orphans` are resources of the record that no step manages any longer; `seen` is what was read, with writes."""

    workflow: Workflow
    parent: Mapping[str, Any]
    passes: list[ForecastPass] = field(default_factory=list)
    orphans: list[ResourceRef] = field(default_factory=list)
    seen: dict[Place, Answer] = field(default_factory=dict)

    @property
    def changes(self) -> list[Change]:
        return [change for one in self.passes for change in one.changes]

    @property
    def has_difference(self) -> bool:
        return bool(self.changes) or (self.workflow.deletes_orphans and bool(self.orphans))


def completed(parent: Mapping[str, Any], *, workflow: Workflow) -> tuple[dict[str, Any], list[str]]:
    """A trigger as the server would have stored it, and what had to be assumed for that."""
    obj, notes = dict(parent), []
    metadata = dict(obj.get("metadata") or {})
    if not metadata.get("uid"):
        metadata["uid"] = ASSUMED_UID
        notes.append(f"the parent has no metadata.uid; {ASSUMED_UID} is assumed")
    if not metadata.get("namespace"):
        metadata["namespace"] = "default"
        notes.append("the parent has no metadata.namespace; default is assumed")
    trigger = workflow.trigger
    if trigger is not None and obj.get("kind") != trigger.kind:
        notes.append(f"the parent is of kind {obj.get('kind')}, the workflow is triggered by {trigger.kind}")
    return {**obj, "metadata": metadata}, notes


def forecast(
    workflow: Workflow,
    parent: Mapping[str, Any],
    catalog: Catalog,
    *,
    converge: bool = False,
    record: Record | None = None,
    ready: Readiness | None = None,
) -> Reading:
    """A generator of reads, resumed with answers; returns the forecast.

    `record` is the one of managed resources when it lies elsewhere than on the parent; `ready` makes objects ready
    between the passes of `converge`. Raises `Failed` when that cannot be done.
    """
    made = Forecast(workflow, parent)
    known = made.seen
    record = record if record is not None else parse_record(parent.get("metadata") or {})
    for _ in range(_MAX_PASSES if converge else 1):
        running = WorkflowPass(workflow, parent_of(parent), catalog, owner=owner_of(parent))
        changes = yield from _run(running, known)
        assert running.result is not None
        made.passes.append(ForecastPass(running.result, changes))
        record = next_record(running.result, record)
        made.passes[-1].became_ready = list(_made_ready(record.refs(), known, ready or {})) if converge else []
        if not changes and not made.passes[-1].became_ready:
            break
        parent = {**parent, "status": {**(parent.get("status") or {}), "state": running.result.state}}
    made.orphans = record.orphans
    return made


def _run(running: WorkflowPass, known: dict[Place, Answer]) -> Generator[ResourceRef, Answer, list[Change]]:
    changes: list[Change] = []
    effects: deque[Effect] = deque(running.start())
    while effects:
        effect = effects.popleft()
        if not isinstance(effect, Read):
            effects.extend(running.feed(effect, _written(effect.step, effect.plan, known, changes)))
            continue
        place = effect.ref.place
        if place not in known:
            known[place] = yield effect.ref
        effects.extend(running.feed(effect, known[place]))
    return changes


def _made_ready(refs: Iterable[ResourceRef], known: dict[Place, Answer], ready: Readiness) -> Iterator[ResourceRef]:
    """Lays over each object what makes its kind ready, and yields those that this changes."""
    for ref in refs:
        answer = known.get(ref.place)
        if ref.kind not in ready or not isinstance(answer, Found) or answer.object is None:
            continue
        after = changed(answer.object, ready[ref.kind])
        if not strictly_equal(after, answer.object):
            known[ref.place] = Found(after)
            yield ref


def _written(step: str, plan: Plan, known: dict[Place, Answer], changes: list[Change]) -> Answer:
    assert plan.ref is not None
    answer = known.get(plan.ref.place)
    before = answer.object if isinstance(answer, Found) else None
    after = after_write(plan, before)
    changes.append(Change(step, plan, before, after))
    known[plan.ref.place] = Found(after)
    return Found(after)


def answer_from(objects: Iterable[Mapping[str, Any]]) -> Callable[[ResourceRef], Answer]:
    """Reads answered by a set of objects."""
    places: dict[Place, dict[str, Any]] = {}
    for obj in objects:
        metadata = obj.get("metadata")
        if isinstance(metadata, Mapping) and obj.get("apiVersion") and obj.get("kind"):
            place = (obj["apiVersion"], obj["kind"], metadata.get("namespace") or "", metadata.get("name") or "")
            places[place] = dict(obj)
    return lambda ref: Found(places.get(ref.place))


def drive(reading: Reading, answer: Callable[[ResourceRef], Answer]) -> Forecast:
    """Runs a forecast with answers at hand."""
    try:
        ref = next(reading)
        while True:
            ref = reading.send(answer(ref))
    except StopIteration as stop:
        made: Forecast = stop.value
        return made
