"""What a client keeps of discovery, and when it forgets it."""

import asyncio
from typing import cast

import pytest

from lambent.kube.discovery import KnownKinds
from lambent.kube.errors import NotFound
from lambent.kube.types import GVK, KubeObject, ResourceInfo, WatchEvent, WatchType

CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
GIZMO = ResourceInfo(GVK("example.org", "v1", "Gizmo"), "gizmos", True)
OTHER = ResourceInfo(GVK("other.org", "v1", "Thing"), "things", True)


def known():
    return KnownKinds({info.gvk: info for info in (GIZMO, OTHER)})


def event(type_: WatchType, name: str) -> WatchEvent:
    meta = {"name": name} if name else {"resourceVersion": "5"}
    obj = {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": meta}
    return WatchEvent(type_, cast(KubeObject, obj))


async def test_an_event_of_a_definition_makes_its_group_unknown_now_and_a_little_later():
    """kube-apiserver tells of the change before its discovery shows it, so the first answer may be an old one."""
    kinds = known()
    kinds.on_event(CRD, event("MODIFIED", "gizmos.example.org"))
    assert set(kinds) == {OTHER.gvk}
    kinds[GIZMO.gvk] = GIZMO
    await asyncio.sleep(11)
    assert set(kinds) == {OTHER.gvk}


async def test_other_events_change_nothing():
    kinds = known()
    kinds.on_event(GIZMO.gvk, event("MODIFIED", "gizmos.example.org"))
    kinds.on_event(CRD, event("BOOKMARK", ""))
    await asyncio.sleep(11)
    assert set(kinds) == set(known())


@pytest.mark.parametrize(
    ("message", "is_gone"),
    [
        ("404 page not found", True),
        ("the server could not find the requested resource", True),
        ('gizmos.example.org "a" not found', False),
    ],
    ids=["group", "resource", "object"],
)
def test_a_404_that_names_no_object_makes_the_kind_unknown(message, is_gone):
    kinds = known()
    kinds.on_error(GIZMO.gvk, NotFound(message, code=404))
    assert (GIZMO.gvk not in kinds) is is_gone
