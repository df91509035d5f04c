"""What the tests of the kit share: two kinds, their objects, a fake server, the virtual clock.

Every test here runs on virtual time, except in modules that say `REAL_TIME = True` (they use sockets).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from lambent.clock import VirtualTimeLoop
from lambent.kube.fake import FakeKube
from lambent.kube.types import GVK, KubeObject

GIZMO = GVK("example.org", "v1", "Gizmo")
PART = GVK("example.org", "v1", "Part")

MakeGizmo = Callable[..., KubeObject]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    module = item.getparent(pytest.Module)
    if module is not None and getattr(module.obj, "REAL_TIME", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


def gizmo(name: str = "a", *, namespace: str = "default", gvk: GVK = GIZMO, **members: Any) -> KubeObject:
    meta = {"name": name, "namespace": namespace, **members.pop("metadata", {})}
    return cast(KubeObject, {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": meta, **members})


@pytest.fixture(name="gizmo")
def make_gizmo() -> MakeGizmo:
    return gizmo


@pytest.fixture
def kube() -> FakeKube:
    fake = FakeKube()
    fake.register(GIZMO, "gizmos")
    fake.register(PART, "parts")
    return fake
