"""The seed on a cluster in memory: the chain runs by events alone, and rests when it is done."""

import asyncio
from typing import Any

from lambent.kube.types import GVK
from lambent.workflow.spec import load_paths
from tests.workflow.cluster import BUCKET, FUNCTION, Cluster
from tests.workflow.shared import SEED, needs_seed

pytestmark = needs_seed
WORKLOAD = GVK("example.koreo.dev", "v1", "LambdaWorkload")
NAME, NAMESPACE = "hello-lambda-workload", "koreo-examples"


def _cluster(ready_after_s: float | None = 0.0) -> Cluster:
    cluster = Cluster(ready_after_s=ready_after_s)
    documents, _ = load_paths([SEED])
    objects = [d.value for d in documents if d.identity.kind != "FunctionTest"]
    cluster.put(sorted(objects, key=lambda obj: obj["kind"] != "CustomResourceDefinition"))
    return cluster


def _workload(cluster: Cluster) -> dict[str, Any]:
    return cluster.get(WORKLOAD, NAME, NAMESPACE)


async def test_the_chain_is_ready_within_a_second_of_its_last_resource():
    cluster = _cluster(ready_after_s=0.0)
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with cluster.running():
        while cluster.condition(WORKLOAD, NAME, namespace=NAMESPACE).get("status") != "True":
            await asyncio.sleep(0.01)
            assert loop.time() - started < 1, _workload(cluster).get("status")
    assert cluster.get(FUNCTION, NAME, NAMESPACE)["spec"]["environment"] == {
        "variables": {"BUCKET_NAME": cluster.get(BUCKET, f"{NAME}-bucket", NAMESPACE)["spec"]["name"]}
    }


async def test_each_step_starts_when_the_resource_before_it_becomes_ready():
    cluster = _cluster(ready_after_s=3.0)
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with cluster.running():
        while cluster.condition(WORKLOAD, NAME, namespace=NAMESPACE).get("status") != "True":
            await asyncio.sleep(0.1)
            assert loop.time() - started < 13
    assert loop.time() - started >= 12


async def test_a_ready_workload_is_left_alone_for_hours():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(5)
        before = cluster.mutations()
        await asyncio.sleep(10_800)
        assert cluster.mutations()[len(before) :] == []


async def test_conditions_state_and_record_stand_on_the_workload():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(5)
    workload = _workload(cluster)
    assert [item["type"] for item in workload["status"]["conditions"]] == [
        "Bucket",
        "Policy",
        "Role",
        "Lambda",
        "Ready",
    ]
    assert all(item["status"] == "True" for item in workload["status"]["conditions"])
    assert list(workload["status"]["state"]) == ["bucketName"]
    assert '"kind":"Bucket"' in workload["metadata"]["annotations"]["koreo.dev/managed-resources"]


async def test_a_trigger_without_status_subresource_carries_no_observed_generation():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(5)
    status = _workload(cluster)["status"]
    assert "observedGeneration" not in status
    assert all("observedGeneration" not in item for item in status["conditions"])


async def test_a_deleted_bucket_comes_back_within_a_second():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(5)
        await cluster.kube.delete(BUCKET, f"{NAME}-bucket", namespace=NAMESPACE)
        await asyncio.sleep(1)
        assert cluster.get(BUCKET, f"{NAME}-bucket", NAMESPACE)["spec"]


async def test_a_changed_field_is_put_back_within_a_second():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(5)
        await cluster.kube.patch(BUCKET, f"{NAME}-bucket", {"spec": {"name": "other"}}, namespace=NAMESPACE)
        await asyncio.sleep(1)
        assert cluster.get(BUCKET, f"{NAME}-bucket", NAMESPACE)["spec"]["name"].startswith("my-unique")


async def test_a_new_spec_reaches_the_function():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(5)
        await cluster.kube.patch(WORKLOAD, NAME, {"spec": {"image": "other:2"}}, namespace=NAMESPACE)
        await asyncio.sleep(1)
        assert cluster.get(FUNCTION, NAME, NAMESPACE)["spec"]["code"]["imageURI"].endswith("/other:2")


async def test_the_workflow_may_appear_before_its_trigger_kind():
    cluster = Cluster(ready_after_s=0.0)
    documents, _ = load_paths([SEED])
    kinds = {d.identity.kind: d.value for d in documents}
    cluster.put(d.value for d in documents if d.value["apiVersion"].startswith("koreo.dev"))
    async with cluster.running():
        await asyncio.sleep(2)
        cluster.put([kinds["CustomResourceDefinition"]])
        await asyncio.sleep(1)
        cluster.put([kinds["LambdaWorkload"]])
        await asyncio.sleep(2)
        assert cluster.condition(WORKLOAD, NAME, namespace=NAMESPACE)["status"] == "True"


async def test_functions_may_appear_after_the_trigger():
    cluster = Cluster(ready_after_s=0.0)
    documents, _ = load_paths([SEED])
    late = [d.value for d in documents if d.identity.kind in ("ResourceFunction", "ValueFunction")]
    early = [d.value for d in documents if d.identity.kind in ("Workflow", "LambdaWorkload")]
    crd = [d.value for d in documents if d.identity.kind == "CustomResourceDefinition"]
    cluster.put([*crd, *early])
    async with cluster.running():
        await asyncio.sleep(3)
        assert cluster.condition(WORKLOAD, NAME, namespace=NAMESPACE)["status"] == "False"
        cluster.put(late)
        await asyncio.sleep(2)
        assert cluster.condition(WORKLOAD, NAME, namespace=NAMESPACE)["status"] == "True"
