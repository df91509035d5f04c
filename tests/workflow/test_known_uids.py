"""The uids in the record of managed resources: kept while nobody can ask for them, gone with the object."""

import asyncio
from typing import Any

import pytest

from lambent.kube.errors import ServerError
from lambent.kube.fake import FakeKube
from lambent.kube.types import GVK, KubeObject
from lambent.workflow.crds import crds
from lambent.workflow.engine import Answer, Found, Refused, TimedOut, Workflow, WorkflowPass, Write, load_catalog
from lambent.workflow.engine.managed import ANNOTATION, Record, next_record, parse_record
from lambent.workflow.spec import load_text
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import DESTROY, FUNCTION, WORKFLOW, cluster_of, made_of, trigger, until_ready

_PARENT = {"spec": {"size": 1}}
_STEPS = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: w, namespace: default}
spec:
  steps:
  - {label: one, ref: {kind: ResourceFunction, name: thing}, inputs: {name: a, size: 1}}
  - label: each
    ref: {kind: ResourceFunction, name: thing}
    forEach: {itemIn: "=['b', 'c']", inputKey: name}
    inputs: {size: 1}
  - {label: sub, ref: {kind: Workflow, name: inner}, inputs: {}}
"""
_INNER = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: inner, namespace: default}
spec:
  steps:
  - {label: deep, ref: {kind: ResourceFunction, name: thing}, inputs: {name: d, size: 1}}
"""
_CATALOG = load_catalog(load_text("---".join((_STEPS, _INNER, FUNCTION)))[0])


def _live(name: str, uid: str, size: int = 1) -> Found:
    metadata = {"name": name, "namespace": "default", "uid": uid}
    return Found({"apiVersion": "example.org/v1", "kind": "Thing", "metadata": metadata, "spec": {"size": size}})


def _after(before: Record, *answers: Answer | None) -> Record:
    """The record after a pass in which these answer what is asked about the thing `a`, and each else is there."""
    workflow = _CATALOG.resolve("Workflow", "w", "default")
    assert isinstance(workflow, Workflow)
    pass_, given = WorkflowPass(workflow, _PARENT, _CATALOG), list(answers)
    effects = pass_.start()
    while effects:
        effect = effects.pop(0)
        name = effect.ref.name
        if name == "a" and given:
            answer = given.pop(0)
        else:
            answer = Found(None) if isinstance(effect, Write) else _live(name, f"uid-of-{name}")
        effects += pass_.feed(effect, answer or _live(name, f"uid-of-{name}"))
    assert pass_.result is not None
    return parse_record({"annotations": {ANNOTATION: next_record(pass_.result, before).text()}})


def _uids(record: Record) -> dict[str, str | None]:
    return {ref.name: ref.uid for ref in record.refs()}


_DOWN = Refused(503, "down")
_CHANGED = Refused(409, "changed", "Conflict")


@pytest.mark.parametrize(
    ("answers", "uid"),
    [
        ([_DOWN], "uid-of-a"),
        ([TimedOut()], "uid-of-a"),
        ([_live("a", "other")], "other"),
        ([_live("a", "other", 2), TimedOut()], "other"),
        ([_live("a", "other", 2), _CHANGED, _DOWN], "other"),
        ([Found(None), _DOWN], None),
        ([Found(None), _live("a", "new")], "new"),
        ([_live("a", "uid-of-a", 2), Refused(404, "gone"), Found(None), TimedOut()], None),
    ],
    ids=["refused", "late", "another", "write-late", "then-refused", "absent", "made", "went-meanwhile"],
)
def test_what_a_pass_cannot_ask_stays_known_and_what_it_sees_counts(answers: list[Answer], uid: str | None):
    known = _after(parse_record({}))
    assert _uids(known) == {name: f"uid-of-{name}" for name in "abcd"}
    found = _uids(_after(known, *answers))
    assert (found.pop("a"), found) == (uid, {name: f"uid-of-{name}" for name in "bcd"})


def test_a_uid_that_was_lost_is_found_again():
    nothing = _after(parse_record({}), _DOWN)
    assert _uids(nothing)["a"] is None
    assert _uids(_after(nothing))["a"] == "uid-of-a"


