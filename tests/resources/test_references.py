"""References are followed by watching: an object is synced within two seconds after its target became ready."""

import json

import pytest

from lambent.resources.fake.world import World
from lambent.resources.settings import ResourceSettings

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]})
POLICY = {"name": "p", "policyDocument": TRUST}
ROLE = {"name": "r", "assumeRolePolicyDocument": TRUST, "policyRefs": [{"from": {"name": "p"}}]}
FUNCTION = {"name": "f", "packageType": "Image", "code": {"imageURI": "image:1"}}


async def test_a_missing_target_is_told_and_waited_for(world):
    await world.apply("Role", "r", ROLE)
    await world.until(lambda: world.condition("Role", "r", "ACK.ReferencesResolved").get("status") == "Unknown")
    found = world.condition("Role", "r", "ACK.ReferencesResolved")
    assert found["message"] == "Reference resolution failed"
    assert found["reason"] == "policyRefs: Policy default/p does not exist"
    assert world.condition("Role", "r", "ACK.ResourceSynced")["message"] == "waiting for references"
    assert world.aws.writes() == []
    await world.apply("Policy", "p", POLICY)
    await world.synced("Policy", "p")
    await world.synced("Role", "r", within_s=2)
    assert world.condition("Role", "r", "ACK.ReferencesResolved")["status"] == "True"


async def test_resolved_values_stay_out_of_the_spec(world):
    await world.apply("Policy", "p", POLICY)
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    assert "policies" not in world.peek("Role", "r")["spec"]


async def test_references_add_to_the_literal_list_without_duplicates(world):
    await world.apply("Policy", "p", POLICY)
    arn = "arn:aws:iam::123456789012:policy/p"
    managed = "arn:aws:iam::aws:policy/ReadOnly"
    await world.apply("Role", "r", ROLE | {"policies": [managed, arn]})
    await world.synced("Role", "r")
    assert world.aws.iam.roles["r"]["attached"] == [managed, arn]


async def test_a_reference_into_another_namespace_is_followed_and_advised(world):
    await world.apply("Role", "r", ROLE | {"policyRefs": [{"from": {"name": "p", "namespace": "other"}}]})
    await world.rest(1)
    await world.apply("Policy", "p", POLICY, namespace="other")
    await world.synced("Policy", "p", namespace="other")
    await world.synced("Role", "r", within_s=2)
    assert world.condition("Role", "r", "ACK.Advisory")["reason"] == "CrossNamespaceOptInRequired"


async def test_references_across_namespaces_can_be_switched_off():
    world = World(settings=ResourceSettings(account_id="123456789012", cross_namespace=False))
    await world.start()
    await world.apply("Role", "r", ROLE | {"policyRefs": [{"from": {"name": "p", "namespace": "other"}}]})
    await world.until(lambda: world.condition("Role", "r", "ACK.ReferencesResolved").get("status") == "False")
    await world.stop()


async def test_a_terminal_target_is_no_target(world):
    world.aws.fail("CreatePolicy", "MalformedPolicyDocument", "syntax")
    await world.apply("Policy", "p", POLICY)
    await world.apply("Role", "r", ROLE)
    await world.until(lambda: world.condition("Role", "r", "ACK.ReferencesResolved").get("status") == "False")
    assert "terminal" in world.condition("Role", "r", "ACK.ReferencesResolved")["reason"]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "resource reference wrapper or ID required: "),
        ({"role": "", "roleRef": {"from": {"name": "r"}}}, "both resource reference wrapper and ID cannot be used"),
    ],
    ids=["none", "both"],
)
async def test_exactly_one_of_value_and_reference(world, more, text):
    await world.apply("Function", "f", FUNCTION | more)
    await world.until(lambda: world.condition("Function", "f", "ACK.Terminal"))
    assert world.condition("Function", "f", "ACK.Terminal")["message"].startswith(text)
    assert world.aws.calls == []


async def test_the_bucket_of_the_code_may_be_a_reference(world):
    await world.apply("Bucket", "b", {"name": "code-bucket"})
    code = {"s3BucketRef": {"from": {"name": "b"}}, "s3Key": "a.zip"}
    spec = {"name": "f", "role": "arn:aws:iam::123456789012:role/r", "runtime": "python3.12", "handler": "a.b"}
    await world.apply("Function", "f", spec | {"code": code})
    await world.synced("Function", "f")
    created = next(call for call in world.aws.calls if call.operation == "CreateFunction")
    assert created.params["Code"] == {"S3Bucket": "code-bucket", "S3Key": "a.zip"}
    assert world.peek("Function", "f")["spec"]["code"] == code


async def test_a_reference_that_is_taken_out_detaches_the_policy(world):
    await world.apply("Policy", "p", POLICY)
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    await world.edit("Role", "r", {"policyRefs": None})
    await world.synced("Role", "r")
    assert world.aws.iam.roles["r"]["attached"] == []
    assert world.condition("Role", "r", "ACK.ReferencesResolved") == {}


async def test_a_policy_is_released_at_once_when_its_role_lets_go_of_it(world):
    await world.apply("Policy", "p", POLICY)
    await world.apply("Role", "r", ROLE)
    await world.synced("Role", "r")
    await world.delete("Policy", "p")
    await world.rest(100)
    assert "still attached to role r" in world.condition("Policy", "p", "Ready")["message"]
    await world.edit("Role", "r", {"policyRefs": None})
    await world.gone("Policy", "p", within_s=1)
