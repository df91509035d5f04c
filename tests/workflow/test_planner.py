"""The planner: one row of its table each, from function, inputs and live object to write and outcome."""

import copy
import textwrap
from typing import Any

import pytest

from lambent.workflow.engine import (
    Address,
    Catalog,
    Context,
    Ok,
    Owner,
    PermFail,
    Plan,
    ResourceFunction,
    Retry,
    Skip,
    address,
    load_catalog,
    plan,
    prepare,
)
from lambent.workflow.engine.patches import LAST_APPLIED_ANNOTATION
from lambent.workflow.engine.targets import Stage, stages_of
from lambent.workflow.testing.expectations import without_traces
from lambent.workflow.testing.memory_api import after_write
from tests.workflow.shared import documents

OWNER = Owner("example.org/v1", "Trigger", "t", "uid-1", "ns")
HEAD = """
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: f, namespace: ns}
spec:
  apiConfig:
    apiVersion: example.org/v1
    kind: Thing
    name: =inputs.name
    namespace: ns
"""
RESOURCE = """
  resource:
    spec:
      size: =inputs.size
"""
INPUTS = {"name": "a", "size": 3}


def _catalog(body: str, more: str = "") -> Catalog:
    return load_catalog(documents(HEAD + body + ("\n---\n" + textwrap.dedent(more) if more else "")))


def _plan(
    body: str,
    live: dict[str, Any] | None = None,
    *,
    inputs: dict[str, Any] | None = None,
    owner: Owner | None = None,
    more: str = "",
) -> Plan:
    catalog = _catalog(body, more)
    function = catalog.resolve("ResourceFunction", "f", "ns")
    assert isinstance(function, ResourceFunction), getattr(function, "diagnostics", function)
    before = copy.deepcopy(live)
    made = plan(function, INPUTS if inputs is None else inputs, live, Context(catalog, owner))
    assert live == before, "a plan changes nothing"
    return made


