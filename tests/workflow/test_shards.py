"""Triggers and definitions that several controllers share by shards: each object has one writer."""

import asyncio
import contextlib
from typing import Any

from lambent.kube.informer import InformerHub
from lambent.kube.leader import shard_of
from lambent.kube.sharding import selects_shard
from lambent.kube.types import GVK, Key
from lambent.workflow.controller import Pacer, WorkflowController
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, WORKFLOW, cluster_of, made_of, trigger, until_ready

SHARDS = 2
NAMES = ["t", *(f"t{number}" for number in range(7))]
DEFINITION = GVK("koreo.dev", "v1beta1", "Workflow")
OWN = (TRIGGER.kind, "Workflow", "ResourceFunction")


class Noting:
    """A client that notes which object of ours it writes."""

    def __init__(self, kube: Any, shard: int, writes: set[tuple[str, Key, int]]) -> None:
        self._kube, self._shard, self._writes = kube, shard, writes

    def __getattr__(self, verb: str) -> Any:
        if verb != "patch":
            return getattr(self._kube, verb)

        async def patch(gvk: GVK, name: str, *args: Any, **options: Any) -> Any:
            if gvk.kind in OWN:
                self._writes.add((gvk.kind, Key(options["namespace"], name), self._shard))
            return await self._kube.patch(gvk, name, *args, **options)

        return patch


@contextlib.asynccontextmanager
async def sharded(cluster: Cluster):
    """The writes of the controllers of two shards, which run until the block ends, and the controllers."""
    writes: set[tuple[str, Key, int]] = set()
    async with InformerHub(cluster.kube, guard=True) as hub, asyncio.TaskGroup() as group:
        pacer = Pacer()
        controllers = [
            WorkflowController(
                Noting(cluster.kube, shard, writes),
                hub,
                selects=selects_shard(shard, SHARDS),
                pacer=pacer,
            )
            for shard in range(SHARDS)
        ]
        tasks = [group.create_task(controller.run()) for controller in controllers]
        provider = group.create_task(cluster._provide(hub))
        try:
            yield writes, controllers
        finally:
            for task in (*tasks, provider):
                task.cancel()


def many(**function: Any) -> Cluster:
    """Each trigger makes its own two things."""
    cluster = cluster_of(**function)
    text = WORKFLOW.replace("name: first, size", "name: '=parent.metadata.name + \"-first\"', size").replace(
        "name: second, size", "name: '=parent.metadata.name + \"-second\"', size"
    )
    cluster.put([made_of(text), *(trigger(name) for name in NAMES[1:])])
    return cluster


def until_all_ready(cluster: Cluster) -> Any:
    async def wait() -> None:
        await until_ready(cluster)
        await asyncio.sleep(1)
        assert {cluster.condition(TRIGGER, name).get("status") for name in NAMES} == {"True"}

    return wait()


async def test_triggers_and_definitions_are_written_by_their_shard_alone():
    cluster = many()
    async with sharded(cluster) as (writes, _):
        await until_all_ready(cluster)
        assert len(cluster.kube.peek_all(THING)) == 2 * len(NAMES)
        assert {key for kind, key, _ in writes if kind == TRIGGER.kind} == {Key("default", name) for name in NAMES}
        assert {kind for kind, *_ in writes} == set(OWN)
        assert all(shard == shard_of(key, SHARDS) for _, key, shard in writes)
        assert {shard for *_, shard in writes} == {0, 1}


async def test_a_changed_definition_reaches_the_triggers_of_every_shard():
    cluster = many()
    async with sharded(cluster) as (writes, _):
        await until_all_ready(cluster)
        workflow = cluster.get(DEFINITION, "w")
        workflow["spec"]["steps"][0]["inputs"]["size"] = 5
        cluster.put([workflow])
        await asyncio.sleep(2)
        sizes = {thing["spec"]["size"] for thing in cluster.kube.peek_all(THING)}
        assert sizes == {5}
        assert all(shard == shard_of(key, SHARDS) for _, key, shard in writes)


async def test_triggers_without_a_workflow_are_told_by_their_shard_and_the_kind_is_left_by_all():
    cluster = many()
    async with sharded(cluster) as (writes, controllers):
        await until_all_ready(cluster)
        cluster.kube.terminate(DEFINITION, "w", "default")
        await asyncio.sleep(3)
        assert {cluster.condition(TRIGGER, name)["reason"] for name in NAMES} == {"NoWorkflow"}
        assert all(shard == shard_of(key, SHARDS) for _, key, shard in writes)
        assert [controller.trigger_kinds for controller in controllers] == [frozenset(), frozenset()]


async def test_the_note_of_held_kinds_stays_while_another_shard_may_hold_objects():
    """One shard has nothing held any more; the triggers of the other are still found after a restart."""
    cluster = many(**DESTROY)
    async with sharded(cluster):
        await until_all_ready(cluster)
        for name in NAMES:
            if shard_of(Key("default", name), SHARDS) == 0:
                cluster.kube.terminate(TRIGGER, name, "default")
        cluster.kube.terminate(DEFINITION, "w", "default")
        await asyncio.sleep(5)
    note: Any = cluster.kube.peek(GVK("", "v1", "ConfigMap"), "lambent-held-kinds", "default")
    assert note["data"]
    left = cluster.kube.peek_all(TRIGGER)
    assert {shard_of(Key.of(obj), SHARDS) for obj in left} == {1}
    async with sharded(cluster):
        for obj in left:
            cluster.kube.terminate(TRIGGER, obj["metadata"]["name"], "default")
        await asyncio.sleep(5)
    assert (cluster.kube.peek_all(TRIGGER), cluster.kube.peek_all(THING)) == ([], [])
