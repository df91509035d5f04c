"""Telling triggers what passes found: results at once, progress in turns, and the end the same as without turns."""

import asyncio
import json
from typing import Any, cast

import pytest

from lambent.kube.fake import FakeKube
from lambent.kube.types import GVK, Key, KubeObject, PatchBody
from lambent.workflow.controller.reports import Turns
from lambent.workflow.crds import crds
from lambent.workflow.engine.managed import ANNOTATION
from tests.workflow.cluster import EVENT, THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, FUNCTION, made_of, trigger

MANY = 30
CHAIN = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w, namespace: default}
spec:
  crdRef: {apiGroup: example.org, version: v1, kind: Trigger}
  steps:
  - label: first
    ref: {kind: ResourceFunction, name: thing}
    inputs: {name: =parent.metadata.name + "-1", size: =parent.spec.size}
    condition: {type: First, name: The first}
    state: {first: =value.size}
  - label: second
    ref: {kind: ResourceFunction, name: thing}
    inputs: {name: =parent.metadata.name + "-2", size: =steps.first.size}
  - label: third
    ref: {kind: ResourceFunction, name: thing}
    inputs: {name: =parent.metadata.name + "-3", size: =steps.second.size}
"""


class SlowKube(FakeKube):
    """A server that takes its time for writes of triggers, and for ever for those in `hangs`."""

    hangs: frozenset[str] = frozenset()

    async def patch(self, gvk: GVK, name: str, body: PatchBody, **how: Any) -> KubeObject:
        if gvk == TRIGGER:
            await asyncio.sleep(1e9 if name in self.hangs else 0.1)
        return await super().patch(gvk, name, body, **how)


def cluster_of(count: int, *, ready_after_s: float | None = 0.05, **function: Any) -> Cluster:
    cluster = Cluster(ready_after_s=ready_after_s, kube=SlowKube(crds=crds()))
    triggers = [trigger(f"t{number:02}") for number in range(count)]
    cluster.put([made_of(CHAIN), made_of(FUNCTION, **function), *triggers])
    return cluster


def names(cluster: Cluster) -> list[str]:
    return [obj["metadata"]["name"] for obj in cluster.kube.peek_all(TRIGGER)]


async def until_ready(cluster: Cluster, *wanted: str) -> None:
    """Those named, or all."""
    end = asyncio.get_running_loop().time() + 60
    while any(cluster.condition(TRIGGER, name).get("status") != "True" for name in wanted or names(cluster)):
        await asyncio.sleep(0.1)
        assert asyncio.get_running_loop().time() < end


def record(cluster: Cluster, name: str) -> dict[str, Any]:
    text = cluster.get(TRIGGER, name)["metadata"].get("annotations", {}).get(ANNOTATION, "{}")
    return cast(dict[str, Any], json.loads(text))


def recorded(cluster: Cluster, name: str) -> set[str]:
    """Names of the things that the record knows."""
    found = record(cluster, name)
    refs = [*found.get("resources", {}).values(), *found.get("orphans", [])]
    return {ref["name"] for ref in refs if ref is not None}


def end_of(cluster: Cluster, name: str) -> Any:
    """What the trigger tells, without names and times."""
    status = cluster.get(TRIGGER, name)["status"]
    conditions = [(item["type"], item["status"], item["reason"], item["message"]) for item in status["conditions"]]
    steps = [(item["label"], item["outcome"]) for item in status["koreo"]["steps"]]
    kept = sorted(label for label, ref in record(cluster, name)["resources"].items() if ref["uid"])
    return conditions, status["state"], steps, kept


def events_of(cluster: Cluster, name: str) -> list[str]:
    events = [cast(dict[str, Any], event) for event in cluster.kube.peek_all(EVENT)]
    return [f"{event['reason']}: {event['message']}" for event in events if event["involvedObject"]["name"] == name]


async def lone_end() -> Any:
    cluster = cluster_of(1)
    async with cluster.running():
        await until_ready(cluster)
    return end_of(cluster, "t00")


async def test_many_triggers_cost_fewer_writes_each_than_one_and_end_as_it_does():
    cluster = cluster_of(MANY)
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(10)
    writes = cluster.mutations()
    assert [end_of(cluster, name) for name in names(cluster)] == [await lone_end()] * MANY
    assert writes.count("create Thing") == 3 * MANY
    # Two for the result; told at once each of the three steps before it would take two more.
    assert writes.count("patch Trigger") < 4 * MANY


async def test_a_lone_trigger_is_told_of_each_step():
    cluster = cluster_of(1, ready_after_s=5.0)
    seen = []
    async with cluster.running():
        for _ in range(4):
            await asyncio.sleep(4)
            seen.append((sorted(recorded(cluster, "t00")), cluster.condition(TRIGGER, "t00")["reason"]))
            await asyncio.sleep(1)
    made = ["t00-1", "t00-2", "t00-3"]
    assert seen == [(made[:1], "Wait"), (made[:2], "Wait"), (made, "Wait"), (made, "Ready")]


async def test_events_name_everything_that_was_made_whether_told_at_once_or_later():
    cluster = cluster_of(MANY)
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(10)
    for name in names(cluster):
        told = " ".join(events_of(cluster, name))
        assert all(f"{name}-{number}" in told for number in (1, 2, 3)), told
        assert "Ready: " in told


async def test_a_result_waits_for_no_turn():
    cluster = cluster_of(MANY)
    kube = cast(SlowKube, cluster.kube)
    kube.hangs = frozenset(names(cluster)[: MANY - 1])
    async with cluster.running():
        await until_ready(cluster, f"t{MANY - 1:02}")


async def test_everybody_who_waits_is_told_in_the_end():
    cluster = cluster_of(MANY, ready_after_s=None)
    async with cluster.running():
        await asyncio.sleep(60)
    assert {cluster.condition(TRIGGER, name).get("reason") for name in names(cluster)} == {"Wait"}
    assert [recorded(cluster, name) for name in names(cluster)] == [{f"{name}-1"} for name in names(cluster)]


async def test_who_is_deleted_before_its_turn_holds_up_nobody():
    cluster = cluster_of(MANY, ready_after_s=None)
    gone = names(cluster)[: MANY // 2]
    async with cluster.running():
        await asyncio.sleep(0.3)
        for name in gone:
            await cluster.kube.delete(TRIGGER, name, namespace="default")
        await asyncio.sleep(60)
    assert len(names(cluster)) == MANY - len(gone)
    assert {cluster.condition(TRIGGER, name).get("reason") for name in names(cluster)} == {"Wait"}


@pytest.mark.parametrize("at_s", [0.15, 0.4, 1.0, 2.0])
async def test_what_was_not_told_when_the_process_died_is_told_by_the_next(at_s: float):
    cluster = cluster_of(MANY)
    async with cluster.running():
        await asyncio.sleep(at_s)
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(10)
    assert [end_of(cluster, name) for name in names(cluster)] == [await lone_end()] * MANY
    assert cluster.mutations().count("create Thing") == 3 * MANY


@pytest.mark.parametrize("at_s", [0.15, 0.4, 1.0, 2.0])
async def test_the_record_of_a_held_trigger_knows_everything_that_its_deletion_must_end(at_s: float):
    cluster = cluster_of(MANY, **DESTROY)
    async with cluster.running():
        await asyncio.sleep(at_s)
    made = {obj["metadata"]["name"] for obj in cluster.kube.peek_all(THING)}
    assert made
    assert made <= {thing for name in names(cluster) for thing in recorded(cluster, name)}


def test_turns_go_round_in_the_order_of_asking():
    called: list[Key] = []
    turns = Turns(called.append, count=1)
    first, second, third = (Key("default", name) for name in "abc")
    assert [turns.take(key) for key in (first, second, third, second)] == [True, False, False, False]
    turns.end(third)
    assert called == []
    turns.end(first)
    assert called == [second]
    assert [turns.take(second), turns.take(first)] == [True, False]
    turns.leave(third)
    turns.leave(second)
    assert called == [second, first]
    turns.end(first)
    assert turns.take(third)
