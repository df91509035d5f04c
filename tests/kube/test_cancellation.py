"""Cancelled at any await, the kit leaves queues, caches, leases and tasks clean, and goes on where it was."""

import asyncio

import pytest

from lambent.kube.controller import Controller
from lambent.kube.informer import InformerHub
from lambent.kube.leader import LeaderElector
from lambent.kube.outcome import Done
from lambent.kube.types import GVK, Key

GIZMO = GVK("example.org", "v1", "Gizmo")
PART = GVK("example.org", "v1", "Part")
LEASE = GVK("coordination.k8s.io", "v1", "Lease")
STEPS = [*range(24), *range(24, 120, 7)]


async def steps(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def cancelled(task):
    task.cancel()
    await asyncio.wait([task], timeout=30)
    assert task.done()


@pytest.mark.parametrize("count", STEPS)
async def test_a_controller_cut_at_any_step_loses_no_key(kube, gizmo, count):
    for name in "abc":
        kube.put(gizmo(name))
    finished: list[str] = []

    async def reconcile(key: Key, context):
        await kube.get(GIZMO, key.name, namespace=key.namespace)
        await kube.patch(GIZMO, key.name, {"status": {"n": 1}}, namespace=key.namespace, subresource="status")
        finished.append(key.name)
        return Done()

    async with InformerHub(kube) as hub:
        controller = Controller("c", reconcile, hub=hub, kind=GIZMO, concurrency=2).owns(PART)
        run = asyncio.create_task(controller.run())
        await steps(count)
        await cancelled(run)
        assert controller.queue.running() == []
        again = asyncio.create_task(controller.run())
        await asyncio.sleep(5)
        assert set(finished) == {"a", "b", "c"}
        await cancelled(again)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("count", STEPS)
async def test_shutdown_at_any_step_ends(kube, gizmo, count):
    kube.put(gizmo("a"))

    async def reconcile(key, context):
        await asyncio.sleep(0)
        return Done()

    async with InformerHub(kube) as hub:
        controller = Controller("c", reconcile, hub=hub, kind=GIZMO)
        run = asyncio.create_task(controller.run())
        await steps(count)
        await asyncio.wait_for(controller.shutdown(drain_s=1), 10)
        await asyncio.wait_for(run, 10)
        assert controller.queue.running() == []


@pytest.mark.parametrize("count", STEPS)
async def test_a_hub_closed_at_any_step_leaves_no_task(kube, gizmo, count):
    kube.put(gizmo("a"))
    hub = InformerHub(kube)
    async with hub.use(GIZMO), hub.use(GVK("example.org", "v1", "Unserved")):
        await steps(count)
        await hub.close()
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("count", STEPS)
async def test_an_elector_cut_at_any_step_leaves_no_holder(kube, count):
    async def lead(term):
        await asyncio.Event().wait()

    run = asyncio.create_task(LeaderElector(kube, "l", "default", "one").run(lead))
    await steps(count)
    await cancelled(run)
    lease = kube.peek(LEASE, "l")
    assert lease is None or lease["spec"]["holderIdentity"] == ""
