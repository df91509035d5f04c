"""The rules of object metadata, one row of the specification's table each."""

import pytest

from tests.kubeserver.asking import APPLY, CONFIGMAPS, GIZMOS, MERGE, configmap, gizmo, gizmo_crd

LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"


def _lease(name: str, **meta):
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, **meta}, "spec": {}}


@pytest.mark.parametrize(("version", "code"), [("7", 500), ("", 201), ("0", 201)])
async def test_a_create_may_not_name_a_version(ask, version, code):
    assert (await ask("POST", CONFIGMAPS, configmap("a", resourceVersion=version)))[0] == code


async def test_versions_are_one_counter_for_all_kinds(ask):
    _, first = await ask("POST", CONFIGMAPS, configmap("a"))
    _, second = await ask("POST", LEASES, _lease("b"))
    assert int(second["metadata"]["resourceVersion"]) == int(first["metadata"]["resourceVersion"]) + 1


async def test_an_update_without_a_version_is_refused_where_lost_updates_would_hurt(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("a"))
    await ask("POST", LEASES, _lease("a"))
    await ask("POST", CONFIGMAPS, configmap("a"))
    for path, body in ((f"{GIZMOS}/a", gizmo("a")), (f"{LEASES}/a", _lease("a"))):
        status, answer = await ask("PUT", path, body)
        assert status == 422
        assert answer["message"].endswith("must be specified for an update")
    assert (await ask("PUT", f"{CONFIGMAPS}/a", configmap("a", {"x": "1"})))[0] == 200


async def test_what_the_server_owns_is_ignored_in_a_body(ask):
    given = {"creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9, "selfLink": "/x"}
    await ask.add_crd(gizmo_crd())
    _, made = await ask("POST", GIZMOS, gizmo("a", **given))
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["creationTimestamp"] > "2020"
    assert "selfLink" not in made["metadata"]
    body = {**made, "metadata": {**made["metadata"], **given}, "spec": {"x": 1}}
    _, changed = await ask("PUT", f"{GIZMOS}/a", body)
    assert changed["metadata"]["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    assert changed["metadata"]["generation"] == 2


async def test_a_wrong_uid_is_a_conflict_in_put_and_invalid_in_a_patch(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    uid = "00000000-0000-0000-0000-000000000000"
    assert (await ask("PUT", f"{CONFIGMAPS}/a", configmap("a", uid=uid)))[0] == 409
    assert (await ask("PATCH", f"{CONFIGMAPS}/a", {"metadata": {"uid": uid}}, media=MERGE))[0] == 422


async def test_generation_is_absent_on_kinds_without_a_spec_to_observe(ask):
    _, made = await ask("POST", CONFIGMAPS, configmap("a"))
    _, lease = await ask("POST", LEASES, _lease("a"))
    assert "generation" not in made["metadata"]
    assert "generation" not in lease["metadata"]


async def test_a_deletion_request_counts_as_a_generation(ask):
    await ask.add_crd(gizmo_crd())
    await ask("POST", GIZMOS, gizmo("a", finalizers=["example.org/x"]))
    _, held = await ask("DELETE", f"{GIZMOS}/a")
    assert (held["metadata"]["generation"], held["metadata"]["deletionGracePeriodSeconds"]) == (2, 0)


async def test_finalizers_may_go_but_not_come_while_deleting(ask):
    await ask("POST", CONFIGMAPS, configmap("a", finalizers=["example.org/x", "example.org/y"]))
    await ask("DELETE", f"{CONFIGMAPS}/a")
    more = {"metadata": {"finalizers": ["example.org/x", "example.org/z"]}}
    status, answer = await ask("PATCH", f"{CONFIGMAPS}/a", more, media=MERGE)
    assert status == 422
    assert 'found new finalizers []string{"example.org/z"}' in answer["message"]
    fewer = {"metadata": {"finalizers": ["example.org/x"]}}
    assert (await ask("PATCH", f"{CONFIGMAPS}/a", fewer, media=MERGE))[0] == 200
    status, last = await ask("PATCH", f"{CONFIGMAPS}/a", {"metadata": {"finalizers": []}}, media=MERGE)
    assert (status, last["kind"]) == (200, "ConfigMap")
    assert (await ask("GET", f"{CONFIGMAPS}/a"))[0] == 404


async def test_a_name_that_is_being_deleted_is_still_taken(ask):
    await ask("POST", CONFIGMAPS, configmap("a", finalizers=["example.org/x"]))
    await ask("DELETE", f"{CONFIGMAPS}/a")
    status, answer = await ask("POST", CONFIGMAPS, configmap("a"))
    assert (status, answer["message"]) == (409, 'object is being deleted: configmaps "a" already exists')


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        ({"labels": {"a b": "x"}}, "metadata.labels"),
        ({"labels": {"a": "-x"}}, "metadata.labels"),
        ({"labels": {"a": "x" * 64}}, "metadata.labels"),
        ({"annotations": {"a/b/c": "x"}}, "metadata.annotations"),
        ({"annotations": {"a": "x" * 262_145}}, "metadata.annotations"),
        ({"finalizers": ["nodomain"]}, "metadata.finalizers[0]"),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "", "name": "a", "uid": "u"}]},
            "metadata.ownerReferences.kind",
        ),
    ],
)
async def test_metadata_follows_the_published_grammar(ask, meta, field):
    status, answer = await ask("POST", CONFIGMAPS, configmap("a", **meta))
    assert status == 422
    assert field in [cause["field"] for cause in answer["details"]["causes"]]


async def test_a_label_that_is_no_string_is_a_bad_request(ask):
    await ask.add_crd(gizmo_crd())
    assert (await ask("POST", GIZMOS, gizmo("a", labels={"x": 1})))[0] == 400
    assert (await ask("POST", CONFIGMAPS, configmap("a", labels={"x": 1})))[0] == 400


async def test_managed_fields_of_an_apply_must_be_absent(ask):
    body = configmap("a", managedFields=[{}])
    assert (await ask("PATCH", f"{CONFIGMAPS}/a?fieldManager=m", body, media=APPLY))[0] == 400


async def test_reset_managed_fields_are_not_tracked_again_until_an_apply(ask):
    await ask("POST", CONFIGMAPS, configmap("a", {"x": "1"}))
    await ask("PATCH", f"{CONFIGMAPS}/a", {"metadata": {"managedFields": [{}]}}, media=MERGE)
    _, still = await ask("PATCH", f"{CONFIGMAPS}/a", {"data": {"y": "2"}}, media=MERGE)
    assert "managedFields" not in still["metadata"]
    _, applied = await ask("PATCH", f"{CONFIGMAPS}/a?fieldManager=m", configmap("a", {"z": "3"}), media=APPLY)
    owners = {entry["manager"]: entry["fieldsV1"] for entry in applied["metadata"]["managedFields"]}
    assert owners["before-first-apply"]["f:data"].keys() == {".", "f:x", "f:y"}