def _live(**members: Any) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "ns", **members.pop("metadata", {})}
    return {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": metadata, **members}


def _after(made: Plan, live: dict[str, Any] | None = None) -> dict[str, Any]:
    after = after_write(made, live)
    assert after is not None
    return after


def test_an_absent_object_is_created_with_its_identity_and_a_record_of_the_body() -> None:
    made = _plan(RESOURCE)
    assert made.action == "create"
    assert made.outcome == Retry("Creating Thing/a.", 30, "ResourceFunction/ns/f")
    assert without_traces(_after(made)) == _live(spec={"size": 3})
    assert made.body is not None
    assert LAST_APPLIED_ANNOTATION in made.body["metadata"]["annotations"]


def test_an_equal_object_is_left_alone() -> None:
    made = _plan(RESOURCE, _live(spec={"size": 3, "more": 1}))
    assert (made.action, made.outcome) == ("none", Ok(None))


def test_a_different_object_is_patched_and_the_message_says_why() -> None:
    made = _plan(RESOURCE, _live(spec={"size": 2}))
    assert made.action == "patch"
    assert made.outcome == Retry("Patching Thing/a due to spec.size: expected 3, found 2.", 30, "ResourceFunction/ns/f")


@pytest.mark.parametrize(
    ("body", "live", "action", "message"),
    [
        ("  update: {recreate: {delay: 7}}", {"size": 2}, "delete", "Deleting Thing/a to recreate"),
        ("  update: {apply: {force: true}}", {"size": 2}, "apply", "Applying Thing/a due to"),
        ("  create: {enabled: false}", None, "wait", "Thing/a not found. Waiting..."),
    ],
)
def test_ways_of_updating(body: str, live: dict[str, Any] | None, action: str, message: str) -> None:
    made = _plan(RESOURCE + body, _live(spec=live) if live else None)
    assert made.action == action
    assert isinstance(made.outcome, Retry)
    assert message in made.outcome.message


def test_never_treats_a_different_object_as_equal() -> None:
    made = _plan(RESOURCE + "  update: {never: {}}\n  return: {got: =resource.spec.size}", _live(spec={"size": 2}))
    assert (made.action, made.outcome) == ("none", Ok({"got": 2}))


def test_an_object_that_is_being_deleted_is_not_written() -> None:
    made = _plan(RESOURCE, _live(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    assert made.action == "wait"
    assert isinstance(made.outcome, Retry)
    assert "being deleted" in made.outcome.message


READONLY = HEAD.replace("    namespace: ns\n", "    namespace: ns\n    readonly: true\n")
DELETING = HEAD.replace("    namespace: ns\n", "    namespace: ns\n    deleteIfExists: true\n")


def _plan_with(head: str, body: str, live: dict[str, Any] | None) -> Plan:
    catalog = load_catalog(documents(head + body))
    function = catalog.resolve("ResourceFunction", "f", "ns")
    assert isinstance(function, ResourceFunction)
    return plan(function, INPUTS, live, Context(catalog, OWNER))


def test_a_readonly_object_is_waited_for_and_then_returned() -> None:
    body = "  resource: {}\n  return: {size: =resource.spec.size}"
    assert _plan_with(READONLY, body, None).action == "wait"
    assert _plan_with(READONLY, body, _live(spec={"size": 9})).outcome == Ok({"size": 9})


def test_delete_if_exists_deletes_then_is_ok_with_an_empty_resource() -> None:
    body = "  resource: {}\n  return: {gone: =size(resource) == 0}"
    made = _plan_with(DELETING, body, _live(metadata={"uid": "u"}))
    assert (made.action, made.uid) == ("delete", "u")
    assert made.outcome == Retry("Deleting Thing/a.", 30, "ResourceFunction/ns/f")
    assert _plan_with(DELETING, body, None).outcome == Ok({"gone": True})


def test_postconditions_see_the_live_object_and_stop_the_return() -> None:
    body = RESOURCE + (
        "  postconditions:\n  - assert: =has(resource.status.ready)\n    retry: {message: not yet, delay: 4}\n"
        "  return: {ready: =resource.status.ready}"
    )
    live = _live(spec={"size": 3})
    waiting = _plan(body, live).outcome
    assert isinstance(waiting, Retry)
    assert (waiting.message, waiting.delay_s) == ("not yet", 4)
    assert _plan(body, {**live, "status": {"ready": True}}).outcome == Ok({"ready": True})


def test_preconditions_are_lazy_and_an_earlier_one_protects_later_ones() -> None:
    body = RESOURCE + (
        "  preconditions:\n  - assert: =has(inputs.more)\n    skip: {message: no more}\n"
        "  - assert: =inputs.more.deep > 1\n    permFail: {message: too shallow}"
    )
    outcome = _plan(body).outcome
    assert isinstance(outcome, Skip)
    assert outcome.message == "no more"


@pytest.mark.parametrize("text", ["=inputs.size", "=inputs.nothing", '="a" + 1 == "b"'])
def test_an_assert_that_fails_or_is_no_bool_is_a_permanent_failure_with_a_place(text: str) -> None:
    body = RESOURCE + f"  preconditions:\n  - assert: '{text}'\n    skip: {{message: m}}"
    catalog = _catalog(body)
    function = catalog.resolve("ResourceFunction", "f", "ns")
    if isinstance(function, ResourceFunction):
        outcome = plan(function, INPUTS, None, Context(catalog)).outcome
        assert isinstance(outcome, PermFail)
        assert outcome.location.startswith("test.k.yaml:16:")


def test_a_failing_message_keeps_the_outcome() -> None:
    body = RESOURCE + "  preconditions:\n  - assert: =false\n    retry: {message: =inputs.nothing, delay: 3}"
    outcome = _plan(body).outcome
    assert isinstance(outcome, Retry)
    assert outcome.delay_s == 3


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_name_that_is_no_text_is_a_permanent_failure(name: Any) -> None:
    outcome = _plan(RESOURCE, inputs={"name": name, "size": 1}).outcome
    assert isinstance(outcome, PermFail)
    assert outcome.message == "apiConfig.name must yield a non-empty string"


def test_identity_is_forced_after_every_stage() -> None:
    body = RESOURCE + "  overlays:\n  - overlay: {metadata: {name: other, labels: {x: y}}, kind: Other}"
    made = _plan(body)
    assert without_traces(_after(made)) == _live(metadata={"labels": {"x": "y"}}, spec={"size": 3})


def test_overlays_apply_in_order_unless_skipped() -> None:
    body = RESOURCE + textwrap.dedent("""
        overlays:
        - overlay: {spec: {a: =resource.spec.size + 1}}
        - overlay: {spec: {b: =resource.spec.a + 1}}
        - overlay: {spec: {c: 1}}
          skipIf: =resource.spec.b == 5
        """).replace("\n", "\n  ")
    assert _after(_plan(body))["spec"] == {"size": 3, "a": 4, "b": 5}


OVERLAY_FUNCTION = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: v, namespace: ns}
spec:
  preconditions:
  - assert: =inputs.n < 10
    permFail: {message: too much}
  locals: {twice: =inputs.n * 2}
  return:
    spec: {twice: =locals.twice, seen: =resource.spec.size}
"""


def test_an_overlay_function_sees_its_inputs_and_the_target_so_far() -> None:
    body = RESOURCE + "  overlays:\n  - overlayRef: {kind: ValueFunction, name: v}\n    inputs: {n: =inputs.size}"
    assert _after(_plan(body, more=OVERLAY_FUNCTION))["spec"] == {"size": 3, "twice": 6, "seen": 3}
    assert _plan(body, inputs={"name": "a", "size": 10}, more=OVERLAY_FUNCTION).outcome == PermFail(
        "too much", "test.k.yaml:25:13"
    )


TEMPLATE = """
apiVersion: koreo.dev/v1beta1
kind: ResourceTemplate
metadata: {name: t, namespace: ns}
spec:
  template: {apiVersion: other/v1, kind: Other, metadata: {name: x, labels: {l: =text}}, spec: {base: 1}}
  context: {colour: red}
"""


def test_a_template_is_static_and_its_context_reaches_the_overlays() -> None:
    body = "  resourceTemplateRef: {name: t}\n  overlays:\n  - overlay: {spec: {colour: =template.context.colour}}"
    made = _plan(body, more=TEMPLATE)
    assert without_traces(_after(made)) == _live(metadata={"labels": {"l": "=text"}}, spec={"base": 1, "colour": "red"})


def test_a_missing_template_is_waited_for() -> None:
    outcome = _plan("  resourceTemplateRef: {name: t}").outcome
    assert isinstance(outcome, Retry)
    assert (outcome.message, outcome.delay_s) == ("ResourceTemplate t not found", 30)


def test_create_only_fields_are_sent_once_and_survive() -> None:
    body = RESOURCE + "  create: {delay: 2, overlay: {spec: {seed: 1}}}"
    made = _plan(body)
    live = _after(made)
    assert live["spec"] == {"size": 3, "seed": 1}
    assert _plan(body, live).action == "none"
    again = _plan(body, live, inputs={"name": "a", "size": 4})
    assert _after(again, live)["spec"] == {"size": 4, "seed": 1}


def test_a_field_that_is_no_longer_wanted_is_removed() -> None:
    body = "  resource: {spec: =inputs.spec, metadata: {labels: =inputs.labels}}"
    first = {"name": "a", "spec": {"x": 1, "y": {"z": 2}}, "labels": {"mine": "1"}}
    live = _after(_plan(body, inputs=first))
    live["spec"]["foreign"] = True
    live["metadata"]["labels"]["foreign"] = "1"
    second = {"name": "a", "spec": {"x": 1}, "labels": {}}
    made = _plan(body, live, inputs=second)
    assert isinstance(made.outcome, Retry)
    assert "no longer wanted" in made.outcome.message
    after = _after(made, live)
    assert after["spec"] == {"x": 1, "foreign": True}
    assert after["metadata"]["labels"] == {"foreign": "1", "lambent.dev/managed": "true"}
    assert _plan(body, after, inputs=second).action == "none"


def test_a_corrupt_record_counts_as_empty() -> None:
    live = _live(metadata={"annotations": {LAST_APPLIED_ANNOTATION: "{"}}, spec={"size": 3})
    assert _plan(RESOURCE, live).action == "none"


def test_directives_never_reach_the_server() -> None:
    body = "  resource: {spec: {l: [2, 1], x-koreo-compare-as-set: [l]}}"
    made = _plan(body)
    assert _after(made)["spec"] == {"l": [2, 1]}
    assert _plan(body, {**_after(made), "spec": {"l": [1, 2]}}).action == "none"


def test_the_owner_is_added_where_it_is_legal_and_others_stay() -> None:
    assert _after(_plan(RESOURCE, owner=OWNER))["metadata"]["ownerReferences"] == [OWNER.reference()]
    elsewhere = Owner("example.org/v1", "Trigger", "t", "uid-1", "other")
    assert "ownerReferences" not in _after(_plan(RESOURCE, owner=elsewhere))["metadata"]
    foreign = {"uid": "x", "apiVersion": "v1", "kind": "K", "name": "n"}
    live = _live(spec={"size": 3}, metadata={"ownerReferences": [foreign], "resourceVersion": "7"})
    made = _plan(RESOURCE, live, owner=OWNER)
    assert made.body == {"metadata": {"ownerReferences": [foreign, OWNER.reference()]}}
    assert made.resource_version == "7"


def test_a_literal_value_is_never_source_text() -> None:
    strange = {"C:\\new\\table": 'say """ "hi\n', "=key": "007", "nan": "1e3", "  =x": " =y", "": "'"}
    made = _plan("  resource: {spec: =inputs.spec}", inputs={"name": "a", "spec": strange})
    assert _after(made)["spec"] == strange


@pytest.mark.parametrize("update", ["patch: {}", "apply: {}"])
def test_applying_a_plan_and_planning_again_gives_nothing_to_do(update: str) -> None:
    body = RESOURCE + f"  update: {{{update}}}"
    for live in (None, _live(spec={"size": 1}), _live(spec=None), _live(spec=[])):
        made = _plan(body, live, owner=OWNER)
        assert _plan(body, _after(made, live), owner=OWNER).action == "none"


def test_values_that_json_does_not_know_become_what_it_can_hold() -> None:
    body = """
  resource:
    spec:
      at: =timestamp("2026-01-02T03:04:05Z")
      for: =duration("90s")
      bytes: =b"hi"
      unsigned: =3u
      absent: =optional.none()
"""
    made = _plan(body)
    assert _after(made)["spec"] == {"at": "2026-01-02T03:04:05Z", "for": "90s", "bytes": "aGk=", "unsigned": 3}
    assert _plan(body, _after(made)).action == "none"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("{f: [{a: 1}], x-koreo-compare-as-set: [f]}", "directive-set-of-objects"),
        ("{x-koreo-compare-as-set: f}", "directive-shape"),
        ("{f: [{a: 1}, {a: 1}], x-koreo-compare-as-map: {f: [a]}}", "directive-keys"),
        ("{f: [{b: 1}], x-koreo-compare-as-map: {f: [a]}}", "directive-keys"),
        ("{x-koreo-compare-last-applied: [g]}", "directive-unknown-field"),
    ],
)
def test_directives_that_make_no_sense_are_found_before_they_run(spec: str, code: str) -> None:
    found = prepare(documents(HEAD + f"  resource: {{spec: {spec}}}")[0])
    assert found is not None
    assert [diagnostic.code for diagnostic in found.diagnostics] == [code]


