"""Every field that a kind can send has a place in botocore's model of the call that sends it."""

import pytest

from lambent.resources import schema
from lambent.resources.fake.aws import model
from lambent.resources.kinds import BUCKET, FUNCTION, POLICY, ROLE
from lambent.resources.kinds._bucket_parts import LISTED, PARTS

SAMPLES = {"string": "x", "integer": 1, "number": 1.0, "boolean": True}


def sample(node):
    """A value with every member set."""
    if node.type == "object":
        return {name: sample(member) for name, member in node.members.items()}
    if node.type == "array":
        return [sample(node.item)]
    if node.type == "map":
        return {"key": sample(node.item)}
    return "eA==" if node.format == "byte" else SAMPLES[node.type]


def without_references(value):
    if isinstance(value, dict):
        return {name: without_references(item) for name, item in value.items() if not name.endswith(("Ref", "Refs"))}
    return [without_references(item) for item in value] if isinstance(value, list) else value


def input_of(kind, operation):
    return model(kind.service).operation_model(operation).input_shape


@pytest.mark.parametrize("part", [*PARTS, *LISTED], ids=lambda part: part.field)
def test_a_sub_resource_translates_completely(part):
    value = without_references(sample(BUCKET.spec.at(part.field)))
    param = value[0] if isinstance(value, list) else value
    request = schema.to_aws(input_of(BUCKET, part.put), {"Bucket": "b", part.param: param})
    assert set(request) == {"Bucket", part.param}


@pytest.mark.parametrize(
    ("kind", "operation", "fields"),
    [
        (FUNCTION, "CreateFunction", [field.path for field in FUNCTION.fields if "." not in field.path]),
        (ROLE, "CreateRole", ["path", "description", "maxSessionDuration", "permissionsBoundary", "tags"]),
        (POLICY, "CreatePolicy", ["path", "description", "policyDocument", "tags"]),
    ],
    ids=["function", "role", "policy"],
)
def test_fields_of_a_kind_translate_completely(kind, operation, fields):
    shape = input_of(kind, operation)
    apart = {"name", "reservedConcurrentExecutions", "functionEventInvokeConfig"}
    for path in fields:
        if path not in apart:
            schema.to_aws(shape, {path: without_references(sample(kind.spec.at(path)))})


def test_a_member_that_the_model_lacks_is_an_error():
    with pytest.raises(ValueError, match="no member bogus"):
        schema.to_aws(input_of(ROLE, "CreateRole"), {"bogus": 1})


@pytest.mark.parametrize(
    ("kind", "read", "place", "member"),
    [(BUCKET, part.get, part.member, part.field) for part in PARTS],
    ids=[part.field for part in PARTS],
)
def test_an_answer_is_read_back_into_the_names_of_the_spec(kind, read, place, member):
    """Each scalar of the spec's field has a scalar of the answer that it comes from."""
    shape = model(kind.service).operation_model(read).output_shape
    shape = shape.members[place] if place else shape
    node = kind.spec.at(member)
    if node.type == "object":
        known = {schema.aws_key(name) for name in shape.members}
        names = [name for name in node.members if not name.endswith("Ref")]
        assert [name for name in names if schema.aws_key(name) not in known] == []
