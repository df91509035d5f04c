"""Function: one row for each fault that ACK's controller has, and the waits that Lambda imposes."""

import base64

import pytest

from lambent.resources.kinds._zip_identity import code_changed, zip_sha256

ROLE = "arn:aws:iam::123456789012:role/r"
ZIP = {"name": "x", "role": ROLE, "runtime": "python3.12", "handler": "app.handler"}
IN_S3 = {"s3Bucket": "code", "s3Key": "a.zip", "s3ObjectVersion": "1"}
IMAGE = {"name": "x", "role": ROLE, "packageType": "Image", "code": {"imageURI": "image:1"}}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


async def synced(world, spec):
    await world.apply("Function", "f", spec)
    await world.synced("Function", "f")
    return world.aws.functions.functions["x"]


async def edited(world, spec):
    mark = len(world.aws.calls)
    await world.edit("Function", "f", spec)
    await world.synced("Function", "f")
    return [call for call in world.writes_since(mark)]


def operations(calls):
    return [call.operation for call in calls]


@pytest.mark.parametrize(
    ("code", "edit"),
    [
        (IN_S3, {"s3Key": "b.zip"}),
        (IN_S3, {"s3ObjectVersion": "2"}),
        ({"zipFile": encoded("one")}, {"zipFile": encoded("two")}),
        (IN_S3 | {"sha256": "trigger-1"}, {"sha256": "trigger-2"}),
    ],
    ids=["key", "version", "bytes", "trigger"],
)
async def test_a_changed_source_is_uploaded_exactly_once(world, code, edit):
    await synced(world, ZIP | {"code": code})
    writes = await edited(world, {"code": edit})
    assert operations(writes) == ["UpdateFunctionCode"]
    mark = len(world.aws.calls)
    await world.rest(1300)
    assert world.writes_since(mark) == []


async def test_code_configuration_and_tags_in_one_apply_all_arrive(world):
    world.aws.functions.settling_reads = 2
    held = await synced(world, IMAGE)
    edit = {"code": {"imageURI": "image:2"}, "description": "new", "environment": {"variables": {"A": "1"}}}
    writes = await edited(world, edit | {"tags": {"team": "a"}})
    assert operations(writes) == ["TagResource", "UpdateFunctionCode", "UpdateFunctionConfiguration"]
    assert held["code"]["ImageUri"] == "image:2"
    assert held["configuration"]["Description"] == "new"
    assert held["configuration"]["Environment"] == {"Variables": {"A": "1"}}


async def test_zip_code_and_configuration_in_one_apply_both_arrive_at_once(world):
    held = await synced(world, ZIP | {"code": IN_S3})
    mark = len(world.aws.calls)
    await world.edit("Function", "f", {"code": {"s3Key": "b.zip"}, "timeout": 9})
    await world.synced("Function", "f", within_s=2)
    assert operations(world.writes_since(mark)) == ["UpdateFunctionCode", "UpdateFunctionConfiguration"]
    assert held["configuration"]["Timeout"] == 9


async def test_layers_are_added_seen_and_removed_with_an_empty_list(world):
    held = await synced(world, ZIP | {"code": IN_S3})
    await edited(world, {"layers": ["arn:layer:1", "arn:layer:2"]})
    assert [layer["Arn"] for layer in held["configuration"]["Layers"]] == ["arn:layer:1", "arn:layer:2"]
    writes = await edited(world, {"layers": None})
    assert writes[0].params["Layers"] == []


@pytest.mark.parametrize(
    ("field", "value", "default"),
    [
        ("memorySize", 256, 128),
        ("timeout", 30, 3),
        ("description", "text", ""),
        ("environment", {"variables": {"A": "1"}}, {"Variables": {}}),
        ("deadLetterConfig", {"targetARN": "arn:q"}, {"TargetArn": ""}),
        ("tracingConfig", {"mode": "Active"}, {"Mode": "PassThrough"}),
        ("ephemeralStorage", {"size": 1024}, {"Size": 512}),
    ],
)
async def test_a_field_taken_out_of_the_spec_goes_back_to_the_default_of_aws(world, field, value, default):
    await synced(world, ZIP | {"code": IN_S3, field: value})
    writes = await edited(world, {field: None})
    assert writes[0].params[field[0].upper() + field[1:]] == default
    assert await edited(world, {"tags": {}}) == []


