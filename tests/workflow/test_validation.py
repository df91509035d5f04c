"""The validator: one document each with one thing wrong, the code it gets and the line it points to."""

from typing import Any

import pytest
import yaml

from lambent.workflow.spec import validate
from tests.workflow.shared import documents

STEP = {"label": "a", "ref": {"kind": "ValueFunction", "name": "f"}}
API = {"apiVersion": "v1", "kind": "Thing", "name": "=inputs.n", "namespace": "ns"}


def _workflow(*steps: Any, **spec: Any) -> dict[str, Any]:
    return {"kind": "Workflow", "spec": {"steps": list(steps), **spec}}


def _value(**spec: Any) -> dict[str, Any]:
    return {"kind": "ValueFunction", "spec": spec}


def _resource(**spec: Any) -> dict[str, Any]:
    return {"kind": "ResourceFunction", "spec": {"apiConfig": API, "resource": {}, **spec}}


def _test(**case: Any) -> dict[str, Any]:
    reference = {"kind": "ValueFunction", "name": "f"}
    return {"kind": "FunctionTest", "spec": {"functionRef": reference, "testCases": [case]}}


def _codes(obj: dict[str, Any]) -> list[tuple[str, str]]:
    whole = {"apiVersion": "koreo.dev/v1beta1", "metadata": {"name": "x"}, **obj}
    (document,) = documents(yaml.safe_dump(whole, sort_keys=False))
    return [(found.code, found.path) for found in validate(document)]


@pytest.mark.parametrize(
    "obj",
    [
        _workflow(STEP),
        _workflow({**STEP, "condition": {"type": "Bucket", "name": "The bucket"}, "state": {"x": "=value"}}),
        _workflow(STEP, timeouts={"step": "1m30s"}, concurrency=4, orphans="delete"),
        _value(preconditions=[{"assert": "=true", "ok": {}}]),
        _resource(update={"never": {}}, delete={"destroy": {}}),
        _resource(create={"delay": 1, "overlay": {"a": 1}}),
        _test(expectOutcome={"retry": {"delay": 0, "message": ""}}),
        _test(label="x", variant=True, inputOverrides=None, expectReturn={"a": 1}),
    ],
)
def test_a_valid_document_has_no_diagnostic(obj: dict[str, Any]) -> None:
    assert _codes(obj) == []


