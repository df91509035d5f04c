"""What is particular to a policy, a role and a bucket."""

import json

import pytest

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]})
ROLE = {"name": "x", "assumeRolePolicyDocument": TRUST}
ARN = "arn:aws:iam::123456789012:policy/x"


def document(action):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


async def made(world, kind, spec):
    await world.apply(kind, "o", spec)
    await world.synced(kind, "o")


async def edited(world, kind, spec):
    mark = len(world.aws.calls)
    await world.edit(kind, "o", spec)
    await world.synced(kind, "o")
    return [call.operation for call in world.writes_since(mark)]


async def blocked(world, kind):
    await world.until(lambda: "deletion is blocked" in world.condition(kind, "o", "Ready").get("message", ""))
    return world.condition(kind, "o", "Ready")["message"]


async def test_a_new_policy_is_not_asked_for_the_document_that_it_was_made_with(world):
    await made(world, "Policy", {"name": "x", "policyDocument": document("s3:A")})
    assert [call.operation for call in world.aws.calls] == ["GetPolicy", "CreatePolicy"]
    world.aws.iam.policies[ARN]["versions"]["v1"] = document("s3:B")
    writes = await edited(world, "Policy", {"tags": [{"key": "a", "value": "b"}]})
    assert writes == ["TagPolicy", "CreatePolicyVersion"]


async def test_ten_documents_fit_into_five_versions(world):
    await made(world, "Policy", {"name": "x", "policyDocument": document("s3:A0")})
    for number in range(1, 10):
        await edited(world, "Policy", {"policyDocument": document(f"s3:A{number}")})
    held = world.aws.iam.policies[ARN]
    assert len(held["versions"]) == 5
    assert held["policy"]["DefaultVersionId"] == "v10"


async def test_a_document_that_differs_in_form_only_is_never_sent(world):
    await made(world, "Policy", {"name": "x", "policyDocument": document(["s3:GetObject"])})
    other_form = json.dumps(json.loads(document("S3:getobject")), indent=4)
    assert await edited(world, "Policy", {"policyDocument": other_form}) == []
    assert world.peek("Policy", "o")["spec"]["policyDocument"] == other_form


@pytest.mark.parametrize(("field", "value"), [("description", "new"), ("path", "/new/")])
async def test_what_aws_fixes_at_creation_is_terminal_when_changed(world, field, value):
    await made(world, "Policy", {"name": "x", "policyDocument": document("s3:*")})
    await world.edit("Policy", "o", {field: value})
    await world.until(lambda: world.condition("Policy", "o", "ACK.Terminal"))
    assert field in world.condition("Policy", "o", "ACK.Terminal")["message"]


async def test_the_holders_of_a_policy_are_named_and_their_going_lets_it_go(world):
    await made(world, "Policy", {"name": "x", "policyDocument": document("s3:*")})
    world.aws.iam.create_role(RoleName="holder", AssumeRolePolicyDocument=TRUST)
    world.aws.iam.attach_role_policy(RoleName="holder", PolicyArn=ARN)
    await world.delete("Policy", "o")
    assert "still attached to role holder" in await blocked(world, "Policy")
    world.aws.iam.detach_role_policy(RoleName="holder", PolicyArn=ARN)
    await world.gone("Policy", "o", within_s=31)


async def test_all_parts_of_a_role_follow_the_spec(world):
    boundary = "arn:aws:iam::aws:policy/Boundary"
    spec = ROLE | {"permissionsBoundary": boundary, "inlinePolicies": {"a": document("s3:A")}, "description": "one"}
    await made(world, "Role", spec | {"policies": ["arn:aws:iam::aws:policy/A"]})
    changed = {
        "policies": ["arn:aws:iam::aws:policy/B"],
        "inlinePolicies": {"a": document("s3:B"), "b": document("s3:C")},
        "permissionsBoundary": None,
        "description": "",
        "maxSessionDuration": 7200,
        "tags": [{"key": "k", "value": "v"}],
    }
    assert await edited(world, "Role", changed) == [
        "AttachRolePolicy",
        "DetachRolePolicy",
        "PutRolePolicy",
        "PutRolePolicy",
        "TagRole",
        "DeleteRolePermissionsBoundary",
        "UpdateRole",
    ]
    held = world.aws.iam.roles["x"]
    assert held["attached"] == ["arn:aws:iam::aws:policy/B"]
    assert sorted(held["inline"]) == ["a", "b"]
    assert (held["role"]["Description"], held["role"]["MaxSessionDuration"]) == ("", 7200)


async def test_a_policy_attached_by_hand_is_detached_at_the_resync(world):
    await made(world, "Role", ROLE)
    world.aws.iam.attach_role_policy(RoleName="x", PolicyArn="arn:aws:iam::aws:policy/Foreign")
    await world.rest(700)
    assert world.aws.iam.roles["x"]["attached"] == []


async def test_a_role_in_an_instance_profile_stays_whole_and_names_it(world):
    await made(world, "Role", ROLE | {"policies": ["arn:aws:iam::aws:policy/A"]})
    world.aws.iam.profiles["web"] = ["x"]
    await world.delete("Role", "o")
    assert "still in instance profile web" in await blocked(world, "Role")
    assert world.aws.iam.roles["x"]["attached"] == ["arn:aws:iam::aws:policy/A"]


async def test_system_tags_are_set_hidden_and_never_removed(world):
    await made(world, "Role", ROLE | {"tags": [{"key": "team", "value": "a"}]})
    held = world.aws.iam.roles["x"]["role"]
    held["Tags"].append({"Key": "aws:stack", "Value": "s"})
    await edited(world, "Role", {"tags": []})
    keys = {tag["Key"] for tag in held["Tags"]}
    assert keys == {"services.k8s.aws/controller-version", "services.k8s.aws/namespace", "aws:stack"}
    assert world.peek("Role", "o")["spec"]["tags"] == []


