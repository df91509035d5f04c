"""Explanations, from objects in memory: what holds an object up, and what is never shown."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lambent.workflow.authoring.explanation import Cause, Explanation, explain
from lambent.workflow.authoring.explanation_output import explanation_text, ownership_text
from lambent.workflow.authoring.forecast import answer_from, drive, forecast
from lambent.workflow.authoring.ownership import Ownership, add_forecast, holder, ownership, step_of
from lambent.workflow.engine import Answer, Found, Refused, ResourceRef, Workflow
from lambent.workflow.engine.managed import Record
from lambent.workflow.spec import load_text
from lambent.workflow.testing import prepare
from tests.cli.files import FUNCTIONS, PARENT, SHELF, WORKFLOW


def _object(text: str) -> dict[str, Any]:
    return load_text(text)[0][0].value


def _explained(
    *live: dict[str, Any], status: dict[str, Any] | None = None, refusal: Refused | None = None
) -> Explanation:
    loaded = prepare([*load_text(FUNCTIONS)[0], *load_text(WORKFLOW)[0]])
    workflow = loaded.catalog.resolve("Workflow", "shops", "shop")
    assert isinstance(workflow, Workflow)
    parent = {**_object(PARENT), "status": status or {}}
    known = answer_from(live)

    def answer(ref: ResourceRef) -> Answer:
        return refusal or known(ref)

    return explain(parent, drive(forecast(workflow, parent, loaded.catalog), answer), loaded.catalog)


def _shelf(**status: Any) -> dict[str, Any]:
    shelf = _object(SHELF)
    owner = {"apiVersion": "example.org/v1", "kind": "Shop", "name": "corner"}
    owner["uid"] = "11111111-2222-3333-4444-555555555555"
    shelf["metadata"] |= {"uid": "u", "ownerReferences": [owner]}
    return {**shelf, "spec": {"boards": 3, "colour": "red"}, "status": status}


def test_the_assertion_and_the_paths_it_reads_are_shown_without_values() -> None:
    (cause,) = _explained(_shelf(ready=False, token="hunter2")).causes
    assert cause.assertion == "has(resource.status.ready) && resource.status.ready"
    assert [(path.path, path.found) for path in cause.paths] == [("resource.status.ready", "false")]
    assert "hunter2" not in explanation_text(_explained(_shelf(ready=False, token="hunter2")))


def test_a_path_that_ends_early_says_where() -> None:
    live = {key: value for key, value in _shelf().items() if key != "status"}
    (cause,) = _explained(live).causes
    assert cause.paths[0].found == "absent from resource.status on"


def test_an_answer_of_the_server_is_told() -> None:
    (cause,) = _explained(refusal=Refused(403, "shelves is forbidden", "Forbidden")).causes
    assert cause.server == "403 Forbidden: shelves is forbidden"


def test_a_write_that_is_due_is_named_with_the_object_that_is_missing() -> None:
    (cause,) = _explained().causes
    assert cause.due == ["create Shelf/shop-a"]
    assert cause.waits_for == ["Shelf/shop/shop-a does not exist"]


def test_the_conditions_of_the_object_waited_for_are_told() -> None:
    condition = {"type": "ACK.Terminal", "status": "True", "reason": "Bad", "message": "no such wood"}
    (cause,) = _explained(_shelf(conditions=[condition])).causes
    assert cause.waits_for == ["Shelf/shop/shop-a: Bad: no such wood"]


def test_a_status_that_is_behind_is_noted() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": ""}]}
    assert "the status says Ready, but the next pass will not" in _explained(status=ready).notes[0]
    assert _explained(_shelf(ready=True)).notes == ["the object has no Ready condition yet; is a controller running?"]


def test_ages_are_told_beside_times() -> None:
    step = {"label": "shelf", "outcome": "Retry", "since": "2026-01-01T00:00:00Z", "attempts": 3}
    found = _explained(_shelf(), status={"koreo": {"steps": [step]}})
    text = explanation_text(found, now=datetime(2026, 1, 1, 2, 5, 9, tzinfo=UTC))
    assert "2026-01-01T00:00:00Z (2 h 5 min ago), 3 attempts" in text


SHELF_REF = ResourceRef("example.org/v1", "Shelf", "shop-a", "shop", deletion="destroy")


def _owned(live: dict[str, Any] | None, record: Record, *, orphans: str = "keep") -> Ownership:
    workflow_text = WORKFLOW.replace("spec:\n", f"spec:\n  orphans: {orphans}\n", 1)
    loaded = prepare([*load_text(FUNCTIONS)[0], *load_text(workflow_text)[0]])
    workflow = loaded.catalog.resolve("Workflow", "shops", "shop")
    assert isinstance(workflow, Workflow)
    parent = _object(PARENT)
    found = ownership(SHELF_REF, Found(live))
    step = step_of(record, SHELF_REF)
    assert step is not None
    found.holders.append(holder(parent, record, SHELF_REF, step))
    made = drive(forecast(workflow, parent, loaded.catalog, record=record), answer_from([live] if live else []))
    add_forecast(found.holders[0], SHELF_REF, made, parent, loaded.catalog)
    return found


RECORD = Record("shops", {"naming": None, "shelf": SHELF_REF.record()}, [])


def test_a_resource_names_trigger_workflow_step_and_what_the_next_pass_says() -> None:
    found = _owned(_shelf(ready=False), RECORD)
    (one,) = found.holders
    assert (one.trigger, one.workflow, one.step) == ("Shop/shop/corner", "Workflow/shop/shops", "shelf")
    assert one.cause is not None
    assert (one.cause.function, one.cause.outcome) == ("ResourceFunction/shop/shelf", "Retry")
    text = ownership_text(found)
    assert "belongs to Shop/shop/corner by Workflow/shop/shops, step shelf\n" in text
    assert "in the end: is deleted with its trigger\n" in text
    assert "└─ shelf  Retry  the shelf is not ready" in text
    assert not found.is_settled


def test_a_resource_at_rest_is_settled_and_an_absent_one_is_not() -> None:
    assert _owned(_shelf(ready=True), RECORD).is_settled
    absent = _owned(None, RECORD)
    assert (absent.is_settled, absent.state) == (False, "Shelf/shop/shop-a does not exist")


def test_fields_that_differ_are_named_without_their_values() -> None:
    live = _shelf(ready=True)
    live["spec"] = {"boards": 3, "colour": "hunter2"}
    live["metadata"]["managedFields"] = [
        {"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z"},
        {"manager": "ack", "operation": "Update", "time": "2026-01-01T00:00:00Z", "subresource": "status"},
    ]
    found = _owned(live, RECORD)
    assert found.holders[0].differs_at == ["spec.colour"]
    assert found.writers == [
        "kubectl-edit (Update, 2026-01-01T00:00:00Z)",
        "ack (Update of status, 2026-01-01T00:00:00Z)",
    ]


@pytest.mark.parametrize(
    ("orphans", "said"), [("keep", "it is kept (orphans: keep)"), ("delete", "it is deleted by the next pass")]
)
def test_an_orphan_is_told_as_one(orphans: str, said: str) -> None:
    record = Record("shops", {"gone": None}, [SHELF_REF])
    (one,) = _owned(_shelf(), record, orphans=orphans).holders
    assert (one.step, one.cause) == ("", None)
    assert one.note == f"an orphan: no step manages it any longer; {said}"


def test_a_resource_that_may_not_be_read_says_what_the_server_said() -> None:
    found = ownership(SHELF_REF, Refused(403, "shelves is forbidden", "Forbidden"))
    assert (found.state, found.is_there) == ("cannot be read: 403 shelves is forbidden", False)


def test_a_record_that_does_not_name_a_resource_has_no_step_for_it() -> None:
    assert step_of(Record("shops", {"shelf": None}, []), SHELF_REF) is None


def _with_assertion(text: str, *, inputs: str = "", at: str = "postconditions") -> Cause:
    """The cause of the shelf's waiting with another assertion; more `inputs` for the step."""
    old = "=has(resource.status.ready) && resource.status.ready"
    functions = FUNCTIONS.replace(old, text).replace("postconditions", at)
    loaded = prepare([*load_text(functions)[0], *load_text(WORKFLOW.replace("boards: =p", f"{inputs}boards: =p"))[0]])
    workflow = loaded.catalog.resolve("Workflow", "shops", "shop")
    assert isinstance(workflow, Workflow), workflow
    parent = _object(PARENT)
    live = _shelf(ready=False, parts=[1, 2], labels={"a": "b"}, size=2.5, note="hunter2", none=None)
    made = drive(forecast(workflow, parent, loaded.catalog), answer_from([live]))
    (cause,) = explain(parent, made, loaded.catalog).causes
    return cause