def test_items_and_nested_steps_keep_theirs_too():
    known = _after(parse_record({}))
    workflow = _CATALOG.resolve("Workflow", "w", "default")
    assert isinstance(workflow, Workflow)
    pass_ = WorkflowPass(workflow, _PARENT, _CATALOG)
    effects = pass_.start()
    while effects:
        effects += pass_.feed(effects.pop(0), _DOWN)
    assert pass_.result is not None
    assert next_record(pass_.result, known).text() == known.text()


def _recorded(cluster: Cluster) -> dict[str, str | None]:
    return _uids(parse_record(cluster.get(TRIGGER, "t")["metadata"]))


def _stored(cluster: Cluster) -> dict[str, str]:
    return {name: cluster.get(THING, name)["metadata"]["uid"] for name in ("first", "second")}


async def _ask(cluster: Cluster, when: str) -> None:
    body = {"metadata": {"annotations": {"koreo.dev/last-manual-reconcile": when}}}
    await cluster.kube.patch(TRIGGER, "t", body, namespace="default")
    await asyncio.sleep(60)


class _Watchful(FakeKube):
    """Notes what the trigger's record says: at each creation of a thing, and after each write of the trigger."""

    def __init__(self) -> None:
        super().__init__(crds=crds())
        self.at_creation: list[dict[str, str | None]] = []
        self.written: list[dict[str, str | None]] = []

    async def create(self, obj: KubeObject, **how: Any) -> KubeObject:
        if obj["kind"] == "Thing":
            self.at_creation.append(self._told())
        return await super().create(obj, **how)

    async def patch(self, gvk: GVK, name: str, body: Any, **how: Any) -> KubeObject:
        written = await super().patch(gvk, name, body, **how)
        if gvk == TRIGGER:
            self.written.append(self._told())
        return written

    def _told(self) -> dict[str, str | None]:
        found = self.peek(TRIGGER, "t", "default")
        assert found is not None
        return _uids(parse_record(dict(found["metadata"])))


def _watchful() -> tuple[Cluster, _Watchful]:
    kube = _Watchful()
    cluster = Cluster(ready_after_s=0.0, kube=kube)
    cluster.put([made_of(WORKFLOW), made_of(FUNCTION, **DESTROY), trigger()])
    return cluster, kube


async def test_a_server_that_cannot_be_read_costs_the_record_nothing():
    cluster, kube = _watchful()
    async with cluster.running():
        await until_ready(cluster)
        known = _stored(cluster)
        kube.written.clear()
        kube.fail("get", THING, ServerError("down", code=503))
        await _ask(cluster, "now")
        # The request itself, the status of the pass that failed, and that of the next one.
        assert kube.written == [known] * 3


@pytest.mark.parametrize("is_replaced", [False, True], ids=["gone", "replaced"])
async def test_a_stale_uid_keeps_no_deletion_waiting(is_replaced: bool):
    cluster = cluster_of(**DESTROY)
    async with cluster.running():
        await until_ready(cluster)
        cluster.kube.fail("get", THING, ServerError("down", code=503), times=1000)
        await _ask(cluster, "now")
    cluster.kube.faults.clear()
    cluster.kube.terminate(THING, "second", "default")
    if is_replaced:
        metadata = {"name": "second", "namespace": "default"}
        cluster.put([{"apiVersion": "example.org/v1", "kind": "Thing", "metadata": metadata, "spec": {"size": 1}}])
    await cluster.kube.delete(TRIGGER, "t", namespace="default")
    async with cluster.running():
        await asyncio.sleep(600)
    assert cluster.kube.peek(TRIGGER, "t", "default") is None
    # What somebody else made since is not ours to delete.
    assert [obj["metadata"]["name"] for obj in cluster.kube.peek_all(THING)] == ["second"] * is_replaced


async def test_before_an_object_is_made_anew_the_record_forgets_the_old_one():
    """Were the controller to die right after the creation, the deletion would else leave the new object."""
    cluster, kube = _watchful()
    async with cluster.running():
        await until_ready(cluster)
        kube.terminate(THING, "second", "default")
        await asyncio.sleep(600)
        assert (len(kube.at_creation), kube.at_creation[-1]["second"]) == (3, None)
        assert kube.at_creation[-1]["first"] == _stored(cluster)["first"]
        assert _recorded(cluster) == _stored(cluster)
