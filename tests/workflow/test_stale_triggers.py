"""A cache that is behind our own writes: what a pass publishes stands, though its event wakes nobody."""

import asyncio

import pytest

from lambent.kube.errors import ServerError, Unreachable
from lambent.workflow.engine.managed import ANNOTATION
from tests.workflow.cluster import THING, TRIGGER, Cluster
from tests.workflow.things import cluster_of


def _said(cluster: Cluster) -> tuple[str, str]:
    recorded: str = cluster.get(TRIGGER, "t")["metadata"]["annotations"][ANNOTATION]
    return cluster.condition(TRIGGER, "t")["message"], recorded


@pytest.mark.parametrize("is_answer_lost", [False, True])
async def test_what_the_cache_has_not_heard_of_is_not_taken_for_published(is_answer_lost: bool):
    """Both things wait, and are looked at again after 600 s. The first look fails, the second finds them as before."""
    cluster = cluster_of(ready_after_s=None)
    async with cluster.running():
        await asyncio.sleep(590)
        said = _said(cluster)
        # Without a watch on them the things themselves are asked for.
        for verb in ("watch", "list"):
            cluster.kube.fail(verb, THING, Unreachable("reset"), times=1000)
        cluster.kube.cut_watches()
        await asyncio.sleep(1)
        cluster.kube.stall_watches()
        cluster.kube.fail("get", THING, ServerError("oops", code=500))
        if is_answer_lost:
            cluster.kube.fail("patch", TRIGGER, Unreachable("reset"), after=True)
        before = len(cluster.mutations())
        await asyncio.sleep(30)
        assert len(cluster.mutations()) >= before + 2
        assert _said(cluster) == said
