"""Whose an object is, by what stands on it."""

from typing import Any, cast

import orjson
import pytest

from lambent.kube.types import KubeObject
from lambent.workflow.controller.claims import objection, uids_of
from lambent.workflow.engine import ResourceRef
from lambent.workflow.engine.managed import ANNOTATION
from lambent.workflow.engine.patches import APPLIED_BY_ANNOTATION, LAST_APPLIED_ANNOTATION
from tests.workflow.cluster import TRIGGER, Cluster
from tests.workflow.things import trigger

_WRITTEN = {LAST_APPLIED_ANNOTATION: "{}"}


def _by(name: str, kind: str = "Trigger") -> dict[str, Any]:
    mark = f"ResourceFunction/default/waits for it:spec for {kind}/default/{name}"
    return {"annotations": {**_WRITTEN, APPLIED_BY_ANNOTATION: mark}}


def _owned(*names: str, version: str = "example.org/v1") -> dict[str, Any]:
    owners = [{"apiVersion": version, "kind": "Trigger", "name": name, "uid": f"uid-of-{name}"} for name in names]
    return {"ownerReferences": owners}


@pytest.mark.parametrize(
    ("metadata", "recorded", "why"),
    [
        (_by("t"), "u", ""),
        (_by("t"), None, ""),
        (_owned("t"), None, ""),
        ({"annotations": _WRITTEN}, None, ""),
        ({}, "u", ""),
        ({}, None, "nothing on it says"),
        ({}, "before", "made anew"),
        (_by("other"), "u", "Trigger/other"),
        (_by("other") | _owned("t"), "u", "Trigger/other"),
        (_by("t") | _owned("t", "other"), "u", "Trigger/other"),
        (_by("t") | _owned("other", version="example.org/v2"), "u", "Trigger/other"),
        (_by("gone"), "u", ""),
        (_by("gone"), None, "nothing on it says"),
        (_by("t") | _owned("gone"), "u", ""),
        (_by("t") | _owned("other", version="example.com/v1"), "u", ""),
        (_by("other", "Thing"), "u", ""),
        (_owned("gone"), "u", "nothing on it says"),
        (_by("t") | {"namespace": "far"}, None, ""),
        ({"namespace": "far"}, "u", "nothing on it says"),
        (_by("gone") | {"namespace": "far"}, "u", ""),
        ({"annotations": {APPLIED_BY_ANNOTATION: "f for a/b"}}, "u", ""),
    ],
)
async def test_an_object_says_whose_it_is(metadata: dict[str, Any], recorded: str | None, why: str):
    cluster, found = await _judged(metadata, recorded)
    assert (why in found) if why else found == ""
    assert {call.verb for call in cluster.kube.calls} <= {"get"}


async def test_an_owner_that_was_made_anew_is_another():
    reference = {"apiVersion": "example.org/v1", "kind": "Trigger", "name": "other", "uid": "of the one before"}
    _, found = await _judged(_by("t") | {"ownerReferences": [reference]}, "u")
    assert found == ""


async def test_what_only_the_trigger_has_a_sign_on_is_judged_without_a_request():
    cluster, found = await _judged(_by("t") | _owned("t"), "u")
    assert (cluster.kube.calls, found) == ([], "")


_ENTRY = {"apiVersion": "example.org/v1", "kind": "Thing", "name": "a", "namespace": "default", "uid": "u"}


@pytest.mark.parametrize(
    ("value", "metadata", "is_holder"),
    [
        ({"uid": "OTHER", "resources": {"a": [_ENTRY]}}, {}, True),
        ({"uid": "OTHER", "resources": {"a": [_ENTRY]}}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, False),
        ({"uid": "OTHER", "resources": {"a": {**_ENTRY, "readonly": True}}}, {}, False),
        ({"uid": "OTHER", "resources": {"a": {**_ENTRY, "uid": "v"}}}, {}, False),
        ({"uid": "OTHER", "resources": {}, "orphans": [_ENTRY]}, {}, False),
        ({"uid": "somebody else", "resources": {"a": _ENTRY}}, {}, False),
        ({"resources": {"a": _ENTRY}}, {}, False),
    ],
    ids=["holds", "ends-too", "reads", "another-object", "orphan", "copied", "says-not-whose"],
)
async def test_what_another_trigger_has_on_its_own_record_is_its_too(
    value: dict[str, Any], metadata: dict[str, Any], is_holder: bool
):
    cluster = Cluster()
    cluster.put([trigger("t"), trigger("other")])
    other = cluster.get(TRIGGER, "other")
    text = orjson.dumps(value).decode().replace("OTHER", other["metadata"]["uid"])
    other["metadata"] |= {"annotations": {ANNOTATION: text}, **metadata}
    live = cast(KubeObject, {**_ENTRY, "metadata": {"name": "a", "namespace": "default", "uid": "u", **_by("t")}})
    asked = cast(KubeObject, cluster.get(TRIGGER, "t"))
    ref = ResourceRef("example.org/v1", "Thing", "a", "default", uid="u")

    def holders(uid: str) -> list[KubeObject]:
        found = [asked, cast(KubeObject, other)]
        return [one for one in found if uid in uids_of(one)]

    assert (await objection(cluster.kube, asked, ref, live, holders) == "it belongs to Trigger/other too") is is_holder


async def _judged(metadata: dict[str, Any], recorded: str | None) -> tuple[Cluster, str]:
    """The objection to an end of a thing with this metadata; two triggers live, `t` is the one that asks."""
    cluster = Cluster()
    cluster.put([trigger("t"), trigger("other")])
    place: dict[str, Any] = {"name": "a", "namespace": "default", "uid": "u", **metadata}
    uids = {f"uid-of-{name}": cluster.get(TRIGGER, name)["metadata"]["uid"] for name in ("t", "other")}
    if "ownerReferences" in place:
        place["ownerReferences"] = [
            {**one, "uid": uids.get(one["uid"], one["uid"])} for one in place["ownerReferences"]
        ]
    live = cast(KubeObject, {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": place})
    ref = ResourceRef("example.org/v1", "Thing", "a", place["namespace"], uid=recorded)
    return cluster, await objection(
        cluster.kube, cast(KubeObject, cluster.get(TRIGGER, "t")), ref, live, lambda uid: ()
    )