@pytest.mark.parametrize(
    ("obj", "code", "path"),
    [
        (_workflow(), "too-few", "spec.steps"),
        ({"kind": "Workflow", "spec": {}}, "missing-field", "spec"),
        ({"kind": "Workflow"}, "missing-field", ""),
        (_workflow(STEP, configStep={}), "retired-field", "spec.configStep"),
        (
            _workflow({**STEP, "forEach": {"itemIn": "=[1]", "inputKey": "i", "condition": {}}}),
            "retired-field",
            "spec.steps[0].forEach.condition",
        ),
        (_workflow({"label": "a"}), "missing-choice", "spec.steps[0]"),
        (
            _workflow(
                {**STEP, "refSwitch": {"switchOn": "=1", "cases": [{"case": "1", "kind": "Workflow", "name": "w"}]}}
            ),
            "contradictory-fields",
            "spec.steps[0].refSwitch",
        ),
        (_workflow({**STEP, "label": "a-b"}), "bad-format", "spec.steps[0].label"),
        (_workflow({**STEP, "labl": "a"}), "unknown-field", "spec.steps[0].labl"),
        (_workflow({**STEP, "ref": {"kind": "Function", "name": "f"}}), "bad-choice", "spec.steps[0].ref.kind"),
        (_workflow({**STEP, "timeout": "soon"}), "bad-format", "spec.steps[0].timeout"),
        (_workflow({**STEP, "dependsOn": [{"label": "z"}]}), "unknown-step", "spec.steps[0].dependsOn[0].label"),
        (
            _workflow({**STEP, "condition": {"type": "bucket", "name": "n"}}),
            "bad-format",
            "spec.steps[0].condition.type",
        ),
        (
            _workflow({**STEP, "condition": {"type": "Bucket", "name": "=n"}}),
            "expression-not-allowed",
            "spec.steps[0].condition.name",
        ),
        (_workflow({**STEP, "inputs": "=steps.x"}), "wrong-type", "spec.steps[0].inputs"),
        (_value(locals={"a": 1}), "missing-choice", "spec"),
        (_value(**{"return": {"a": 1}, "defaultReturn": {}}), "retired-field", "spec.defaultReturn"),
        (_value(preconditions=[{"assert": "true", "ok": {}}]), "not-an-expression", "spec.preconditions[0].assert"),
        (_value(preconditions=[{"assert": "=true"}]), "missing-choice", "spec.preconditions[0]"),
        (
            _value(preconditions=[{"assert": "=true", "retry": {"message": "m"}}]),
            "missing-field",
            "spec.preconditions[0].retry",
        ),
        (
            _value(preconditions=[{"assert": "=true", "retry": {"message": "m", "delay": -1}}]),
            "out-of-range",
            "spec.preconditions[0].retry.delay",
        ),
        (
            _value(preconditions=[{"assert": "=true", "retry": {"message": "m", "delay": True}}]),
            "wrong-type",
            "spec.preconditions[0].retry.delay",
        ),
        (
            _value(preconditions=[{"assert": "=true", "defaultIfNotMet": {}, "ok": {}}]),
            "retired-field",
            "spec.preconditions[0].defaultIfNotMet",
        ),
        (_resource(resourceTemplateRef={"name": "t"}), "contradictory-fields", "spec.resourceTemplateRef"),
        (_resource(apiConfig={**API, "namespace": None}), "missing-field", "spec.apiConfig"),
        (_resource(apiConfig={**API, "kind": "=x"}), "expression-not-allowed", "spec.apiConfig.kind"),
        (_resource(overlays=[{"overlay": {"a": 1}, "inputs": {}}]), "contradictory-fields", "spec.overlays[0].inputs"),
        (_resource(update={"patch": {}, "never": {}}), "contradictory-fields", "spec.update.never"),
        ({"kind": "ResourceTemplate", "spec": {"template": {"kind": "Thing"}}}, "missing-field", "spec.template"),
        (
            _test(expectReturn={"a": 1}, expectOutcome={"ok": {}}),
            "contradictory-fields",
            "spec.testCases[0].expectOutcome",
        ),
        (_test(expectReturn={}), "too-few", "spec.testCases[0].expectReturn"),
        (_test(expectResource={"a": 1}), "contradictory-fields", "spec.testCases[0].expectResource"),
        (_test(label="nothing expected"), "missing-choice", "spec.testCases[0]"),
        (
            {"kind": "ValueFunction", "apiVersion": "koreo.dev/v1alpha1", "spec": {"return": {"a": 1}}},
            "unknown-version",
            "apiVersion",
        ),
        ({"kind": "ValueFunction", "metadata": {}, "spec": {"return": {"a": 1}}}, "missing-field", "metadata"),
    ],
)
def test_each_mistake_has_its_code_and_path(obj: dict[str, Any], code: str, path: str) -> None:
    assert (code, path) in _codes(obj)


def test_a_label_used_twice_is_an_error_at_both_places() -> None:
    assert _codes(_workflow(STEP, {**STEP, "label": "b"}, STEP)) == [
        ("duplicate-label", "spec.steps[0].label"),
        ("duplicate-label", "spec.steps[2].label"),
    ]


def test_every_problem_of_a_document_is_reported() -> None:
    bad = _workflow({"label": "a-b", "ref": {"kind": "X", "name": ""}}, concurrency=0, nothing=1)
    assert [code for code, _ in _codes(bad)] == [
        "unknown-field",
        "bad-format",
        "bad-choice",
        "missing-field",
        "out-of-range",
    ]


@pytest.mark.parametrize(
    ("obj", "code"),
    [
        (_workflow({**STEP, "label": "1a"}), "label-digit"),
        (_workflow({**STEP, "condition": {"type": "Ready", "name": "n"}}), "condition-reserved"),
    ],
)
def test_what_works_but_surprises_is_a_warning(obj: dict[str, Any], code: str) -> None:
    whole = {"apiVersion": "koreo.dev/v1beta1", "metadata": {"name": "x"}, **obj}
    found = validate(documents(yaml.safe_dump(whole))[0])
    assert [(item.code, item.severity) for item in found] == [(code, "warning")]


def test_kinds_of_others_are_left_alone() -> None:
    assert validate(documents("apiVersion: example.org/v1\nkind: Workflow\nspec: {steps: none}")[0]) == []
