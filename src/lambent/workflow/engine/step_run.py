"""One step inside a pass, as a generator: dependencies, skipIf, inputs, forEach or logic, state, in this order.

It yields effects, a `Fork` (the items of a forEach) or a `Sub` (a sub-workflow) and is resumed with the answer, the
list of results, or the finished run. A `PAUSE` asks for nothing: others may go on before it is resumed.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambent.workflow.engine.expressions import Failed, field_place
from lambent.workflow.engine.functions import ResourceFunction, Unready, ValueFunction
from lambent.workflow.engine.json_values import plain
from lambent.workflow.engine.looks import Look
from lambent.workflow.engine.outcomes import (
    DepSkip,
    NotOk,
    Ok,
    Outcome,
    PermFail,
    Retry,
    Skip,
    combine,
    is_error,
    located,
    shortened,
)
from lambent.workflow.engine.resource_run import Ran, run_resource
from lambent.workflow.engine.targets import Context, Lookup
from lambent.workflow.engine.workflows import Dependency, ForEach, LogicRef, Step, Switch, Workflow

MISSING_S = 15.0
UNREADY_S = 180.0
CRASH_S = 60.0
_MAX_ITEMS = 10_000


class LogicLookup(Lookup, Protocol):
    """A `Lookup` that also finds the logic of steps."""

    def logic(
        self, kind: str, name: str, namespace: str
    ) -> "Workflow | ResourceFunction | ValueFunction | Unready | str": ...


@dataclass(slots=True, eq=False)
class StepResult:
    """What a step came to; `state` is what it publishes, `state_failure` why it could not; `looks` as of `Ran`."""

    step: Step
    outcome: Outcome
    managed: Any = None
    state: dict[str, Any] | None = None
    state_failure: PermFail | None = None
    looks: tuple[Look, ...] = ()


@dataclass(slots=True, eq=False)
class RunResult:
    """A workflow, or a sub-workflow, after its last step."""

    workflow: Workflow
    steps: dict[str, StepResult]
    outcome: Outcome
    state: dict[str, Any]

    @property
    def looks(self) -> tuple[Look, ...]:
        """Of all steps."""
        return _all_looks(self.steps.values())


@dataclass(slots=True, eq=False)
class Fork:
    """Run these `size` generators, at most `limit` at once; the answer is the list of their results."""

    children: "Iterator[Working]"
    size: int
    limit: int


@dataclass(slots=True, eq=False)
class Sub:
    """Run a workflow with these inputs as parent; the answer is its `RunResult`."""

    workflow: Workflow
    parent: Any


PAUSE = object()
Working = Generator[Any, Any, Ran]


@dataclass(slots=True, eq=False)
class Scope:
    """What a step sees: the pass' context, the workflow's parent, and the results of earlier steps.

    `step_name` and `timeout_s` are those of the outermost step, which the driver's time limit is about.
    """

    lookup: LogicLookup
    context: Context
    workflow: Workflow
    parent: Any
    results: dict[str, StepResult]
    step_name: str
    timeout_s: float


def run_step(scope: Scope, step: Step) -> Generator[Any, Any, StepResult]:
    """Ends with the step's result; an expression that fails is a PermFail of the step."""
    blocked = blocked_by(step, scope.results)
    if blocked is not None:
        return StepResult(step, blocked)
    bindings: dict[str, Any] = {"parent": scope.parent, "steps": _values(step, scope.results)}
    try:
        skipped = _skip(scope, step, bindings)
        if skipped is not None:
            return StepResult(step, skipped)
        inputs = step.inputs.evaluate(bindings)
        if step.for_each is None:
            ran = yield from _logic(scope, step, inputs, bindings)
        else:
            items = step.for_each.item_in.evaluate(bindings)
            ran = yield from _each(scope, step, step.for_each, items, inputs, bindings)
    except Failed as failure:
        return StepResult(step, PermFail(failure.message, failure.location))
    result = StepResult(step, located(ran.outcome, _place(scope, step)), ran.managed, looks=ran.looks)
    if isinstance(ran.outcome, Ok) and step.state is not None:
        _publish(step, result, ran.outcome.value, {**bindings, "inputs": inputs})
    return result


def blocked_by(step: Step, results: Mapping[str, StepResult]) -> DepSkip | None:
    """The DepSkip that unsatisfied dependencies cause, naming each of them."""
    reasons = []
    for dependency in step.dependencies:
        outcome = results[dependency.label].outcome
        if not isinstance(outcome, Ok) and not _proceeds(dependency, outcome):
            verb = "was skipped" if isinstance(outcome, Skip) else "is waiting on dependency"
            reasons.append(f"'{dependency.label}' {verb} ({shortened(outcome.message)})")
    return DepSkip(", ".join(reasons)) if reasons else None


def _proceeds(dependency: Dependency, outcome: NotOk) -> bool:
    if dependency.when_not_ok == "proceed":
        return True
    return dependency.when_not_ok == "proceedOnSkip" and isinstance(outcome, Skip | DepSkip)


def _values(step: Step, results: Mapping[str, StepResult]) -> dict[str, Any]:
    """Results of the dependencies that are Ok; others are absent, so that `has()` tells."""
    outcomes = ((dependency.label, results[dependency.label].outcome) for dependency in step.dependencies)
    return {label: outcome.value for label, outcome in outcomes if isinstance(outcome, Ok)}


def _place(scope: Scope, step: Step) -> str:
    return f"{scope.workflow.identity}:spec.steps[{step.index}]"


def _skip(scope: Scope, step: Step, bindings: Mapping[str, Any]) -> NotOk | None:
    if step.skip_if is None:
        return None
    value = step.skip_if.evaluate(bindings)
    if not isinstance(value, bool):
        where = field_place(scope.workflow.document, ("spec", "steps", step.index, "skipIf"))
        return PermFail(f"skipIf must yield a bool, not {type(value).__name__}", where)
    return Skip("skipped by workflow", _place(scope, step)) if value else None


