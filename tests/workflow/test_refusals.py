"""What stands in a step's way and is not the document's fault: answers of the server, time, errors of our own."""

import pytest

from lambent.workflow.engine import (
    Catalog,
    Ok,
    PermFail,
    Refused,
    ResourceRef,
    Retry,
    TimedOut,
    Workflow,
    WorkflowPass,
)
from lambent.workflow.engine.catalog import Logic
from lambent.workflow.engine.refusals import UNKNOWN_KIND, outcome_of
from tests.workflow.shared import documents

REF = ResourceRef("v1", "Secret", "s", "ns")


@pytest.mark.parametrize("verb", ["get", "create", "patch", "apply", "delete"])
@pytest.mark.parametrize(
    ("code", "kind", "is_server_error"),
    [
        (400, PermFail, False),
        (401, Retry, True),
        (403, Retry, True),
        (404, Retry, True),
        (408, Retry, True),
        (409, Retry, True),
        (418, Retry, True),
        (422, PermFail, False),
        (429, Retry, True),
        (500, Retry, True),
        (502, Retry, True),
        (503, Retry, True),
        (504, Retry, True),
    ],
)
def test_an_answer_is_the_same_outcome_for_every_verb(code: int, kind: type, is_server_error: bool, verb: str) -> None:
    found = outcome_of(Refused(code, "said so"), verb, REF)
    assert type(found) is kind
    assert verb in found.message
    assert "Secret/s" in found.message
    assert found.message.endswith("said so")
    assert getattr(found, "is_server_error", False) == is_server_error


def test_time_that_is_up_is_a_retry_in_thirty_seconds() -> None:
    found = outcome_of(TimedOut(), "get", REF)
    assert found == Retry("Timeout running step", 30.0, is_server_error=True)


def test_a_kind_that_nobody_serves_yet_is_waited_for() -> None:
    assert outcome_of(Refused(404, "no such kind", UNKNOWN_KIND), "get", REF) == Retry("no such kind", 30.0)


@pytest.mark.parametrize(("asked", "delay"), [(None, 1.0), (0.2, 1.0), (17.0, 17.0)])
def test_the_server_may_name_a_longer_delay(asked: float | None, delay: float) -> None:
    found = outcome_of(Refused(429, "slow down", retry_after_s=asked), "patch", REF)
    assert isinstance(found, Retry)
    assert found.delay_s == delay


def test_a_long_message_of_a_server_is_cut() -> None:
    assert len(outcome_of(Refused(422, "x" * 5000), "create", REF).message) < 400


STEPS = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: f}
spec: {return: {a: 1}}
---
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w}
spec:
  steps:
  - {label: breaks, ref: {kind: ValueFunction, name: broken}}
  - {label: sibling, ref: {kind: ValueFunction, name: f}}
  - {label: after, ref: {kind: ValueFunction, name: f}, inputs: {a: =steps.breaks}}
"""


class _Breaking(Catalog):
    """Fails as code does that has an error: with an exception nobody expects."""

    def logic(self, kind: str, name: str, namespace: str) -> Logic | str:
        if name == "broken":
            raise ZeroDivisionError("a value that must not be told")
        return Catalog.logic(self, kind, name, namespace)


def test_an_error_of_our_own_is_a_retry_of_that_step_alone(caplog: pytest.LogCaptureFixture) -> None:
    catalog = _Breaking()
    for document in documents(STEPS):
        catalog.put(document)
    workflow = catalog.resolve("Workflow", "w", "")
    assert isinstance(workflow, Workflow)
    run = WorkflowPass(workflow, {}, catalog)
    assert run.start() == []
    assert run.result is not None
    outcomes = {label: step.outcome for label, step in run.result.steps.items()}
    assert outcomes["breaks"] == Retry("Unexpected ZeroDivisionError in step", 60.0)
    assert isinstance(outcomes["sibling"], Ok)
    assert type(outcomes["after"]).__name__ == "DepSkip"
    assert isinstance(run.result.outcome, Retry)
    assert "ZeroDivisionError" in caplog.text
