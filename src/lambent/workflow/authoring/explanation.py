"""`lambent explain`: why an object of a trigger kind is not Ready, as a chain of causes.

Made from a forecast of the next pass over what the cluster holds now, beside what the status says. From Ready the
chain goes over the steps that wait to those that hold them up; of each of these it shows the assertion that does not
hold, the paths that it reads (whether they are there, and of which type, never their values), the object waited for
and that object's own conditions, and what the server answered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lambent import cel
from lambent.workflow.authoring.forecast import Forecast
from lambent.workflow.engine import (
    Catalog,
    DepSkip,
    Found,
    Ok,
    Refused,
    ResourceFunction,
    ResourceRef,
    Retry,
    StepResult,
    ValueFunction,
    Workflow,
    name_of,
)
from lambent.workflow.engine.blockers import why_waiting
from lambent.workflow.engine.expressions import Expression, Failed
from lambent.workflow.engine.predicates import Predicate

VERSION = 1


@dataclass(frozen=True, slots=True)
class PathRead:
    """`found` says absent (and from where on), or the type of what is there."""

    path: str
    found: str


@dataclass(slots=True)
class Cause:
    """A step that holds others up. `since`, `attempts` and `next_at` are the status', where it has them."""

    step: str
    outcome: str
    message: str
    function: str = ""
    location: str = ""
    assertion: str = ""
    paths: list[PathRead] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)
    server: str = ""
    due: list[str] = field(default_factory=list)
    delay_s: float | None = None
    since: str = ""
    attempts: int | None = None
    next_at: str = ""
    holds_up: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Explanation:
    """`notes` say where status and cluster disagree."""

    object: str
    workflow: str
    ready: str
    reason: str
    message: str
    outcome: str = ""
    causes: list[Cause] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_settled(self) -> bool:
        """Ready, and the next pass will say the same."""
        return self.ready == "True" and self.outcome == "Ok"

    def to_dict(self) -> dict[str, Any]:
        return {"version": VERSION, **asdict(self)}


