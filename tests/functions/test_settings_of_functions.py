"""Tags, reserved concurrency, resource policies, account settings, paging: what is no part of a configuration."""

import asyncio
import json
from typing import Any

import pytest

from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.invocation import Event, Result

from .conftest import Service, function

BAD_PRINCIPAL = "The provided principal was invalid. Please check the principal and try again."
BAD_SID = (
    "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: "
    "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"
)
ARN = "arn:aws:lambda:us-east-1:123456789012:function:fn"


async def test_tags_come_with_get_function_only_if_there_are_any(service: Service) -> None:
    await service.active(Tags={"a": "1"})
    before = await service.call("get_function", FunctionName="fn")
    assert before["Tags"] == {"a": "1"}
    await service.call("tag_resource", Resource=ARN, Tags={"b": "2", "a": "3"})
    assert (await service.call("list_tags", Resource=ARN))["Tags"] == {"a": "3", "b": "2"}
    await service.call("untag_resource", Resource=ARN, TagKeys=["a", "b", "none"])
    after = await service.call("get_function", FunctionName="fn")
    assert "Tags" not in after
    assert after["Configuration"]["LastUpdateStatus"] == "Successful"
    assert after["Configuration"]["RevisionId"] != before["Configuration"]["RevisionId"]


@pytest.mark.parametrize(
    ("resource", "status", "text"),
    [
        (f"{ARN}:prod", 400, "Tags on function aliases and versions are not supported. Please specify a function ARN."),
        (ARN.replace(":fn", ":none"), 404, f"Function not found: {ARN.replace(':fn', ':none')}"),
        (
            "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:8a6fdd7b-9a9c-4d0c-8e5a-2ef1b5b6d8a1",
            404,
            "Event source mapping not found: "
            "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:8a6fdd7b-9a9c-4d0c-8e5a-2ef1b5b6d8a1",
        ),
    ],
)
async def test_what_cannot_be_tagged_is_refused(service: Service, resource: str, status: int, text: str) -> None:
    await service.active()
    failed = await service.failure("tag_resource", Resource=resource, Tags={"a": "b"})
    assert (failed[0], failed[2]) == (status, text)


async def test_a_function_takes_fifty_tags(service: Service) -> None:
    await service.active()
    await service.call("tag_resource", Resource=ARN, Tags={f"k{n}": "v" for n in range(50)})
    failed = await service.failure("tag_resource", Resource=ARN, Tags={"one more": "v"})
    assert failed[2] == "Number of tags exceeds resource tag limit."


async def test_a_reservation_blocks_at_zero_and_leaves_a_hundred_to_the_others(service: Service) -> None:
    await service.active()
    await service.call("put_function_concurrency", FunctionName="fn", ReservedConcurrentExecutions=0)
    found = await service.call("get_function", FunctionName="fn")
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    assert (await service.failure("invoke", FunctionName="fn"))[0] == 429
    await service.call("put_function_concurrency", FunctionName="fn", ReservedConcurrentExecutions=900)
    failed = await service.failure("put_function_concurrency", FunctionName="fn", ReservedConcurrentExecutions=901)
    assert failed[2].endswith("below its minimum value of [100].")
    settings = await service.call("get_account_settings")
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
    await service.call("delete_function_concurrency", FunctionName="fn")
    answer = await service.call("get_function_concurrency", FunctionName="fn")
    assert "ReservedConcurrentExecutions" not in answer


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("none", 404, "Function not found: arn:aws:lambda:us-east-1:123456789012:function:none:$LATEST"),
        (
            f"{ARN}:1",
            400,
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
            "operation. Please specify either a function name or an unqualified function ARN.",
        ),
    ],
)
async def test_a_reservation_needs_a_function(service: Service, name: str, status: int, text: str) -> None:
    failed = await service.failure("put_function_concurrency", FunctionName=name, ReservedConcurrentExecutions=1)
    assert (failed[0], failed[2]) == (status, text)


