"""A write that would only move the time of a manager's entry is no write, whatever second it falls into."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambent.kube.client import KubeClient
from lambent.kubeserver import KubeServer

GIZMO = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gizmos.times.example.org"},
    "spec": {
        "group": "times.example.org",
        "scope": "Namespaced",
        "names": {"plural": "gizmos", "singular": "gizmo", "kind": "Gizmo", "listKind": "GizmoList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 3}}}
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture
async def kube() -> AsyncIterator[KubeClient]:
    """A server for which every look at the clock is a second later."""
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def clock() -> datetime:
        nonlocal now
        now += timedelta(seconds=1)
        return now

    server = KubeServer(state_dir=None, clock=clock)
    await server.open()
    try:
        client = server.local_client()
        await client.create(GIZMO)  # type: ignore[arg-type]  # a definition is a KubeObject
        yield client
    finally:
        await server.shutdown()


@pytest.mark.parametrize("size", [3, None], ids=["the default itself", "null, which becomes the default"])
async def test_an_apply_of_what_is_there_keeps_the_revision(kube: KubeClient, size: int | None) -> None:
    gizmo: Any = {
        "apiVersion": "times.example.org/v1",
        "kind": "Gizmo",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"size": 3},
    }
    first = await kube.apply(gizmo, manager="one")
    gizmo["spec"]["size"] = size
    again = await kube.apply(gizmo, manager="one")
    assert again == first
