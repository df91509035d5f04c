"""kubernetes_asyncio, unmodified: typed calls, custom objects, the dynamic client, and its watch."""

import asyncio
from typing import Any

import pytest
from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.dynamic import DynamicClient

from tests.kubeserver.foreign.gadgets import API_VERSION, GROUP, configmap, gadget

REAL_TIME = True
pytestmark = pytest.mark.e2e

_AT = {"group": GROUP, "version": "v1", "namespace": "default", "plural": "gadgets"}
_MERGE = "application/merge-patch+json"


@pytest.fixture
async def api(cluster):
    async with await config.new_client_from_config(str(cluster.kubeconfig), persist_config=False) as api:
        yield api


async def test_a_custom_object_is_created_patched_and_deleted(api):
    custom: Any = client.CustomObjectsApi(api)
    made = await custom.create_namespaced_custom_object(**_AT, body=gadget("one"))
    assert made["spec"] == {"size": 1, "colour": "red"}
    await custom.patch_namespaced_custom_object(**_AT, name="one", body={"spec": {"size": 4}}, _content_type=_MERGE)
    shown = await custom.get_namespaced_custom_object(**_AT, name="one")
    assert (shown["spec"]["size"], shown["metadata"]["generation"]) == (4, 2)
    await custom.delete_namespaced_custom_object(**_AT, name="one")
    with pytest.raises(client.ApiException) as absent:
        await custom.get_namespaced_custom_object(**_AT, name="one")
    assert absent.value.status == 404


async def test_status_is_a_resource_of_its_own(api):
    custom: Any = client.CustomObjectsApi(api)
    await custom.create_namespaced_custom_object(**_AT, body=gadget("one"))
    body = {"spec": {"size": 9}, "status": {"phase": "Ready"}}
    await custom.patch_namespaced_custom_object_status(**_AT, name="one", body=body, _content_type=_MERGE)
    shown = await custom.get_namespaced_custom_object_status(**_AT, name="one")
    assert (shown["spec"]["size"], shown["status"]) == (1, {"phase": "Ready"})


async def test_typed_objects_come_back_as_they_were_sent(api):
    core = client.CoreV1Api(api)
    meta = client.V1ObjectMeta(name="c", labels={"a": "b"})
    made = await core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=meta, data={"a": "1"}))
    made.data["a"] = "2"
    replaced = await core.replace_namespaced_config_map("c", "default", made)
    assert (replaced.data, replaced.metadata.labels) == ({"a": "2"}, {"a": "b"})
    with pytest.raises(client.ApiException) as conflict:
        await core.replace_namespaced_config_map("c", "default", made)
    assert conflict.value.status == 409
    listed = await core.list_namespaced_config_map("default", label_selector="a in (b)")
    assert [one.metadata.name for one in listed.items] == ["c"]
    done = await core.delete_namespaced_config_map("c", "default")
    assert done.status == "Success"


async def test_the_dynamic_client_applies(api):
    async with DynamicClient(api) as dynamic:
        gadgets = await dynamic.resources.get(api_version=API_VERSION, kind="Gadget")
        await dynamic.server_side_apply(gadgets, gadget("one", 2), field_manager="a")
        refused = await dynamic.server_side_apply(gadgets, gadget("one", 3), field_manager="b")
        forced = await dynamic.server_side_apply(gadgets, gadget("one", 3), field_manager="b", force_conflicts=True)
    assert (refused.kind, refused.code, refused.reason) == ("Status", 409, "Conflict")
    assert forced.spec.size == 3


async def test_a_watch_shows_each_change_once(api):
    core = client.CoreV1Api(api)
    seen = []
    since = (await core.list_namespaced_config_map("default")).metadata.resource_version

    async def changes():
        async with watch.Watch() as watching:
            listing = core.list_namespaced_config_map
            async for event in watching.stream(listing, "default", resource_version=since, timeout_seconds=5):
                seen.append((event["type"], event["object"].data["a"]))
                if event["type"] == "DELETED":
                    return

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(changes())
        await core.create_namespaced_config_map("default", configmap("c", a="1"))
        await core.patch_namespaced_config_map("c", "default", {"data": {"a": "2"}})
        await core.delete_namespaced_config_map("c", "default")
    assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]
