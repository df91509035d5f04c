"""kr8s, unmodified: the life of a custom object and of a ConfigMap, waited for and watched."""

import asyncio

import kr8s
import pytest
from kr8s.asyncio.objects import ConfigMap, new_class

from tests.kubeserver.foreign.gadgets import API_VERSION, configmap, gadget

REAL_TIME = True
pytestmark = pytest.mark.e2e

Gadget = new_class("Gadget", version=API_VERSION, plural="gadgets", namespaced=True, asyncio=True)


@pytest.fixture
async def api(cluster):
    api = await kr8s.asyncio.api(kubeconfig=str(cluster.kubeconfig))
    yield api
    assert api._session is not None
    await api._session.aclose()  # kr8s itself never closes it


async def test_a_custom_object_is_created_patched_and_deleted(api):
    one = await Gadget(gadget("one"), api=api)
    await one.create()
    assert one.spec.colour == "red"
    await one.patch({"spec": {"size": 4}})
    await one.patch([{"op": "replace", "path": "/spec/colour", "value": "blue"}], type="json")
    await one.refresh()
    assert (one.spec.size, one.spec.colour, one.metadata.generation) == (4, "blue", 3)
    await one.label(tier="front")
    assert [found.name async for found in api.get("gadgets.foreign.example.org", label_selector="tier=front")] == [
        "one"
    ]
    await one.delete()
    assert not await one.exists()


async def test_status_is_a_resource_of_its_own(api):
    one = await Gadget(gadget("one"), api=api)
    await one.create()
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    await one.patch({"status": {"conditions": []}}, subresource="status")  # its wait needs a status to begin with
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(one.wait("condition=Ready"))
        await one.patch({"spec": {"size": 9}, "status": ready}, subresource="status")
    await one.refresh()
    assert (one.spec.size, one.status.to_dict()) == (1, ready)


async def test_a_refused_object_says_which_field(api):
    one = await Gadget(gadget("one", 0), api=api)
    with pytest.raises(kr8s.ServerError, match=r"spec\.size: Invalid value: 0"):
        await one.create()


async def test_a_watch_shows_each_change(api):
    seen = []
    started = asyncio.Event()
    first = await ConfigMap(configmap("c", a="1"), api=api)
    await first.create()

    async def changes():
        async for kind, obj in api.watch("configmaps", namespace="default", field_selector="metadata.name=c"):
            seen.append((kind, obj.data.get("a")))
            started.set()
            if kind == "DELETED":
                return

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(changes())
        await started.wait()
        await first.patch({"data": {"a": "2"}})
        await first.delete()
    assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]


async def test_every_kind_of_the_server_is_known_to_it(api):
    kinds = {resource["kind"] for resource in await api.api_resources()}
    assert {"Gadget", "ConfigMap", "Lease", "CustomResourceDefinition", "Deployment"} <= kinds
    assert (await api.version())["major"] == "1"
    assert (await api.whoami()) == "lambent:admin"
