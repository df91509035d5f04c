"""Crashes, lost answers and disordered events: the end is the same as without them."""

import asyncio
from typing import Any

import pytest

from lambent.kube.errors import ServerError, Unreachable
from lambent.workflow.spec import load_paths
from tests.workflow.cluster import BUCKET, FUNCTION, POLICY, ROLE, Cluster
from tests.workflow.shared import SEED, needs_seed
from tests.workflow.test_controller_seed import NAME, NAMESPACE, WORKLOAD

pytestmark = needs_seed
PLACES = ((BUCKET, f"{NAME}-bucket"), (POLICY, NAME), (ROLE, NAME), (FUNCTION, NAME))


def _cluster() -> Cluster:
    cluster = Cluster(ready_after_s=0.0)
    documents, _ = load_paths([SEED])
    objects = [d.value for d in documents if d.identity.kind != "FunctionTest"]
    cluster.put(sorted(objects, key=lambda obj: obj["kind"] != "CustomResourceDefinition"))
    workload = cluster.get(WORKLOAD, NAME, NAMESPACE)
    # Without the suffix, which comes from the uid, two runs give the same names.
    cluster.put([{**workload, "spec": {**workload["spec"], "generateBucketSuffix": False}}])
    return cluster


def _end_state(cluster: Cluster) -> list[Any]:
    conditions = cluster.get(WORKLOAD, NAME, NAMESPACE)["status"]["conditions"]
    specs = [cluster.get(gvk, name, NAMESPACE)["spec"] for gvk, name in PLACES]
    return [*specs, [(item["type"], item["status"], item["message"]) for item in conditions]]


async def _undisturbed() -> list[Any]:
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(10)
    return _end_state(cluster)


@pytest.mark.parametrize("after", range(0, 20))
async def test_a_crash_before_any_write_leads_to_the_same_end(after: int):
    cluster = _cluster()
    cluster.kube.crash_after(after)
    async with cluster.running():
        await asyncio.sleep(3)
    cluster.kube.crash_after(None)
    async with cluster.running():
        await asyncio.sleep(30)
    assert _end_state(cluster) == await _undisturbed()


@pytest.mark.parametrize("verb", ["create", "patch"])
@pytest.mark.parametrize("error", [Unreachable("reset"), ServerError("oops", code=500)], ids=["lost", "500"])
async def test_a_write_whose_answer_is_lost_is_not_repeated_wrongly(verb: str, error: Exception):
    cluster = _cluster()
    cluster.kube.fail(verb, None, error, times=4, after=True)
    async with cluster.running():
        await asyncio.sleep(120)
    assert _end_state(cluster) == await _undisturbed()
    assert [len(cluster.kube.peek_all(gvk)) for gvk, _ in PLACES] == [1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(6))
async def test_chance_failures_of_a_fifth_of_all_calls_lead_to_the_same_end(seed: int):
    cluster = _cluster()
    cluster.kube.chaos(seed, 0.2)
    async with cluster.running():
        await asyncio.sleep(300)
        cluster.kube.faults.clear()
        await asyncio.sleep(700)
    assert _end_state(cluster) == await _undisturbed()


async def test_watches_that_are_cut_lose_nothing():
    cluster = _cluster()
    async with cluster.running():
        for _ in range(100):
            cluster.kube.cut_watches()
            await asyncio.sleep(0.05)
        await asyncio.sleep(60)
    assert _end_state(cluster) == await _undisturbed()
