"""FunctionTests: the cases of a document, run in sequence with the real planner against one object in memory.

Inputs and object carry on from case to case, also after one that failed (later cases are then marked); a variant
starts from the carried state and leaves nothing behind. A function that is missing or invalid fails its cases, not the
run.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambent.workflow.engine import (
    Catalog,
    Context,
    Ok,
    Outcome,
    Plan,
    ResourceFunction,
    Unready,
    ValueFunction,
    name_of,
    plan,
)
from lambent.workflow.engine.expressions import Compiler, Failed, expressions_in
from lambent.workflow.engine.patches import without_nulls
from lambent.workflow.spec import Diagnostic, Document, has_errors, path_text, validate
from lambent.workflow.testing.expectations import Mismatch, mismatches, without_traces
from lambent.workflow.testing.memory_api import StateMerge, after_write
from lambent.workflow.testing.results import CaseResult, TestResult
from lambent.workflow.testing.stated_outcomes import said_of, statement_of, wrong_outcome


@dataclass(slots=True)
class _State:
    """What carries on between cases."""

    inputs: dict[str, Any]
    resource: dict[str, Any] | None


@dataclass(slots=True)
class _Ran:
    """One run of the function: its outcome, the plan if it has one, and the object before and after."""

    outcome: Outcome
    plan: Plan | None
    after: dict[str, Any] | None


def run_function_test(
    document: Document, catalog: Catalog, *, mode: StateMerge | None = None, fail_fast: bool = False
) -> TestResult:
    """Runs every case. `mode` overrides the document's own `stateMerge`."""
    span = document.span(())
    result = TestResult(document.identity, document.file, span.line)
    diagnostics = validate(document)
    if has_errors(diagnostics):
        result.problems = [diagnostic.render() for diagnostic in diagnostics]
        return result
    spec = document.spec
    reference = spec["functionRef"]
    function = catalog.resolve(reference["kind"], reference["name"], document.identity.namespace)
    chosen: StateMerge = mode or spec.get("stateMerge") or "merge"
    state = _State(spec.get("inputs") or {}, spec.get("currentResource"))
    has_failed = False
    for index, case in enumerate(spec.get("testCases") or ()):
        started = time.perf_counter()
        done = _Case(document, index, case).run(function, state, catalog, chosen)
        done.duration_us = (time.perf_counter() - started) * 1e6
        done.is_after_failure = has_failed
        has_failed = has_failed or done.status == "failed"
        result.cases.append(done)
        if has_failed and fail_fast:
            break
    return result


def test_diagnostics(document: Document) -> list[Diagnostic]:
    """What is wrong with a valid FunctionTest's expressions; bare input names in an overlay are a deprecated alias."""
    compiler = Compiler(document)
    inputs = dict(document.spec.get("inputs") or {})
    for index, case in enumerate(document.spec.get("testCases") or ()):
        inputs = deep_merge(inputs, case.get("inputOverrides") or {})
        path = ("spec", "testCases", index, "overlayResource")
        if not case.get("overlayResource"):
            continue
        bare = {name for name in inputs if name.isidentifier()} - {"inputs", "resource"}
        overlay = compiler.overlay(case["overlayResource"], path, {"inputs", "resource", *bare})
        for expression in expressions_in(overlay):
            used = sorted({read[0] for read in expression.program.references} & bare)
            if used:
                message = f"use inputs.{used[0]} instead of the bare name {used[0]}"
                found = document.diagnose("bare-input", message, expression.path, severity="warning")
                compiler.diagnostics.append(found)
    return compiler.diagnostics


test_diagnostics.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest


def deep_merge(base: Any, override: Any) -> Any:
    """Maps merge; lists, scalars and nulls replace."""
    if not isinstance(base, Mapping) or not isinstance(override, Mapping):
        return override
    return {**base, **{key: deep_merge(base.get(key), value) for key, value in override.items()}}


