"""Nothing is ever written twice: each field is set, changed and removed, and after each the resync writes nothing.

Values come from the schema, so a new field is covered by being declared.
"""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambent.clock import VirtualTimeLoop
from lambent.resources.fake.world import World
from lambent.resources.kinds import TIER_1

KINDS = {kind.kind: kind for kind in TIER_1}
BASE: dict[str, dict[str, Any]] = {
    "Bucket": {"name": "x"},
    "Policy": {"name": "x", "policyDocument": '{"Statement":[]}'},
    "Role": {"name": "x", "assumeRolePolicyDocument": '{"Statement":[]}'},
    "Function": {
        "name": "x",
        "role": "arn:aws:iam::1:role/r",
        "packageType": "Image",
        "code": {"imageURI": "image:1"},
    },
}
# Values that the services themselves restrict; the rest of a value is free.
KNOWN = {
    "acl": ("public-read", "private"),
    "accelerate": ({"status": "Enabled"}, {"status": "Suspended"}),
    "versioning": ({"status": "Enabled"}, {"status": "Suspended"}),
    "abac": ({"status": "Enabled"}, {"status": "Disabled"}),
    "grantRead": ('uri="http://acs.amazonaws.com/groups/global/AllUsers"', 'id="friend"'),
    "grantFullControl": ('id="friend"', 'id="other"'),
    "grantReadACP": ('id="friend"', 'id="other"'),
    "grantWrite": ('id="friend"', 'id="other"'),
    "grantWriteACP": ('id="friend"', 'id="other"'),
    "code.imageURI": ("image:2", "image:3"),
    "architectures": (["arm64"], ["x86_64"]),
    "snapStart": ({"applyOn": "PublishedVersions"}, {"applyOn": "None"}),
    "tracingConfig": ({"mode": "Active"}, {"mode": "PassThrough"}),
    "ephemeralStorage": ({"size": 1024}, {"size": 2048}),
    "memorySize": (256, 512),
    "timeout": (9, 30),
    "maxSessionDuration": (7200, 3601),
    "reservedConcurrentExecutions": (0, 7),
    "permissionsBoundary": ("arn:aws:iam::aws:policy/One", "arn:aws:iam::aws:policy/Two"),
    "policies": (["arn:aws:iam::aws:policy/One"], ["arn:aws:iam::aws:policy/Two", "arn:aws:iam::aws:policy/Three"]),
    "functionEventInvokeConfig": ({"maximumRetryAttempts": 1, "functionName": "x"}, {"maximumEventAgeInSeconds": 60}),
    "requestPayment": ({"payer": "Requester"}, {"payer": "BucketOwner"}),
}
DOCUMENTS = {"policyDocument", "assumeRolePolicyDocument", "policy", "inlinePolicies"}
# Fixed at creation, required by the schema, or served by another call that a plain image function has no use for.
APART = {
    "Bucket": {"name"},
    "Policy": {"name", "path", "description"},
    "Role": {"name", "path"},
    "Function": {
        "name",
        "packageType",
        "tenancyConfig",
        "code.zip",
        "codeSigningConfigARN",
        "role",
        "handler",
        "runtime",
    },
}
NEEDED = {"policyDocument", "assumeRolePolicyDocument", "code.imageURI", "role"}
ROWS = [(kind.kind, field.path) for kind in TIER_1 for field in kind.fields if field.path not in APART[kind.kind]]


def text(path, number):
    if path.rpartition(".")[2] in DOCUMENTS or path.partition(".")[0] in DOCUMENTS:
        return json.dumps({"Statement": [{"Effect": "Allow", "Action": f"s3:A{number}", "Resource": "*"}]})
    return f"text-{number}"


def sample(node, path, number):
    """A full value; another number gives another value."""
    if node.type == "object":
        names = [name for name in node.members if not name.endswith(("Ref", "Refs"))]
        return {name: sample(node.members[name], f"{path}.{name}", number) for name in names}
    if node.type == "array":
        return [sample(node.item, path, number + step) for step in (0, 10)]
    if node.type == "map":
        return {f"key-{number}": sample(node.item, path, number)}
    if node.format == "date-time":
        return f"2030-01-{number % 27 + 1:02d}T00:00:00Z"
    if node.format == "byte":
        return base64.b64encode(str(number).encode()).decode()
    return {"integer": number, "number": float(number), "boolean": number % 2 == 1}.get(node.type, text(path, number))


def value(kind, path, number):
    if path in KNOWN:
        return KNOWN[path][number - 1]
    return sample(KINDS[kind].spec.at(path), path, number)


def placed(path, item):
    for part in reversed(path.split(".")):
        item = {part: item}
    return item


def merged(base, patch):
    return {
        **base,
        **{name: {**base.get(name, {}), **part} if isinstance(part, dict) else part for name, part in patch.items()},
    }


