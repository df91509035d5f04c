"""Objects that are to be absent: once the server said so, a watch on the name tells of changes; passes do not ask."""

import asyncio
from typing import Any

import pytest

from lambent.kube.errors import Conflict
from lambent.workflow.controller import ControllerSettings, watches
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import FUNCTION, WORKFLOW, made_of, trigger, until_ready

_UNWANTED: dict[str, Any] = {
    "apiConfig": {
        "apiVersion": "example.org/v1",
        "kind": "Thing",
        "name": "=inputs.name",
        "namespace": "default",
        "deleteIfExists": True,
    },
    "postconditions": [],
    "return": {"size": "=1"},
}


def _cluster() -> Cluster:
    cluster = Cluster(ready_after_s=0.0, settings=ControllerSettings(resync_s=100))
    cluster.put([made_of(WORKFLOW), made_of(FUNCTION, **_UNWANTED), trigger()])
    return cluster


def _appear(cluster: Cluster, **metadata: Any) -> None:
    whole = {"name": "second", "namespace": "default", **metadata}
    cluster.put([{"apiVersion": "example.org/v1", "kind": "Thing", "metadata": whole, "spec": {"size": 9}}])


async def _requests(cluster: Cluster, for_s: float) -> list[str]:
    calls = len(cluster.kube.calls)
    await asyncio.sleep(for_s)
    return [f"{call.verb} {call.gvk.kind}" for call in cluster.kube.calls[calls:] if call.verb != "watch"]


async def test_a_steady_pass_over_an_absent_object_makes_no_request():
    cluster = _cluster()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(200)
        assert await _requests(cluster, 2000) == []


@pytest.mark.parametrize("labels", [{}, {"lambent.dev/managed": "true"}], ids=["foreign", "labelled"])
async def test_one_that_appears_goes_at_once_and_then_nothing_is_asked_again(labels: dict[str, str]):
    cluster = _cluster()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(200)
        for _ in range(2):
            _appear(cluster, labels=labels)
            await asyncio.sleep(1)
            assert cluster.kube.peek(THING, "second", "default") is None
            await asyncio.sleep(300)
            assert cluster.condition(TRIGGER, "t")["status"] == "True"
        assert cluster.mutations().count("delete Thing") == 2
        assert await _requests(cluster, 2000) == []


async def test_a_watch_that_is_down_leaves_the_word_to_the_server():
    cluster = _cluster()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(200)
        for verb in ("watch", "list"):
            cluster.kube.fail(verb, THING, Conflict("down", code=409), times=1000)
        cluster.kube.cut_watches()
        await asyncio.sleep(1)
        _appear(cluster)
        await asyncio.sleep(200)
        assert cluster.kube.peek(THING, "second", "default") is None


async def test_beyond_a_number_of_watches_each_pass_asks_the_server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watches, "_MOST_ABSENT", 1)
    cluster = _cluster()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(200)
        found = await _requests(cluster, 1000)
        assert set(found) == {"get Thing"}
        # One of the two steps has the watch.
        assert 8 <= len(found) <= 12
        _appear(cluster)
        await asyncio.sleep(200)
        assert cluster.kube.peek(THING, "second", "default") is None