async def test_account_settings_count_what_is_there(service: Service) -> None:
    await service.active("one")
    await service.active("two")
    await service.call("publish_version", FunctionName="two")
    usage = (await service.call("get_account_settings"))["AccountUsage"]
    size = (await service.call("get_function_configuration", FunctionName="one"))["CodeSize"]
    assert usage == {"FunctionCount": 2, "TotalCodeSize": 3 * size}


@pytest.mark.parametrize(
    ("parameters", "principal", "condition"),
    [
        ({"Principal": "*", "SourceAccount": "1" * 12}, "*", {"StringEquals": {"AWS:SourceAccount": "1" * 12}}),
        (
            {"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b"},
            {"Service": "s3.amazonaws.com"},
            {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}},
        ),
        ({"Principal": "123456789012"}, {"AWS": "arn:aws:iam::123456789012:root"}, None),
        ({"Principal": "arn:aws:iam::123456789012:user/u"}, {"AWS": "arn:aws:iam::123456789012:user/u"}, None),
        ({"Principal": "*", "EventSourceToken": "t"}, "*", {"StringEquals": {"lambda:EventSourceToken": "t"}}),
    ],
)
async def test_a_statement_has_the_form_of_aws(
    service: Service, parameters: dict[str, Any], principal: Any, condition: Any
) -> None:
    await service.active()
    answer = await service.call(
        "add_permission", FunctionName="fn", StatementId="s", Action="lambda:InvokeFunction", **parameters
    )
    expected = {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        **({"Condition": condition} if condition else {}),
    }
    assert json.loads(answer["Statement"]) == expected
    policy = await service.call("get_policy", FunctionName="fn")
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [expected]}


async def test_a_policy_belongs_to_its_qualifier_and_ends_with_its_last_statement(service: Service) -> None:
    await service.active()
    await service.call("publish_version", FunctionName="fn")
    await service.call("create_alias", FunctionName="fn", Name="prod", FunctionVersion="1")
    before = (await service.call("get_function_configuration", FunctionName="fn"))["RevisionId"]
    grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    for qualifier in ({}, {"Qualifier": "1"}, {"Qualifier": "prod"}):
        await service.call("add_permission", FunctionName="fn", **grant, **qualifier)
        policy = json.loads((await service.call("get_policy", FunctionName="fn", **qualifier))["Policy"])
        assert policy["Statement"][0]["Resource"] == ":".join((ARN, *qualifier.values()))
    assert (await service.call("get_function_configuration", FunctionName="fn"))["RevisionId"] == before
    assert (await service.failure("add_permission", FunctionName="fn", **grant))[0] == 409
    stale = await service.failure("remove_permission", FunctionName="fn", StatementId="s", RevisionId="x")
    assert (stale[0], stale[2].split(". ")[1]) == (412, "Call the GetPolicy API to retrieve the latest Revision Id")
    await service.call("remove_permission", FunctionName="fn", StatementId="s")
    assert (await service.failure("get_policy", FunctionName="fn"))[2] == "The resource you requested does not exist."
    assert await service.call("get_policy", FunctionName="fn", Qualifier="1")


@pytest.mark.parametrize(
    ("operation", "parameters", "text"),
    [
        ("add_permission", {"Qualifier": "$LATEST"}, "We currently do not support adding policies for $LATEST."),
        ("add_permission", {"Principal": "invalid.nonaws.com"}, BAD_PRINCIPAL),
        ("add_permission", {"FunctionName": "none"}, f"Function not found: {ARN[:-2]}none"),
        ("add_permission", {"Qualifier": "nope"}, f"Cannot find alias arn: {ARN}:nope"),
        ("add_permission", {"Qualifier": "42"}, f"Function not found: {ARN}:42"),
        ("add_permission", {"Qualifier": "with-$"}, f"Function not found: {ARN}:with-$"),
        ("add_permission", {"StatementId": "example.com"}, BAD_SID),
        ("remove_permission", {}, "No policy is associated with the given resource."),
        ("remove_permission", {"FunctionName": "none"}, f"No policy found for: {ARN[:-2]}none"),
        ("remove_permission", {"Qualifier": "nope"}, f"Cannot find alias arn: {ARN}:nope"),
        ("get_policy", {"Qualifier": "1"}, "The resource you requested does not exist."),
        ("get_policy", {"FunctionName": "none"}, "The resource you requested does not exist."),
    ],
)
async def test_a_policy_is_refused_in_the_words_of_aws(
    service: Service, operation: str, parameters: dict[str, Any], text: str
) -> None:
    await service.active()
    grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    own = grant if operation == "add_permission" else {"StatementId": "s"} if operation == "remove_permission" else {}
    assert (await service.failure(operation, **{"FunctionName": "fn", **own, **parameters}))[2] == text