async def silent(world):
    """A resync that writes nothing, neither to AWS nor to the cluster."""
    await world.rest(700)
    calls, writes = len(world.aws.calls), len(world.kube.writes())
    await world.rest(700)
    assert len(world.aws.calls) > calls
    assert world.writes_since(calls) == []
    assert list(world.kube.writes()[writes:]) == []


async def live_through(kind, stages):
    world = World(kinds=(KINDS[kind],))
    await world.start()
    try:
        await stages_of_a_life(world, kind, stages)
    finally:
        await world.stop()


async def stages_of_a_life(world, kind, stages):
    first, *edits = stages
    await world.apply(kind, "o", first)
    await world.synced(kind, "o")
    await silent(world)
    for edit in edits:
        await world.edit(kind, "o", edit)
        await world.synced(kind, "o")
        await silent(world)
    await world.delete(kind, "o")
    await world.gone(kind, "o")


@pytest.mark.parametrize(("kind", "path"), ROWS)
async def test_a_field_is_set_changed_and_removed_with_silence_after_each(kind, path):
    edits = [placed(path, value(kind, path, 2))]
    if path not in NEEDED:
        edits.append(placed(path, None))
    await live_through(kind, [merged(BASE[kind], placed(path, value(kind, path, 1))), *edits])


def some_fields(kind):
    """A few fields with a first and a second value, or none."""
    paths = [path for name, path in ROWS if name == kind and "." not in path and not path.startswith("grant")]
    one = st.sampled_from([1, 2, None])
    return st.dictionaries(st.sampled_from(paths), st.tuples(one, one), max_size=5)


def run_virtual(coroutine):
    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(coroutine)
    finally:
        loop.close()


@pytest.mark.parametrize("kind", KINDS)
def test_any_combination_of_fields_settles_into_silence(kind):
    @settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(some_fields(kind))
    def holds(fields):
        stages = []
        for stage in (0, 1):
            spec = dict(BASE[kind]) if stage == 0 else {}
            for path, numbers in fields.items():
                number = numbers[stage]
                if number is not None:
                    spec[path] = value(kind, path, number)
                elif stage == 1 and path not in NEEDED:
                    spec[path] = None
            stages.append(spec)
        run_virtual(live_through(kind, stages))

    holds()


_TRUST = '{"Statement": []}'
_ROLE = {"assumeRolePolicyDocument": _TRUST}


_FUNCTION = {
    "role": "arn:aws:iam::123456789012:role/r",
    "packageType": "Image",
    "code": {"imageURI": "image:1"},
    "tags": {"a": "b"},
}
_READ_ONLY = "arn:aws:iam::aws:policy/ReadOnly"


@pytest.mark.parametrize(
    ("kind", "spec", "asked"),
    [
        ("Role", _ROLE | {"policies": [_READ_ONLY]}, ["GetRole", "CreateRole", "GetRole", "AttachRolePolicy"]),
        ("Policy", {"policyDocument": _TRUST, "description": "d"}, ["GetPolicy", "CreatePolicy"]),
        ("Bucket", {}, ["HeadBucket", "CreateBucket", "PutBucketTagging"]),
        ("Function", _FUNCTION, ["GetFunction", "CreateFunction"]),
    ],
    ids=["role", "policy", "bucket", "function"],
)
async def test_what_creation_and_writes_decide_is_not_asked_of_a_fresh_resource(world, kind, spec, asked):
    await world.apply(kind, "o", {"name": "x", **spec})
    await world.synced(kind, "o")
    assert [call.operation for call in world.aws.calls] == asked
    await world.rest(700)
    assert world.is_synced(kind, "o")
    assert world.writes_since(len(asked)) == []


@pytest.mark.parametrize(
    ("kind", "spec", "change", "asked_after"),
    [
        ("Bucket", {}, {"versioning": {"status": "Enabled"}}, ["GetBucketTagging", "GetBucketVersioning"]),
        ("Role", _ROLE, {"description": "new"}, ["GetRole"]),
        ("Role", _ROLE, {"inlinePolicies": {"i": _TRUST}}, ["GetRolePolicy", "ListRolePolicies"]),
    ],
    ids=["part-of-a-bucket", "role-itself", "part-of-a-role"],
)
async def test_after_a_write_only_what_it_may_have_changed_is_asked_again(world, kind, spec, change, asked_after):
    await world.apply(kind, "o", {"name": "x", **spec})
    await world.synced(kind, "o")
    mark = len(world.aws.calls)
    await world.edit(kind, "o", change)
    await world.synced(kind, "o")
    asked = [call.operation for call in world.aws.calls[mark:]]
    written = max(index for index, name in enumerate(asked) if name.startswith(("Put", "Update")))
    assert sorted(asked[written + 1 :]) == asked_after
