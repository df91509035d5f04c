"""Resources that several controllers share by shards: each has its own, and hears of what the others have written."""

import asyncio
import contextlib

from lambent.kube.leader import shard_of
from lambent.kube.sharding import selects_shard
from lambent.kube.types import Key
from lambent.resources.fake.world import World

SHARDS = 2
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
TRUST = '{"Version":"2012-10-17","Statement":[]}'


@contextlib.asynccontextmanager
async def sharded():
    """The world of each shard; cluster and AWS are the same."""
    first = World(selects=selects_shard(0, SHARDS))
    worlds = [first, World(kube=first.kube, aws=first.aws, selects=selects_shard(1, SHARDS))]
    for world in worlds:
        await world.start()
    try:
        yield worlds
    finally:
        for world in worlds:
            await world.stop()


def name_in(shard, stem):
    return next(name for n in range(99) if shard_of(Key("default", name := f"{stem}{n}"), SHARDS) == shard)


async def test_each_resource_is_made_by_the_controller_of_its_shard():
    async with sharded() as (one, two):
        for number in range(6):
            await one.apply("Bucket", f"b{number}", {"name": f"bucket-{number}"})
        for number in range(6):
            await one.synced("Bucket", f"b{number}")
        known = [{f"b{n}" for n in range(6) if shard_of(Key("default", f"b{n}"), SHARDS) == shard} for shard in (0, 1)]
        assert all(known)
        for world, names in zip((one, two), known, strict=True):
            buckets = next(found for found in world.controllers if found.kind == world.gvk("Bucket"))
            # Each waits for its resync in the queue of its controller.
            assert {key.name for key in buckets.queue._state.entries} == names
        assert [call.operation for call in one.aws.writes()].count("CreateBucket") == 6


async def test_a_reference_into_another_shard_is_followed():
    policy, role = name_in(0, "policy"), name_in(1, "role")
    async with sharded() as (one, _):
        spec = {"name": "r", "assumeRolePolicyDocument": TRUST, "policyRefs": [{"from": {"name": policy}}]}
        await one.apply("Role", role, spec)
        await asyncio.sleep(5)
        await one.apply("Policy", policy, {"name": "p", "policyDocument": DOCUMENT})
        await one.synced("Policy", policy)
        await one.synced("Role", role, within_s=10)


async def test_a_deletion_that_another_shard_blocks_goes_on_when_it_lets_go():
    policy, role = name_in(0, "policy"), name_in(1, "role")
    async with sharded() as (one, _):
        await one.apply("Policy", policy, {"name": "p", "policyDocument": DOCUMENT})
        await one.synced("Policy", policy)
        spec = {"name": "r", "assumeRolePolicyDocument": TRUST, "policyRefs": [{"from": {"name": policy}}]}
        await one.apply("Role", role, spec)
        await one.synced("Role", role)
        await one.delete("Policy", policy)
        await asyncio.sleep(100)
        assert "deletion is blocked" in one.condition("Policy", policy, "Ready")["message"]
        await one.delete("Role", role)
        await one.gone("Role", role)
        await one.gone("Policy", policy, within_s=5)
