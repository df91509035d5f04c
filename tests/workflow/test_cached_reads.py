"""Passes read the caches of the watches; one that is late or lost an event leads to no wrong and no second write."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from lambent.kube.errors import Conflict
from lambent.kube.fake import FakeKube
from lambent.kube.types import GVK, KubeObject, WatchEvent, WatchOptions
from lambent.workflow.controller import ControllerSettings
from lambent.workflow.controller.metrics import PASSES
from lambent.workflow.crds import crds
from tests.workflow.cluster import EVENT, THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, FUNCTION, WORKFLOW, cluster_of, made_of, trigger, until_ready

_ASK = {"metadata": {"annotations": {"koreo.dev/last-manual-reconcile": "now"}}}
Fate = Callable[[WatchEvent], float | None]


class _LateKube(FakeKube):
    """`fate` gives the delay of an event of a watch in seconds, None for one that is lost and nobody tells of.

    `useless` are patches of things that changed nothing, `conflicts` those of triggers that were refused.
    """

    def __init__(self) -> None:
        super().__init__(crds=crds())
        self.fate: Fate = lambda event: 0.0
        self.useless: list[str] = []
        self.conflicts = 0

    async def watch(
        self, gvk: GVK, *, namespace: str | None = None, options: WatchOptions | None = None
    ) -> AsyncIterator[WatchEvent]:
        async for event in super().watch(gvk, namespace=namespace, options=options):
            delay = 0.0 if event.type == "BOOKMARK" else self.fate(event)
            if delay is None:
                continue
            await asyncio.sleep(delay)
            yield event

    async def patch(self, gvk: GVK, name: str, body: Any, **options: Any) -> KubeObject:
        before = self.peek(gvk, name, "default")
        try:
            written = await super().patch(gvk, name, body, **options)
        except Conflict:
            self.conflicts += gvk == TRIGGER
            raise
        if gvk == THING and before is not None and before["metadata"] == written["metadata"]:
            self.useless.append(name)
        return written

    def count(self, call: str) -> int:
        return [f"{one.verb} {one.gvk.kind}" for one in self.calls].count(call)


def late_cluster(*, ready_after_s: float | None = 0.0, **function: Any) -> tuple[Cluster, _LateKube]:
    kube = _LateKube()
    cluster = Cluster(ready_after_s=ready_after_s, kube=kube)
    cluster.put([made_of(WORKFLOW), made_of(FUNCTION, **function), trigger()])
    return cluster, kube


def of_kind(gvk: GVK, delay: float | None) -> Fate:
    return lambda event: delay if event.object["kind"] == gvk.kind else 0.0


def resize(cluster: Cluster, size: int) -> None:
    cluster.put([{**cluster.get(TRIGGER, "t"), "spec": {"size": size}}])


def passes() -> float:
    return sum(sample.value for sample in PASSES.samples)


@pytest.mark.parametrize("function", [{}, DESTROY], ids=["owned", "destroyed"])
async def test_a_steady_pass_makes_no_request(function: dict[str, Any]):
    cluster = Cluster(ready_after_s=0.0, settings=ControllerSettings(resync_s=100))
    cluster.put([made_of(WORKFLOW), made_of(FUNCTION, **function), trigger()])
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(200)
        calls, done = len(cluster.kube.calls), passes()
        await asyncio.sleep(2000)
        assert passes() - done >= 18
        # A watch that ends is opened again, whatever passes do.
        assert [call for call in cluster.kube.calls[calls:] if call.verb != "watch"] == []


async def test_a_controller_that_starts_reads_each_kind_once_and_no_object():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
    calls = len(cluster.kube.calls)
    async with cluster.running():
        await asyncio.sleep(5)
    things = [call.verb for call in cluster.kube.calls[calls:] if call.gvk == THING]
    # One for the controller, one for the provider beside it.
    assert sorted(things) == ["list", "list", "watch", "watch"]


async def test_a_kind_that_the_process_watches_whole_is_watched_once():
    cluster = cluster_of()
    async with cluster.running(watched=[THING]):
        await until_ready(cluster)
        resize(cluster, 2)
        await asyncio.sleep(5)
        assert cluster.get(THING, "second")["spec"]["size"] == 2
    things = [call.verb for call in cluster.kube.calls if call.gvk == THING and call.verb in ("list", "watch")]
    # One for the process, one for the provider.
    assert sorted(things) == ["list", "list", "watch", "watch"]


@pytest.mark.parametrize("watched", [[], [THING]], ids=["by label", "whole"])
async def test_an_object_that_loses_the_label_is_followed_however_the_kind_is_watched(watched: list[GVK]):
    cluster = cluster_of()
    async with cluster.running(watched=watched):
        await until_ready(cluster)
        thing = cluster.get(THING, "first")
        del thing["metadata"]["labels"]
        cluster.put([thing])
        await asyncio.sleep(5)
        cluster.put([{**cluster.get(THING, "first"), "spec": {"size": 9}}])
        await asyncio.sleep(5)
        assert cluster.get(THING, "first")["spec"]["size"] == 1


async def test_a_copy_older_than_our_own_write_is_not_believed():
    cluster, kube = late_cluster()
    async with cluster.running():
        await until_ready(cluster)
        kube.fate = of_kind(THING, 30.0)
        resize(cluster, 2)
        await asyncio.sleep(1)
        assert cluster.get(THING, "first")["spec"]["size"] == 2
        # The cache still shows what is wanted again.
        resize(cluster, 1)
        await asyncio.sleep(1)
        assert cluster.get(THING, "first")["spec"]["size"] == 1
        await asyncio.sleep(600)
    assert kube.count("patch Thing") == 2
    assert kube.useless == []


async def test_a_creation_that_the_cache_does_not_show_yet_is_not_repeated():
    cluster, kube = late_cluster(ready_after_s=None)
    async with cluster.running():
        kube.fate = of_kind(THING, 30.0)
        await asyncio.sleep(1)
        for size in (2, 1):
            resize(cluster, size)
            await asyncio.sleep(1)
        assert kube.count("create Thing") == 1
        await asyncio.sleep(600)
    assert kube.count("create Thing") == 1


@pytest.mark.parametrize("size", [2, 1], ids=["the-new-size", "the-old-size-again"])
async def test_an_object_that_only_the_cache_still_has_counts_as_deleted(size: int):
    cluster, kube = late_cluster(update={"recreate": {"delay": 5}})
    async with cluster.running():
        await until_ready(cluster)
        kube.fate = of_kind(THING, 60.0)
        resize(cluster, 2)
        await asyncio.sleep(1)
        assert (kube.count("delete Thing"), kube.peek(THING, "first", "default")) == (1, None)
        resize(cluster, size)
        await asyncio.sleep(10)
        assert (kube.count("delete Thing"), cluster.get(THING, "first")["spec"]["size"]) == (1, size)
        await asyncio.sleep(600)
        assert cluster.condition(TRIGGER, "t")["status"] == "True"
    assert kube.count("delete Thing") == size


async def test_an_event_that_was_lost_leads_to_no_write_that_changes_nothing():
    cluster, kube = late_cluster()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(1)
        kube.fate = of_kind(THING, None)
        for name in ("first", "second"):
            thing = cluster.get(THING, name)
            applied = thing["metadata"]["annotations"]["koreo.dev/last-applied-configuration"].replace(
                '"size":1', '"size":5'
            )
            annotations = {"koreo.dev/last-applied-configuration": applied}
            cluster.put([{**thing, "metadata": {**thing["metadata"], "annotations": annotations}, "spec": {"size": 5}}])
        await asyncio.sleep(1)
        resize(cluster, 5)
        await asyncio.sleep(60)
        assert cluster.condition(TRIGGER, "t")["status"] == "True"
    assert kube.count("patch Thing") == 0


async def test_a_deletion_by_others_that_comes_late_is_repaired_once():
    cluster, kube = late_cluster()
    async with cluster.running():
        await until_ready(cluster)
        kube.fate = of_kind(THING, 20.0)
        kube.terminate(THING, "second", "default")
        await asyncio.sleep(60)
        assert cluster.get(THING, "second")
        await asyncio.sleep(600)
    assert kube.count("create Thing") == 3


async def test_no_pass_starts_from_a_trigger_older_than_our_own_write():
    cluster, kube = late_cluster()
    kube.fate = of_kind(TRIGGER, 30.0)
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(600)
    assert kube.conflicts == 0


async def test_a_manual_request_finds_what_no_event_told():
    cluster, kube = late_cluster()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(1)
        kube.fate = of_kind(THING, None)
        cluster.put([{**cluster.get(THING, "second"), "spec": {"size": 9}}])
        await kube.patch(TRIGGER, "t", _ASK, namespace="default")
        await asyncio.sleep(1)
    assert cluster.get(THING, "second")["spec"]["size"] == 1


class _OwnedKube(FakeKube):
    """Tells the managers of fields, as servers do; the caches drop them."""

    async def get(self, gvk: GVK, name: str, **how: Any) -> KubeObject:
        obj = await super().get(gvk, name, **how)
        obj["metadata"]["managedFields"] = [{"manager": "somebody"}]
        return obj


async def test_expressions_see_the_same_object_wherever_it_was_read():
    cluster = Cluster(ready_after_s=0.0, kube=_OwnedKube(crds=crds()))
    reference = {"kind": "ResourceFunction", "name": "thing"}
    step = {"label": "a", "ref": reference, "inputs": {"name": "first", "size": 1}, "state": {"told": "=value.told"}}
    told = {"told": "=has(resource.metadata.managedFields)"}
    cluster.put([made_of(WORKFLOW, steps=[step]), made_of(FUNCTION, **{"return": told}), trigger()])
    async with cluster.running():
        await until_ready(cluster)
        calls = len(cluster.kube.calls)
        await cluster.kube.patch(TRIGGER, "t", _ASK, namespace="default")
        await asyncio.sleep(1)
        assert [call.verb for call in cluster.kube.calls[calls:] if call.gvk == THING] == ["get"]
        assert cluster.get(TRIGGER, "t")["status"]["state"] == {"told": False}


async def test_a_watch_that_is_down_leaves_the_word_to_the_server():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(1)
        cluster.kube.fail("watch", THING, Conflict("down", code=409), times=1000)
        cluster.kube.fail("list", THING, Conflict("down", code=409), times=1000)
        cluster.kube.cut_watches()
        await asyncio.sleep(1)
        cluster.put([{**cluster.get(THING, "second"), "spec": {"size": 9}}])
        cluster.put([trigger(labels={"look": "again"})])
        await asyncio.sleep(1)
    assert cluster.get(THING, "second")["spec"]["size"] == 1


@pytest.mark.parametrize("seed", range(8))
async def test_late_events_cause_no_write_that_changes_nothing_and_no_flapping(seed: int):
    """Random changes of the spec, drift and deletions by others, while every event is up to a minute late."""
    rng = random.Random(seed)
    cluster, kube = late_cluster()
    disturbances = 0
    async with cluster.running():
        await until_ready(cluster)
        kube.fate = lambda event: rng.uniform(0, 60) if rng.random() < 0.7 else 0.0
        for _ in range(12):
            await asyncio.sleep(rng.uniform(0, 40))
            name = rng.choice(["first", "second"])
            present = kube.peek(THING, name, "default")
            match rng.randrange(3):
                case 0:
                    resize(cluster, rng.randrange(1, 4))
                    disturbances += 2
                case 1 if present is not None:
                    cluster.put([{**cluster.get(THING, name), "spec": {"size": 9}}])
                    disturbances += 1
                case 2 if present is not None:
                    kube.terminate(THING, name, "default")
                    disturbances += 1
        kube.fate = lambda event: 0.0
        await asyncio.sleep(3000)
        sizes = [cluster.get(THING, name)["spec"]["size"] for name in ("first", "second")]
        wanted = cluster.get(TRIGGER, "t")["spec"]["size"]
        assert (sizes, cluster.condition(TRIGGER, "t")["status"]) == ([wanted, wanted], "True")
        rest = [call for call in kube.writes() if call.gvk != EVENT]
        await asyncio.sleep(3000)
        assert [call for call in kube.writes() if call.gvk != EVENT] == rest
    assert kube.useless == []
    assert kube.count("patch Thing") + kube.count("create Thing") <= 2 + disturbances
