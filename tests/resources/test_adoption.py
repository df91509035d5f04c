"""Resources that exist already: left alone, adopted, created if absent, or only looked at."""

import json

import pytest

from lambent.resources.comparison import NAMESPACE_TAG

PREFIX = "services.k8s.aws/"
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]})
ADOPT = {f"{PREFIX}adoption-policy": "adopt", f"{PREFIX}adoption-fields": '{"name": "x"}'}
OR_CREATE = {f"{PREFIX}adoption-policy": "adopt-or-create", f"{PREFIX}adoption-fields": '{"name": "x"}'}
READ_ONLY = {f"{PREFIX}read-only": "true"}


def made_by_hand(world, **more):
    tags = [{"Key": "team", "Value": "a"}, {"Key": "aws:stack", "Value": "s"}]
    role = {"RoleName": "x", "AssumeRolePolicyDocument": TRUST, "Tags": tags, "Description": "by hand", **more}
    world.aws.iam.create_role(**role)


async def test_a_resource_of_another_is_terminal_and_never_touched(world):
    made_by_hand(world)
    await world.apply("Role", "r", {"name": "x", "assumeRolePolicyDocument": TRUST, "description": "mine"})
    await world.until(lambda: world.condition("Role", "r", "ACK.Terminal"))
    assert world.condition("Role", "r", "ACK.Terminal")["message"] == "Resource already exists"
    assert world.peek("Role", "r")["metadata"].get("finalizers", []) == []
    await world.delete("Role", "r")
    await world.gone("Role", "r")
    assert world.aws.writes() == []


async def test_a_finalizer_is_no_proof_of_ownership(world):
    """As after a crash before creation, when somebody else made the resource meanwhile."""
    made_by_hand(world)
    finalizer = "finalizers.iam.services.k8s.aws/Role"
    await world.kube.create(
        {
            "apiVersion": "iam.services.k8s.aws/v1alpha1",
            "kind": "Role",
            "metadata": {"name": "r", "namespace": "default", "finalizers": [finalizer]},
            "spec": {"name": "x", "assumeRolePolicyDocument": TRUST},
        }
    )
    await world.until(lambda: world.condition("Role", "r", "ACK.Terminal"))
    await world.delete("Role", "r")
    await world.gone("Role", "r")
    assert world.aws.writes() == []


async def test_the_namespace_tag_is_the_proof(world):
    made_by_hand(world, Tags=[{"Key": NAMESPACE_TAG, "Value": "default"}], Description="")
    finalizer = "finalizers.iam.services.k8s.aws/Role"
    await world.kube.create(
        {
            "apiVersion": "iam.services.k8s.aws/v1alpha1",
            "kind": "Role",
            "metadata": {"name": "r", "namespace": "default", "finalizers": [finalizer]},
            "spec": {"name": "x", "assumeRolePolicyDocument": TRUST},
        }
    )
    await world.synced("Role", "r")
    assert [call.operation for call in world.aws.writes()] == []


async def test_adopt_fills_an_empty_spec_and_writes_only_the_system_tags(world):
    made_by_hand(world)
    await world.apply("Role", "r", annotations=ADOPT)
    await world.synced("Role", "r")
    obj = world.peek("Role", "r")
    assert obj["spec"]["assumeRolePolicyDocument"] == TRUST
    assert (obj["spec"]["name"], obj["spec"]["description"]) == ("x", "by hand")
    assert obj["spec"]["tags"] == [{"key": "team", "value": "a"}]
    assert obj["metadata"]["annotations"][f"{PREFIX}adopted"] == "true"
    assert {call.operation for call in world.aws.writes()} == {"TagRole"}


async def test_adopt_waits_for_what_is_not_there_and_never_creates(world):
    await world.apply("Role", "r", annotations=ADOPT)
    await world.until(lambda: "adopted resource not found" in str(world.status("Role", "r")))
    made_by_hand(world)
    await world.synced("Role", "r", within_s=400)


async def test_adopt_or_create_creates_what_is_absent(world):
    spec = {"name": "x", "assumeRolePolicyDocument": TRUST}
    await world.apply("Role", "r", spec, annotations=OR_CREATE)
    await world.synced("Role", "r")
    assert "x" in world.aws.iam.roles


