"""Finalizers keep an object until its controller lets go, and lose no race."""

import pytest

from lambent.kube.errors import Conflict, Invalid
from lambent.kube.finalizers import add_finalizer, finalizer_name, is_abandoned, is_deleting, remove_finalizer
from lambent.kube.types import GVK

GIZMO = GVK("example.org", "v1", "Gizmo")


async def test_a_finalizer_holds_the_object_until_it_is_removed(kube, gizmo):
    held = await add_finalizer(kube, await kube.create(gizmo()), "lambent.dev/x")
    await kube.delete(GIZMO, "a", namespace="default")
    held = await kube.get(GIZMO, "a", namespace="default")
    assert is_deleting(held)
    await remove_finalizer(kube, held, "lambent.dev/x")
    assert kube.peek(GIZMO, "a") is None
    await remove_finalizer(kube, held, "lambent.dev/x")


async def test_adding_what_is_there_makes_no_call(kube, gizmo):
    held = await add_finalizer(kube, await kube.create(gizmo()), "lambent.dev/x")
    calls = len(kube.calls)
    assert await add_finalizer(kube, held, "lambent.dev/x") is held
    assert len(kube.calls) == calls


async def test_one_finalizer_goes_and_those_of_others_stay(kube, gizmo):
    obj = await kube.create(gizmo(metadata={"finalizers": ["example.org/first", "lambent.dev/x", "example.org/last"]}))
    await remove_finalizer(kube, obj, "lambent.dev/x")
    assert kube.peek(GIZMO, "a")["metadata"]["finalizers"] == ["example.org/first", "example.org/last"]


async def test_an_object_that_was_made_anew_keeps_its_own(kube, gizmo):
    old = await kube.create(gizmo(metadata={"finalizers": ["lambent.dev/x"]}))
    await kube.patch(GIZMO, "a", {"metadata": {"finalizers": None}}, namespace="default")
    await kube.delete(GIZMO, "a", namespace="default")
    await kube.create(gizmo(metadata={"finalizers": ["lambent.dev/x"]}))
    with pytest.raises(Invalid):
        await remove_finalizer(kube, old, "lambent.dev/x")
    assert kube.peek(GIZMO, "a")["metadata"]["finalizers"] == ["lambent.dev/x"]


def test_each_controller_has_its_own_and_one_annotation_lets_go(gizmo):
    assert finalizer_name("release") == "lambent.dev/release"
    assert is_abandoned(gizmo(metadata={"annotations": {"lambent.dev/abandon": "true"}}))
    assert not is_abandoned(gizmo(metadata={"annotations": {"lambent.dev/abandon": "false"}}))
    assert not is_abandoned(gizmo())


async def test_a_stale_object_neither_adds_nor_removes(kube, gizmo):
    stale = await kube.create(gizmo())
    fresh = await add_finalizer(kube, stale, "lambent.dev/x")
    with pytest.raises(Conflict):
        await add_finalizer(kube, stale, "lambent.dev/y")
    await add_finalizer(kube, fresh, "lambent.dev/y")
    with pytest.raises(Invalid):
        await remove_finalizer(kube, fresh, "lambent.dev/x")
