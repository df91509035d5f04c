"""The four kinds live, change and go, against the AWS and the cluster in memory."""

import json

from lambent.resources.fake.world import World

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]}
)
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/hello:latest"


async def chain(world: World) -> None:
    await world.apply("Bucket", "b", {"name": "my-bucket"})
    await world.apply("Policy", "p", {"name": "my-policy", "policyDocument": DOCUMENT})
    await world.apply(
        "Role", "r", {"name": "my-role", "assumeRolePolicyDocument": TRUST, "policyRefs": [{"from": {"name": "p"}}]}
    )
    spec = {
        "name": "my-function",
        "packageType": "Image",
        "roleRef": {"from": {"name": "r"}},
        "code": {"imageURI": IMAGE},
        "environment": {"variables": {"BUCKET_NAME": "my-bucket"}},
    }
    await world.apply("Function", "f", spec)


async def test_the_chain_is_synced_within_three_seconds(world):
    await chain(world)
    await world.synced("Function", "f", within_s=3)
    assert world.is_synced("Bucket", "b")
    assert world.is_synced("Policy", "p")
    assert world.is_synced("Role", "r")
    assert world.status("Bucket", "b")["ackResourceMetadata"]["arn"] == "arn:aws:s3:::my-bucket"
    assert world.status("Policy", "p")["policyID"].startswith("ANPA")
    metadata = world.status("Role", "r")["ackResourceMetadata"]
    assert metadata["arn"] == "arn:aws:iam::123456789012:role/my-role"
    assert metadata["ownerAccountID"] == "123456789012"
    assert world.aws.iam.roles["my-role"]["attached"] == ["arn:aws:iam::123456789012:policy/my-policy"]
    assert world.aws.functions.functions["my-function"]["configuration"]["Environment"] == {
        "Variables": {"BUCKET_NAME": "my-bucket"}
    }


async def test_nothing_is_written_once_synced(world):
    await chain(world)
    await world.synced("Function", "f")
    await world.rest(700)  # the first resync also refreshes how often the policy is attached
    calls, writes = len(world.aws.calls), len(world.kube.writes())
    await world.rest(1300)
    assert world.writes_since(calls) == []
    assert world.kube.writes()[writes:] == []
    assert len(world.aws.calls) > calls


async def test_a_namespace_full_of_resources_goes_in_any_order(world):
    await chain(world)
    await world.synced("Function", "f")
    for kind, name in (("Policy", "p"), ("Role", "r"), ("Bucket", "b"), ("Function", "f")):
        await world.delete(kind, name)
    for kind, name in (("Policy", "p"), ("Role", "r"), ("Bucket", "b"), ("Function", "f")):
        await world.gone(kind, name, within_s=15)
    assert (world.aws.iam.roles, world.aws.iam.policies) == ({}, {})
    assert (world.aws.s3.buckets, world.aws.functions.functions) == ({}, {})
