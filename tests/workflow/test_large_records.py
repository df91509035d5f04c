"""A record of managed resources that is too large for an annotation lies in a ConfigMap. The line is drawn low here."""

import asyncio
import base64
import tracemalloc
import zlib
from typing import Any, cast

import orjson
import pytest

from lambent.kube.types import KubeObject
from lambent.workflow.controller import ControllerSettings, records
from lambent.workflow.controller.records import CONFIG_MAP, load_record
from lambent.workflow.engine.managed import ANNOTATION, Record
from lambent.workflow.engine.references import ResourceRef
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, FUNCTION, WORKFLOW, cluster_of, made_of, trigger, until_ready


@pytest.fixture(autouse=True)
def _low_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_ANNOTATION_BYTES", 200)


def _annotation(cluster: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(cluster.get(TRIGGER, "t")["metadata"]["annotations"][ANNOTATION])
    return found


async def _names(cluster: Cluster) -> list[str]:
    record = await load_record(cluster.kube, cast(KubeObject, cluster.get(TRIGGER, "t")))
    return [ref.name for ref in record.refs()]


async def test_the_annotation_names_the_config_map_and_the_trigger_owns_it():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        pointer = _annotation(cluster)
        stored = cluster.get(CONFIG_MAP, pointer["configMap"])
        assert await _names(cluster) == ["first", "second"]
    assert sorted(pointer) == ["configMap", "digest", "workflow"]
    assert [owner["name"] for owner in stored["metadata"]["ownerReferences"]] == ["t"]


def _often() -> Cluster:
    cluster = Cluster(ready_after_s=0.0, settings=ControllerSettings(resync_s=100))
    cluster.put([made_of(WORKFLOW), made_of(FUNCTION), trigger()])
    return cluster


async def test_a_steady_pass_with_a_large_record_makes_no_request():
    cluster = _often()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(200)
        before = len(cluster.kube.calls)
        await asyncio.sleep(5000)
        assert [call for call in cluster.kube.calls[before:] if call.verb != "watch"] == []


async def test_after_a_start_the_config_map_is_read_once():
    cluster = _often()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(200)
    before = len(cluster.kube.calls)
    async with cluster.running():
        await asyncio.sleep(1000)
        name = _annotation(cluster)["configMap"]
        assert [c.verb for c in cluster.kube.calls[before:] if (c.gvk, c.name) == (CONFIG_MAP, name)] == ["get"]
        assert cluster.kube.writes()[-1].verb != "delete"


async def test_a_config_map_that_somebody_changes_is_read_and_mended():
    cluster = _often()
    async with cluster.running():
        await until_ready(cluster)
        await asyncio.sleep(200)
        stored = cluster.get(CONFIG_MAP, _annotation(cluster)["configMap"])
        text = records.packed('{"workflow": "w", "resources": {}}')
        cluster.put([{**stored, "binaryData": {"record.json.zlib": text}}])
        await asyncio.sleep(300)
        assert await _names(cluster) == ["first", "second"]


async def test_a_record_that_is_small_again_returns_to_the_annotation_and_its_config_map_goes():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        name = _annotation(cluster)["configMap"]
        cluster.put([made_of(WORKFLOW, steps=[{"label": "a", "ref": {"kind": "ValueFunction", "name": "none"}}])])
        cluster.kube.terminate(THING, "first", "default")
        await asyncio.sleep(1)
        cluster.put([made_of(WORKFLOW, orphans="delete", steps=[{"label": "a", "ref": _VALUE, "inputs": {}}])])
        cluster.put([_VALUE_FUNCTION])
        await asyncio.sleep(2000)
    uid = cluster.get(TRIGGER, "t")["metadata"]["uid"]
    assert _annotation(cluster) == {"workflow": "w", "uid": uid, "resources": {"a": None}}
    assert cluster.kube.peek(CONFIG_MAP, name, "default") is None


_VALUE = {"kind": "ValueFunction", "name": "v"}
_VALUE_FUNCTION = {
    "apiVersion": "koreo.dev/v1beta1",
    "kind": "ValueFunction",
    "metadata": {"name": "v", "namespace": "default"},
    "spec": {"return": {"a": 1}},
}


async def test_what_must_be_destroyed_is_found_in_the_config_map_which_no_collector_may_take():
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
        name = _annotation(cluster)["configMap"]
        assert not cluster.get(CONFIG_MAP, name)["metadata"].get("ownerReferences")
        await cluster.kube.delete(TRIGGER, "t", namespace="default")
        await asyncio.sleep(2)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None
    assert cluster.kube.peek_all(THING) == []
    assert cluster.kube.peek(CONFIG_MAP, name, "default") is None


async def test_a_record_whose_config_map_was_taken_away_is_made_again():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        name = _annotation(cluster)["configMap"]
        await cluster.kube.delete(CONFIG_MAP, name, namespace="default")
        await asyncio.sleep(1)
        assert await _names(cluster) == ["first", "second"]


def test_ten_thousand_items_fit_into_a_config_map():
    refs = [
        ResourceRef("example.org/v1", "Thing", f"item-{i}", "default", function="f", uid=f"{i}") for i in range(10_000)
    ]
    text = Record("w", {"a": [ref.record() for ref in refs]}, []).text()
    assert len(text) > 1_000_000
    assert len(records.packed(text)) < 900_000


async def test_a_config_map_that_somebody_fills_with_zeros_is_an_empty_record_and_costs_no_memory():
    cluster = cluster_of()
    async with cluster.running():
        await until_ready(cluster)
        obj = cast(KubeObject, cluster.get(TRIGGER, "t"))
        stored = cluster.get(CONFIG_MAP, _annotation(cluster)["configMap"])
    bomb = base64.b64encode(zlib.compress(bytes(128 * 1024 * 1024), 1)).decode()
    cluster.put([{**stored, "binaryData": {"record.json.zlib": bomb}}])
    tracemalloc.start()
    record = await load_record(cluster.kube, obj)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert record.refs() == []
    assert peak < 100 * 1024 * 1024
