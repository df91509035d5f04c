"""WorkflowTests: passes of a workflow on a clock that the test moves, against objects in memory.

The pass, the status and the record are the controller's own; only the driver differs. `converge` runs passes as the
controller would: at once after a write, else when the next one is due.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lambent.workflow.engine import (
    Catalog,
    Ok,
    RunResult,
    Unready,
    Workflow,
    WorkflowPass,
    name_of,
    owner_of,
    parent_of,
)
from lambent.workflow.engine.expressions import Bindings, Compiler, Failed
from lambent.workflow.engine.managed import ANNOTATION, next_record, parse_record
from lambent.workflow.engine.patches import merge
from lambent.workflow.engine.publishing import wanted_status
from lambent.workflow.engine.requeue import Attempt, next_attempts, requeue_s
from lambent.workflow.spec import Diagnostic, Document, has_errors, seconds, validate
from lambent.workflow.spec.workflow_test_rules import object_problems
from lambent.workflow.testing.expectations import mismatches
from lambent.workflow.testing.function_test import CaseResult, TestResult, said_of, wrong_outcome
from lambent.workflow.testing.memory_api import MemoryApi, Place, Refusal, place_of

_START = datetime(2026, 1, 1, tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_MAX_PASSES = 1000


@dataclass(slots=True)
class _World:
    """The trigger, the objects and the clock between passes."""

    workflow: Workflow
    catalog: Catalog
    parent: dict[str, Any]
    api: MemoryApi = field(default_factory=MemoryApi)
    now: datetime = _START
    attempts: dict[str, Attempt] = field(default_factory=dict)

    def run(self) -> "_Pass":
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
        return _Pass(result, status, writes, record.resources, requeue_s(self.attempts.values()))


@dataclass(slots=True)
class _Pass:
    """What one pass came to."""

    result: RunResult
    status: dict[str, Any]
    writes: list[dict[str, Any]]
    managed: dict[str, Any]
    requeue_s: float | None


def run_workflow_test(document: Document, catalog: Catalog) -> TestResult:
    """Runs every pass, then the convergence; a workflow that is missing or invalid fails them with its diagnostic."""
    result = TestResult(document.identity, document.file, document.span(()).line)
    diagnostics = validate(document)
    if not has_errors(diagnostics):
        diagnostics += workflow_test_diagnostics(document)
    if has_errors(diagnostics):
        result.problems = [diagnostic.render() for diagnostic in diagnostics]
        return result
    spec = document.spec
    workflow = catalog.resolve("Workflow", spec["workflowRef"]["name"], document.identity.namespace)
    if not isinstance(workflow, Workflow):
        result.problems = [workflow.reason if isinstance(workflow, Unready) else str(workflow)]
        return result
    metadata = {"uid": "uid-parent", **(spec["parent"].get("metadata") or {})}
    world = _World(workflow, catalog, {**spec["parent"], "metadata": metadata})
    for obj in spec.get("resources") or ():
        world.api.put(obj)
    for index, case in enumerate(spec.get("passes") or ()):
        label = case.get("label") or f"Pass {index + 1}"
        result.cases.append(_timed(document, ("spec", "passes", index), label, lambda c=case: _pass(world, c)))
    if spec.get("converge"):
        converge = spec["converge"]
        result.cases.append(_timed(document, ("spec", "converge"), "converge", lambda: _converge(world, converge)))
    return result


def workflow_test_diagnostics(document: Document) -> list[Diagnostic]:
    """What is wrong with the expressions of a valid WorkflowTest."""
    compiler = Compiler(document)
    for index, case in enumerate(document.spec.get("passes") or ()):
        for place, change in enumerate(case.get("set") or ()):
            compiler.overlay(change["overlay"], ("spec", "passes", index, "set", place, "overlay"), ("resource",))
    for place, entry in enumerate((document.spec.get("converge") or {}).get("ready") or ()):
        compiler.overlay(entry["overlay"], ("spec", "converge", "ready", place, "overlay"), ("resource",))
    return compiler.diagnostics


def _timed(document: Document, path: tuple[str | int, ...], label: str, run: Any) -> CaseResult:
    started = time.perf_counter()
    place = f"{document.file}:{document.span(path).line}" if document.file else ""
    reasons: list[str] = run()
    result = CaseResult(label, "failed" if reasons else "passed", place, reason="\n".join(reasons))
    result.duration_us = (time.perf_counter() - started) * 1e6
    return result


def _pass(world: _World, case: Mapping[str, Any]) -> list[str]:
    if case.get("advance"):
        world.now = _later(world.now, seconds(case["advance"]))
    try:
        if case.get("patchParent"):
            world.parent = _whole(merge(world.parent, case["patchParent"]), "the trigger")
        for change in case.get("set") or ():
            _set(world.api, _place(change), change["overlay"])
    except Failed as failure:
        return [failure.message]
    for ref in case.get("delete") or ():
        world.api.delete(_place(ref))
    for fault in case.get("fail") or ():
        name, times = fault.get("name") or "", fault.get("times") or 1
        world.api.refusals.append(Refusal(fault["verb"], fault["kind"], name, fault["status"], times))
    done = world.run()
    return list(_failures(case.get("expect") or {}, done, world.api))


def _place(ref: Mapping[str, Any]) -> Place:
    return ref["apiVersion"], ref["kind"], ref.get("namespace") or "", ref["name"]


def _set(api: MemoryApi, place: Place, overlay: Mapping[str, Any]) -> None:
    """Lays values over an object; expressions see it as `resource`."""
    live = api.objects.get(place)
    if live is None:
        raise Failed(f"{place[1]} {place[3]} does not exist and cannot be set", "")
    compiled = Compiler(Document({})).overlay(overlay, (), ("resource",))
    bindings: Bindings = {"resource": live}
    changed = _whole(compiled.apply(live, bindings), f"{place[1]} {place[3]}")
    if place_of(changed) != place:
        raise Failed(f"{place[1]} {place[3]} cannot become another object", "")
    api.put(changed)


def _whole(obj: dict[str, Any], what: str) -> dict[str, Any]:
    """The object, when it still is one after a change. Raises `Failed`."""
    for path, message in object_problems(obj):
        raise Failed(f"{what} is no object any more: {'.'.join(map(str, path))} {message}", "")
    return obj


def _later(moment: datetime, delay_s: float) -> datetime:
    """The moment after a delay, or the end of time."""
    try:
        return moment + timedelta(seconds=delay_s)
    except OverflowError:
        return _END


def _failures(expect: Mapping[str, Any], done: _Pass, api: MemoryApi) -> Iterator[str]:
    """What differs from what a pass was to do."""
    for label, wanted in (expect.get("steps") or {}).items():
        yield from _step(label, wanted, done.result)
    conditions = {condition["type"]: condition for condition in done.status["conditions"]}
    for type_, wanted in (expect.get("conditions") or {}).items():
        found = conditions.get(type_, {})
        for name, value in wanted.items():
            if not _is_said(name, value, found.get(name)):
                yield f"condition {type_}: expected {name} {value!r}, got {found.get(name)!r}"
    if expect.get("state") is not None:
        yield from (f"state {found}" for found in mismatches(expect["state"], done.status["state"]))
    yield from _writes(expect, done)
    if expect.get("outcome"):
        wrong = wrong_outcome(expect["outcome"], done.result.outcome)
        yield from [f"outcome: {wrong}"] if wrong else []
    for wanted in expect.get("resources") or ():
        yield from _resource(wanted, api)
    if expect.get("managedResources") is not None:
        yield from (f"managedResources {found}" for found in mismatches(expect["managedResources"], done.managed))
    if expect.get("requeueAfter") is not None and done.requeue_s != expect["requeueAfter"]:
        yield f"expected the next pass after {expect['requeueAfter']} s, got {done.requeue_s}"


def _is_said(name: str, wanted: str | None, found: Any) -> bool:
    """A member of a condition: messages in part, all else exactly; null says that there is none."""
    if name == "message" and wanted is not None:
        return isinstance(found, str) and wanted.lower() in found.lower()
    return bool(found == wanted)


def _step(label: str, wanted: Mapping[str, Any], result: RunResult) -> Iterator[str]:
    step = result.steps.get(label)
    if step is None:
        yield f"there is no step {label}"
    elif "return" in wanted and not isinstance(step.outcome, Ok):
        yield f"step {label}: expected a return, got {said_of(step.outcome)}"
    elif "return" in wanted and isinstance(step.outcome, Ok):
        yield from (f"step {label} {found}" for found in mismatches(wanted["return"], step.outcome.value))
    elif wrong := wrong_outcome(wanted, step.outcome):
        yield f"step {label}: {wrong}"


def _writes(expect: Mapping[str, Any], done: _Pass) -> Iterator[str]:
    listed = [f"{write['verb']} {write['kind']} {write['name']}" for write in done.writes]
    if expect.get("noWrites") and listed:
        yield f"expected no writes, got {', '.join(listed)}"
    if expect.get("writes") is None:
        return
    wanted = [f"{write['verb']} {write['kind']} {write['name']}" for write in expect["writes"]]
    if wanted != listed:
        yield f"expected the writes [{', '.join(wanted)}], got [{', '.join(listed)}]"
        return
    for write, made in zip(expect["writes"], done.writes, strict=True):
        if write.get("body") is not None:
            yield from (f"{write['kind']} {write['name']}: {found}" for found in _partly(write["body"], made["body"]))


def _resource(wanted: Mapping[str, Any], api: MemoryApi) -> Iterator[str]:
    live = api.objects.get(place_of(wanted))
    if live is None:
        yield f"{wanted['kind']} {wanted['metadata']['name']} does not exist"
    else:
        yield from (f"{wanted['kind']} {wanted['metadata']['name']}: {found}" for found in _partly(wanted, live))


def _partly(wanted: Any, live: Any, path: str = "") -> Iterator[str]:
    """Only what is wanted is compared."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key, value in wanted.items():
            below = f"{path}.{key}" if path else key
            if key in live:
                yield from _partly(value, live[key], below)
            else:
                yield f"{below}: missing"
    else:
        yield from map(str, mismatches(wanted, live, path))


def _converge(world: _World, converge: Mapping[str, Any]) -> list[str]:
    end = _later(world.now, seconds(converge["within"]))
    ready = {entry["kind"]: entry["overlay"] for entry in converge.get("ready") or ()}
    done = world.run()
    for _ in range(_MAX_PASSES):
        if isinstance(done.result.outcome, Ok):
            return []
        try:
            for place in [place for place in world.api.objects if place[1] in ready]:
                _set(world.api, place, ready[place[1]])
        except Failed as failure:
            return [failure.message]
        if not done.writes:
            world.now = _later(world.now, done.requeue_s or end.timestamp())
        if world.now > end:
            break
        done = world.run()
    steps = done.result.steps.items()
    return [
        f"not ready within {converge['within']}: {name_of(done.result.outcome)}",
        *(f"  {label}: {said_of(step.outcome)}" for label, step in steps),
    ]