LABELLED = """
  resource:
    metadata: {labels: {mine: "1"}}
    spec: {size: =inputs.size}
"""


def test_labels_that_are_no_longer_wanted_go_one_by_one() -> None:
    live = _after(_plan(LABELLED))
    live["metadata"]["labels"]["foreign"] = "2"
    live["metadata"]["annotations"]["foreign"] = "2"
    made = _plan(RESOURCE, live)
    assert made.action == "patch"
    after = without_traces(_after(made, live))
    assert after["metadata"]["labels"] == {"foreign": "2"}
    assert after["metadata"]["annotations"] == {"foreign": "2"}


def test_the_stages_of_a_target_are_named_and_end_where_it_cannot_be_built() -> None:
    body = (
        RESOURCE + "  overlays: [{overlay: {a: 1}}, {skipIf: '=1 == 1', overlay: {b: 1}}, {overlay: {c: =inputs.no}}]"
    )
    stages = _stages(body)
    assert [stage.name for stage in stages] == ["resource", "overlays[0]", "overlays[1]"]
    assert [stage.target.get("a") for stage in stages] == [None, 1, 1]
    assert "b" not in stages[-1].target


def test_a_template_is_the_first_stage() -> None:
    template = """
    apiVersion: koreo.dev/v1beta1
    kind: ResourceTemplate
    metadata: {name: t, namespace: ns}
    spec: {template: {apiVersion: example.org/v1, kind: Thing, spec: {size: 1}}}
    """
    (stage,) = _stages("  resourceTemplateRef: {name: t}", template)
    assert (stage.name, stage.target["spec"]) == ("template", {"size": 1})


def _stages(body: str, more: str = "") -> list[Stage]:
    catalog = _catalog(body, more)
    function = catalog.resolve("ResourceFunction", "f", "ns")
    assert isinstance(function, ResourceFunction)
    found = address(function, INPUTS)
    assert isinstance(found, Address)
    return stages_of(found, Context(catalog))


def test_a_skip_that_is_no_bool_is_placed_at_its_field() -> None:
    body = RESOURCE + "  overlays:\n    - overlay: {a: 1}\n    - {overlay: {b: 1}, skipIf: =1}\n"
    outcome = _plan(body).outcome
    assert isinstance(outcome, PermFail)
    line = (HEAD + body).splitlines().index("    - {overlay: {b: 1}, skipIf: =1}") + 1
    assert (outcome.message, outcome.location) == ("skipIf must yield a bool, not int", f"test.k.yaml:{line}:33")