def _publish(step: Step, result: StepResult, value: Any, bindings: Mapping[str, Any]) -> None:
    """A failing state expression is a failure of the state, not of the step."""
    assert step.state is not None
    try:
        result.state = plain(step.state.apply({}, {**bindings, "value": value}), f"steps[{step.index}].state")
    except Failed as failure:
        result.state_failure = PermFail(failure.message, failure.location)


def _logic(scope: Scope, step: Step, inputs: Any, bindings: Mapping[str, Any]) -> Working:
    """Runs the function, resource or sub-workflow that the step names."""
    found = _chosen(scope, step, inputs, bindings)
    if isinstance(found, ValueFunction):
        return Ran(found.evaluate(inputs))
    if isinstance(found, ResourceFunction):
        ran = yield from run_resource(found, inputs, scope.context, step=scope.step_name, timeout_s=scope.timeout_s)
        return ran
    if isinstance(found, Workflow):
        nested: RunResult = yield Sub(found, inputs)
        managed = {label: result.managed for label, result in nested.steps.items()}
        value = Ok(nested.state) if isinstance(nested.outcome, Ok) else nested.outcome
        return Ran(value, managed, nested.looks)
    return Ran(found)


def _chosen(scope: Scope, step: Step, inputs: Any, bindings: Mapping[str, Any]) -> Any:
    """The logic, or the outcome that its absence causes."""
    reference = step.logic if isinstance(step.logic, LogicRef) else _switched(scope, step, inputs, bindings)
    if not isinstance(reference, LogicRef):
        return reference
    found = scope.lookup.logic(reference.kind, reference.name, scope.workflow.identity.namespace)
    if isinstance(found, str):
        return Retry(found, MISSING_S, _place(scope, step))
    if isinstance(found, Unready):
        return Retry(found.reason, UNREADY_S, _place(scope, step))
    return found


def _switched(scope: Scope, step: Step, inputs: Any, bindings: Mapping[str, Any]) -> LogicRef | PermFail:
    switch = step.logic
    assert isinstance(switch, Switch)
    value = switch.switch_on.evaluate({**bindings, "inputs": inputs})
    where = field_place(scope.workflow.document, ("spec", "steps", step.index, "refSwitch", "switchOn"))
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str | int):
        text = str(value)
    else:
        return PermFail(f"switchOn must yield a string, int or bool, not {type(value).__name__}", where)
    found = switch.cases.get(text, switch.default)
    if found is None:
        return PermFail("switchOn yields a value without a case; add a default, or skip the step with skipIf", where)
    return found


def _each(scope: Scope, step: Step, each: ForEach, items: Any, inputs: Any, bindings: Mapping[str, Any]) -> Working:
    where = field_place(scope.workflow.document, ("spec", "steps", step.index, "forEach", "itemIn"))
    if not isinstance(items, list):
        return Ran(PermFail(f"itemIn must yield a list, not {type(items).__name__}", where))
    if len(items) > _MAX_ITEMS:
        return Ran(PermFail(f"itemIn yields more than {_MAX_ITEMS} items", where))
    each_inputs = ({**inputs, each.input_key: item} for item in items)
    function = _value_function(scope, step)
    if function is not None:
        results = yield from _values_of(function, each_inputs)
    elif items:
        children = (_item(scope, step, item_inputs, bindings) for item_inputs in each_inputs)
        results = yield Fork(children, len(items), each.concurrency)
    else:
        results = []
    return _collected(results, each)


def _value_function(scope: Scope, step: Step) -> ValueFunction | None:
    if not isinstance(step.logic, LogicRef) or step.logic.kind != "ValueFunction":
        return None
    found = scope.lookup.logic(step.logic.kind, step.logic.name, scope.workflow.identity.namespace)
    return found if isinstance(found, ValueFunction) else None


def _values_of(function: ValueFunction, each_inputs: Iterator[dict[str, Any]]) -> Generator[Any, Any, list[Ran]]:
    """Items of a plain value function need no scheduling, only a pause after each."""
    results = []
    for inputs in each_inputs:
        results.append(Ran(function.evaluate(inputs)))
        yield PAUSE
    return results


def _item(scope: Scope, step: Step, inputs: Any, bindings: Mapping[str, Any]) -> Working:
    try:
        ran = yield from _logic(scope, step, inputs, bindings)
    except Failed as failure:
        return Ran(PermFail(failure.message, failure.location))
    return ran


def _collected(results: list[Ran], each: ForEach) -> Ran:
    """Results in source order; a Retry or PermFail of any item is one of the step, with the item's index."""
    managed, looks = [ran.managed for ran in results], _all_looks(results)
    failed = list(_indexed(results))
    if failed:
        return Ran(combine(failed), managed, looks)
    values = [ran.outcome.value if isinstance(ran.outcome, Ok) else None for ran in results]
    if each.drop_skipped:
        values = [ran.outcome.value for ran in results if isinstance(ran.outcome, Ok)]
    return Ran(Ok(values), managed, looks)


def _all_looks(results: Iterable[Ran | StepResult]) -> tuple[Look, ...]:
    return tuple(look for result in results for look in result.looks)


def _indexed(results: list[Ran]) -> Iterator[Outcome]:
    for index, ran in enumerate(results):
        outcome = ran.outcome
        if isinstance(outcome, PermFail):
            yield PermFail(f"[{index}] {outcome.message}", outcome.location)
        elif isinstance(outcome, Retry) and is_error(outcome):
            yield Retry(f"[{index}] {outcome.message}", outcome.delay_s, outcome.location, outcome.is_server_error)