class _Case:
    """One case of a document."""

    def __init__(self, document: Document, index: int, case: Mapping[str, Any]) -> None:
        self._document = document
        self._path = ("spec", "testCases", index)
        self._case = case
        self._label = case.get("label") or f"Test Case {index + 1}"

    def run(self, function: Any, state: _State, catalog: Catalog, mode: StateMerge) -> CaseResult:
        """The result; changes the carried state unless the case is a variant."""
        span = self._document.span(self._path)
        place = f"{self._document.file}:{span.line}" if self._document.file else path_text(self._path)
        if self._case.get("skip"):
            return CaseResult(self._label, "skipped", place)
        if not isinstance(function, ValueFunction | ResourceFunction):
            why = function.reason if isinstance(function, Unready) else str(function)
            return CaseResult(self._label, "failed", place, reason=why)
        inputs = deep_merge(state.inputs, self._case.get("inputOverrides") or {})
        try:
            resource = self._resource(state.resource, inputs)
        except Failed as failure:
            return CaseResult(self._label, "failed", place, reason=failure.message, location=failure.location)
        ran = _run(function, inputs, resource, catalog, mode)
        if not self._case.get("variant"):
            state.inputs, state.resource = inputs, ran.after
        return self._judge(ran, place)

    def _resource(self, carried: dict[str, Any] | None, inputs: dict[str, Any]) -> dict[str, Any] | None:
        given: dict[str, Any] | None = self._case.get("currentResource") or carried
        overlay = self._case.get("overlayResource")
        if not overlay:
            return given
        where = (*self._path, "overlayResource")
        if given is None:
            raise Failed("overlayResource needs an object to lay over", path_text(where))
        compiler = Compiler(self._document)
        bare = [name for name in inputs if name.isidentifier()]
        compiled = compiler.overlay(overlay, where, {"inputs", "resource", *bare})
        if has_errors(compiler.diagnostics):
            first = next(found for found in compiler.diagnostics if found.is_error)
            raise Failed(first.message, first.place)
        return compiled.apply(given, {**inputs, "inputs": inputs, "resource": given})

    def _judge(self, ran: _Ran, place: str) -> CaseResult:
        outcome = ran.outcome
        message = "" if isinstance(outcome, Ok) else outcome.message
        result = CaseResult(self._label, "passed", place, name_of(outcome), message)
        result.reason, result.differences = self._failure(ran)
        if result.reason:
            result.status = "failed"
            result.path, result.actual = self._path, _actual(self._case, ran)
            # Differences are of values; where an outcome comes from matters when it is the outcome that is wrong.
            result.location = "" if isinstance(outcome, Ok) or result.differences else outcome.location
        return result

    def _failure(self, ran: _Ran) -> tuple[str, tuple[Mismatch, ...]]:
        """Why the case fails, or an empty text."""
        case = self._case
        if case.get("expectReturn") is not None:
            return _check_return(case["expectReturn"], ran)
        if case.get("expectResource") is not None:
            return _check_resource(case["expectResource"], ran)
        if case.get("expectDelete") is not None:
            deleted = ran.plan is not None and ran.plan.action == "delete"
            wanted = "a delete" if case["expectDelete"] else "no delete"
            return (
                ("", ()) if deleted == case["expectDelete"] else (f"expected {wanted}, got {said_of(ran.outcome)}", ())
            )
        return wrong_outcome(case.get("expectOutcome") or {}, ran.outcome), ()


def _run(
    function: ValueFunction | ResourceFunction,
    inputs: dict[str, Any],
    resource: dict[str, Any] | None,
    catalog: Catalog,
    mode: StateMerge,
) -> _Ran:
    if isinstance(function, ValueFunction):
        return _Ran(function.evaluate(inputs, resource, has_resource=resource is not None), None, resource)
    made = plan(function, inputs, resource, Context(catalog))
    after = after_write(made, resource, mode) if made.is_write else resource
    return _Ran(made.outcome, made, after)


def _actual(case: Mapping[str, Any], ran: _Ran) -> dict[str, Any]:
    """What each expectation would have to be for this run."""
    found: dict[str, Any] = {}
    if case.get("expectOutcome"):
        found["expectOutcome"] = statement_of(case["expectOutcome"], ran.outcome)
    if isinstance(ran.outcome, Ok) and isinstance(ran.outcome.value, dict):
        found["expectReturn"] = ran.outcome.value
    if ran.plan is not None:
        found["expectDelete"] = ran.plan.action == "delete"
        if ran.plan.is_write and ran.after is not None:
            found["expectResource"] = without_traces(ran.after)
    return found


def _check_return(expected: Any, ran: _Ran) -> tuple[str, tuple[Mismatch, ...]]:
    if not isinstance(ran.outcome, Ok):
        return f"expected a return, got {said_of(ran.outcome)}", ()
    found = tuple(mismatches(expected, ran.outcome.value))
    return ("the return differs" if found else ""), found


def _check_resource(expected: Any, ran: _Ran) -> tuple[str, tuple[Mismatch, ...]]:
    if ran.plan is None or not ran.plan.is_write or ran.plan.action == "delete" or ran.after is None:
        return f"expected a write, got {said_of(ran.outcome)}", ()
    # A null is no field: servers store none, while Koreo's runner, which keeps it, wants it stated.
    wanted, have = (without_nulls(without_traces(side)) for side in (expected, ran.after))
    found = tuple(mismatches(wanted, have))
    return ("the resource differs" if found else ""), found
