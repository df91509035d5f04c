"""Bucket, Policy and Role against moto behind our HTTP server: another party's idea of S3 and IAM."""

import json

import pytest

from lambent.aws.clients import AwsClients
from lambent.aws.embedded import EmbeddedAws
from lambent.http.server import HttpServer
from lambent.http.wsgi import WsgiService
from lambent.resources.fake.world import World
from lambent.resources.kinds import BUCKET, POLICY, ROLE

REAL_TIME = True
pytestmark = pytest.mark.e2e
SERVICE_TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [SERVICE_TRUST]})


def document(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
async def moto():
    embedded = EmbeddedAws()
    await embedded.startup()
    await embedded.reset()
    service = WsgiService(embedded)
    server = HttpServer(service)
    host, port = await server.startup("127.0.0.1", 0)
    clients = AwsClients(f"http://{host}:{port}", max_attempts=1)
    yield clients
    await clients.aclose()
    await server.shutdown()
    await service.shutdown()


@pytest.fixture
async def world(moto):
    found = World(clients=moto, kinds=(BUCKET, POLICY, ROLE))
    await found.start()
    yield found
    await found.stop()


async def test_three_kinds_are_made_changed_and_deleted(world, moto):
    await world.apply("Bucket", "b", {"name": "my-bucket", "tagging": {"tagSet": [{"key": "a", "value": "1"}]}})
    await world.apply("Policy", "p", {"name": "my-policy", "policyDocument": document("s3:GetObject")})
    role = {"name": "my-role", "assumeRolePolicyDocument": TRUST, "policyRefs": [{"from": {"name": "p"}}]}
    await world.apply("Role", "r", role)
    await world.synced("Role", "r", within_s=5)
    await world.synced("Bucket", "b", within_s=5)

    await world.edit("Policy", "p", {"policyDocument": document("s3:GetObject", "s3:PutObject")})
    await world.edit("Role", "r", {"description": "changed", "inlinePolicies": {"extra": document("s3:ListBucket")}})
    await world.edit("Bucket", "b", {"versioning": {"status": "Enabled"}, "tagging": {"tagSet": []}})
    for kind, name in (("Policy", "p"), ("Role", "r"), ("Bucket", "b")):
        await world.synced(kind, name, within_s=5)
    assert world.status("Policy", "p")["defaultVersionID"] == "v2"
    assert (await moto.call("iam", "GetRole", RoleName="my-role"))["Role"]["Description"] == "changed"
    assert (await moto.call("iam", "ListRolePolicies", RoleName="my-role"))["PolicyNames"] == ["extra"]
    assert (await moto.call("s3", "GetBucketVersioning", Bucket="my-bucket"))["Status"] == "Enabled"

    for kind, name in (("Policy", "p"), ("Bucket", "b"), ("Role", "r")):
        await world.delete(kind, name)
    for kind, name in (("Policy", "p"), ("Bucket", "b"), ("Role", "r")):
        await world.gone(kind, name, within_s=10)
    assert (await moto.call("s3", "ListBuckets"))["Buckets"] == []
    assert (await moto.call("iam", "ListPolicies", Scope="Local"))["Policies"] == []


BUCKET_SUBRESOURCES = {
    "accelerate": {"status": "Enabled"},
    "acl": "public-read",
    "cors": {"corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": ["*"], "maxAgeSeconds": 10}]},
    "encryption": {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
    "lifecycle": {"rules": [{"id": "x", "status": "Enabled", "filter": {"prefix": "a/"}, "expiration": {"days": 3}}]},
    "ownershipControls": {"rules": [{"objectOwnership": "BucketOwnerPreferred"}]},
    "policy": json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::all-parts/*"}
            ],
        }
    ),
    "publicAccessBlock": {"blockPublicACLs": True, "blockPublicPolicy": False},
    "requestPayment": {"payer": "BucketOwner"},
    "tagging": {"tagSet": [{"key": "a", "value": "1"}]},
    "versioning": {"status": "Enabled"},
    "website": {"indexDocument": {"suffix": "index.html"}},
}


async def test_sub_resources_of_a_bucket_reach_moto_and_settle(world, moto):
    await world.apply("Bucket", "all", {"name": "all-parts", **BUCKET_SUBRESOURCES})
    await world.synced("Bucket", "all", within_s=10)
    rules = (await moto.call("s3", "GetBucketLifecycleConfiguration", Bucket="all-parts"))["Rules"]
    assert [rule["ID"] for rule in rules] == ["x"]
    await world.edit("Bucket", "all", dict.fromkeys(BUCKET_SUBRESOURCES))
    await world.synced("Bucket", "all", within_s=10)
    assert (await moto.call("s3", "GetBucketTagging", Bucket="all-parts"))["TagSet"] != []
    assert (await moto.call("s3", "GetBucketVersioning", Bucket="all-parts"))["Status"] == "Suspended"
