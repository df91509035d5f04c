"""The words of refusals that scripts match, and the reasons that clients branch on."""

from typing import Any

import pytest

from lambent.http.message import Request
from tests.kubeserver.asking import APPLY, CONFIGMAPS, CRDS, GIZMOS, MERGE, configmap, gizmo, gizmo_crd

RANGED = {"type": "object", "properties": {n: {"type": "integer", "maximum": 5} for n in ("size", "count")}}
STALE = "the object has been modified; please apply your changes to the latest version and try again"
MEDIA = "application/json, application/yaml, application/vnd.kubernetes.protobuf"


@pytest.fixture
async def full(ask):
    """A server with a kind, one of its objects, and a ConfigMap."""
    await ask.add_crd(gizmo_crd(RANGED))
    await ask("POST", GIZMOS, gizmo("a", {"size": 1}))
    await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}))
    return ask


REFUSED: dict[str, tuple[str, str, Any, str, int, str, str]] = {
    "absent": ("GET", f"{GIZMOS}/x", None, "", 404, "NotFound", 'gizmos.test.example.org "x" not found'),
    "absent namespace": (
        "POST", "/api/v1/namespaces/n/configmaps", configmap("a"), "", 404, "NotFound", 'namespaces "n" not found',
    ),
    "absent resource": (
        "GET", "/apis/apps/v1/nothings", None, "", 404, "NotFound", "the server could not find the requested resource",
    ),
    "exists": ("POST", CONFIGMAPS, configmap("a"), "", 409, "AlreadyExists", 'configmaps "a" already exists'),
    "stale": (
        "PUT", f"{GIZMOS}/a", gizmo("a", resourceVersion="1"), "", 409, "Conflict",
        f'Operation cannot be fulfilled on gizmos.test.example.org "a": {STALE}',
    ),
    "invalid": (
        "POST", GIZMOS, gizmo("b", {"size": 9}), "", 422, "Invalid",
        'Gizmo.test.example.org "b" is invalid: spec.size: Invalid value: 9: '
        "spec.size in body should be less than or equal to 5",
    ),
    "another name": (
        "PUT", f"{CONFIGMAPS}/a", configmap("b"), "", 400, "BadRequest",
        "the name of the object (b) does not match the name on the URL (a)",
    ),
    "another namespace": (
        "PUT", f"{CONFIGMAPS}/a", configmap("a", namespace="other"), "", 400, "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
    "another version": (
        "PUT", f"{GIZMOS}/a", gizmo("a") | {"apiVersion": "test.example.org/v9"}, "", 400, "BadRequest",
        "the API version in the data (test.example.org/v9) does not match the expected API version "
        "(test.example.org/v1)",
    ),
    "media type": (
        "POST", CONFIGMAPS, configmap("b"), "text/html", 415, "UnsupportedMediaType",
        f"the body of the request was in an unknown format - accepted media types include: {MEDIA}",
    ),
    "method": (
        "POST", f"{CONFIGMAPS}/a", configmap("a"), "", 405, "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refusal_has_its_code_reason_and_words(full, case):
    method, path, body, media, code, reason, words = REFUSED[case]
    status, answer = await full(method, path, body, media=media or "application/json")
    assert (status, answer["kind"], answer["code"], answer["status"]) == (code, "Status", code, "Failure")
    assert (answer["reason"], answer["message"]) == (reason, words)


async def test_a_wrong_token_is_unauthorized(full, server):
    response = await server.service(Request("GET", CONFIGMAPS.encode(), [(b"authorization", b"Bearer x")]))
    assert isinstance(response.body, bytes)
    assert (response.status, b'"message":"Unauthorized","reason":"Unauthorized"' in response.body) == (401, True)


async def test_several_problems_are_listed_in_brackets_with_a_cause_each(full):
    _, answer = await full("POST", GIZMOS, gizmo("b", {"size": 9, "count": 8}))
    lead = 'Gizmo.test.example.org "b" is invalid: ['
    assert answer["message"].startswith(lead)
    assert answer["message"].endswith("]")
    for cause in answer["details"]["causes"]:
        assert cause["reason"] == "FieldValueInvalid"
        assert f"{cause['field']}: {cause['message']}" in answer["message"][len(lead) : -1].split(", ")
    assert {cause["field"] for cause in answer["details"]["causes"]} == {"spec.size", "spec.count"}


@pytest.mark.parametrize(
    ("preconditions", "why"),
    [
        (
            {"uid": "a"},
            "the UID in the precondition (a) does not match the UID in record (UID). "
            "The object might have been deleted and then recreated",
        ),
        (
            {"resourceVersion": "1"},
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (RV). "
            "The object might have been modified",
        ),
    ],
    ids=["uid", "version"],
)
async def test_a_precondition_of_a_delete_that_fails_is_a_conflict(full, preconditions, why):
    _, found = await full("GET", f"{GIZMOS}/a")
    status, answer = await full("DELETE", f"{GIZMOS}/a", {"preconditions": preconditions})
    meta = found["metadata"]
    wanted = why.replace("UID)", f"{meta['uid']})").replace("RV)", f"{meta['resourceVersion']})")
    assert (status, answer["reason"]) == (409, "Conflict")
    assert answer["message"] == f'Operation cannot be fulfilled on Gizmo.test.example.org "a": {wanted}'
    right = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    assert (await full("DELETE", f"{GIZMOS}/a", {"preconditions": right}))[0] == 200


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        ({"path": f"{GIZMOS}/a?fieldManager=m", "media": APPLY}, '"m"'),
        ({"path": f"{GIZMOS}/a?fieldManager=m", "media": MERGE}, '"m" using test.example.org/v1'),
    ],
    ids=["of an apply", "of an update"],
)
async def test_a_conflict_names_the_manager_and_the_field(full, owner, shown):
    forced = "&force=true" if owner["media"] == APPLY else ""
    body = gizmo("a", {"size": 2})
    assert (await full("PATCH", owner["path"] + forced, body, media=owner["media"]))[0] == 200
    status, answer = await full("PATCH", f"{GIZMOS}/a?fieldManager=n", gizmo("a", {"size": 3}), media=APPLY)
    assert (status, answer["reason"]) == (409, "Conflict")
    assert answer["message"] == f"Apply failed with 1 conflict: conflict with {shown}: .spec.size"
    (cause,) = answer["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".spec.size")


async def test_the_refused_object_is_in_the_details(full):
    _, answer = await full("GET", f"{GIZMOS}/x")
    assert answer["details"] == {"name": "x", "group": "test.example.org", "kind": "gizmos"}
    _, answer = await full("POST", CRDS, gizmo_crd())
    assert (answer["details"]["name"], answer["reason"]) == ("gizmos.test.example.org", "AlreadyExists")
