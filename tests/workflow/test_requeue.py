"""When a step that is not done is tried again: delays as written, back-off for server errors, each step for itself."""

from typing import Any

import pytest

from lambent.workflow.engine import DepSkip, Ok, Outcome, PermFail, Retry, RunResult, Skip, Workflow, combine, prepare
from lambent.workflow.engine.requeue import Attempt, next_attempts, requeue_s
from lambent.workflow.engine.step_run import StepResult
from tests.workflow.shared import documents

WORKFLOW = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w}
spec:
  steps:
  - {label: a, ref: {kind: ValueFunction, name: f}}
  - {label: b, ref: {kind: ValueFunction, name: f}, retry: {minDelay: 5s, maxDelay: 12s, factor: 2}}
"""
DOWN = Retry("down", 0.0, is_server_error=True)


OK = Ok()


def _result(a: Outcome, b: Outcome = OK) -> RunResult:
    workflow = prepare(documents(WORKFLOW)[0])
    assert isinstance(workflow, Workflow)
    results = {step.label: StepResult(step, outcome) for step, outcome in zip(workflow.steps, (a, b), strict=True)}
    return RunResult(workflow, results, combine([a, b]), {})


def _after(*results: RunResult) -> dict[str, Attempt]:
    attempts: dict[str, Attempt] = {}
    for result in results:
        attempts = next_attempts(result, attempts)
    return attempts


@pytest.mark.parametrize(("times", "after_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (9, 256.0), (10, 300.0), (1000, 300.0)])
def test_server_errors_double_the_wait_up_to_five_minutes_and_are_never_given_up(times: int, after_s: float) -> None:
    assert _after(*[_result(DOWN)] * times)["a"] == Attempt("Retry", times, times, after_s)


def test_a_step_backs_off_by_its_own_failures_and_numbers() -> None:
    attempts = _after(_result(DOWN), _result(DOWN), _result(DOWN, DOWN))
    assert {label: attempt.after_s for label, attempt in attempts.items()} == {"a": 4.0, "b": 5.0}
    assert [_after(*[_result(Ok(), DOWN)] * n)["b"].after_s for n in (1, 2, 3)] == [5.0, 10.0, 12.0]


@pytest.mark.parametrize("between", [Ok(), Skip(), DepSkip(), Retry("not yet", 30), PermFail("no")])
def test_anything_but_a_server_error_resets_the_back_off_of_its_step_alone(between: Outcome) -> None:
    attempts = _after(_result(DOWN, DOWN), _result(between, DOWN), _result(DOWN, DOWN))
    assert (attempts["a"].failures, attempts["b"].failures) == (1, 3)


def test_the_server_may_ask_for_a_longer_wait() -> None:
    assert _after(_result(Retry("slow", 40.0, is_server_error=True)))["a"].after_s == 40.0


def test_a_delay_is_kept_as_it_is_written() -> None:
    attempts = _after(*[_result(Retry("not yet", 30.0))] * 5)
    assert attempts["a"] == Attempt("Retry", 5, 0, 30.0)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Ok(), Ok(), None),
        (Ok(), Skip(), None),
        (PermFail("no"), DepSkip("a"), None),
        (Retry("x", 30.0), Retry("y", 7.0), 7.0),
        (DOWN, Retry("y", 7.0), 1.0),
        (PermFail("no"), Retry("y", 7.0), 7.0),
    ],
)
def test_the_next_pass_is_due_with_the_first_step(a: Outcome, b: Outcome, expected: float | None) -> None:
    assert requeue_s(_after(_result(a, b)).values()) == expected


def test_only_steps_that_wait_or_failed_have_attempts() -> None:
    found: Any = _after(_result(Ok(), Skip()), _result(PermFail("no"), DepSkip("a")), _result(PermFail("no")))
    assert found == {"a": Attempt("PermFail", 2)}