async def test_pages_show_each_function_once_while_others_come_and_go(service: Service) -> None:
    names = [f"f{number:03}" for number in range(37)]
    await asyncio.gather(*(service.create(name) for name in names))
    seen: list[str] = []
    answer = await service.call("list_functions", MaxItems=10)
    while True:
        seen += [entry["FunctionName"] for entry in answer["Functions"]]
        if "NextMarker" not in answer:
            break
        await service.create(f"a{len(seen)}")
        await service.create(f"z{len(seen)}")
        answer = await service.call("list_functions", MaxItems=10, Marker=answer["NextMarker"])
    assert [name for name in seen if name in names] == names
    assert "State" not in answer["Functions"][0]
    assert (await service.failure("list_functions", Marker="garbage"))[0] == 400


async def test_accounts_and_regions_are_apart(service: Service) -> None:
    west = service.client_of(region="eu-west-1")
    other = service.client_of(key="999999999999")
    await service.create()
    for client in (west, other):
        assert (await service.call("list_functions", client=client))["Functions"] == []
    created = await asyncio.gather(
        *(service.call("create_function", client=client, **function()) for client in (west, other))
    )
    arns = {answer["FunctionArn"] for answer in created}
    assert arns == {ARN.replace("us-east-1", "eu-west-1"), ARN.replace("123456789012", "999999999999")}


async def test_a_short_account_id_means_itself_with_leading_zeros(service: Service) -> None:
    client = service.client_of(key="000000000123")
    created = await service.call(
        "create_function", client=client, **{**function(), "Role": "arn:aws:iam::123:role/service/r"}
    )
    assert created["Role"] == "arn:aws:iam::000000000123:role/service/r"
    quick = {"Delay": 0.01, "MaxAttempts": 300}
    await asyncio.to_thread(client.get_waiter("function_active_v2").wait, FunctionName="fn", WaiterConfig=quick)
    short = "arn:aws:lambda:us-east-1:123:function:fn"
    found = await service.call("get_function", client=client, FunctionName=short)
    assert found["Configuration"]["FunctionArn"] == "arn:aws:lambda:us-east-1:000000000123:function:fn"
    answer = await service.call("invoke", client=client, FunctionName=short)
    assert answer["StatusCode"] == 200


async def test_names_that_differ_only_in_case_and_dashes_stay_apart(service: Service) -> None:
    names = ["My_Fn", "my-fn", "my_fn"]
    for name in names:
        await service.create(name)
    listed = await service.call("list_functions")
    assert [entry["FunctionName"] for entry in listed["Functions"]] == names


async def test_an_event_invoke_configuration_lives_through_its_operations(service: Service) -> None:
    await service.active()
    await service.call("publish_version", FunctionName="fn")
    empty: dict[str, Any] = {"OnSuccess": {}, "OnFailure": {}}
    put = await service.call("put_function_event_invoke_config", FunctionName="fn", MaximumEventAgeInSeconds=60)
    assert (put["FunctionArn"], put["DestinationConfig"]) == (f"{ARN}:$LATEST", empty)
    assert "MaximumRetryAttempts" not in put
    updated = await service.call("update_function_event_invoke_config", FunctionName="fn", MaximumRetryAttempts=0)
    assert (updated["MaximumEventAgeInSeconds"], updated["MaximumRetryAttempts"]) == (60, 0)
    replaced = await service.call("put_function_event_invoke_config", FunctionName="fn:1", MaximumRetryAttempts=1)
    assert (replaced["FunctionArn"], "MaximumEventAgeInSeconds" in replaced) == (f"{ARN}:1", False)
    listed = await service.call("list_function_event_invoke_configs", FunctionName="fn")
    arns = [entry["FunctionArn"] for entry in listed["FunctionEventInvokeConfigs"]]
    assert arns == [f"{ARN}:$LATEST", f"{ARN}:1"]
    await service.call("delete_function_event_invoke_config", FunctionName="fn")
    failed = await service.failure("get_function_event_invoke_config", FunctionName="fn")
    assert failed[2] == f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig"


