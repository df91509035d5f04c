"""A change that leaves a step waiting as before costs no pass; every other one does, and at once."""

import asyncio
from typing import Any, cast

import pytest

from lambent.kube.types import KubeObject
from lambent.workflow.controller import ControllerSettings
from lambent.workflow.engine.managed import ANNOTATION
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.test_cached_reads import passes
from tests.workflow.things import FUNCTION, WORKFLOW, made_of, trigger, until_ready

_READY = {"status": {"ready": True}}
_WORDS = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "Slow", "message": "later"}]}}


def _cluster(**first: Any) -> Cluster:
    cluster = Cluster(settings=ControllerSettings(resync_s=100_000))
    workflow = made_of(WORKFLOW)
    workflow["spec"]["steps"][0].update(first)
    cluster.put([workflow, made_of(FUNCTION), trigger()])
    return cluster


def _change(cluster: Cluster, change: dict[str, Any]) -> None:
    thing = cluster.get(THING, "first")
    merged = {key: {**thing.get(key, {}), **value} for key, value in change.items()}
    cluster.kube.put(cast(KubeObject, {**thing, **merged}))


def _message(cluster: Cluster) -> str:
    text: str = cluster.condition(TRIGGER, "t", "First")["message"]
    return text


async def test_what_is_made_and_waited_for_takes_one_pass_and_tells_the_wait():
    cluster, before = _cluster(), passes()
    async with cluster.running():
        await asyncio.sleep(10)
    assert passes() - before == 1
    assert _message(cluster) == "Awaiting The first to be ready (Thing is not ready)."


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        ({"metadata": {"finalizers": ["example.org/held"]}}, 0),
        ({"spec": {"size": 1, "defaulted": "by its controller"}}, 0),
        ({"status": {"phase": "Starting"}}, 0),
        (_WORDS, 1),
        # The correction is a pass of its own, which the event of its write does not repeat.
        ({"spec": {"size": 7}}, 1),
    ],
    ids=["finalizer", "default", "status", "words", "drift"],
)
async def test_a_change_runs_a_pass_only_where_it_leads_elsewhere(change: dict[str, Any], runs: int):
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(10)
        before = passes()
        _change(cluster, change)
        await asyncio.sleep(1)
        assert passes() - before == runs
        if "spec" in change:
            assert cluster.get(THING, "first")["spec"]["size"] == 1


async def test_an_object_that_somebody_made_anew_is_recorded_though_it_is_waited_for_as_before():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(10)
        thing = cluster.get(THING, "first")
        await cluster.kube.delete(THING, "first", namespace="default")
        for name in ("uid", "resourceVersion", "creationTimestamp"):
            thing["metadata"].pop(name, None)
        cluster.kube.put(cast(KubeObject, thing))
        await asyncio.sleep(1)
        recorded = cluster.get(TRIGGER, "t")["metadata"]["annotations"][ANNOTATION]
        assert cluster.get(THING, "first")["metadata"]["uid"] in recorded
    assert cluster.mutations().count("create Thing") == 1


async def test_what_becomes_ready_after_changes_that_led_nowhere_is_taken_at_once():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(10)
        for number in range(20):
            _change(cluster, {"status": {"phase": str(number)}})
        await asyncio.sleep(1)
        _change(cluster, _READY)
        await asyncio.sleep(1)
        assert cluster.condition(TRIGGER, "t", "First")["status"] == "True"
        cluster.kube.put(cast(KubeObject, {**cluster.get(THING, "second"), **_READY}))
        await until_ready(cluster)


@pytest.mark.parametrize(
    ("read", "runs"),
    [("=parent.metadata.name", 1), ("=has(parent.state.name)", 2), ("=parent", 2)],
    ids=["other-members", "state", "any-member"],
)
async def test_a_state_that_was_published_is_a_reason_to_look_again_only_for_who_reads_it(read: str, runs: int):
    cluster = _cluster()
    workflow = made_of(WORKFLOW)
    step: dict[str, Any] = {"label": "named", "ref": {"kind": "ValueFunction", "name": "named"}}
    workflow["spec"]["steps"].insert(0, {**step, "inputs": {"read": read}, "state": {"name": "=value.name"}})
    named = {
        "apiVersion": "koreo.dev/v1beta1",
        "kind": "ValueFunction",
        "metadata": {"name": "named", "namespace": "default"},
        "spec": {"return": {"name": "n"}},
    }
    cluster.put([named, workflow])
    before = passes()
    async with cluster.running():
        await asyncio.sleep(10)
        assert passes() - before == runs
        _change(cluster, {"status": {"phase": "Starting"}})
        await asyncio.sleep(1)
        assert passes() - before == runs
