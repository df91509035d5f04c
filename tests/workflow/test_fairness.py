"""Work that is due is never lost, however late, and no instance holds up the others."""

import asyncio
import os
import random
from collections import defaultdict
from itertools import pairwise
from statistics import quantiles
from typing import Any

import pytest

from lambent.kube.errors import ServerError
from lambent.kube.fake import FakeKube
from lambent.kube.types import GVK, KubeObject
from lambent.workflow.controller import ControllerSettings
from lambent.workflow.crds import crds
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import FUNCTION, WORKFLOW, made_of, trigger

_EACH = [
    {
        "label": "all",
        "ref": {"kind": "ResourceFunction", "name": "thing"},
        "forEach": {"itemIn": "=parent.spec.names", "inputKey": "name"},
        "inputs": {"size": "=parent.spec.size"},
    }
]
_CALL_S = 0.01
# 1000 in the nightly run.
INSTANCES = int(os.environ.get("LAMBENT_INSTANCES", "200"))
# A stall of the loop is no fault of the step, so it must not run into a limit.
_PATIENT = {"step": "600s", "workflow": "600s"}


class _SlowKube(FakeKube):
    """Calls take time: `seconds` of those for things by name."""

    def __init__(self) -> None:
        super().__init__(crds=crds())
        self.spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.patched: dict[str, float] = {}

    def seconds(self, name: str) -> float:
        return _CALL_S

    async def patch(self, gvk: GVK, name: str, body: Any, **options: Any) -> KubeObject:
        if gvk == THING:
            await asyncio.sleep(_CALL_S)
            self.patched[name] = asyncio.get_running_loop().time()
        return await super().patch(gvk, name, body, **options)

    async def get(self, gvk: GVK, name: str, *, namespace: str | None = None, subresource: str = "") -> KubeObject:
        if gvk != THING:
            return await super().get(gvk, name, namespace=namespace, subresource=subresource)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await asyncio.sleep(self.seconds(name))
        finally:
            self.spans[name].append((started, loop.time()))
        if name.startswith("broken"):
            raise ServerError("down", code=503)
        return await super().get(gvk, name, namespace=namespace, subresource=subresource)


class _ErraticKube(_SlowKube):
    """Any call may take up to nine seconds, just below the limit of a step."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)

    def seconds(self, name: str) -> float:
        return self.chance.uniform(0.1, 9.0)


@pytest.mark.parametrize("seed", range(5))
async def test_an_instance_that_is_overdue_runs_as_soon_as_a_worker_is_free(seed: int):
    """Whenever an instance runs later than it was due, every worker was busy in between."""
    workers, delay_s, kube = 3, 30.0, _ErraticKube(seed)
    cluster = Cluster(settings=ControllerSettings(concurrency=workers, resync_s=1e9), kube=kube)
    api = {"apiVersion": "example.org/v1", "kind": "Thing", "name": "=inputs.name", "namespace": "default"}
    cluster.put(
        [made_of(WORKFLOW, steps=_EACH, timeouts=_PATIENT), made_of(FUNCTION, apiConfig={**api, "readonly": True})]
    )
    cluster.put([{**trigger(f"t{i}"), "spec": {"size": 1, "names": [f"n{i}"]}} for i in range(30)])
    loop: Any = asyncio.get_running_loop()
    edges: list[tuple[float, int]] = []
    async with cluster.running():
        for _ in range(20):
            await asyncio.sleep(kube.chance.uniform(1, 60))
            stalled_at = loop.time()
            loop.advance(kube.chance.choice((0.0, 0.0, 50.0)))
            # While the loop stands still, nobody is free.
            edges += [(stalled_at, workers), (loop.time(), -workers)]
    assert len(kube.spans) == 30
    for started, ended in (span for spans in kube.spans.values() for span in spans):
        edges += [(started, 1), (ended, -1)]
    for name, spans in kube.spans.items():
        for (_, end), (start, _) in pairwise(spans):
            assert start - end >= delay_s - 0.01
            free_s = _free_s(sorted(edges), begin=end + delay_s, end=start, workers=workers)
            assert free_s < 0.01, f"{name} was due at {end + delay_s} and ran at {start}"


def _free_s(edges: list[tuple[float, int]], *, begin: float, end: float, workers: int) -> float:
    """Seconds between two times during which a worker was free."""
    free, busy, last = 0.0, 0, begin
    for at, change in edges:
        now = max(begin, min(at, end))
        free += now - last if busy < workers else 0.0
        busy, last = busy + change, now
    return free


async def test_a_failing_and_a_huge_instance_delay_no_other_by_a_second():
    kube = _SlowKube()
    cluster = Cluster(kube=kube)
    cluster.put([made_of(WORKFLOW, steps=_EACH), made_of(FUNCTION, postconditions=[])])
    names = [f"n{i}" for i in range(INSTANCES)]
    cluster.put([{**trigger(name), "spec": {"size": 1, "names": [name]}} for name in names])
    changed: dict[str, float] = {}
    loop, chance = asyncio.get_running_loop(), random.Random(1)
    async with cluster.running():
        await asyncio.sleep(60)
        cluster.put([{**trigger("broken"), "spec": {"size": 1, "names": [f"broken{i}" for i in range(50)]}}])
        cluster.put([{**trigger("huge"), "spec": {"size": 1, "names": [f"huge{i}" for i in range(300)]}}])
        for name in chance.sample(names, 150):
            await kube.patch(TRIGGER, name, {"spec": {"size": 2}}, namespace="default")
            changed[name] = loop.time()
            await asyncio.sleep(chance.expovariate(50))
        await asyncio.sleep(5)
    reactions = [kube.patched[name] - at for name, at in changed.items()]
    assert quantiles(reactions, n=100)[98] <= 1.0