async def test_another_controller_version_alone_is_no_reason_to_write(world):
    await made(world, "Role", ROLE)
    held = world.aws.iam.roles["x"]["role"]
    held["Tags"] = [tag | {"Value": "iam-0"} if tag["Key"].endswith("version") else tag for tag in held["Tags"]]
    mark = len(world.aws.calls)
    await world.rest(700)
    assert world.writes_since(mark) == []


async def test_a_plain_bucket_costs_two_calls_a_pass_and_a_plain_role_three(world):
    await made(world, "Bucket", {"name": "x"})
    await world.rest(1)
    mark = len(world.aws.calls)
    await world.rest(700)
    assert [call.operation for call in world.aws.calls[mark:]] == ["HeadBucket", "GetBucketTagging"]
    await made(world, "Role", ROLE)
    await world.rest(1)
    mark = len(world.aws.calls)
    await world.edit("Role", "o", annotations={"lambent.dev/reconcile": "1"})
    await world.rest(1)
    reads = [call.operation for call in world.aws.calls[mark:] if call.service == "iam"]
    assert sorted(reads) == ["GetRole", "ListAttachedRolePolicies", "ListRolePolicies"]


async def test_a_bucket_that_holds_objects_is_kept_and_the_objects_named(world):
    await made(world, "Bucket", {"name": "x"})
    world.aws.s3.buckets["x"]["objects"] = {"a.json": b"", "b.json": b""}
    await world.delete("Bucket", "o")
    text = await blocked(world, "Bucket")
    assert "2 object versions (a.json, b.json)" in text
    assert "lambent.dev/force-empty" in text
    await world.rest(100)
    assert sorted(world.aws.s3.buckets["x"]["objects"]) == ["a.json", "b.json"]
    world.aws.s3.buckets["x"]["objects"].clear()
    await world.gone("Bucket", "o", within_s=31)


async def test_force_empty_deletes_the_objects_first(world):
    await made(world, "Bucket", {"name": "x"})
    world.aws.s3.buckets["x"]["objects"] = {"a.json": b""}
    await world.delete("Bucket", "o")
    await blocked(world, "Bucket")
    await world.edit("Bucket", "o", annotations={"lambent.dev/force-empty": "true"})
    await world.gone("Bucket", "o", within_s=2)
    assert world.aws.s3.buckets == {}


async def test_an_abandoned_object_goes_and_its_resource_stays(world):
    await made(world, "Bucket", {"name": "x"})
    world.aws.s3.buckets["x"]["objects"] = {"a.json": b""}
    await world.delete("Bucket", "o")
    await blocked(world, "Bucket")
    await world.edit("Bucket", "o", annotations={"lambent.dev/abandon": "true"})
    await world.gone("Bucket", "o", within_s=2)
    assert "x" in world.aws.s3.buckets


async def test_the_public_access_block_is_written_before_the_policy_it_judges(world):
    policy = document("s3:GetObject")
    await world.apply("Bucket", "o", {"name": "x", "policy": policy, "publicAccessBlock": {"blockPublicACLs": True}})
    await world.synced("Bucket", "o")
    written = [call.operation for call in world.aws.writes()]
    assert written.index("PutPublicAccessBlock") < written.index("PutBucketPolicy")


async def test_an_error_of_a_sub_resource_names_the_property(world):
    world.aws.fail("PutBucketLogging", "InvalidTargetBucketForLogging", "no such bucket")
    logging = {"loggingEnabled": {"targetBucket": "elsewhere", "targetPrefix": "a/"}}
    await world.apply("Bucket", "o", {"name": "x", "logging": logging})
    await world.until(lambda: "Error syncing property 'logging'" in str(world.status("Bucket", "o")))


async def test_a_bucket_outside_us_east_1_is_made_where_its_object_says(world):
    spec = {"name": "x"}
    await world.apply("Bucket", "o", spec, annotations={"services.k8s.aws/region": "eu-west-1"})
    await world.synced("Bucket", "o")
    assert world.aws.s3.buckets["x"]["location"] == "eu-west-1"
    assert world.status("Bucket", "o")["ackResourceMetadata"]["region"] == "eu-west-1"


async def test_rules_whose_ids_aws_invented_match_by_content(world):
    rule = {"status": "Enabled", "filter": {"prefix": "a/"}, "expiration": {"days": 1}}
    await made(world, "Bucket", {"name": "x", "lifecycle": {"rules": [rule]}})
    world.aws.s3.buckets["x"]["subs"]["LifecycleConfiguration"]["Rules"][0]["ID"] = "invented"
    mark = len(world.aws.calls)
    await world.rest(700)
    assert world.writes_since(mark) == []


async def test_a_directory_bucket_is_refused(world):
    await world.apply("Bucket", "o", {"name": "x--use1-az4--x-s3"})
    await world.until(lambda: world.condition("Bucket", "o", "ACK.Terminal"))
    assert world.aws.calls == []


@pytest.mark.parametrize(
    ("code", "status", "condition", "text"),
    [
        ("403", 403, "ACK.Recoverable", "another account, or these credentials lack"),
        ("301", 301, "ACK.Terminal", "exists in another region"),
    ],
)
async def test_a_head_that_says_nothing_is_explained(world, code, status, condition, text):
    world.aws.fail("HeadBucket", code, status=status)
    await world.apply("Bucket", "o", {"name": "x"})
    await world.until(lambda: text in world.condition("Bucket", "o", condition).get("message", ""))
