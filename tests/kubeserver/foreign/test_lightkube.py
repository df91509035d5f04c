"""lightkube, unmodified: the life of a custom object and of a ConfigMap, watched, with server-side apply."""

import asyncio

import pytest
from lightkube import AsyncClient, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap
from lightkube.types import PatchType

from tests.kubeserver.foreign.gadgets import GROUP, gadget

REAL_TIME = True
pytestmark = pytest.mark.e2e

Gadget = create_namespaced_resource(GROUP, "v1", "Gadget", "gadgets")


@pytest.fixture
async def client(cluster):
    config = KubeConfig.from_file(cluster.kubeconfig)
    async with AsyncClient(config=config, field_manager="lightkube") as client:
        yield client


async def test_a_custom_object_is_created_patched_and_deleted(client):
    made = await client.create(Gadget(gadget("one")))
    assert (made.metadata.generation, made["spec"]["colour"]) == (1, "red")
    await client.patch(Gadget, "one", {"spec": {"size": 4}}, patch_type=PatchType.MERGE)
    shown = await client.get(Gadget, "one")
    assert (shown["spec"]["size"], shown.metadata.generation) == (4, 2)
    await client.delete(Gadget, "one")
    with pytest.raises(ApiError) as absent:
        await client.get(Gadget, "one")
    assert absent.value.status.reason == "NotFound"
    assert absent.value.status.message == f'gadgets.{GROUP} "one" not found'


async def test_status_is_a_resource_of_its_own(client):
    await client.create(Gadget(gadget("one")))
    body = {"spec": {"size": 9}, "status": {"phase": "Ready"}}
    await client.patch(Gadget.Status, "one", body, patch_type=PatchType.MERGE)
    shown = await client.get(Gadget, "one")
    assert (shown["spec"]["size"], shown["status"]) == (1, {"phase": "Ready"})


async def test_apply_owns_its_fields_and_names_conflicts(client):
    await client.apply(Gadget(gadget("one", 2)))
    with pytest.raises(ApiError) as conflict:
        await client.apply(Gadget(gadget("one", 3)), field_manager="other")
    assert conflict.value.status.message == 'Apply failed with 1 conflict: conflict with "lightkube": .spec.size'
    forced = await client.apply(Gadget(gadget("one", 3)), field_manager="other", force=True)
    assert forced["spec"]["size"] == 3


async def test_a_watch_shows_each_change_once(client):
    seen = []
    _, version = await _listed(client)

    async def changes():
        async for kind, obj in client.watch(ConfigMap, resource_version=version):
            seen.append((kind, obj.metadata.name, (obj.data or {}).get("a")))
            if kind == "DELETED":
                return

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(changes())
        await client.create(ConfigMap(metadata=ObjectMeta(name="c", namespace="default"), data={"a": "1"}))
        await client.patch(ConfigMap, "c", {"data": {"a": "2"}})
        await client.delete(ConfigMap, "c")
    assert seen == [("ADDED", "c", "1"), ("MODIFIED", "c", "2"), ("DELETED", "c", "2")]


async def _listed(client):
    listing = client.list(ConfigMap)
    names = [one.metadata.name async for one in listing]
    return names, listing.resourceVersion


async def test_a_list_in_chunks_is_whole(client):
    names = [f"c{number}" for number in range(7)]
    for name in names:
        await client.create(ConfigMap(metadata=ObjectMeta(name=name, namespace="default", labels={"of": "seven"})))
    chunked = client.list(ConfigMap, chunk_size=2, labels={"of": "seven"})
    assert [one.metadata.name async for one in chunked] == names
