"""What the status on a trigger tells beyond conditions: attempts, the next look, kinds without a workflow."""

import asyncio

from lambent.kube.errors import ServerError
from lambent.kube.types import GVK
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, WORKFLOW, cluster_of, made_of, until_ready

_WORKFLOW = GVK("koreo.dev", "v1beta1", "Workflow")


def _steps(cluster: Cluster) -> dict[str, dict[str, object]]:
    return {step["label"]: step for step in cluster.get(TRIGGER, "t")["status"]["koreo"]["steps"]}


async def test_a_waiting_step_tells_its_attempts_and_when_it_is_looked_at_again():
    cluster = cluster_of(ready_after_s=None)
    async with cluster.running():
        await asyncio.sleep(1)
        waiting = _steps(cluster)["first"]
    assert (waiting["outcome"], waiting["attempts"]) == ("Retry", 1)
    # The virtual clock began at 22:30:00; the thing was created at once, and its postcondition waits for 600 s.
    assert waiting["nextAt"] == "2023-11-14T22:40:00Z"
    assert "attempts" not in _steps(cluster)["second"]


async def test_a_step_that_is_done_has_no_attempts():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
    assert [sorted(step) for step in _steps(cluster).values()] == [["label", "outcome", "since"]] * 2


async def test_attempts_alone_are_no_reason_to_write():
    cluster = cluster_of()
    cluster.kube.fail("get", THING, ServerError("oops", code=500), times=20)
    async with cluster.running():
        await asyncio.sleep(60)
        before = len(cluster.mutations())
        await asyncio.sleep(600)
        assert [call for call in cluster.mutations()[before:] if call == "patch Trigger"] == []


async def _drop_workflow(cluster: Cluster) -> None:
    await cluster.kube.delete(_WORKFLOW, "w", namespace="default")
    await asyncio.sleep(1)


async def test_the_objects_of_a_kind_are_told_when_its_last_workflow_goes():
    cluster = cluster_of()
    async with cluster.running() as controller:
        await until_ready(cluster)
        recorded = cluster.get(TRIGGER, "t")["metadata"]["annotations"]
        await _drop_workflow(cluster)
        ready = cluster.condition(TRIGGER, "t")
        assert (ready["status"], ready["reason"]) == ("False", "NoWorkflow")
        assert cluster.get(TRIGGER, "t")["metadata"]["annotations"] == recorded
        assert controller.trigger_kinds == frozenset()


async def test_a_kind_without_a_workflow_is_served_until_our_finalizer_is_off_its_last_object():
    cluster = cluster_of(**DESTROY)
    async with cluster.running() as controller:
        await until_ready(cluster)
        await _drop_workflow(cluster)
        assert cluster.condition(TRIGGER, "t")["reason"] == "NoWorkflow"
        assert controller.trigger_kinds == {TRIGGER}
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(2)
        assert cluster.kube.peek(TRIGGER, "t", "default") is None
        assert cluster.kube.peek_all(THING) == []
        assert controller.trigger_kinds == frozenset()


async def test_a_workflow_that_comes_back_serves_its_kind_again():
    cluster = cluster_of()
    async with cluster.running() as controller:
        await until_ready(cluster)
        await _drop_workflow(cluster)
        cluster.put([made_of(WORKFLOW)])
        await until_ready(cluster)
        assert controller.trigger_kinds == {TRIGGER}


async def test_a_restart_writes_nothing_not_even_an_event():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(5)
    before = len(cluster.kube.writes())
    async with cluster.running():
        await asyncio.sleep(5)
    assert [str(call) for call in cluster.kube.writes()[before:]] == []
