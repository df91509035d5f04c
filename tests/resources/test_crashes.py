"""The process dies before or after any call, to AWS or to the cluster; the next one ends in the same state.

Each scenario is run once undisturbed to learn its calls and its end, then once for every place to die at.
"""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from lambent.kube.errors import KubeError
from lambent.kube.types import KubeObject
from lambent.resources.fake.aws import FakeAws
from lambent.resources.fake.world import World, loop_clock
from lambent.resources.kinds import TIER_1

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]})
DOCUMENTS = [json.dumps({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}) for action in "ab"]
MANAGED = "arn:aws:iam::aws:policy/ReadOnly"
SPECS: dict[str, dict[str, Any]] = {
    "Bucket": {"name": "x", "versioning": {"status": "Enabled"}, "tagging": {"tagSet": [{"key": "a", "value": "1"}]}},
    "Policy": {"name": "x", "policyDocument": DOCUMENTS[0], "tags": [{"key": "a", "value": "1"}]},
    "Role": {
        "name": "x",
        "assumeRolePolicyDocument": TRUST,
        "policies": [MANAGED],
        "inlinePolicies": {"one": DOCUMENTS[0]},
    },
    "Function": {
        "name": "x",
        "role": "arn:aws:iam::123456789012:role/r",
        "packageType": "Image",
        "code": {"imageURI": "image:1"},
        "reservedConcurrentExecutions": 1,
    },
}
EDITS: dict[str, dict[str, Any]] = {
    "Bucket": {"versioning": None, "cors": {"corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": ["*"]}]}},
    "Policy": {"policyDocument": DOCUMENTS[1], "tags": [{"key": "b", "value": "2"}]},
    "Role": {"policies": [], "inlinePolicies": {"two": DOCUMENTS[1]}, "description": "changed"},
    "Function": {"code": {"imageURI": "image:2"}, "timeout": 9, "reservedConcurrentExecutions": None},
}
CREATIONS = ("CreateBucket", "CreatePolicy", "CreateRole", "CreateFunction", "CreatePolicyVersion")


def everything(aws):
    """What AWS holds, without what differs from run to run."""
    changing = ("Id", "CreateDate", "UpdateDate", "created", "RevisionId", "LastModified")

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if not key.endswith(changing)}
        return value

    return [plain(held) for held in (aws.iam.roles, aws.iam.policies, aws.s3.buckets, aws.functions.functions)]


def only(kind):
    return tuple(found for found in TIER_1 if found.kind == kind)


async def create(world, kind):
    if world.peek(kind, "o") is None:
        await world.apply(kind, "o", SPECS[kind])


async def prepared(kind, scenario):
    """A world in which the scenario's first part is over."""
    world = World(kinds=only(kind))
    world.aws.functions.settling_reads = 1
    await world.start()
    if scenario != "create":
        await create(world, kind)
        await world.synced(kind, "o")
        await world.rest(1)
    return world


async def act(world, kind, scenario):
    if scenario == "create":
        await create(world, kind)
    elif scenario == "update":
        await world.edit(kind, "o", EDITS[kind])
    else:
        await world.delete(kind, "o")


async def ended(world, kind, scenario):
    if scenario == "delete":
        await world.gone(kind, "o")
    else:
        await world.synced(kind, "o")
        await world.rest(1)


async def undisturbed(kind, scenario):
    world = await prepared(kind, scenario)
    before = len(world.aws.calls), len(world.kube.writes())
    await act(world, kind, scenario)
    writes_of_the_test = len(world.kube.writes()) - before[1]
    await ended(world, kind, scenario)
    calls = len(world.aws.calls) - before[0]
    writes = len(world.kube.writes()) - before[1] - writes_of_the_test
    await world.stop()
    return calls, writes, everything(world.aws), sent(world.aws)


def sent(aws):
    return sorted(call.operation for call in aws.calls if call.operation in CREATIONS)


async def rerun(world, kind, scenario):
    """A new process over what the dead one left."""
    await world.stop()
    world.aws.revive()
    world.kube.faults.clear()
    fresh = World(kube=world.kube, aws=world.aws, kinds=only(kind))
    await fresh.start()
    await ended(fresh, kind, scenario)
    await fresh.stop()
    return fresh


CASES = [(kind, scenario) for kind in SPECS for scenario in ("create", "update", "delete")]


