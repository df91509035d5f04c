"""The controllers on the embedded API server: definitions admitted, status written, finalizers honoured."""

import json

import pytest

from lambent.kube.errors import Invalid
from lambent.kube.types import GVK
from lambent.kubeserver import KubeServer
from lambent.resources import crds
from lambent.resources.fake.world import World

REAL_TIME = True
pytestmark = pytest.mark.e2e
CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]})
SPECS = {
    "Bucket": {"name": "b", "versioning": {"status": "Enabled"}},
    "Policy": {"name": "p", "policyDocument": TRUST},
    "Role": {"name": "r", "assumeRolePolicyDocument": TRUST, "policyRefs": [{"from": {"name": "o"}}]},
    "Function": {
        "name": "f",
        "packageType": "Image",
        "code": {"imageURI": "image:1"},
        "roleRef": {"from": {"name": "o"}},
        "environment": {"variables": {"A": "1"}},
    },
}


@pytest.fixture
async def client():
    server = KubeServer(state_dir=None)
    await server.open()
    found = server.local_client()
    for crd in crds():
        await found.create(crd)
    yield found
    await server.shutdown()


@pytest.fixture
async def world(client):
    found = World(client=client)
    await found.start()
    yield found
    await found.stop()


async def until(client, world, kind, claim):
    async def read():
        return await client.get(world.gvk(kind), "o", namespace="default")

    deadline = world.loop_time() + 10
    while not claim(obj := await read()):
        assert world.loop_time() < deadline, obj.get("status")
        await world.rest(0.02)
    return obj


def is_synced(obj):
    status = obj.get("status") or {}
    ready = {item["type"]: item["status"] for item in status.get("conditions", ())}.get("Ready")
    return ready == "True" and status["observedGeneration"] == obj["metadata"]["generation"]


async def test_the_chain_lives_and_goes(client, world):
    for kind, spec in SPECS.items():
        await world.apply(kind, "o", spec)
    for kind in SPECS:
        obj = await until(client, world, kind, is_synced)
        assert obj["status"]["ackResourceMetadata"]["ownerAccountID"] == "123456789012"
        assert obj["status"]["lambent"]["declared"]
    writes = len(world.aws.writes())
    versions = [
        (await client.get(world.gvk(kind), "o", namespace="default"))["metadata"]["resourceVersion"] for kind in SPECS
    ]
    await world.rest(0.5)
    assert len(world.aws.writes()) == writes
    assert versions == [
        (await client.get(world.gvk(kind), "o", namespace="default"))["metadata"]["resourceVersion"] for kind in SPECS
    ]
    for kind in SPECS:
        await world.delete(kind, "o")
    deadline = world.loop_time() + 15
    while any([obj for kind in SPECS async for page in client.list(world.gvk(kind)) for obj in page.items]):
        assert world.loop_time() < deadline
        await world.rest(0.05)
    assert (world.aws.iam.roles, world.aws.iam.policies, world.aws.s3.buckets) == ({}, {}, {})


async def test_objects_without_a_spec_are_admitted_and_required_fields_are_asked_for(client, world):
    await world.apply("Role", "o")
    with pytest.raises(Invalid, match="assumeRolePolicyDocument"):
        await world.apply("Role", "second", {"name": "x"})
