"""Explanations, from objects in memory: what holds an object up, and what is never shown."""

from datetime import UTC, datetime
from typing import Any

from lambent.workflow.authoring.explanation import Explanation, explain
from lambent.workflow.authoring.explanation_output import explanation_text
from lambent.workflow.authoring.forecast import answer_from, drive, forecast
from lambent.workflow.engine import Answer, Refused, ResourceRef, Workflow
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