def _destination(arn: str) -> dict[str, Any]:
    return {"DestinationConfig": {"OnSuccess": {"Destination": arn}}}


@pytest.mark.parametrize(
    ("parameters", "status", "text"),
    [
        ({}, 400, "You must specify at least one of error handling or destination setting."),
        ({"FunctionName": "none", "MaximumRetryAttempts": 1}, 404, "The function doesn't exist."),
        ({"Qualifier": "none", "MaximumRetryAttempts": 1}, 404, "The function doesn't exist."),
        (_destination(f"{ARN[:-2]}none"), 400, f"The destination ARN {ARN[:-2]}none is invalid."),
        (_destination(ARN), 400, "You can't specify the function as a destination for itself."),
        (
            _destination("arn:aws:iam:us-east-1:123456789012:fn"),
            400,
            "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="
            "arn:aws:iam:us-east-1:123456789012:fn), onFailure=null) is invalid.",
        ),
    ],
    ids=["nothing", "no-function", "no-alias", "no-target", "itself", "service"],
)
async def test_an_event_invoke_configuration_is_refused_in_the_words_of_aws(
    service: Service, parameters: dict[str, Any], status: int, text: str
) -> None:
    await service.active()
    failed = await service.failure("put_function_event_invoke_config", **{"FunctionName": "fn", **parameters})
    assert (failed[0], failed[2]) == (status, text)


async def test_the_retries_of_an_event_are_those_of_its_qualifier(service: Service) -> None:
    await service.active()
    await service.call("publish_version", FunctionName="fn")
    await service.call("create_alias", FunctionName="fn", Name="prod", FunctionVersion="1")
    await service.call("put_function_event_invoke_config", FunctionName="fn:prod", MaximumRetryAttempts=0)
    runs: list[str] = []
    ended = asyncio.Event()

    def failing(spec: FunctionSpec, event: Event) -> Result:
        runs.append(event.function_arn)
        if len(runs) == 4:
            ended.set()
        return Result(b"{}", is_error=True)

    service.executor.handler = failing
    await service.call("invoke", FunctionName="fn:prod", InvocationType="Event")
    await service.call("invoke", FunctionName="fn:1", InvocationType="Event")
    async with asyncio.timeout(5):
        await ended.wait()
    assert sorted(runs) == [f"{ARN}:1"] * 3 + [f"{ARN}:prod"]


async def test_small_settings_have_their_defaults_and_are_kept(service: Service) -> None:
    await service.active()
    assert (await service.call("get_function_recursion_config", FunctionName="fn"))["RecursiveLoop"] == "Terminate"
    await service.call("put_function_recursion_config", FunctionName="fn", RecursiveLoop="Allow")
    assert (await service.call("get_function_recursion_config", FunctionName="fn"))["RecursiveLoop"] == "Allow"
    assert (await service.call("get_runtime_management_config", FunctionName="fn"))["UpdateRuntimeOn"] == "Auto"
    await service.call("put_runtime_management_config", FunctionName="fn", UpdateRuntimeOn="FunctionUpdate")
    kept = await service.call("get_runtime_management_config", FunctionName="fn")
    assert (kept["UpdateRuntimeOn"], kept["FunctionArn"]) == ("FunctionUpdate", f"{ARN}:$LATEST")
    answer = await service.call("get_function_code_signing_config", FunctionName="fn")
    assert set(answer) == {"ResponseMetadata"}
