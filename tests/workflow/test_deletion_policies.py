"""What a deleted trigger leaves behind: by policy, by uid, and never what is only read."""

import asyncio
from typing import Any

import pytest

from tests.workflow.cluster import THING, TRIGGER
from tests.workflow.things import DESTROY, WORKFLOW, cluster_of, made_of, until_ready

_LAST = "koreo.dev/last-applied-configuration"
_ABANDON: dict[str, Any] = {**DESTROY, "delete": {"abandon": {}}}


async def test_an_abandoned_object_stays_and_loses_only_our_traces():
    cluster = cluster_of(**_ABANDON)
    cluster.put([made_of(WORKFLOW, orphans="delete")])
    async with cluster.running():
        await until_ready(cluster)
        thing = cluster.get(THING, "first")
        other = {"apiVersion": "v1", "kind": "Other", "name": "o", "uid": "other"}
        ours = {
            "apiVersion": "example.org/v1",
            "kind": "Trigger",
            "name": "t",
            "uid": cluster.get(TRIGGER, "t")["metadata"]["uid"],
        }
        thing["metadata"]["ownerReferences"] = [other, ours]
        cluster.put([thing])
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(2)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None
    left = cluster.get(THING, "first")
    assert left["metadata"]["ownerReferences"] == [other]
    assert _LAST not in (left["metadata"].get("annotations") or {})
    assert left["spec"] == {"size": 1}


async def test_an_object_with_another_uid_than_recorded_outlives_the_trigger():
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(1)
    fresh = cluster.get(THING, "first")
    await cluster.kube.delete(THING, "first", namespace="default")
    for member in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        fresh["metadata"].pop(member)
    await cluster.kube.create(fresh)  # type: ignore[arg-type]  # a KubeObject
    await cluster.kube.delete(TRIGGER, "t", namespace="default")
    async with cluster.running():
        await asyncio.sleep(2)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None
    assert [thing["metadata"]["name"] for thing in cluster.kube.peek_all(THING)] == ["first"]


@pytest.mark.parametrize("orphans", ["keep", "delete"])
async def test_an_object_that_is_only_read_is_never_written_nor_deleted(orphans: str):
    api = {**DESTROY["apiConfig"], "readonly": True}
    cluster = cluster_of(**{**DESTROY, "apiConfig": api})
    things = [{"apiVersion": "example.org/v1", "kind": "Thing", "spec": {"size": 1}, "status": {"ready": True}}]
    names = ("first", "second")
    cluster.put([made_of(WORKFLOW, orphans=orphans)])
    cluster.put([{**things[0], "metadata": {"name": name, "namespace": "default"}} for name in names])
    async with cluster.running():
        await until_ready(cluster)
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(2)
    assert [call for call in cluster.mutations() if call.endswith(" Thing")] == []
    assert len(cluster.kube.peek_all(THING)) == 2