async def test_adopt_or_create_keeps_what_the_spec_says_and_fills_the_rest(world):
    made_by_hand(world, MaxSessionDuration=7200)
    spec = {"name": "x", "assumeRolePolicyDocument": TRUST, "description": "from the spec"}
    await world.apply("Role", "r", spec, annotations=OR_CREATE)
    await world.synced("Role", "r")
    assert world.aws.iam.roles["x"]["role"]["Description"] == "from the spec"
    assert world.peek("Role", "r")["spec"]["maxSessionDuration"] == 7200


async def test_a_policy_is_adopted_by_its_arn(world):
    made = world.aws.iam.create_policy(PolicyName="x", PolicyDocument=TRUST, Path="/deep/")["Policy"]
    fields = {f"{PREFIX}adoption-policy": "adopt", f"{PREFIX}adoption-fields": json.dumps({"arn": made["Arn"]})}
    await world.apply("Policy", "p", annotations=fields)
    await world.synced("Policy", "p")
    assert world.status("Policy", "p")["policyID"] == made["PolicyId"]
    assert world.peek("Policy", "p")["spec"]["path"] == "/deep/"


@pytest.mark.parametrize(
    "annotations",
    [
        {f"{PREFIX}adoption-policy": "grab"},
        {f"{PREFIX}adoption-policy": "adopt"},
        {f"{PREFIX}adoption-policy": "adopt", f"{PREFIX}adoption-fields": "[1]"},
        {f"{PREFIX}adoption-policy": "adopt", f"{PREFIX}adoption-fields": "{"},
    ],
    ids=["policy", "no-fields", "list", "broken"],
)
async def test_a_mistaken_adoption_is_terminal(world, annotations):
    await world.apply("Role", "r", annotations=annotations)
    await world.until(lambda: world.condition("Role", "r", "ACK.Terminal"))
    assert world.aws.calls == []


async def test_read_only_follows_aws_and_writes_nothing(world):
    made_by_hand(world)
    spec = {"name": "x", "assumeRolePolicyDocument": TRUST, "description": "other"}
    await world.apply("Role", "r", spec, annotations=READ_ONLY)
    await world.synced("Role", "r")
    assert "description" in world.condition("Role", "r", "ACK.Advisory")["message"]
    await world.delete("Role", "r")
    await world.gone("Role", "r")
    assert world.aws.writes() == []


@pytest.mark.parametrize("on_object", ["delete", "retain", ""])
@pytest.mark.parametrize("on_namespace", ["delete", "retain", ""])
async def test_the_objects_deletion_policy_comes_before_the_namespaces(world, on_object, on_namespace):
    namespace = {"annotations": {"iam.services.k8s.aws/deletion-policy": on_namespace}} if on_namespace else {}
    await world.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", **namespace}})
    own = {f"{PREFIX}deletion-policy": on_object} if on_object else {}
    spec = {"name": "x", "assumeRolePolicyDocument": TRUST}
    await world.apply("Role", "r", spec, namespace="team", annotations=own)
    await world.synced("Role", "r", namespace="team")
    await world.delete("Role", "r", namespace="team")
    await world.gone("Role", "r", namespace="team")
    assert ("x" in world.aws.iam.roles) is ((on_object or on_namespace) == "retain")


async def test_a_handed_over_object_in_sync_costs_no_write(world):
    """What ACK left: finalizer, status with the ARN, its own conditions; the resource in AWS with its tags."""
    tags = [{"Key": NAMESPACE_TAG, "Value": "default"}, {"Key": f"{PREFIX}controller-version", "Value": "iam-v1.8.1"}]
    made_by_hand(world, Tags=tags, Description="")
    metadata = {"name": "r", "namespace": "default", "finalizers": ["finalizers.iam.services.k8s.aws/Role"]}
    recorded = {"arn": "arn:aws:iam::123456789012:role/x", "ownerAccountID": "123456789012", "region": "us-east-1"}
    world.kube.put(
        {
            "apiVersion": "iam.services.k8s.aws/v1alpha1",
            "kind": "Role",
            "metadata": metadata,
            "spec": {"name": "x", "assumeRolePolicyDocument": TRUST, "path": "/", "maxSessionDuration": 3600},
            "status": {"ackResourceMetadata": recorded},
        }
    )
    await world.synced("Role", "r")
    assert world.aws.writes() == []
