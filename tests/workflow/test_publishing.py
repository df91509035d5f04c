"""What is published on a trigger: words, times, state, and when there is nothing new to say."""

from typing import Any

import pytest

from lambent.workflow.engine import DepSkip, Ok, Outcome, PermFail, Retry, RunResult, Skip, Workflow, prepare
from lambent.workflow.engine.blockers import why_waiting
from lambent.workflow.engine.conditions import condition_of, timed
from lambent.workflow.engine.managed import ANNOTATION, next_record, parse_record
from lambent.workflow.engine.publishing import status_patch, wanted_status
from lambent.workflow.engine.references import ResourceRef
from lambent.workflow.engine.step_run import StepResult
from tests.workflow.shared import documents

WORKFLOW = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w, namespace: ns}
spec:
  steps:
  - {label: a, ref: {kind: ValueFunction, name: f}, condition: {type: Part, name: The part}, state: {x: =value}}
"""
NOON, LATER = "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"


def _result(outcome: Outcome, managed: Any = None, state: dict[str, Any] | None = None) -> RunResult:
    workflow = prepare(documents(WORKFLOW)[0])
    assert isinstance(workflow, Workflow)
    step = StepResult(workflow.steps[0], outcome, managed)
    return RunResult(workflow, {"a": step}, outcome, state or {})


@pytest.mark.parametrize(
    ("outcome", "status", "reason", "message"),
    [
        (Ok(1), "True", "Ready", "The part ready."),
        (Skip("why"), "Unknown", "Skip", "Skipping The part: why"),
        (DepSkip("why"), "Unknown", "DepSkip", "The part awaiting dependencies to be ready (why)"),
        (Retry("why", 3), "False", "Wait", "Awaiting The part to be ready (why)."),
        (PermFail("why"), "False", "Failure", "Unrecoverable error reconciling The part. (why)."),
    ],
)
def test_each_outcome_has_its_words(outcome: Outcome, status: str, reason: str, message: str) -> None:
    condition = condition_of("Part", outcome, "The part")
    assert (condition["status"], condition["reason"], condition["message"]) == (status, reason, message)


def test_the_transition_time_moves_only_with_the_status() -> None:
    first = timed([condition_of("Part", Retry("one", 1), "p")], [], now=NOON)
    second = timed([condition_of("Part", Retry("two", 1), "p")], first, now=LATER)
    third = timed([condition_of("Part", Ok(), "p")], second, now=LATER)
    assert [item["lastTransitionTime"] for item in (*first, *second, *third)] == [NOON, NOON, LATER]
    assert second[0]["lastUpdateTime"] == LATER
    assert timed([condition_of("Part", Ok(), "p")], third, now="later still") == third


def test_foreign_conditions_stay_and_ours_of_removed_steps_go() -> None:
    foreign = {"type": "Foreign", "status": "True"}
    gone = timed([condition_of("Gone", Ok(), "p")], [], now=NOON)
    found = timed([condition_of("Part", Ok(), "p")], [foreign, *gone], now=LATER)
    assert [item["type"] for item in found] == ["Foreign", "Part"]


def test_nothing_is_written_when_only_times_would_change() -> None:
    present = wanted_status(_result(Ok(1), state={"x": 1}), {}, now=NOON, generation=3)
    assert status_patch(wanted_status(_result(Ok(1), state={"x": 1}), present, now=LATER, generation=3), present) == {}
    changed = wanted_status(_result(Ok(1), state={"x": 2}), present, now=LATER, generation=3)
    assert status_patch(changed, present)["state"] == {"x": 2}


def test_state_that_is_no_longer_declared_is_removed_by_the_patch() -> None:
    present = wanted_status(_result(Ok(1), state={"x": 1, "y": {"z": 1}}), {}, now=NOON)
    wanted = wanted_status(_result(Ok(1), state={"x": 1}), present, now=LATER)
    assert status_patch(wanted, present)["state"] == {"x": 1, "y": None}


def test_too_much_state_keeps_the_previous_one_and_says_so() -> None:
    present = {"state": {"x": 1}}
    status = wanted_status(_result(Ok(1), state={"x": "a" * 70_000}), present, now=NOON)
    assert status["state"] == {"x": 1}
    assert "64 KiB" in status["koreo"]["state_errors"]


def test_without_a_generation_nothing_is_observed() -> None:
    status = wanted_status(_result(Retry("why", 1)), {}, now=NOON)
    assert "observedGeneration" not in status
    assert [item["type"] for item in status["conditions"]] == ["Part", "Ready", "Reconciling"]
    assert all("observedGeneration" not in item for item in status["conditions"])


REF = ResourceRef("v1", "Thing", "a", "ns", function="f", uid="u")
OTHER = ResourceRef("v1", "Thing", "b", "ns", function="f")


def _stored(result: RunResult, before: Any) -> Any:
    text = next_record(result, before).text()
    return parse_record({"annotations": {ANNOTATION: text}})


@pytest.mark.parametrize(
    ("outcome", "managed", "kept", "orphans"),
    [
        (Ok(1), REF, [REF], []),
        (Ok(1), OTHER, [OTHER, REF], [REF]),
        (Retry("w", 1), OTHER, [OTHER, REF], []),
        (Skip("s"), None, [REF], []),
        (PermFail("p"), None, [REF], []),
    ],
)
def test_a_resource_is_an_orphan_only_when_its_step_is_ok_without_it(
    outcome: Outcome, managed: Any, kept: list[ResourceRef], orphans: list[ResourceRef]
) -> None:
    before = _stored(_result(Ok(1), REF), parse_record({}))
    assert before.refs() == [REF]
    after = _stored(_result(outcome, managed), before)
    assert (after.refs(), after.orphans) == (kept, orphans)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"resources": 3}', '{"resources": {"a": {"kind": 1}}, "orphans": 1}'])
def test_a_record_that_cannot_be_read_is_empty(text: str) -> None:
    assert parse_record({"annotations": {ANNOTATION: text}}).refs() == []


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([], ""),
        ([{"type": "Ready", "status": "False"}], ""),
        ([{"type": "Ready", "status": "False", "reason": "R", "message": "m"}], " Thing/a: R: m"),
        (
            [
                {"type": "ACK.Recoverable", "status": "True", "message": "m, request id: 12-ab"},
                {"type": "ACK.Terminal", "status": "False"},
            ],
            " Thing/a: ACK.Recoverable: m",
        ),
        ("nonsense", ""),
    ],
)
def test_a_resource_says_why_it_is_not_ready(conditions: Any, said: str) -> None:
    assert why_waiting({"kind": "Thing", "metadata": {"name": "a"}, "status": {"conditions": conditions}}) == said