@pytest.mark.parametrize(
    ("assertion", "found"),
    [
        ("=resource.status.parts.size() > 2", {"resource.status.parts": "a list of 2"}),
        ("=resource.status.labels == {}", {"resource.status.labels": "a map of 1"}),
        ("=resource.status.note == ''", {"resource.status.note": "a string of 7 characters"}),
        ("=resource.status.size > 3.0", {"resource.status.size": "a float"}),
        ("=resource.status.none != null", {"resource.status.none": "null"}),
        ("=resource.status.parts[0] == 2", {"resource.status.parts.0": "a list of 2"}),
        ("=has(resource.nothing)", {"resource.nothing": "absent"}),
    ],
)
def test_what_an_assertion_reads_is_told_by_type(assertion: str, found: dict[str, str]) -> None:
    cause = _with_assertion(assertion)
    assert {path.path: path.found for path in cause.paths} == found
    assert "hunter2" not in str(cause)


def test_inputs_that_an_assertion_reads_are_known_too() -> None:
    cause = _with_assertion("=inputs.boards > 5", at="preconditions")
    assert [(path.path, path.found) for path in cause.paths] == [("inputs.boards", "a int")]


def test_an_object_that_is_being_deleted_names_its_finalizers() -> None:
    loaded = prepare([*load_text(FUNCTIONS)[0], *load_text(WORKFLOW)[0]])
    workflow = loaded.catalog.resolve("Workflow", "shops", "shop")
    assert isinstance(workflow, Workflow)
    parent = _object(PARENT)
    parent["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["lambent.dev/workflow"]}
    made = drive(forecast(workflow, parent, loaded.catalog), answer_from([]))
    assert (
        "the object is being deleted; finalizers: lambent.dev/workflow" in explain(parent, made, loaded.catalog).notes
    )


def test_a_status_that_will_be_ready_is_noted() -> None:
    waiting = {"conditions": [{"type": "Ready", "status": "False", "reason": "Wait", "message": "not yet"}]}
    found = _explained(_shelf(ready=True), status=waiting)
    assert found.notes == ["the next pass will be Ready; the controller has not looked yet"]
    assert (found.is_settled, found.to_dict()["version"]) == (False, 1)
    text = explanation_text(found)
    assert "Ready is False (Wait): not yet" in text
    assert "every step is Ok" in text


def test_the_steps_behind_a_cause_and_orphans_are_named() -> None:
    refusal = _explained(refusal=Refused(0, "", "Unreachable"))
    assert refusal.causes[0].server.startswith("no answer")
    workflow = WORKFLOW.replace("=parent.spec.name}", "=parent.spec.nothing}")
    loaded = prepare([*load_text(FUNCTIONS)[0], *load_text(workflow)[0]])
    found = loaded.catalog.resolve("Workflow", "shops", "shop")
    assert isinstance(found, Workflow)
    parent = _object(PARENT)
    record = Record("shops", {"gone": SHELF_REF.record()}, [])
    made = drive(forecast(found, parent, loaded.catalog, record=record), answer_from([]))
    text = explanation_text(explain(parent, made, loaded.catalog))
    assert "└─ shelf waits for\n└─ naming  PermFail  " in text
    assert "orphans: Shelf/shop-a" in text


@pytest.mark.parametrize(
    ("since", "age"),
    [
        ("2026-01-01T00:00:00Z", " (0 s ago)"),
        ("2025-12-01T00:00:00Z", " (31 d ago)"),
        ("2027-01-01T00:00:00Z", ""),
        ("soon", ""),
    ],
)
def test_an_age_is_told_in_two_units_at_most(since: str, age: str) -> None:
    step = {"label": "shelf", "outcome": "Retry", "since": since, "attempts": 3, "nextAt": "2026-01-01T00:01:00Z"}
    found = _explained(_shelf(), status={"koreo": {"steps": [step]}})
    text = explanation_text(found, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert f"{since}{age}, 3 attempts\n" in text
    assert "next look:  2026-01-01T00:01:00Z" in text