async def test_a_field_that_was_never_declared_is_left_alone(world):
    held = await synced(world, ZIP | {"code": IN_S3})
    held["configuration"]["MemorySize"] = 999
    await world.rest(700)
    assert held["configuration"]["MemorySize"] == 999


async def test_a_foreign_change_of_a_declared_field_is_corrected_at_the_resync(world):
    held = await synced(world, ZIP | {"code": IN_S3, "memorySize": 256})
    held["configuration"]["MemorySize"] = 999
    await world.rest(700)
    assert held["configuration"]["MemorySize"] == 256


async def test_an_image_config_is_changed_without_a_change_of_the_image(world):
    held = await synced(world, IMAGE)
    writes = await edited(world, {"imageConfig": {"command": ["b", "a"]}})
    assert operations(writes) == ["UpdateFunctionConfiguration"]
    assert held["configuration"]["ImageConfigResponse"]["ImageConfig"]["Command"] == ["b", "a"]


async def test_a_change_of_architecture_keeps_the_object_version(world):
    await synced(world, ZIP | {"code": IN_S3})
    writes = await edited(world, {"architectures": ["arm64"]})
    sent = writes[0].params
    assert (sent["S3Key"], sent["S3ObjectVersion"], sent["Architectures"]) == ("a.zip", "1", ["arm64"])


@pytest.mark.parametrize(("settling_reads", "writes"), [(1, 1), (3, 2)], ids=["at the second look", "later"])
async def test_a_new_function_is_called_pending_only_if_it_is_so_at_the_second_look(world, settling_reads, writes):
    world.aws.functions.settling_reads = settling_reads
    await synced(world, IMAGE)
    asked = [call for call in world.kube.writes() if (call.gvk.kind, call.subresource) == ("Function", "status")]
    assert len(asked) == writes


async def test_what_a_new_function_declares_is_not_forgotten_before_its_first_status(world):
    world.aws.functions.settling_reads = 1
    await world.apply("Function", "f", IMAGE | {"memorySize": 256})
    await world.until(lambda: "x" in world.aws.functions.functions)
    assert "state" not in world.status("Function", "f")
    await world.edit("Function", "f", {"memorySize": None})
    await world.synced("Function", "f")
    assert world.aws.functions.functions["x"]["configuration"]["MemorySize"] == 128


async def test_an_update_in_progress_is_not_synced_and_looked_at_soon(world):
    await synced(world, IMAGE)
    world.aws.functions.settling_reads = 4
    await world.edit("Function", "f", {"code": {"imageURI": "image:2"}})
    await world.rest(0.5)
    assert world.condition("Function", "f", "Ready")["status"] == "False"
    await world.synced("Function", "f", within_s=15)


async def test_a_failed_update_is_not_green_and_is_sent_again(world):
    await synced(world, IMAGE)
    world.aws.functions.fails_with = "InternalError"
    mark = len(world.aws.calls)
    await world.edit("Function", "f", {"code": {"imageURI": "image:2"}})
    await world.until(lambda: world.condition("Function", "f", "ACK.Recoverable"))
    assert "InternalError" in world.condition("Function", "f", "Ready")["message"]
    await world.rest(20)
    assert operations(world.writes_since(mark)) == ["UpdateFunctionCode"]
    world.aws.functions.fails_with = ""
    await world.synced("Function", "f", within_s=60)
    assert operations(world.writes_since(mark)) == ["UpdateFunctionCode"] * 2


async def test_an_image_that_is_broken_is_terminal_until_the_spec_changes(world):
    await synced(world, IMAGE)
    world.aws.functions.fails_with = "InvalidImage"
    await world.edit("Function", "f", {"code": {"imageURI": "image:2"}})
    await world.until(lambda: world.condition("Function", "f", "ACK.Terminal"))
    world.aws.functions.fails_with = ""
    await world.edit("Function", "f", {"code": {"imageURI": "image:3"}})
    await world.synced("Function", "f")