@pytest.mark.parametrize(("kind", "scenario"), CASES)
async def test_death_around_any_aws_call_changes_nothing_in_the_end(kind, scenario):
    calls, _, end, creations = await undisturbed(kind, scenario)
    for position in range(calls):
        for after in (False, True):
            world = await prepared(kind, scenario)
            world.aws.crash_at, world.aws.crash_after = len(world.aws.calls) + position, after
            await act(world, kind, scenario)
            await world.until(lambda world=world: world.died)
            again = await rerun(world, kind, scenario)
            assert everything(again.aws) == end, (position, after)
            assert sent(again.aws) == creations, (position, after)


@pytest.mark.parametrize(("kind", "scenario"), CASES)
async def test_death_after_any_write_to_the_cluster_changes_nothing_in_the_end(kind, scenario):
    _, writes, end, creations = await undisturbed(kind, scenario)
    assert writes > 0
    for position in range(writes):
        world = await prepared(kind, scenario)
        await act(world, kind, scenario)
        world.kube.crash_after(position)
        await world.until(lambda world=world: world.died)
        again = await rerun(world, kind, scenario)
        assert everything(again.aws) == end, position
        assert sent(again.aws) == creations, position


@pytest.mark.parametrize("kind", SPECS)
async def test_a_creation_whose_answer_is_lost_is_taken_up_and_not_sent_again(kind):
    world = World()
    await world.start()
    operation = f"Create{kind}"
    world.aws.lose(operation)
    await create(world, kind)
    await world.synced(kind, "o")
    assert sent(world.aws) == [operation]
    await world.stop()


@pytest.mark.parametrize("ahead_s", [-60, 1, 14 * 60])
async def test_a_bucket_whose_lost_creation_seems_older_than_its_object_leaves_nothing_behind(ahead_s):
    """The cluster's clock runs before AWS's: by its time the bucket was made before the object was."""
    world = World(aws=FakeAws(now=lambda: loop_clock() - timedelta(seconds=ahead_s)), kinds=only("Bucket"))
    await world.start()
    world.aws.crash_at, world.aws.crash_after = 1, True
    await create(world, "Bucket")
    await world.until(lambda: world.died)
    assert [call.operation for call in world.aws.calls] == ["HeadBucket", "CreateBucket"]
    await world.delete("Bucket", "o")
    again = await rerun(world, "Bucket", "delete")
    assert again.aws.s3.buckets == {}


async def test_a_finalizer_that_came_with_the_object_does_not_make_an_old_bucket_ours():
    world = World(kinds=only("Bucket"))
    world.aws.s3.create_bucket(Bucket="x")
    await asyncio.sleep(16 * 60)
    await world.start()
    kind = only("Bucket")[0]
    restored: KubeObject = {
        "apiVersion": kind.gvk.api_version,
        "kind": "Bucket",
        "metadata": {"name": "o", "namespace": "default", "finalizers": [kind.finalizer]},
        "spec": SPECS["Bucket"],
    }
    await world.kube.create(restored)
    await world.until(lambda: "ACK.Terminal" in str(world.peek("Bucket", "o")))
    await world.delete("Bucket", "o")
    await world.gone("Bucket", "o")
    await world.stop()
    assert list(world.aws.s3.buckets) == ["x"]


@pytest.mark.parametrize("seed", range(6))
async def test_the_chain_converges_while_every_fifth_call_to_the_cluster_fails(seed):
    world = World()
    world.kube.chaos(seed, 0.2)
    await world.start()
    for kind, spec in SPECS.items():
        while world.peek(kind, "o") is None:
            with suppress(KubeError):
                await world.apply(kind, "o", spec)
    for kind in SPECS:
        await world.synced(kind, "o", within_s=900)
    world.kube.faults.clear()
    await world.rest(60)
    assert sent(world.aws) == ["CreateBucket", "CreateFunction", "CreatePolicy", "CreateRole"]
    await world.stop()


@pytest.mark.parametrize(
    "operation", ["PutBucketTagging", "AttachRolePolicy", "PutRolePolicy", "PutFunctionConcurrency"]
)
async def test_a_lost_answer_of_a_follow_up_is_made_good(operation, world):
    world.aws.lose(operation)
    for kind, spec in SPECS.items():
        await world.apply(kind, "o", spec)
    for kind in SPECS:
        await world.synced(kind, "o", within_s=30)
    assert sent(world.aws) == ["CreateBucket", "CreateFunction", "CreatePolicy", "CreateRole"]