def object_name(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata") or {}
    return "/".join(p for p in (obj.get("kind", ""), metadata.get("namespace", ""), metadata.get("name", "")) if p)


def condition(obj: Mapping[str, Any], type_: str) -> Mapping[str, Any]:
    """A condition of an object; empty when it has none."""
    found = (obj.get("status") or {}).get("conditions") or []
    return next((item for item in found if isinstance(item, Mapping) and item.get("type") == type_), {})


def explain(obj: Mapping[str, Any], made: Forecast, catalog: Catalog) -> Explanation:
    """The explanation of an object from the forecast of its next pass."""
    ready = condition(obj, "Ready")
    result = made.passes[-1].result
    found = Explanation(
        object_name(obj),
        str(made.workflow.identity),
        str(ready.get("status", "")),
        str(ready.get("reason", "")),
        str(ready.get("message", "")),
        name_of(result.outcome),
        orphans=[str(orphan) for orphan in made.orphans],
    )
    for label, step in result.steps.items():
        if not isinstance(step.outcome, Ok | DepSkip) or (isinstance(step.outcome, DepSkip) and step.outcome.location):
            cause = cause_of(label, made, catalog)
            cause.holds_up = list(_waiting_on(label, result.steps))
            add_status(cause, obj)
            found.causes.append(cause)
    found.notes = list(_notes(obj, found))
    return found


def _notes(obj: Mapping[str, Any], found: Explanation) -> Iterator[str]:
    if not found.ready:
        yield "the object has no Ready condition yet; is a controller running?"
    elif found.ready == "True" and found.outcome != "Ok":
        yield "the status says Ready, but the next pass will not; the controller has not looked yet"
    elif found.ready != "True" and found.outcome == "Ok":
        yield "the next pass will be Ready; the controller has not looked yet"
    if obj.get("metadata", {}).get("deletionTimestamp"):
        finalizers = ", ".join(obj["metadata"].get("finalizers") or ()) or "none"
        yield f"the object is being deleted; finalizers: {finalizers}"


def _waiting_on(label: str, steps: Mapping[str, StepResult]) -> Iterator[str]:
    """Steps that wait, directly or not, for this one."""
    behind = {label}
    for other, step in steps.items():
        if isinstance(step.outcome, DepSkip) and behind & {d.label for d in step.step.dependencies}:
            behind.add(other)
            yield other


def cause_of(label: str, made: Forecast, catalog: Catalog) -> Cause:
    """What there is to say of a step of the forecast's last pass."""
    step = made.passes[-1].result.steps[label]
    outcome = step.outcome
    location = getattr(outcome, "location", "")
    cause = Cause(label, name_of(outcome), getattr(outcome, "message", ""), location=location)
    if isinstance(outcome, Retry):
        cause.delay_s = outcome.delay_s
    cause.due = [f"{c.plan.action} {c.ref}" for c in made.changes if c.step == label]
    refs = list(_refs(step.managed))
    function, predicate = _predicate_at(step, location, made.workflow, catalog)
    if function is not None:
        cause.function = str(function.identity)
    if predicate is not None and isinstance(predicate.assertion, Expression):
        cause.assertion = " ".join(predicate.assertion.program.text.split())
        bindings = _bindings(step, refs, made)
        cause.paths = [_read(path, bindings) for path in sorted(predicate.assertion.program.references)]
    for ref in refs:
        answer = made.seen.get(ref.place)
        if isinstance(answer, Refused):
            cause.server = f"{answer.code or 'no answer'} {answer.reason}: {answer.message}".strip()
        elif not isinstance(outcome, Ok):
            cause.waits_for.append(state_of(ref, answer.object if isinstance(answer, Found) else None, bool(cause.due)))
    return cause


def state_of(ref: ResourceRef, live: Mapping[str, Any] | None, is_due: bool = False) -> str:
    """An object in a line; of one that a write is due for, what it is now and not what it will be."""
    name = "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)
    if live is None or (is_due and not (live.get("metadata") or {}).get("uid")):
        return f"{name} does not exist"
    told = why_waiting(live).strip()
    if told:
        return f"{name}: {told.partition(': ')[2]}"
    ready = condition(live, "Ready") or condition(live, "ACK.ResourceSynced")
    state = f"{ready['type']} is {ready.get('status')}" if ready else "has no Ready condition"
    return f"{name} exists; {state}"


def _refs(managed: Any) -> Iterator[ResourceRef]:
    if isinstance(managed, ResourceRef):
        yield managed
    elif isinstance(managed, list | dict):
        for item in managed.values() if isinstance(managed, dict) else managed:
            yield from _refs(item)


def _predicate_at(
    step: StepResult, location: str, workflow: Workflow, catalog: Catalog
) -> tuple[ResourceFunction | ValueFunction | None, Predicate | None]:
    """The function that the step runs, and the assertion at a location."""
    only = None
    for reference in step.step.references():
        function = catalog.resolve(reference.kind, reference.name, workflow.identity.namespace)
        if not isinstance(function, ResourceFunction | ValueFunction):
            continue
        only = only or function
        after = function.postconditions if isinstance(function, ResourceFunction) else ()
        for predicate in (*function.preconditions, *after):
            if location and predicate.location == location:
                return function, predicate
    return only, None


def _bindings(step: StepResult, refs: list[ResourceRef], made: Forecast) -> dict[str, Any]:
    """What an assertion sees, as far as it can be had again: the live object, and inputs of a step without forEach."""
    found: dict[str, Any] = {}
    answer = made.seen.get(refs[0].place) if len(refs) == 1 else None
    if isinstance(answer, Found):
        found["resource"] = answer.object
    if step.step.for_each is None:
        from lambent.workflow.engine import parent_of

        steps = {k: s.outcome.value for k, s in made.passes[-1].result.steps.items() if isinstance(s.outcome, Ok)}
        try:
            found["inputs"] = step.step.inputs.evaluate({"parent": parent_of(made.parent), "steps": steps})
        except Failed:
            return found
    return found


def _read(path: tuple[str, ...], bindings: Mapping[str, Any]) -> PathRead:
    text = ".".join(path)
    if path[0] not in bindings:
        return PathRead(text, "not known here")
    value: Any = bindings
    for index, part in enumerate(path):
        if part is cel.WILDCARD or isinstance(value, list):
            break
        if not isinstance(value, Mapping) or part not in value:
            missing = ".".join(path[: index + 1])
            return PathRead(text, "absent" if missing == text else f"absent from {missing} on")
        value = value[part]
    return PathRead(text, _kind(value))


def _kind(value: Any) -> str:
    """The type; of scalars that cannot be secret the value."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"a string of {len(value)} characters"
    if isinstance(value, list | dict):
        return f"a {'list' if isinstance(value, list) else 'map'} of {len(value)}"
    return f"a {type(value).__name__}"


def add_status(cause: Cause, obj: Mapping[str, Any]) -> None:
    """Since when, how often and until when, where the status of the trigger knows it."""
    koreo = (obj.get("status") or {}).get("koreo") or {}
    for entry in koreo.get("steps") or ():
        if entry.get("label") == cause.step and entry.get("outcome") == cause.outcome:
            cause.since = str(entry.get("since", ""))
            cause.attempts = entry.get("attempts")
            cause.next_at = str(entry.get("nextAt") or "")