async def test_an_image_that_does_not_exist_is_named_and_waited_for(world):
    world.aws.functions.images = set()
    await world.apply("Function", "f", IMAGE)
    await world.until(lambda: "image:1 does not exist" in world.condition("Function", "f", "Ready").get("message", ""))
    assert world.condition("Function", "f", "ACK.Terminal") == {}
    assert world.condition("Function", "f", "ACK.Recoverable") == {}
    await world.rest(100)
    world.aws.functions.images = {"image:1"}
    await world.synced("Function", "f", within_s=15)


async def test_a_role_that_is_not_assumable_yet_is_waited_for_and_never_terminal(world):
    world.aws.functions.roles = set()
    await world.apply("Function", "f", IMAGE)
    text = "waiting for the role to become assumable"
    await world.until(lambda: world.condition("Function", "f", "Ready").get("message") == text)
    await world.rest(5)
    world.aws.functions.roles = {ROLE}
    await world.synced("Function", "f", within_s=15)


async def test_an_input_error_is_terminal_and_sent_once(world):
    world.aws.fail("CreateFunction", "InvalidParameterValueException", "Value python9 at 'runtime' failed", times=9)
    await world.apply("Function", "f", ZIP | {"code": IN_S3})
    await world.until(lambda: world.condition("Function", "f", "ACK.Terminal"))
    assert "python9" in world.condition("Function", "f", "ACK.Terminal")["message"]
    await world.rest(1300)
    assert operations(world.aws.writes()) == ["CreateFunction"]


async def test_a_conflict_with_another_writer_is_waited_out(world):
    await synced(world, IMAGE)
    world.aws.fail("UpdateFunctionConfiguration", "ResourceConflictException", "an update is in progress", status=409)
    await world.edit("Function", "f", {"timeout": 9})
    await world.synced("Function", "f", within_s=15)


async def test_code_signing_of_an_image_is_refused_with_the_exact_text(world):
    await world.apply("Function", "f", IMAGE | {"codeSigningConfigARN": "arn:csc"})
    await world.until(lambda: world.condition("Function", "f", "ACK.Terminal"))
    expected = "cannot set function code signing config when package type is Image"
    assert world.condition("Function", "f", "ACK.Terminal")["message"] == expected


async def test_a_change_of_package_type_is_terminal(world):
    await synced(world, IMAGE)
    await world.edit("Function", "f", {"packageType": "Zip", "code": {"imageURI": None, "s3Bucket": "b", "s3Key": "k"}})
    await world.until(lambda: world.condition("Function", "f", "ACK.Terminal"))
    assert "packageType" in world.condition("Function", "f", "ACK.Terminal")["message"]


async def test_concurrency_and_event_invoke_config_come_and_go(world):
    config = {"maximumRetryAttempts": 1}
    held = await synced(world, IMAGE | {"reservedConcurrentExecutions": 0, "functionEventInvokeConfig": config})
    assert held["concurrency"] == 0
    assert held["event_invoke"] == {"MaximumRetryAttempts": 1}
    assert world.peek("Function", "f")["spec"]["functionEventInvokeConfig"] == config
    await edited(world, {"reservedConcurrentExecutions": None, "functionEventInvokeConfig": None})
    assert "concurrency" not in held
    assert "event_invoke" not in held


@pytest.mark.parametrize(
    ("code", "record", "have", "changed"),
    [
        ({"zipFile": encoded("a")}, None, zip_sha256(encoded("a")), False),
        ({"zipFile": encoded("a")}, None, "other", True),
        (IN_S3, None, "any", False),
        (IN_S3, IN_S3, "any", False),
        (IN_S3, IN_S3 | {"s3Key": "old"}, "any", True),
        (IN_S3 | {"sha256": "h"}, IN_S3, "h", False),
        (IN_S3 | {"sha256": "h"}, IN_S3, "other", True),
        (IN_S3 | {"sha256": "h"}, IN_S3 | {"sha256": "h"}, "other", False),
        (IN_S3, IN_S3 | {"sha256": "h"}, "other", False),
    ],
)
def test_zip_identity(code, record, have, changed):
    assert code_changed(code, record, have) is changed
