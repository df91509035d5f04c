"""The official Python client, unmodified: the dynamic client and its SharedInformer, in threads beside the server."""

import asyncio
import queue

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError
from kubernetes.informer import SharedInformer

from tests.kubeserver.foreign.gadgets import API_VERSION, GROUP, configmap, gadget

REAL_TIME = True
pytestmark = pytest.mark.e2e

_MERGE = "application/merge-patch+json"


@pytest.fixture
async def api(cluster):
    """Its calls block, so tests run in a thread while the server has the loop."""
    with config.new_client_from_config(str(cluster.kubeconfig), persist_config=False) as api:
        yield api


def _gadgets(api, tmp_path):
    dynamic = DynamicClient(api, cache_file=str(tmp_path / "discovery.json"))
    return dynamic.resources.get(api_version=API_VERSION, kind="Gadget")


async def test_a_custom_object_lives_through_the_dynamic_client(api, tmp_path):
    def life():
        gadgets = _gadgets(api, tmp_path)
        assert gadgets.create(body=gadget("one"), namespace="default").spec.colour == "red"
        gadgets.patch(name="one", namespace="default", body={"spec": {"size": 4}}, content_type=_MERGE)
        body = {"metadata": {"name": "one"}, "spec": {"size": 9}, "status": {"phase": "Ready"}}
        gadgets.status.patch(name="one", namespace="default", body=body, content_type=_MERGE)
        shown = gadgets.get(name="one", namespace="default")
        assert (shown.spec.size, shown.status.phase, shown.metadata.generation) == (4, "Ready", 2)
        gadgets.delete(name="one", namespace="default")
        with pytest.raises(NotFoundError):
            gadgets.get(name="one", namespace="default")

    await asyncio.to_thread(life)


async def test_server_side_apply_names_conflicts(api, tmp_path):
    def life():
        gadgets = _gadgets(api, tmp_path)
        gadgets.server_side_apply(body=gadget("one", 2), field_manager="a")
        with pytest.raises(ConflictError, match="Apply failed with 1 conflict"):
            gadgets.server_side_apply(body=gadget("one", 3), field_manager="b")
        forced = gadgets.server_side_apply(body=gadget("one", 3), field_manager="b", force_conflicts=True)
        assert forced.spec.size == 3

    await asyncio.to_thread(life)


async def test_a_dynamic_watch_shows_each_change_once(api, tmp_path):
    def life():
        gadgets = _gadgets(api, tmp_path)
        since = gadgets.get(namespace="default").metadata.resourceVersion
        gadgets.create(body=gadget("one"), namespace="default")
        gadgets.patch(name="one", namespace="default", body={"spec": {"size": 2}}, content_type=_MERGE)
        gadgets.delete(name="one", namespace="default")
        seen = []
        for event in gadgets.watch(namespace="default", resource_version=since, timeout=5):
            seen.append((event["type"], event["object"].spec.size))
            if event["type"] == "DELETED":
                return seen
        return seen

    assert await asyncio.to_thread(life) == [("ADDED", 1), ("MODIFIED", 2), ("DELETED", 2)]


async def test_a_shared_informer_follows_configmaps(api):
    def life():
        core = client.CoreV1Api(api)
        core.create_namespaced_config_map("default", configmap("before", a="0"))
        seen: queue.Queue[tuple[str, str, str]] = queue.Queue()
        informer = SharedInformer(core.list_namespaced_config_map, namespace="default")
        for kind in ("ADDED", "MODIFIED", "DELETED"):
            informer.add_event_handler(kind, lambda obj, kind=kind: seen.put((kind, obj.metadata.name, obj.data["a"])))
        informer.start()
        try:
            assert seen.get(timeout=5) == ("ADDED", "before", "0")
            core.create_namespaced_config_map("default", configmap("c", a="1"))
            assert seen.get(timeout=5) == ("ADDED", "c", "1")
            core.patch_namespaced_config_map("c", "default", {"data": {"a": "2"}})
            assert seen.get(timeout=5) == ("MODIFIED", "c", "2")
            assert informer.cache.get_by_key("default/c").data == {"a": "2"}
            core.delete_namespaced_config_map("c", "default")
            assert seen.get(timeout=5) == ("DELETED", "c", "2")
        finally:
            informer.stop()

    await asyncio.to_thread(life)


async def test_a_refusal_is_a_status(api):
    def ask():
        with pytest.raises(ApiException) as refused:
            client.CustomObjectsApi(api).create_namespaced_custom_object(
                GROUP, "v1", "default", "gadgets", gadget("one", 0)
            )
        return refused.value

    refused = await asyncio.to_thread(ask)
    assert refused.status == 422
    assert "spec.size: Invalid value: 0" in refused.body
