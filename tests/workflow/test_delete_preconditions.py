"""Deletes state the object that was looked at; one that changes meanwhile is looked at again and goes all the same."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from lambent.kube.errors import Forbidden
from lambent.kube.fake import FakeKube
from lambent.kube.types import GVK, KubeObject, Preconditions
from lambent.workflow.controller import records
from lambent.workflow.crds import crds
from lambent.workflow.engine.managed import ANNOTATION
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, FUNCTION, WORKFLOW, made_of, trigger, until_ready

_API = DESTROY["apiConfig"]
_STEPS = [{"label": "first", "ref": {"kind": "ResourceFunction", "name": "thing"}, "inputs": {"name": "first"}}]
_OTHER_STEPS = [{"label": "v", "ref": {"kind": "ValueFunction", "name": "v"}}]
_VALUE = {
    "apiVersion": "koreo.dev/v1beta1",
    "kind": "ValueFunction",
    "metadata": {"name": "v", "namespace": "default"},
    "spec": {"return": {"a": 1}},
}


class _Busy(FakeKube):
    """Things are given a new form after each of the next `changes` looks; what each delete stated is noted."""

    def __init__(self) -> None:
        super().__init__(crds=crds())
        self.changes = 0
        self.change: Callable[[KubeObject], dict[str, Any]] = _new_status
        self.stated: dict[str, list[Preconditions]] = {}

    async def get(self, gvk: GVK, name: str, **how: Any) -> KubeObject:
        found = await super().get(gvk, name, **how)
        if gvk == THING and self.changes:
            self.changes -= 1
            self.put(cast(KubeObject, self.change(found)))
        return found

    async def delete(self, gvk: GVK, name: str, *, preconditions: Preconditions | None = None, **how: Any) -> None:
        self.stated.setdefault(gvk.kind, []).append(preconditions or Preconditions())
        await super().delete(gvk, name, preconditions=preconditions, **how)


def _new_status(thing: KubeObject) -> dict[str, Any]:
    status: dict[str, Any] = thing.get("status") or {}
    return {**thing, "status": {"ready": True, "count": status.get("count", 0) + 1}}


def _busy() -> tuple[_Busy, Cluster]:
    kube = _Busy()
    cluster = Cluster(ready_after_s=0.0, kube=kube)
    cluster.put([made_of(WORKFLOW, steps=_STEPS, orphans="delete"), _VALUE, trigger()])
    cluster.put([made_of(FUNCTION, **DESTROY, resource={"spec": {"size": 1}})])
    return kube, cluster


async def _end_trigger(cluster: Cluster) -> None:
    await cluster.kube.delete(TRIGGER, "t", namespace="default")


async def _end_step(cluster: Cluster) -> None:
    cluster.put([made_of(WORKFLOW, steps=_OTHER_STEPS, orphans="delete")])


async def _end_by_function(cluster: Cluster) -> None:
    cluster.put([made_of(FUNCTION, apiConfig={**_API, "deleteIfExists": True}, resource={})])


async def _recreate(cluster: Cluster) -> None:
    update = {"recreate": {"delay": 1}}
    cluster.put([made_of(FUNCTION, **DESTROY, update=update, resource={"spec": {"size": 2}})])


@pytest.mark.parametrize("changes", [0, 1, 3, 40])
@pytest.mark.parametrize("end", [_end_trigger, _end_step, _end_by_function, _recreate])
async def test_an_object_that_keeps_changing_is_deleted_all_the_same(end: Any, changes: int):
    kube, cluster = _busy()
    async with cluster.running():
        await until_ready(cluster)
        uid = cluster.get(THING, "first")["metadata"]["uid"]
        kube.changes = changes
        await end(cluster)
        await asyncio.sleep(600)
        left = kube.peek(THING, "first", "default")
    assert (left["metadata"]["uid"] != uid) if left is not None and end is _recreate else left is None
    assert {seen.uid for seen in kube.stated["Thing"]} == {uid}
    assert all(seen.resource_version for seen in kube.stated["Thing"])
    # Each but the last was refused for a change, and for nothing else.
    assert len(kube.stated["Thing"]) <= changes + 1


async def test_an_object_that_another_trigger_takes_over_meanwhile_stays():
    kube, cluster = _busy()
    async with cluster.running():
        await until_ready(cluster)
    cluster.put([trigger("other")])
    uid = cluster.get(TRIGGER, "other")["metadata"]["uid"]
    reference = {"apiVersion": "example.org/v1", "kind": "Trigger", "name": "other", "uid": uid}
    kube.change = lambda thing: {**thing, "metadata": {**thing["metadata"], "ownerReferences": [reference]}}
    kube.changes = 1
    cluster.put([made_of(WORKFLOW, steps=_OTHER_STEPS)])
    await _end_trigger(cluster)
    async with cluster.running():
        await asyncio.sleep(60)
    assert kube.peek(TRIGGER, "t", "default") is None
    assert len(kube.stated["Thing"]) == 1
    assert cluster.get(THING, "first")["metadata"]["ownerReferences"] == [reference]


@pytest.mark.parametrize("end", [_end_trigger, _end_step])
async def test_the_config_map_of_a_record_goes_as_it_was_seen(end: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records, "MAX_ANNOTATION_BYTES", 200)
    kube, cluster = _busy()
    async with cluster.running():
        await until_ready(cluster)
        await end(cluster)
        await asyncio.sleep(600)
    assert [bool(seen.uid and seen.resource_version) for seen in kube.stated["ConfigMap"]] == [True]


async def test_an_orphan_that_may_not_be_deleted_keeps_no_status_from_being_written():
    kube, cluster = _busy()
    kube.fail("delete", THING, Forbidden("no", code=403), times=10_000)
    async with cluster.running():
        await until_ready(cluster)
        await _end_step(cluster)
        await kube.patch(TRIGGER, "t", {"spec": {"size": 2}}, namespace="default")
        await asyncio.sleep(60)
        assert cluster.condition(TRIGGER, "t")["observedGeneration"] == 2
        assert cluster.condition(TRIGGER, "t")["status"] == "True"
        assert "first" in cluster.get(TRIGGER, "t")["metadata"]["annotations"][ANNOTATION]
        kube.faults.clear()
        await asyncio.sleep(600)
    assert kube.peek(THING, "first", "default") is None
