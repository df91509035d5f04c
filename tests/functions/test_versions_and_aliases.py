"""Published versions and aliases, driven by boto3."""

import asyncio
import json
import random
from typing import Any

import pytest

from lambent.functions.directory import chosen_version

from .conftest import Service, zip_of

ARN = "arn:aws:lambda:us-east-1:123456789012:function:fn"


async def test_a_version_is_published_once_for_the_same_content(service: Service) -> None:
    await service.active()
    first = await service.call("publish_version", FunctionName="fn", Description="one")
    assert (first["Version"], first["FunctionArn"], first["State"]) == ("1", f"{ARN}:1", "Active")
    again = await service.call("publish_version", FunctionName="fn")
    assert (again["Version"], again["RevisionId"]) == ("1", first["RevisionId"])
    other = await service.call("publish_version", FunctionName="fn", Description="two")
    assert other["Version"] == "2"


async def test_parallel_publishers_make_one_version(service: Service) -> None:
    await service.active()
    published = await asyncio.gather(*(service.call("publish_version", FunctionName="fn") for _ in range(8)))
    assert {answer["Version"] for answer in published} == {"1"}
    listed = await service.call("list_versions_by_function", FunctionName="fn")
    assert [entry["FunctionArn"] for entry in listed["Versions"]] == [f"{ARN}:$LATEST", f"{ARN}:1"]
    assert "State" not in listed["Versions"][1]


async def test_a_number_is_never_used_again(service: Service) -> None:
    await service.active()
    await service.call("publish_version", FunctionName="fn", Description="one")
    await service.call("delete_function", FunctionName="fn", Qualifier="1")
    assert (await service.call("publish_version", FunctionName="fn"))["Version"] == "2"


async def test_publishing_changes_the_revision_of_latest_and_an_alias_does_not(service: Service) -> None:
    await service.active()
    before = await _revision(service)
    version = await service.call("publish_version", FunctionName="fn")
    after = await _revision(service)
    assert len({before, after, version["RevisionId"]}) == 3
    await service.call("create_alias", FunctionName="fn", Name="prod", FunctionVersion="1")
    assert await _revision(service) == after
    assert await _revision(service, Qualifier="1") == version["RevisionId"]


async def test_a_version_keeps_its_code_while_latest_moves_on(service: Service) -> None:
    await service.active()
    published = await service.call("publish_version", FunctionName="fn")
    await service.call("update_function_code", FunctionName="fn", ZipFile=zip_of("new"))
    await service.wait("function_updated_v2", FunctionName="fn")
    answer = await service.call("invoke", FunctionName="fn", Qualifier="1")
    assert answer["ExecutedVersion"] == "1"
    found = await service.call("get_function", FunctionName="fn", Qualifier="1")
    assert found["Configuration"]["CodeSha256"] == published["CodeSha256"]


async def test_create_with_publish_answers_version_one_under_the_bare_arn(service: Service) -> None:
    created = await service.create(Publish=True)
    assert (created["Version"], created["FunctionArn"], created["State"]) == ("1", ARN, "Pending")
    await service.wait("published_version_active", FunctionName="fn", Qualifier="1")
    assert (await service.call("invoke", FunctionName="fn:1"))["ExecutedVersion"] == "1"


async def test_update_with_publish_answers_the_new_version(service: Service) -> None:
    await service.active()
    updated = await service.call("update_function_code", FunctionName="fn", ZipFile=zip_of("new"), Publish=True)
    assert (updated["Version"], updated["FunctionArn"], updated["State"]) == ("1", f"{ARN}:1", "Pending")
    latest = await service.call("get_function_configuration", FunctionName="fn", Qualifier="$LATEST")
    assert latest["Version"] == "$LATEST"
    assert latest["CodeSha256"] == updated["CodeSha256"]


async def test_an_alias_lives_through_its_operations(service: Service) -> None:
    await _two_versions(service)
    weights = {"AdditionalVersionWeights": {"2": 0.2}}
    created = await service.call(
        "create_alias", FunctionName="fn", Name="prod", FunctionVersion="1", Description="d", RoutingConfig=weights
    )
    assert {key: created[key] for key in ("AliasArn", "Name", "FunctionVersion", "Description", "RoutingConfig")} == {
        "AliasArn": f"{ARN}:prod",
        "Name": "prod",
        "FunctionVersion": "1",
        "Description": "d",
        "RoutingConfig": weights,
    }
    got = await service.call("get_alias", FunctionName="fn", Name="prod")
    assert got["RevisionId"] == created["RevisionId"]
    updated = await service.call("update_alias", FunctionName="fn", Name="prod", RoutingConfig={})
    assert "RoutingConfig" not in updated
    assert updated["RevisionId"] != created["RevisionId"]
    function = await service.call("get_function", FunctionName="fn", Qualifier="prod")
    assert function["Configuration"]["FunctionArn"] == f"{ARN}:prod"
    assert function["Configuration"]["Version"] == "1"
    assert (await service.failure("delete_function", FunctionName="fn", Qualifier="1"))[0] == 409
    await service.call("delete_alias", FunctionName="fn", Name="prod")
    assert (await service.call("list_aliases", FunctionName="fn"))["Aliases"] == []


