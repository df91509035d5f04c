"""WorkflowTests: the behaviour of workflows as documents, and what the runner says when they fail."""

import textwrap
from pathlib import Path

import pytest

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


THING = "apiVersion: example.org/v1, kind: Thing, name: a, namespace: ns"
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
    assert case.explain().splitlines() == [
        "the pass differs",
        "  steps.a: expected ok, got Retry: Creating Thing/a.",
        "  steps.b: there is no such step",
        "  conditions.Ready.status: expected 'True', got 'False'",
        "  noWrites: expected no writes, got create Thing a",
        "  requeueAfter: expected 1, got 30",
    ]


def test_a_failing_pass_names_the_steps_that_were_not_ok() -> None:
    (case,) = _result("passes: [{expect: {requeueAfter: 1}}]").cases
    assert case.notes == ("step a was Retry: Creating Thing/a.",)
    assert (case.outcome, case.message) == ("Retry", "Creating Thing/a.")


def test_a_workflow_that_does_not_converge_is_explained_step_by_step() -> None:
    (case,) = _result("converge: {within: 60s}").cases
    assert case.explain() == "not ready within 60s: Retry\n  a: Retry: no status"


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        ("resources: [{kind: Thing}]", "bad-object]: spec.resources[0].metadata must be an object"),
        ("resources: [{apiVersion: v1, kind: T, metadata: {name: 3}}]", "spec.resources[0].metadata.name must be a"),
        ("resources: [{apiVersion: v1, kind: T, metadata: {name: a, labels: [1]}}]", "metadata.labels must be an obj"),
        ("passes: [{expect: {steps: {a: 3}}}]", "spec.passes[0].expect.steps.a needs exactly one of ok, skip"),
        ("passes: [{expect: {steps: {a: {ok: {}, skip: {}}}}}]", "needs exactly one of"),
        ("passes: [{expect: {steps: {a: {retry: {delay: soon}}}}}]", "needs exactly one of"),
        ("passes: [{expect: {conditions: {Ready: true}}}]", "spec.passes[0].expect.conditions.Ready must be an object"),
        ("passes: [{expect: {conditions: {Ready: {status: true}}}}]", "conditions.Ready.status must be a text"),
        ("passes: [{expect: {resources: [{}]}}]", "spec.passes[0].expect.resources[0].metadata must be an object"),
        ("converge: {within: 1s, ready: [{kind: T, overlay: {a: =resorce.x}}]}", 'unknown name "resorce"'),
    ],
)
def test_a_test_that_cannot_be_run_is_refused_with_a_place(passes: str, said: str) -> None:
    result = _result(passes if passes.startswith("passes") else f"passes: [{{}}]\n{passes}")
    assert result.cases == []
    assert said in result.problems[0]
    assert result.problems[0].startswith("test.k.yaml:")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("patchParent: {metadata: null}", "the trigger is no object any more: metadata must be an object"),
        (f"set: [{{{THING}, overlay: {{metadata: 3}}}}]", "Thing a is no object any more: metadata must be an object"),
        (f"set: [{{{THING}, overlay: {{metadata: {{name: b}}}}}}]", "Thing a cannot become another object"),
        (f"set: [{{{THING}, overlay: {{x: =resource.nothing}}}}]", 'no such key "nothing" in resource (map)'),
        ("set: [{apiVersion: v1, kind: Other, name: n, overlay: {}}]", "Other n does not exist and cannot be set"),
    ],
)
def test_a_change_that_cannot_be_made_fails_its_pass(change: str, said: str) -> None:
    first, second = _result(f"passes:\n- {{}}\n- {change}\n").cases
    assert (first.status, second.reason) == ("passed", said)


def test_time_may_pass_without_end() -> None:
    result = _result("passes: [{advance: 99999999999999999999h}, {advance: 1s}]\nconverge: {within: 999999999999999h}")
    assert [case.status for case in result.cases] == ["passed", "passed", "failed"]


def test_an_overlay_that_fails_ends_the_convergence() -> None:
    (case,) = _result("converge: {within: 1s, ready: [{kind: Thing, overlay: {x: =resource.nothing}}]}").cases
    assert case.reason == 'no such key "nothing" in resource (map)'


def test_what_others_call_a_test_is_not_ours() -> None:
    text = WORKFLOW.replace("lambent.dev/v1alpha1", "example.org/v1") + "  passes: [null]\n"
    assert run_tests(prepare(documents(text))).tests == []


def test_a_missing_workflow_is_a_problem_of_the_test() -> None:
    text = WORKFLOW.replace("workflowRef: {name: w}", "workflowRef: {name: v}") + "  converge: {within: 1s}\n"
    (found,) = run_tests(prepare(documents(text))).tests
    assert found.problems == ["Workflow v not found"]
    assert not found.is_passed
