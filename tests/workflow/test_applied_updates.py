"""Functions with `update: {apply: {}}`: our own create is no other writer, and a field of another one is left to it."""

import asyncio
from typing import Any

import pytest

from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import cluster_of, trigger, until_ready


def _resize(cluster: Cluster, size: int) -> None:
    cluster.put([{**trigger(), "spec": {"size": size}}])


def _size(cluster: Cluster, name: str = "first") -> Any:
    return cluster.get(THING, name)["spec"]["size"]


@pytest.mark.parametrize("options", [{}, {"force": True}], ids=["plain", "forced"])
async def test_what_we_created_is_ours_to_apply(options: dict[str, Any]):
    cluster = cluster_of(update={"apply": options})
    async with cluster.running():
        await until_ready(cluster)
        for size in (2, 3):
            _resize(cluster, size)
            await asyncio.sleep(60)
            assert (_size(cluster), _size(cluster, "second")) == (size, size)
            assert cluster.condition(TRIGGER, "t")["status"] == "True"


async def test_a_field_of_another_writer_is_left_to_it_and_told():
    cluster = cluster_of(update={"apply": {}})
    async with cluster.running():
        await until_ready(cluster)
        await cluster.kube.patch(THING, "first", {"spec": {"size": 7}}, namespace="default", manager="kubectl-edit")
        await asyncio.sleep(60)
        assert _size(cluster) == 7
        told = cluster.condition(TRIGGER, "t")["message"]
        assert 'conflict with "kubectl-edit" using example.org/v1: .spec.size' in told


async def test_a_forced_apply_takes_the_field_of_another_writer():
    cluster = cluster_of(update={"apply": {"force": True}})
    async with cluster.running():
        await until_ready(cluster)
        await cluster.kube.patch(THING, "first", {"spec": {"size": 7}}, namespace="default", manager="kubectl-edit")
        await asyncio.sleep(60)
        assert _size(cluster) == 1
