"""What is wrong between documents: references, inputs, circles, templates; each with a place."""

from typing import Any

import pytest
import yaml

from lambent.workflow.engine import check, load_catalog
from lambent.workflow.spec import Diagnostic, Document
from tests.workflow.shared import documents

_VALUE = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: %s}
spec: {return: {a: "=inputs.size"}}
"""


def _workflow(name: str, *steps: dict[str, Any]) -> str:
    labelled = [{"label": f"s{index}", **step} for index, step in enumerate(steps)]
    head = {"apiVersion": "koreo.dev/v1beta1", "kind": "Workflow", "metadata": {"name": name}}
    return yaml.safe_dump({**head, "spec": {"steps": labelled}})


def _function(**spec: Any) -> str:
    api = {"apiVersion": "v1", "kind": "Thing", "name": "n", "namespace": "n"}
    head = {"apiVersion": "koreo.dev/v1beta1", "kind": "ResourceFunction", "metadata": {"name": "f"}}
    return yaml.safe_dump({**head, "spec": {"apiConfig": api, **spec}})


def _found(*texts: str) -> list[Diagnostic]:
    return check(load_catalog(documents("\n---\n".join(texts))))


def _brief(found: list[Diagnostic]) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, one.path) for one in found]


def _ref(name: str, kind: str = "ValueFunction") -> dict[str, str]:
    return {"kind": kind, "name": name}


def test_a_missing_reference_is_named_with_the_nearest_name():
    (found,) = _found(_VALUE % "sizes", _workflow("w", {"ref": _ref("size"), "inputs": {"size": 1}}))
    assert (found.code, found.path, found.hint) == (
        "missing-reference",
        "spec.steps[0].ref.name",
        'did you mean "sizes"?',
    )
    assert found.line > 0


def test_every_missing_reference_is_named():
    switch = {"switchOn": "=parent.x", "cases": [{"case": "a", **_ref("one")}, {"case": "b", **_ref("two")}]}
    found = _found(_workflow("w", {"refSwitch": switch, "inputs": {}}, {"ref": _ref("three")}))
    assert [one.message.split()[1] for one in found] == ["one", "two", "three"]


def test_an_invalid_function_is_an_error_and_one_that_a_switch_may_leave_out_a_warning():
    broken = (_VALUE % "broken").replace("inputs.size", "1 +")
    switch = {"switchOn": "=parent.x", "cases": [{"case": "a", **_ref("broken")}]}
    found = _found(broken, _workflow("w", {"ref": _ref("broken")}, {"refSwitch": switch}))
    assert [(one.code, one.severity) for one in found] == [
        ("unready-reference", "error"),
        ("unready-reference", "warning"),
    ]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"size": 1}, []),
        ({"size": "=parent.size"}, []),
        ({"size": 1, "_note": 1}, []),
        ({}, [("missing-input", "warning", "spec.steps[0].inputs")]),
        ({"size": 1, "extra": 2}, [("unexpected-input", "warning", "spec.steps[0].inputs.extra")]),
    ],
)
def test_inputs_that_do_not_fit_are_warnings(inputs: Any, expected: list[tuple[str, str, str]]):
    assert _brief(_found(_VALUE % "f", _workflow("w", {"ref": _ref("f"), "inputs": inputs}))) == expected


def test_an_input_that_one_case_or_the_switch_itself_reads_is_not_unexpected():
    other = (_VALUE % "other").replace("inputs.size", "inputs.colour")
    cases = [{"case": "a", **_ref("f")}, {"case": "b", **_ref("other")}]
    step = {"refSwitch": {"switchOn": "=inputs.which", "cases": cases}, "state": {"n": "=inputs.noted"}}
    inputs = {"size": 1, "colour": 2, "which": "a", "noted": 3, "extra": 4}
    found = _found(_VALUE % "f", other, _workflow("w", {**step, "inputs": inputs}))
    assert [one.message for one in found] == ['ValueFunction/f and ValueFunction/other do not read input "extra"']


def test_the_key_of_a_for_each_counts_as_given():
    each = {"ref": _ref("f"), "forEach": {"itemIn": "=[1]", "inputKey": "size"}}
    assert _found(_VALUE % "f", _workflow("w", each)) == []


def test_a_circle_of_workflows_is_named_on_each_of_them_and_raises_nothing():
    one, two = _workflow("one", {"ref": _ref("two", "Workflow")}), _workflow("two", {"ref": _ref("one", "Workflow")})
    outside = _workflow("outside", {"ref": _ref("one", "Workflow")})
    found = [one_ for one_ in _found(one, two, outside) if one_.code == "workflow-cycle"]
    assert {one_.object: one_.message for one_ in found} == {
        "Workflow/one": "sub-workflows run in a circle: Workflow/one -> Workflow/two -> Workflow/one",
        "Workflow/two": "sub-workflows run in a circle: Workflow/two -> Workflow/one -> Workflow/two",
    }


def test_overlay_functions_and_templates_must_exist_and_get_what_they_read():
    overlays = [
        {"overlayRef": _ref("gone")},
        {"overlayRef": _ref("f"), "inputs": {"other": 1}},
        {"overlayRef": _ref("f"), "inputs": {"size": 1}},
        {"overlay": {"spec": {"a": 1}}},
    ]
    found = _found(_VALUE % "f", _function(resourceTemplateRef={"name": "t"}, overlays=overlays))
    assert [(one.code, one.path) for one in found] == [
        ("missing-reference", "spec.overlays[0].overlayRef.name"),
        ("missing-input", "spec.overlays[1]"),
        ("missing-reference", "spec.resourceTemplateRef.name"),
    ]


def test_a_template_that_is_not_valid_is_named():
    template = "apiVersion: koreo.dev/v1beta1\nkind: ResourceTemplate\nmetadata: {name: t}\nspec: {template: {kind: A}}"
    (found,) = _found(template, _function(resourceTemplateRef={"name": "t"}))
    assert "ResourceTemplate/t is not valid" in found.message


def test_without_a_source_the_same_is_said_with_the_object_as_the_place():
    offline = documents(_workflow("w", {"ref": _ref("gone")}))
    from_cluster = [Document(document.value) for document in offline]
    (here,), (there,) = check(load_catalog(offline)), check(load_catalog(from_cluster))
    assert (here.code, here.message, here.object, here.path) == (there.code, there.message, there.object, there.path)
    assert there.place == "Workflow/w:spec.steps[0].ref.name"
