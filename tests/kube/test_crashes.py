"""A controller that dies behind any of its writes ends, after a restart, where one that lived would have."""

from typing import cast

from lambent.clock import utc_now
from lambent.kube.conditions import set_conditions
from lambent.kube.controller import Controller
from lambent.kube.errors import NotFound
from lambent.kube.fake import FakeKube, crash_at_every_write, lives_to_quiet
from lambent.kube.finalizers import add_finalizer, is_deleting, remove_finalizer
from lambent.kube.informer import InformerHub
from lambent.kube.outcome import Done
from lambent.kube.types import GVK, KubeObject

GIZMO = GVK("example.org", "v1", "Gizmo")
PART = GVK("example.org", "v1", "Part")


class PartMaker:
    """One Part per Gizmo (not owned, so that only the finalizer takes it away), and a Ready condition."""

    def __init__(self, kube):
        self.kube = kube

    async def reconcile(self, key, context):
        obj = context.informer.get(key)
        if obj is None:
            return Done()
        if is_deleting(obj):
            await self._drop_part(key)
            await remove_finalizer(self.kube, obj, "lambent.dev/x")
            return Done()
        obj = await add_finalizer(self.kube, obj, "lambent.dev/x")
        await self._make_part(key)
        await self._write_ready(obj)
        return Done()

    async def _make_part(self, key):
        meta = {"name": key.name, "namespace": key.namespace}
        part = {"apiVersion": "example.org/v1", "kind": "Part", "metadata": meta}
        try:
            await self.kube.get(PART, key.name, namespace=key.namespace)
        except NotFound:
            await self.kube.create(cast(KubeObject, part))

    async def _drop_part(self, key):
        try:
            await self.kube.delete(PART, key.name, namespace=key.namespace)
        except NotFound:
            return

    async def _write_ready(self, obj):
        old = (obj.get("status") or {}).get("conditions") or []
        new = set_conditions(old, Done(), now=utc_now())
        if new != old:
            meta = obj["metadata"]
            body = {"status": {"conditions": new}}
            await self.kube.patch(GIZMO, meta["name"], body, namespace=meta["namespace"], subresource="status")


async def life(kube):
    async with InformerHub(kube, guard=True) as hub:
        await Controller("c", PartMaker(kube).reconcile, hub=hub, kind=GIZMO).run()


def fresh(gizmo, **members):
    kube = FakeKube()
    kube.register(GIZMO, "gizmos")
    kube.register(PART, "parts")
    for name in "ab":
        kube.put(gizmo(name, **members))
    return kube


async def test_creation_survives_a_crash_behind_every_write(gizmo):
    crashes = 0
    async for _writes, kube in crash_at_every_write(lambda: fresh(gizmo), life):
        crashes += 1
        assert len(kube.peek_all(PART)) == 2
        for obj in kube.peek_all(GIZMO):
            assert obj["metadata"]["finalizers"] == ["lambent.dev/x"]
            assert obj["status"]["conditions"][0]["status"] == "True"
    assert crashes > 2 * 3


async def test_deletion_survives_a_crash_behind_every_write(gizmo):
    def deleting():
        kube = fresh(gizmo)
        for name in "ab":
            kube.put(gizmo(name, gvk=PART))
            kube.put(gizmo(name, metadata={"finalizers": ["lambent.dev/x"]}))
            kube.terminate(GIZMO, name)
        return kube

    async for _, kube in crash_at_every_write(deleting, life):
        assert kube.peek_all(GIZMO) == kube.peek_all(PART) == []


async def test_the_steady_state_writes_nothing(gizmo):
    kube = fresh(gizmo)
    assert await lives_to_quiet(kube, life)
    before = len(kube.writes())
    assert await lives_to_quiet(kube, life, quiet_s=3000)
    assert len(kube.writes()) == before
