"""WorkflowTests: the behaviour of workflows as documents, and what the runner says when they fail."""

import textwrap
from pathlib import Path

from lambent.workflow.testing import TestResult, load, prepare, run_tests
from tests.workflow.shared import documents

DOCUMENTS = Path(__file__).parent / "documents"


def test_workflows_behave_as_the_documents_say() -> None:
    report = run_tests(load([DOCUMENTS]))
    failed = [
        f"{test.identity} {case.label}: {case.reason}" for test in report.tests for case in test.cases if case.reason
    ]
    assert failed == []
    assert [problem for test in report.tests for problem in test.problems] == []
    assert report.count("passed") >= 20
    errors = [diagnostic.message for diagnostic in report.loaded.diagnostics if diagnostic.is_error]
    assert errors == ["ValueFunction nowhere not found"]


WORKFLOW = """
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: f}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: Thing, name: a, namespace: ns}
  resource: {spec: {size: 1}}
  postconditions: [{assert: =has(resource.status), retry: {message: no status, delay: 3}}]
---
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w}
spec:
  steps: [{label: a, ref: {kind: ResourceFunction, name: f}}]
---
apiVersion: lambent.dev/v1alpha1
kind: WorkflowTest
metadata: {name: t}
spec:
  workflowRef: {name: w}
  parent: {apiVersion: example.org/v1, kind: Trigger, metadata: {name: t}}
"""


def _result(passes: str) -> TestResult:
    text = WORKFLOW + textwrap.indent(textwrap.dedent(passes), "  ")
    (found,) = run_tests(prepare(documents(text))).tests
    return found


def test_a_failing_expectation_says_what_was_expected_and_what_came() -> None:
    (case,) = _result(
        """
        passes:
        - expect:
            noWrites: true
            steps: {a: {ok: {}}, b: {ok: {}}}
            conditions: {Ready: {status: "True"}}
            requeueAfter: 1
        """
    ).cases
    assert case.reason.splitlines() == [
        "step a: expected ok, got Retry: Creating Thing/a.",
        "there is no step b",
        "condition Ready: expected status 'True', got 'False'",
        "expected no writes, got create Thing a",
        "expected the next pass after 1 s, got 30.0",
    ]


def test_a_workflow_that_does_not_converge_is_explained_step_by_step() -> None:
    (case,) = _result("converge: {within: 60s}").cases
    assert case.reason == "not ready within 60s: Retry\n  a: Retry: no status"


def test_a_missing_workflow_is_a_problem_of_the_test() -> None:
    text = WORKFLOW.replace("workflowRef: {name: w}", "workflowRef: {name: v}") + "  converge: {within: 1s}\n"
    (found,) = run_tests(prepare(documents(text))).tests
    assert found.problems == ["Workflow v not found"]
    assert not found.is_passed
