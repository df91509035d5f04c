"""WorkflowTests: passes of a workflow on a clock that the test moves, against objects in memory.

A pass that cannot be prepared, or does something else than expected, fails; later ones run all the same. At the end a
test may run passes until the workflow is Ready.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lambent.workflow.engine import Catalog, Ok, Unready, Workflow, name_of
from lambent.workflow.engine.expressions import Compiler, Failed
from lambent.workflow.spec import Diagnostic, Document, has_errors, seconds, validate
from lambent.workflow.testing.expectations import Mismatch
from lambent.workflow.testing.pass_expectations import met_by, pass_differences
from lambent.workflow.testing.readiness import readiness_of
from lambent.workflow.testing.results import CaseResult, TestResult
from lambent.workflow.testing.stated_outcomes import said_of
from lambent.workflow.testing.world import Pass, World


def run_workflow_test(document: Document, catalog: Catalog, *, fail_fast: bool = False) -> TestResult:
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
    world = World(workflow, catalog, {**spec["parent"], "metadata": metadata})
    for obj in spec.get("resources") or ():
        world.api.put(obj)
    for index, case in enumerate(spec.get("passes") or ()):
        label = case.get("label") or f"Pass {index + 1}"
        _run(result, document, label, ("spec", "passes", index), partial(_pass, world, case))
        if fail_fast and not result.is_passed:
            return result
    if spec.get("converge"):
        _run(result, document, "converge", ("spec", "converge"), partial(_converge, world, document))
    return result


def workflow_test_diagnostics(document: Document) -> list[Diagnostic]:
    """What is wrong with the expressions of a valid WorkflowTest."""
    compiler = Compiler(document)
    for index, case in enumerate(document.spec.get("passes") or ()):
        for place, change in enumerate(case.get("set") or ()):
            compiler.overlay(change["overlay"], ("spec", "passes", index, "set", place, "overlay"), ("resource",))
    readiness_of(_ready(document), compiler, ("spec", "converge", "ready"))
    return compiler.diagnostics


def _ready(document: Document) -> list[Mapping[str, Any]]:
    return (document.spec.get("converge") or {}).get("ready") or []


def _run(
    result: TestResult,
    document: Document,
    label: str,
    path: tuple[str | int, ...],
    run: Callable[[CaseResult], None],
) -> None:
    """One case, timed; `run` notes in it what failed."""
    place = f"{document.file}:{document.span(path).line}" if document.file else ""
    case = CaseResult(label, "passed", place, path=path, is_after_failure=not result.is_passed)
    started = time.perf_counter()
    try:
        run(case)
    except Failed as failure:
        case.reason = failure.message
    case.status = "failed" if case.reason else "passed"
    case.duration_us = (time.perf_counter() - started) * 1e6
    result.cases.append(case)


def _pass(world: World, case: Mapping[str, Any], result: CaseResult) -> None:
    world.change(case)
    done = world.run()
    _tell(result, done)
    expect = case.get("expect") or {}
    result.differences = tuple(pass_differences(expect, done, world.api))
    if result.differences:
        result.reason = "the pass differs"
        result.notes = _unfinished(done, result.differences)
        result.actual = {"expect": met_by(expect, done, world.api)}


def _converge(world: World, document: Document, result: CaseResult) -> None:
    within = document.spec["converge"]["within"]
    done = world.converge(seconds(within), readiness_of(_ready(document), Compiler(document)))
    _tell(result, done)
    if not isinstance(done.result.outcome, Ok):
        result.reason = f"not ready within {within}: {name_of(done.result.outcome)}"
        result.notes = tuple(f"{label}: {said_of(step.outcome)}" for label, step in done.result.steps.items())


def _tell(result: CaseResult, done: Pass) -> None:
    outcome = done.result.outcome
    result.outcome, result.message = name_of(outcome), "" if isinstance(outcome, Ok) else outcome.message


def _unfinished(done: Pass, differences: tuple[Mismatch, ...]) -> tuple[str, ...]:
    """The steps that were not Ok, of which no difference tells: often the cause of the others."""
    told = {difference.path for difference in differences}
    return tuple(
        f"step {label} was {said_of(step.outcome)}"
        for label, step in done.result.steps.items()
        if not isinstance(step.outcome, Ok) and f"steps.{label}" not in told
    )
