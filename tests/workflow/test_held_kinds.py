"""Objects that our finalizer holds can be deleted though no workflow has their kind when the controller starts."""

import asyncio
from typing import Any

import pytest

from lambent.kube.errors import Forbidden, ServerError
from lambent.kube.types import GVK
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, WORKFLOW, cluster_of, made_of, until_ready

_WORKFLOW = GVK("koreo.dev", "v1beta1", "Workflow")
_CONFIG_MAP = GVK("", "v1", "ConfigMap")


def _noted(cluster: Cluster) -> dict[str, Any]:
    found: Any = cluster.kube.peek(_CONFIG_MAP, "lambent-held-kinds", "default")
    return dict(found.get("data") or {}) if found else {}


async def _left_without_workflow(**function: Any) -> Cluster:
    """A cluster with a ready trigger, whose workflow went while no controller ran."""
    cluster = cluster_of(**function)
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(1)
    cluster.kube.terminate(_WORKFLOW, "w", "default")
    return cluster


async def test_a_trigger_deleted_while_no_controller_ran_goes_with_its_resources():
    cluster = await _left_without_workflow(**DESTROY)
    cluster.kube.terminate(TRIGGER, "t", "default")
    async with cluster.running() as controller:
        await asyncio.sleep(3)
        assert (cluster.kube.peek_all(THING), cluster.kube.peek(TRIGGER, "t", "default")) == ([], None)
        assert (controller.trigger_kinds, _noted(cluster)) == (frozenset(), {})


async def test_a_held_trigger_is_told_and_can_be_deleted_later():
    cluster = await _left_without_workflow(**DESTROY)
    async with cluster.running() as controller:
        await asyncio.sleep(1)
        assert cluster.condition(TRIGGER, "t")["reason"] == "NoWorkflow"
        assert controller.trigger_kinds == {TRIGGER}
        await asyncio.sleep(5000)
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(3)
        assert (cluster.kube.peek_all(THING), cluster.kube.peek(TRIGGER, "t", "default")) == ([], None)
        assert (controller.trigger_kinds, _noted(cluster)) == (frozenset(), {})


async def test_a_workflow_that_comes_back_serves_its_triggers_again():
    cluster = await _left_without_workflow(**DESTROY)
    async with cluster.running() as controller:
        await asyncio.sleep(1)
        cluster.put([made_of(WORKFLOW)])
        await until_ready(cluster)
        assert controller.trigger_kinds == {TRIGGER}


async def test_the_kind_is_noted_before_its_first_object_is_held():
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
    writes = [f"{call.verb} {call.gvk.kind}" for call in cluster.kube.writes()]
    assert writes.index("create ConfigMap") < writes.index("patch Trigger") < writes.index("create Thing")
    assert _noted(cluster) == {"Trigger.v1.example.org": "held"}


async def test_a_kind_whose_objects_need_no_finalizer_is_not_noted():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
    assert "create ConfigMap" not in cluster.mutations()


@pytest.mark.parametrize("verb", ["get", "list"])
async def test_a_refusal_at_the_start_is_asked_again(verb: str):
    cluster = await _left_without_workflow(**DESTROY)
    cluster.kube.terminate(TRIGGER, "t", "default")
    cluster.kube.fail(verb, _CONFIG_MAP if verb == "get" else TRIGGER, ServerError("oops", code=500), times=2)
    async with cluster.running():
        await asyncio.sleep(60)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None


async def test_without_the_right_to_note_a_pass_goes_on():
    cluster = cluster_of(**DESTROY)
    cluster.kube.fail("patch", _CONFIG_MAP, Forbidden("no", code=403), times=100)
    async with cluster.running():
        await until_ready(cluster)
    assert _noted(cluster) == {}


async def test_a_kind_that_is_served_no_more_is_taken_off():
    cluster = await _left_without_workflow(**DESTROY)
    cluster.kube.kinds.unregister(TRIGGER)
    async with cluster.running() as controller:
        await asyncio.sleep(1)
        assert (controller.trigger_kinds, _noted(cluster)) == (frozenset(), {})
