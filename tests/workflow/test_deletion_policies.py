"""What a deleted trigger, a new name and a removed step leave behind: by delete policy, and never what is only read."""

import asyncio
import textwrap
from typing import Any

import pytest
import yaml

from lambent.workflow.engine.patches import LAST_APPLIED_ANNOTATION
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, WORKFLOW, cluster_of, made_of, trigger, until_ready

BY_POLICY = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w, namespace: default}
spec:
  crdRef: {apiGroup: example.org, version: v1, kind: Trigger}
  orphans: delete
  steps:
  - {label: read, ref: {kind: ResourceFunction, name: reader}}
  - {label: keep, ref: {kind: ResourceFunction, name: abandoned}, inputs: {name: '="kept-" + string(parent.spec.size)'}}
  - {label: end, ref: {kind: ResourceFunction, name: destroyed}, inputs: {name: '="gone-" + string(parent.spec.size)'}}
---
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: reader, namespace: default}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: Thing, name: foreign, namespace: default, readonly: true}
  resource: {}
---
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: abandoned, namespace: default}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: Thing, name: =inputs.name, namespace: default}
  resource: {}
  delete: {abandon: {}}
---
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: destroyed, namespace: default}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: Thing, name: =inputs.name, namespace: default, owned: false}
  resource: {}
  preconditions: [{assert: '=inputs.name != "gone-2"', retry: {message: not now, delay: 600}}]
  delete: {destroy: {}}
"""
FOREIGN: dict[str, Any] = {
    "apiVersion": "example.org/v1",
    "kind": "Thing",
    "metadata": {"name": "foreign", "namespace": "default"},
}
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
    assert LAST_APPLIED_ANNOTATION not in (left["metadata"].get("annotations") or {})
    assert left["spec"] == {"size": 1}


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


@pytest.fixture
def cluster() -> Cluster:
    found = Cluster(ready_after_s=0.0)
    found.put([*yaml.safe_load_all(textwrap.dedent(BY_POLICY)), FOREIGN, trigger()])
    return found


def _names(cluster: Cluster) -> set[str]:
    return {thing["metadata"]["name"] for thing in cluster.kube.peek_all(THING)}


async def _resized(cluster: Cluster, size: int) -> None:
    await cluster.kube.patch(TRIGGER, "t", {"spec": {"size": size}}, namespace="default")
    await asyncio.sleep(2)


async def test_a_deleted_trigger_takes_what_is_destroyed_and_lets_go_of_what_is_abandoned(cluster: Cluster):
    async with cluster.running():
        await until_ready(cluster)
        assert LAST_APPLIED_ANNOTATION in cluster.get(THING, "kept-1")["metadata"]["annotations"]
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(2)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None
    assert _names(cluster) == {"foreign", "kept-1"}
    kept = cluster.get(THING, "kept-1")["metadata"]
    assert LAST_APPLIED_ANNOTATION not in (kept.get("annotations") or {})
    assert not kept.get("ownerReferences")


async def test_an_orphan_goes_by_its_own_policy_when_the_name_of_its_object_changes(cluster: Cluster):
    async with cluster.running():
        await until_ready(cluster)
        await _resized(cluster, 3)
        assert _names(cluster) == {"foreign", "kept-1", "kept-3", "gone-3"}


async def test_nothing_is_an_orphan_while_its_step_waits(cluster: Cluster):
    async with cluster.running():
        await until_ready(cluster)
        await _resized(cluster, 2)
        assert _names(cluster) == {"foreign", "kept-1", "kept-2", "gone-1"}
        await _resized(cluster, 3)
        assert _names(cluster) == {"foreign", "kept-1", "kept-2", "kept-3", "gone-3"}
