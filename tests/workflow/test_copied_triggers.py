"""A record of managed resources that came to its trigger by copy, restore or hand ends nothing of anybody else's."""

import asyncio
from typing import Any, cast

import orjson
import pytest

from lambent.kube.types import GVK
from lambent.workflow.controller import records
from lambent.workflow.engine.managed import ANNOTATION
from lambent.workflow.engine.patches import APPLIED_BY_ANNOTATION, LAST_APPLIED_ANNOTATION
from tests.workflow.cluster import EVENT, THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, FUNCTION, WORKFLOW, made_of, trigger

_STEP = {"label": "one", "ref": {"kind": "ResourceFunction", "name": "thing"}}
_OWN = [{**_STEP, "inputs": {"name": "=parent.metadata.name + string(parent.spec.size)", "size": 1}}]
_SHARED = [{**_STEP, "inputs": {"name": "shared", "size": 1}}]
_BROKEN = [{**_STEP, "ref": {"kind": "ResourceFunction", "name": "missing"}, "inputs": {}}]
_NODE = GVK("example.org", "v1", "Node")


def _cluster(*, steps: Any = _OWN, orphans: str = "delete", **function: Any) -> Cluster:
    cluster = Cluster(ready_after_s=0.0)
    cluster.put([made_of(WORKFLOW, steps=steps, orphans=orphans), made_of(FUNCTION, **(function or DESTROY))])
    cluster.put([trigger()])
    return cluster


def _things(cluster: Cluster) -> list[str]:
    return sorted(thing["metadata"]["name"] for thing in cluster.kube.peek_all(THING))


def _text(cluster: Cluster, name: str = "t") -> str:
    return str(cluster.get(TRIGGER, name)["metadata"]["annotations"][ANNOTATION])


def _without_uid(text: str) -> str:
    """As Koreo writes it."""
    return orjson.dumps({key: value for key, value in orjson.loads(text).items() if key != "uid"}).decode()


def _copied(cluster: Cluster, name: str = "copy", *, has_uid: bool = True) -> None:
    """`kubectl get -o yaml | sed | kubectl apply`, finalizer and all."""
    metadata = cluster.get(TRIGGER, "t")["metadata"]
    text = metadata["annotations"][ANNOTATION]
    annotations = {ANNOTATION: text if has_uid else _without_uid(text)}
    cluster.put([trigger(name, annotations=annotations, finalizers=metadata["finalizers"])])


async def _deleted(cluster: Cluster, name: str) -> None:
    await cluster.kube.delete(TRIGGER, name, namespace="default")
    await asyncio.sleep(60)
    assert cluster.kube.peek(TRIGGER, name, "default") is None


def _told(cluster: Cluster, reason: str) -> list[tuple[str, int]]:
    events = [cast(dict[str, Any], event) for event in cluster.kube.peek_all(EVENT)]
    return [(e["involvedObject"]["name"], e["count"]) for e in events if e["reason"] == reason]


@pytest.mark.parametrize("line", [200, 200 * 1024], ids=["config-map", "annotation"])
async def test_a_copy_begins_with_an_empty_record_and_says_so_once(line: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records, "MAX_ANNOTATION_BYTES", line)
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(10)
        before = _text(cluster)
        _copied(cluster)
        await asyncio.sleep(3000)
        assert _things(cluster) == ["copy1", "t1"]
        assert _text(cluster, "copy") != before == _text(cluster)
        assert _told(cluster, "RecordIgnored") == [("copy", 1)]
        await _deleted(cluster, "copy")
        assert _things(cluster) == ["t1"]
        # Nothing of the original's record is lost either.
        await _deleted(cluster, "t")
        assert _things(cluster) == []


@pytest.mark.parametrize("line", [200, 200 * 1024], ids=["config-map", "annotation"])
async def test_a_copy_that_never_had_a_pass_takes_nothing_with_it(line: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records, "MAX_ANNOTATION_BYTES", line)
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(10)
        cluster.put([made_of(WORKFLOW, steps=_BROKEN)])
        _copied(cluster)
        await asyncio.sleep(10)
        await _deleted(cluster, "copy")
        assert _things(cluster) == ["t1"]
        await _deleted(cluster, "t")
        assert _things(cluster) == []


@pytest.mark.parametrize("is_owned", [False, True])
@pytest.mark.parametrize("steps", [_OWN, _BROKEN], ids=["passed", "never-passed"])
async def test_a_copy_of_a_record_that_does_not_say_whose_it_is_spares_what_the_original_made(
    is_owned: bool, steps: Any
):
    api = {**DESTROY["apiConfig"], "owned": is_owned}
    cluster = _cluster(**{**DESTROY, "apiConfig": api})
    async with cluster.running():
        await asyncio.sleep(10)
        cluster.put([made_of(WORKFLOW, steps=steps, orphans="delete")])
        _copied(cluster, has_uid=False)
        await asyncio.sleep(60)
        assert "t1" in _things(cluster)
        await _deleted(cluster, "copy")
        assert _things(cluster) == ["t1"]
        assert ("copy", 1) in _told(cluster, "Abandoned")


async def test_a_record_without_a_uid_is_the_objects_own_and_gets_one():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(10)
    text, obj = _text(cluster), cluster.get(TRIGGER, "t")
    cluster.put([{**obj, "metadata": {**obj["metadata"], "annotations": {ANNOTATION: _without_uid(text)}}}])
    async with cluster.running():
        await asyncio.sleep(10)
        assert _text(cluster) == text
        await _deleted(cluster, "t")
    assert _things(cluster) == []