async def test_an_alias_is_invoked_and_may_move(service: Service) -> None:
    await _two_versions(service)
    await service.call("create_alias", FunctionName="fn", Name="prod", FunctionVersion="1")
    answer = await service.call("invoke", FunctionName="fn:prod")
    assert answer["ExecutedVersion"] == "1"
    assert service.executor.events[-1].function_arn == f"{ARN}:prod"
    await service.call("update_alias", FunctionName="fn", Name="prod", FunctionVersion="2")
    async with asyncio.timeout(2):
        while (await service.call("invoke", FunctionName="fn:prod"))["ExecutedVersion"] != "2":  # noqa: ASYNC110
            await asyncio.sleep(0)


_MESSAGES = {
    "two weights": "Number of items in AdditionalVersionWeights cannot be greater than 1",
    "weight of primary": "Invalid function version 1. Function version 1 is already included in routing configuration.",
    "no version": f"Function not found: {ARN}:10",
    "weighted latest": "$LATEST is not supported for an alias pointing to more than 1 version",
    "no function": "Function not found: arn:aws:lambda:us-east-1:123456789012:function:none:1",
    "taken": f"Alias already exists: {ARN}:taken",
    "a number": "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: "
    "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    "weight over 1": "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' "
    "failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to "
    "1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
}


def _weights(**shares: float) -> dict[str, Any]:
    return {"RoutingConfig": {"AdditionalVersionWeights": {key.strip("v"): share for key, share in shares.items()}}}


@pytest.mark.parametrize(
    ("parameters", "status", "message"),
    [
        (_weights(v2=0.1, v3=0.1), 400, "two weights"),
        (_weights(v1=0.5), 400, "weight of primary"),
        ({"FunctionVersion": "10"}, 404, "no version"),
        (_weights(v10=0.5), 404, "no version"),
        ({"FunctionVersion": "$LATEST", **_weights(v1=0.5)}, 400, "weighted latest"),
        ({"FunctionName": "none"}, 404, "no function"),
        ({"Name": "taken"}, 409, "taken"),
        ({"Name": "2024"}, 400, "a number"),
        (_weights(v2=2), 400, "weight over 1"),
    ],
)
async def test_an_alias_is_refused_in_the_words_of_aws(
    service: Service, parameters: dict[str, Any], status: int, message: str
) -> None:
    await _two_versions(service)
    await service.call("create_alias", FunctionName="fn", Name="taken", FunctionVersion="1")
    whole = {"FunctionName": "fn", "Name": "a", "FunctionVersion": "1", **parameters}
    failed = await service.failure("create_alias", **whole)
    assert (failed[0], failed[2]) == (status, _MESSAGES[message])


async def test_an_unknown_qualifier_never_runs_latest(service: Service) -> None:
    await service.active()
    for qualifier in ("7", "nope"):
        status, _, text = await service.failure("invoke", FunctionName="fn", Qualifier=qualifier)
        assert (status, text) == (404, f"Function not found: {ARN}:{qualifier}")
    assert service.executor.events == []


async def test_a_function_made_anew_has_none_of_the_former_s_versions(service: Service) -> None:
    await _two_versions(service)
    await service.call("delete_function", FunctionName="fn")
    await service.active()
    listed = await service.call("list_versions_by_function", FunctionName="fn")
    assert [entry["Version"] for entry in listed["Versions"]] == ["$LATEST"]
    assert (await service.call("publish_version", FunctionName="fn"))["Version"] == "1"
    assert json.loads((await service.call("invoke", FunctionName="fn"))["Payload"].read())["event"] == {}


def test_a_weight_is_the_share_of_the_invocations() -> None:
    source = random.Random(7)
    drawn = [chosen_version("1", {"2": 0.2}, source.random) for _ in range(10_000)]
    assert 0.18 < drawn.count("2") / 10_000 < 0.22


async def _revision(service: Service, **qualifier: str) -> str:
    found = await service.call("get_function_configuration", FunctionName="fn", **qualifier)
    return str(found["RevisionId"])


async def _two_versions(service: Service) -> None:
    await service.active()
    await service.call("publish_version", FunctionName="fn", Description="one")
    await service.call("publish_version", FunctionName="fn", Description="two")
