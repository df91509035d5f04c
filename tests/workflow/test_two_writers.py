"""A controller that was paused and its successor write the same notes: neither loses what the other wrote."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from lambent.kube.errors import Conflict
from lambent.kube.informer import InformerHub
from lambent.kube.types import KubeObject
from lambent.workflow.controller import records
from lambent.workflow.controller.held_kinds import HeldKinds
from lambent.workflow.controller.records import CONFIG_MAP, KnownRecords, drop_of_deleted, load_record
from lambent.workflow.controller.watches import ResourceWatches
from lambent.workflow.engine.managed import ANNOTATION, Record
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import trigger


@pytest.fixture(autouse=True)
def _low_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_ANNOTATION_BYTES", 200)


def record(workflow: str, *, is_large: bool = True) -> Record:
    entry = {"apiVersion": "example.org/v1", "kind": "Thing", "name": "x" * 200 if is_large else "x", "uid": "1"}
    return Record(workflow, {"a": entry}, [])


@contextlib.asynccontextmanager
async def known(cluster: Cluster) -> AsyncIterator[KnownRecords]:
    """The records of a controller that has no watches yet."""
    async with InformerHub(cluster.kube) as hub, asyncio.TaskGroup() as group:
        yield KnownRecords(cluster.kube, TRIGGER, ResourceWatches(hub, group, lambda trigger, place: None))


def annotated(cluster: Cluster, text: str) -> KubeObject:
    """The trigger with this annotation."""
    obj = cluster.get(TRIGGER, "t")
    cluster.put([{**obj, "metadata": {**obj["metadata"], "annotations": {ANNOTATION: text}}}])
    return cast(KubeObject, cluster.get(TRIGGER, "t"))


async def with_large_record(cluster: Cluster, one: KnownRecords) -> KubeObject:
    """A trigger whose record lies beside it, written by this controller."""
    cluster.put([trigger()])
    obj = cast(KubeObject, cluster.get(TRIGGER, "t"))
    return annotated(cluster, await one.place(obj, record("first"), is_held=True))


async def workflow_of(cluster: Cluster, obj: KubeObject) -> str:
    return (await load_record(cluster.kube, obj)).workflow


def calls(cluster: Cluster) -> list[str]:
    return [call.verb for call in cluster.kube.calls if call.gvk == CONFIG_MAP and call.verb != "watch"]


def config_map(cluster: Cluster, obj: KubeObject) -> KubeObject | None:
    return cluster.kube.peek(CONFIG_MAP, f"lambent-managed-{obj['metadata']['uid']}", "default")


async def test_a_record_is_written_over_the_one_that_is_known_alone():
    cluster = Cluster()
    async with known(cluster) as paused, known(cluster) as successor:
        obj = await with_large_record(cluster, paused)
        await successor.load(obj)
        await successor.place(obj, record("second"), is_held=True)
        with pytest.raises(Conflict):
            await paused.place(obj, record("late"), is_held=True)
        assert await workflow_of(cluster, obj) == "second"
        # The pass that looks again has the right to it.
        await paused.place(obj, record("third"), is_held=True)
        assert await workflow_of(cluster, obj) == "third"


async def test_a_record_that_changes_is_one_patch():
    cluster = Cluster()
    async with known(cluster) as one:
        obj = await with_large_record(cluster, one)
        await one.place(obj, record("second"), is_held=True)
        assert calls(cluster) == ["create", "patch"]


async def test_a_config_map_that_was_taken_away_is_made_again():
    cluster = Cluster()
    async with known(cluster) as one:
        obj = await with_large_record(cluster, one)
        cluster.kube.terminate(CONFIG_MAP, f"lambent-managed-{obj['metadata']['uid']}", "default")
        await one.place(obj, record("second"), is_held=True)
        assert await workflow_of(cluster, obj) == "second"


@pytest.mark.parametrize("is_used", [False, True])
async def test_the_config_map_of_a_record_that_is_small_again_goes_unless_another_wrote_it(is_used: bool):
    cluster = Cluster()
    async with known(cluster) as one, known(cluster) as successor:
        before = await with_large_record(cluster, one)
        after = annotated(cluster, await one.place(before, record("small", is_large=False), is_held=True))
        if is_used:
            await successor.load(before)
            await successor.place(after, record("second"), is_held=True)
        await one.drop_unused(before, after)
        assert (config_map(cluster, before) is not None) == is_used


async def test_a_copy_of_a_trigger_takes_nothing_from_the_one_it_was_copied_from():
    cluster = Cluster()
    async with known(cluster) as one:
        original = await with_large_record(cluster, one)
        copied: Any = trigger()
        copied["metadata"].update(name="copy", annotations=original["metadata"]["annotations"])
        cluster.put([copied])
        copy = cast(KubeObject, cluster.get(TRIGGER, "copy"))
        await one.load(copy)
        small = await one.place(copy, record("small", is_large=False), is_held=True)
        plain = cast(KubeObject, {**copy, "metadata": {**copy["metadata"], "annotations": {ANNOTATION: small}}})
        await one.drop_unused(copy, plain)
        await drop_of_deleted(cluster.kube, copy)
        assert config_map(cluster, original) is not None
        await drop_of_deleted(cluster.kube, original)
        assert config_map(cluster, original) is None


def noted(cluster: Cluster) -> list[str]:
    found: Any = cluster.kube.peek(CONFIG_MAP, "lambent-held-kinds", "default")
    return sorted(name.split(".")[0] for name in found.get("data") or {})


async def test_kinds_are_noted_by_several_controllers_without_a_conflict():
    cluster = Cluster()
    one, other = HeldKinds(cluster.kube, None), HeldKinds(cluster.kube, None)
    await one.note(TRIGGER)
    await other.note(THING)
    await one.note(THING)
    assert noted(cluster) == ["Thing", "Trigger"]


@pytest.mark.parametrize("is_used", [False, True])
async def test_a_kind_is_taken_off_the_note_unless_another_wrote_it(is_used: bool):
    cluster = Cluster()
    paused, successor = HeldKinds(cluster.kube, None), HeldKinds(cluster.kube, None)
    await paused.note(TRIGGER)
    if is_used:
        await successor.note(THING)
    await paused.drop(TRIGGER)
    assert noted(cluster) == (["Thing", "Trigger"] if is_used else [])