async def test_a_restored_trigger_takes_its_resources_up_again_by_name():
    cluster = _cluster()
    async with cluster.running():
        await asyncio.sleep(10)
        saved = cluster.get(TRIGGER, "t")["metadata"]
        body = {"metadata": {"annotations": {"lambent.dev/abandon": "true"}}}
        await cluster.kube.patch(TRIGGER, "t", body, namespace="default")
        await _deleted(cluster, "t")
        assert _things(cluster) == ["t1"]
        annotations = {ANNOTATION: saved["annotations"][ANNOTATION]}
        cluster.put([trigger(annotations=annotations, finalizers=saved["finalizers"])])
        await asyncio.sleep(10)
        recorded = orjson.loads(_text(cluster))
        assert recorded["uid"] == cluster.get(TRIGGER, "t")["metadata"]["uid"] != saved["uid"]
        assert recorded["resources"]["one"]["uid"] == cluster.get(THING, "t1")["metadata"]["uid"]
        await _deleted(cluster, "t")
        assert _things(cluster) == []


@pytest.mark.parametrize("is_owned", [False, True])
async def test_a_finalizer_that_was_lost_is_put_back_where_nobody_else_cleans_up(is_owned: bool):
    api = {**DESTROY["apiConfig"], "owned": is_owned}
    cluster = _cluster(orphans="keep", **{**DESTROY, "apiConfig": api})
    async with cluster.running():
        await asyncio.sleep(10)
    # As `kubectl replace` does, and a restore from a manifest.
    cluster.put([trigger(annotations={}, finalizers=[])])
    assert not cluster.get(TRIGGER, "t")["metadata"]["finalizers"]
    async with cluster.running():
        await asyncio.sleep(10)
        assert bool(cluster.get(TRIGGER, "t")["metadata"]["finalizers"]) is not is_owned
        await _deleted(cluster, "t")
    assert _things(cluster) == []


@pytest.mark.parametrize("is_owned", [False, True])
@pytest.mark.parametrize("order", [("copy", "t"), ("t", "copy")], ids=["copy-first", "renamed"])
async def test_what_two_triggers_manage_goes_with_the_last_one_that_holds_it(order: tuple[str, str], is_owned: bool):
    api = {**DESTROY["apiConfig"], "owned": is_owned}
    cluster = _cluster(steps=_SHARED, **{**DESTROY, "apiConfig": api})
    async with cluster.running():
        await asyncio.sleep(10)
        uid = cluster.get(THING, "shared")["metadata"]["uid"]
        # A manifest has no finalizer; the copy gets one of its own if it needs one.
        cluster.put([trigger("copy", annotations={ANNOTATION: _text(cluster)})])
        await asyncio.sleep(10)
        await _deleted(cluster, order[0])
        assert cluster.get(THING, "shared")["metadata"]["uid"] == uid
        await _deleted(cluster, order[1])
        assert _things(cluster) == []


async def test_what_two_triggers_manage_goes_when_both_go_at_once():
    cluster = _cluster(steps=_SHARED)
    async with cluster.running():
        await asyncio.sleep(10)
        _copied(cluster)
        await asyncio.sleep(10)
        for name in ("t", "copy"):
            await cluster.kube.delete(TRIGGER, name, namespace="default")
        await asyncio.sleep(60)
    assert cluster.kube.peek_all(TRIGGER) == []
    assert _things(cluster) == []


def _forged(kind: str, namespace: str = "", **entry: Any) -> str:
    ref = {"apiVersion": "example.org/v1", "kind": kind, "plural": "", "name": "victim", "delete": "destroy", **entry}
    if namespace:
        ref["namespace"] = namespace
    return orjson.dumps({"workflow": "w", "resources": {"old": ref}}).decode()


@pytest.mark.parametrize("end", ["delete", "prune"])
@pytest.mark.parametrize(
    ("kind", "namespace", "has_uid", "owners"),
    [
        ("Thing", "default", False, []),
        ("Thing", "default", True, [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "p", "controller": True}]),
        ("Thing", "other", False, []),
        ("Thing", "other", True, []),
        ("Node", "", True, []),
    ],
    ids=["no-uid", "owned", "elsewhere", "elsewhere-with-uid", "cluster-scoped"],
)
async def test_an_annotation_written_by_hand_deletes_nothing_of_others(
    kind: str, namespace: str, has_uid: bool, owners: list[Any], end: str
):
    cluster = _cluster(steps=_BROKEN if end == "delete" else _OWN)
    cluster.kube.register(_NODE, "nodes", namespaced=False)
    metadata = {"name": "victim", "ownerReferences": owners, **({"namespace": namespace} if namespace else {})}
    cluster.put([{"apiVersion": "example.org/v1", "kind": kind, "metadata": metadata, "status": {"ready": True}}])
    gvk = GVK("example.org", "v1", kind)
    found = cast(dict[str, Any], cluster.kube.peek(gvk, "victim", namespace))
    entry = {"uid": found["metadata"]["uid"]} if has_uid else {}
    annotations = {ANNOTATION: _forged(kind, namespace, **entry)}
    cluster.put([trigger("forger", annotations=annotations, finalizers=["lambent.dev/workflow"])])
    async with cluster.running():
        await asyncio.sleep(60)
        await _deleted(cluster, "forger")
    assert cluster.kube.peek(gvk, "victim", namespace) == found


async def test_what_is_let_go_keeps_the_marks_of_another_trigger():
    cluster = _cluster(**{**DESTROY, "delete": {"abandon": {}}})
    async with cluster.running():
        await asyncio.sleep(10)
        cluster.put([made_of(WORKFLOW, steps=_BROKEN)])
        _copied(cluster, has_uid=False)
        await _deleted(cluster, "copy")
        annotations = cluster.get(THING, "t1")["metadata"]["annotations"]
        assert {LAST_APPLIED_ANNOTATION, APPLIED_BY_ANNOTATION} <= set(annotations)
