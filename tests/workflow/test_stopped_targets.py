"""A target that cannot be built stops the plan with an outcome and a place; nothing is written."""

from typing import Any

import pytest
import yaml

from lambent.workflow.engine import Context, NotOk, PermFail, Plan, ResourceFunction, Retry, load_catalog, plan
from lambent.workflow.engine.planner import address
from lambent.workflow.engine.targets import stages_of
from tests.workflow.shared import documents

_OTHERS = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: refuses}
spec:
  preconditions: [{assert: =false, retry: {message: not yet, delay: 7}}]
  return: {}
---
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: broken}
spec: {return: {a: =1 +}}
---
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: fails}
spec: {return: {a: =inputs.none}}
---
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: silent}
spec: {preconditions: [{assert: =true, permFail: {message: never}}]}
---
apiVersion: koreo.dev/v1beta1
kind: ResourceTemplate
metadata: {name: broken}
spec: {template: 3}
"""


def _function(**spec: Any) -> tuple[ResourceFunction, Context]:
    given = {"apiVersion": "v1", "kind": "Thing", "name": "n", "namespace": "n", **spec.pop("apiConfig", {})}
    api = {name: value for name, value in given.items() if value is not None}
    head = {"apiVersion": "koreo.dev/v1beta1", "kind": "ResourceFunction", "metadata": {"name": "f"}}
    body = {"resource": {"spec": {"a": 1}}, **spec}
    if "resourceTemplateRef" in body:
        del body["resource"]
    catalog = load_catalog(documents(_OTHERS + "---\n" + yaml.safe_dump({**head, "spec": {"apiConfig": api, **body}})))
    found = catalog.resolve("ResourceFunction", "f", "")
    assert isinstance(found, ResourceFunction), found
    return found, Context(catalog)


def _planned(inputs: Any = None, live: Any = None, **spec: Any) -> Plan:
    function, context = _function(**spec)
    return plan(function, inputs or {}, live, context)


def _overlay(name: str) -> list[dict[str, Any]]:
    return [{"overlayRef": {"kind": "ValueFunction", "name": name}}]


@pytest.mark.parametrize(
    ("spec", "outcome", "words"),
    [
        ({"locals": {"a": "=inputs.none"}}, PermFail, "none"),
        ({"apiConfig": {"name": "=inputs.none"}}, PermFail, "none"),
        ({"apiConfig": {"namespace": '=""'}}, PermFail, "apiConfig.namespace must yield"),
        ({"resource": {"a": "=inputs.none"}}, PermFail, "none"),
        ({"create": {"overlay": {"a": "=inputs.none"}}}, PermFail, "none"),
        ({"overlays": [{"overlay": {"a": 1}, "skipIf": "=1"}]}, PermFail, "skipIf must yield a bool"),
        ({"overlays": _overlay("gone")}, Retry, "ValueFunction gone not found"),
        ({"overlays": _overlay("broken")}, Retry, "ValueFunction/broken is not valid"),
        ({"overlays": _overlay("refuses")}, Retry, "not yet"),
        ({"overlays": _overlay("fails")}, PermFail, "none"),
        (
            {"resourceTemplateRef": {"name": "=inputs.size"}},
            PermFail,
            "resourceTemplateRef.name must yield a non-empty string",
        ),
        ({"resourceTemplateRef": {"name": "gone"}}, Retry, "ResourceTemplate gone not found"),
    ],
)
def test_what_stops_a_target_is_the_outcome(spec: dict[str, Any], outcome: type[NotOk], words: str) -> None:
    found = _planned({"size": 1}, **spec)
    assert (found.action, type(found.outcome)) == ("none", outcome)
    assert words in getattr(found.outcome, "message", "")
    assert getattr(found.outcome, "location", "")


@pytest.mark.parametrize("part", ["return", "postconditions"])
def test_a_failing_end_is_a_permanent_failure_of_an_object_that_stands(part: str) -> None:
    made = _planned()
    live = {**(made.body or {}), "status": {}}
    failing: Any = {"a": "=resource.status.none"}
    if part == "postconditions":
        failing = [{"assert": "=resource.status.none", "retry": {"message": "m", "delay": 1}}]
    found = _planned(live=live, **{part: failing})
    assert (found.action, type(found.outcome)) == ("none", PermFail)


def test_deleting_again_what_is_being_deleted_asks_for_nothing() -> None:
    live = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "n", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    found = _planned(live=live, apiConfig={"deleteIfExists": True})
    assert (found.action, type(found.outcome)) == ("wait", Retry)


def test_fields_for_the_creation_stay_though_their_overlay_fails_now() -> None:
    overlay = {"overlay": {"spec": {"c": "=inputs.x"}}}
    made = _planned({"x": 1}, resource={"spec": {"a": 1, "b": 2}}, create=overlay)
    found = _planned({}, made.body, resource={"spec": {"a": 1}}, create=overlay)
    assert (found.action, (found.body or {})["spec"]) == ("patch", {"b": None, "a": 1})


@pytest.mark.parametrize(
    ("spec", "said", "delay_s"),
    [
        ({"overlays": _overlay("gone")}, "ValueFunction gone not found", 15.0),
        ({"overlays": _overlay("broken")}, "ValueFunction/broken is not valid", 180.0),
        ({"overlays": _overlay("refuses")}, "not yet", 7.0),
        ({"resourceTemplateRef": {"name": "gone"}}, "ResourceTemplate gone not found", 30.0),
        ({"resourceTemplateRef": {"name": "broken"}}, "ResourceTemplate/broken is not valid", 30.0),
    ],
)
def test_what_is_not_there_yet_is_looked_for_again(spec: dict[str, Any], said: str, delay_s: float) -> None:
    outcome = _planned(**spec).outcome
    assert isinstance(outcome, Retry)
    assert outcome.message.startswith(said)
    assert outcome.delay_s == delay_s


@pytest.mark.parametrize("name", ["=inputs.size", '=""'])
def test_a_template_is_named_by_a_text(name: str) -> None:
    outcome = _planned({"size": 1}, resourceTemplateRef={"name": name}).outcome
    assert isinstance(outcome, PermFail)
    assert outcome.message == "resourceTemplateRef.name must yield a non-empty string"


def test_an_overlay_function_that_returns_nothing_changes_nothing() -> None:
    assert (_planned(overlays=_overlay("silent")).body or {})["spec"] == {"a": 1}


def test_what_lies_in_no_namespace_is_sent_without_one() -> None:
    resource = {"metadata": {"namespace": "elsewhere"}}
    made = _planned(apiConfig={"namespaced": False, "namespace": None}, resource=resource)
    assert "namespace" not in (made.body or {})["metadata"]


def test_stages_are_shown_as_far_as_they_can_be_built() -> None:
    overlays = [{"overlay": {"spec": {"b": 2}}}, {"overlay": {"spec": {"c": "=inputs.none"}}}]
    function, context = _function(overlays=overlays)
    found = address(function, {})
    assert not isinstance(found, NotOk)
    assert [(stage.name, stage.target["spec"]) for stage in stages_of(found, context)] == [
        ("resource", {"a": 1}),
        ("overlays[0]", {"a": 1, "b": 2}),
    ]
