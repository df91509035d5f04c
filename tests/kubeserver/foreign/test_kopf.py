"""An operator written with kopf, unmodified: it handles creation, writes status, and removes its finalizer."""

import asyncio
from contextlib import asynccontextmanager

import kopf
import pytest

from lambent.kube.types import GVK
from tests.kubeserver.foreign.gadgets import GROUP, gadget

REAL_TIME = True
pytestmark = pytest.mark.e2e

GADGET, EVENT = GVK(GROUP, "v1", "Gadget"), GVK("", "v1", "Event")


def _registry():
    """An operator that writes the area of each gadget into its status and tells of it in an event."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs):
        return kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.startup(registry=registry)
    def configure(settings, **_):
        settings.persistence.finalizer = "foreign.example.org/kopf"

    @kopf.on.create(f"{GROUP}/v1", "gadgets", id="made", registry=registry)
    def made(spec, body, patch, **_):
        patch.status["area"] = spec["size"] ** 2
        kopf.event(body, type="Normal", reason="Measured", message="its area is known")
        return {"colour": spec["colour"]}

    @kopf.on.update(f"{GROUP}/v1", "gadgets", field="spec.size", registry=registry)
    def resized(new, patch, **_):
        patch.status["area"] = new**2

    @kopf.on.delete(f"{GROUP}/v1", "gadgets", registry=registry)
    def cleaned(memo, name, **_):
        memo["deleted"].append(name)

    return registry


@asynccontextmanager
async def _operator(memo):
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(
        kopf.operator(
            registry=_registry(), standalone=True, namespaces=["default"], stop_flag=stop, ready_flag=ready, memo=memo
        )
    )
    try:
        async with asyncio.timeout(10):
            await ready.wait()
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 10)


async def _until(client, holds, kind=GADGET):
    """The first object that `holds(type, object)`; the watch wakes us."""
    async with asyncio.timeout(10):
        async for event in client.watch(kind, namespace="default"):
            if event.type != "BOOKMARK" and holds(event.type, event.object):
                return event.object
    raise AssertionError("the watch ended")


async def test_an_operator_handles_the_whole_life_of_its_objects(cluster, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    memo = kopf.Memo(deleted=[])
    client = cluster.server.local_client("test")
    async with _operator(memo):
        await client.create(gadget("one", 3))
        made = await _until(client, lambda _, obj: obj.get("status", {}).get("made"))
        assert (made["status"]["area"], made["status"]["made"]) == (9, {"colour": "red"})
        assert made["metadata"]["finalizers"] == ["foreign.example.org/kopf"]
        told = await _until(client, lambda _, obj: obj.get("reason") == "Measured", EVENT)
        assert told["involvedObject"]["name"] == "one"
        await client.patch(GADGET, "one", {"spec": {"size": 5}}, namespace="default")
        await _until(client, lambda _, obj: obj["status"]["area"] == 25)
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(_until(client, lambda kind, _: kind == "DELETED"))
            await client.delete(GADGET, "one", namespace="default")
        assert "deletionTimestamp" in gone.result()["metadata"]
    assert memo["deleted"] == ["one"]
