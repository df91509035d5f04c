"""Whole scenarios that were recorded against AWS, performed against us step by step.

A scenario is a coroutine that does what the recording did; `steps` takes each answer under the recording's key.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from .comparison import Comparison
from .conftest import Service, zip_of

RECORDED = Path(__file__).parents[3] / "shared/conformance/lambda/api.recorded.json"
ACCOUNT = "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/lambda-role"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:fn"


class Steps:
    """boto3 against us as account 111111111111; `answers` by step key."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.client = service.client_of(key=ACCOUNT)
        self.answers: dict[str, Any] = {}

    async def do(self, key: str | None, operation: str, **parameters: Any) -> dict[str, Any]:
        """Performs an operation; its answer or error is kept under `key`, if there is one."""
        try:
            answer = await self.service.call(operation, client=self.client, **parameters)
        except botocore.exceptions.ClientError as error:
            answer = dict(error.response)
        if key:
            self.answers[key] = json.loads(json.dumps(answer, default=str))
        return answer

    async def create(self, key: str | None, *, wrapped: bool = False, **parameters: Any) -> dict[str, Any]:
        """CreateFunction; the recording's own fixture wraps the answer and always gives an environment."""
        extra = {"Environment": {"Variables": {}}, "Timeout": 30} if wrapped else {}
        whole = {
            "FunctionName": "fn",
            "Runtime": "python3.12",
            "Handler": "handler.handler" if wrapped else "index.handler",
            "Role": ROLE,
            "Code": {"ZipFile": zip_of()},
            **extra,
            **parameters,
        }
        answer = await self.do(key, "create_function", **whole)
        if key and wrapped:
            self.answers[key] = {"CreateEventSourceMappingResponse": None, "CreateFunctionResponse": self.answers[key]}
        return answer

    async def settle(self, name: str = "fn") -> None:
        for waiter in ("function_active_v2", "function_updated_v2"):
            await asyncio.to_thread(
                self.client.get_waiter(waiter).wait, FunctionName=name, WaiterConfig={"Delay": 0.01, "MaxAttempts": 300}
            )


async def function_lifecycle(steps: Steps) -> None:
    await steps.create("create_response", wrapped=True, MemorySize=256, Timeout=5)
    await steps.settle()
    await steps.do("get_function_response", "get_function", FunctionName="fn")
    await steps.do(
        "update_func_conf_response",
        "update_function_configuration",
        FunctionName="fn",
        Runtime="python3.11",
        Description="Changed-Description",
        MemorySize=512,
        Timeout=10,
        Environment={"Variables": {"ENV_A": "a"}},
    )
    await steps.settle()
    await steps.do("get_function_response_postupdate", "get_function", FunctionName="fn")
    await steps.do("update_code_response", "update_function_code", FunctionName="fn", ZipFile=zip_of("new"))
    await steps.settle()
    await steps.do("get_function_response_postcodeupdate", "get_function", FunctionName="fn")
    await steps.do("delete_response", "delete_function", FunctionName="fn")
    await steps.do("delete_postdelete", "delete_function", FunctionName="fn")


async def redundant_updates(steps: Steps) -> None:
    update = {"FunctionName": "fn", "Description": "1st update description"}
    await steps.create("create_response", wrapped=True, Description="Initial description")
    await steps.settle()
    await steps.do("first_update_result", "update_function_configuration", **update)
    await steps.settle()
    await steps.do("get_fn_config_result", "get_function_configuration", FunctionName="fn")
    await steps.do("get_fn_result", "get_function", FunctionName="fn")
    await steps.do("redundant_update_result", "update_function_configuration", **update)
    await steps.settle()
    await steps.do("get_fn_result_after_redundant_update", "get_function", FunctionName="fn")


async def publish_version_on_create(steps: Steps) -> None:
    await steps.create("create_response", Publish=True)
    await steps.settle()
    await steps.do("get_function_result", "get_function", FunctionName="fn")
    await steps.do("get_function_version_result", "get_function", FunctionName="fn", Qualifier="1")
    await steps.do("get_function_latest_result", "get_function", FunctionName="fn", Qualifier="$LATEST")
    await steps.do("list_versions_result", "list_versions_by_function", FunctionName="fn")
    await steps.do("repeated_publish_response", "publish_version", FunctionName="fn")
    await steps.do("list_versions_result_after_publish", "list_versions_by_function", FunctionName="fn")


async def version_lifecycle(steps: Steps) -> None:
    await steps.create("create_response", Description="No version :(")
    await steps.settle()
    await steps.do("get_function_result", "get_function", FunctionName="fn")
    await steps.do("list_versions_result", "list_versions_by_function", FunctionName="fn")
    configure = "update_function_configuration"
    await steps.do("first_update_response", configure, FunctionName="fn", Description="First version :)")
    await steps.settle()
    await steps.do("first_update_get_function", "get_function", FunctionName="fn")
    description = "First version description :)"
    await steps.do("first_publish_response", "publish_version", FunctionName="fn", Description=description)
    await steps.do("first_publish_get_function", "get_function", FunctionName="fn", Qualifier="1")
    await steps.do("first_publish_get_function_config", "get_function_configuration", FunctionName="fn", Qualifier="1")
    await steps.do("second_update_response", configure, FunctionName="fn", Description="Second version :))")
    await steps.settle()
    await steps.do("first_publish_get_function_after_update", "get_function", FunctionName="fn", Qualifier="1")
    await steps.do("second_publish_response", "publish_version", FunctionName="fn")
    await steps.do("third_publish_response", "publish_version", FunctionName="fn")
    await steps.do("list_versions_result_after_third_publish", "list_versions_by_function", FunctionName="fn")
    await steps.do(None, "delete_function", FunctionName="fn", Qualifier="1")
    listing = "list_versions_result_after_deletion_of_first_version"
    await steps.do(listing, "list_versions_by_function", FunctionName="fn")


async def publish_with_update(steps: Steps) -> None:
    await steps.create("create_response")
    await steps.settle()
    await steps.do("get_function_result", "get_function", FunctionName="fn")
    steps.service.executor.gate.clear()
    update = {"FunctionName": "fn", "ZipFile": zip_of("new"), "Publish": True}
    await steps.do("update_function_code_result", "update_function_code", **update)
    await steps.do("get_function_version_result", "get_function", FunctionName="fn", Qualifier="1")
    await steps.do("get_function_latest_result", "get_function", FunctionName="fn", Qualifier="$LATEST")
    steps.service.executor.gate.set()
    await steps.settle()


async def publish_with_wrong_sha256(steps: Steps) -> None:
    await steps.create("create_response")
    await steps.settle()
    found = await steps.do("get_fn_response", "get_function", FunctionName="fn")
    wrong = {"FunctionName": "fn", "CodeSha256": "somenonexistentsha256"}
    await steps.do("publish_wrong_sha256_exc", "publish_version", **wrong)
    right = found["Configuration"]["CodeSha256"]
    await steps.do("publish_result", "publish_version", FunctionName="fn", CodeSha256=right)


async def revisions_basic(steps: Steps) -> None:
    code = {"FunctionName": "fn", "ZipFile": zip_of()}
    first = await steps.create("create_function_response_rev1", wrapped=True, Handler="index.handler")
    await steps.settle()
    second = await steps.do("get_function_response_rev2", "get_function", FunctionName="fn")
    await steps.do("update_function_revision_exception", "update_function_code", RevisionId=first["RevisionId"], **code)
    revision = second["Configuration"]["RevisionId"]
    third = await steps.do("update_function_code_response_rev3", "update_function_code", RevisionId=revision, **code)
    await steps.settle()
    fourth = await steps.do("get_function_response_rev4", "get_function", FunctionName="fn")
    update = {"FunctionName": "fn", "Runtime": "python3.8"}
    configure = "update_function_configuration"
    await steps.do(
        "update_function_configuration_revision_exception", configure, RevisionId=third["RevisionId"], **update
    )
    revision = fourth["Configuration"]["RevisionId"]
    await steps.do("update_function_configuration_response_rev5", configure, RevisionId=revision, **update)
    await steps.settle()
    await steps.do("get_function_response_rev6", "get_function", FunctionName="fn")


async def revisions_version_and_alias(steps: Steps) -> None:
    first = await steps.create("create_function_response_rev1", wrapped=True)
    await steps.settle()
    second = await steps.do("get_function_active_rev2", "get_function", FunctionName="fn")
    stale = first["RevisionId"]
    await steps.do("publish_version_revision_exception", "publish_version", FunctionName="fn", RevisionId=stale)
    revision = second["Configuration"]["RevisionId"]
    await steps.do("publish_version_response_rev_v1", "publish_version", FunctionName="fn", RevisionId=revision)
    await steps.do("get_function_published_version_rev_v2", "get_function", FunctionName="fn", Qualifier="1")
    await steps.do("get_function_latest_rev3", "get_function", FunctionName="fn")
    named = {"FunctionName": "fn", "Name": "revision_alias"}
    alias = await steps.do("create_alias_response_rev_a1", "create_alias", FunctionVersion="1", **named)
    await steps.do("get_function_latest_rev4", "get_function", FunctionName="fn")
    await steps.do("get_function_published_version_rev_v3", "get_function", FunctionName="fn", Qualifier="1")
    change = {"Description": "something changed", **named}
    await steps.do("update_alias_revision_exception", "update_alias", RevisionId="wrong", **change)
    await steps.do("update_alias_response_rev_a2", "update_alias", RevisionId=alias["RevisionId"], **change)


async def alias_lifecycle(steps: Steps) -> None:
    await steps.create("create_response", Environment={"Variables": {"testenv": "staging"}})
    await steps.settle()
    await steps.do("publish_v1", "publish_version", FunctionName="fn")
    changed = {"FunctionName": "fn", "Environment": {"Variables": {"testenv": "prod"}}}
    await steps.do(None, "update_function_configuration", **changed)
    await steps.settle()
    await steps.do("publish_v2", "publish_version", FunctionName="fn")
    for suffix, version, extra in (
        ("1_1", "1", {"Description": "custom-alias", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.2}}}),
        ("1_2", "1", {"Description": "custom-alias"}),
        ("1_3", "1", {}),
        ("2", "2", {"Description": "custom-alias"}),
    ):
        name = {"FunctionName": "fn", "Name": f"aliasname{suffix}"}
        await steps.do(f"create_alias_{suffix}", "create_alias", FunctionVersion=version, **name, **extra)
        await steps.do(f"get_alias_{suffix}", "get_alias", **name)
    qualified = {"FunctionName": "fn", "Qualifier": "aliasname1_1"}
    await steps.do("get_function_alias_1_1", "get_function", **qualified)
    await steps.do("get_function_byarn_alias_1_1", "get_function", FunctionName=f"{ARN}:aliasname1_1")
    await steps.do("get_function_alias_notfound_exc", "get_function", FunctionName="fn", Qualifier="aliasdoesnotexist")
    await steps.do("get_function_alias_byarn_notfound_exc", "get_function", FunctionName=f"{ARN}:aliasdoesnotexist")
    await steps.do("list_aliases_for_fnname", "list_aliases", FunctionName="fn")
    del steps.answers["list_aliases_for_fnname"]["ResponseMetadata"]  # recorded through a paginator
    first, second = ({"FunctionName": "fn", "Name": f"aliasname{suffix}"} for suffix in ("1_1", "1_2"))
    await steps.do("update_alias_1_1", "update_alias", RoutingConfig={"AdditionalVersionWeights": {}}, **first)
    await steps.do("get_alias_1_1_after_update", "get_alias", **first)
    await steps.do("list_aliases_for_fnname_after_update", "list_aliases", FunctionName="fn")
    await steps.do("update_alias_1_2", "update_alias", RoutingConfig={"AdditionalVersionWeights": {}}, **second)
    await steps.do("get_alias_1_2_after_update", "get_alias", **second)
    await steps.do("list_aliases_for_fnname_after_update_2", "list_aliases", FunctionName="fn")
    await steps.do("list_aliases_for_version", "list_aliases", FunctionName="fn", FunctionVersion="1")
    await steps.do("delete_alias_response", "delete_alias", **first)
    await steps.do("list_aliases_for_fnname_afterdelete", "list_aliases", FunctionName="fn")


async def create_tag_on_fn_create(steps: Steps) -> None:
    await steps.create(None, wrapped=True, Tags={"testtag": "custom-tag-value"})
    await steps.settle()
    await steps.do("get_function_result", "get_function", FunctionName="fn")
    await steps.do("list_tags_result", "list_tags", Resource=ARN)


async def list_functions(steps: Steps) -> None:
    await steps.create("create_response_1", wrapped=True, FunctionName="fn-1", Publish=True)
    other = {"FunctionName": "fn-2", "Code": {"ZipFile": zip_of("other")}}
    await steps.create("create_response_2", wrapped=True, **other)
    for name in ("fn-1", "fn-2"):
        await steps.settle(name)
    await steps.do("list_functions_invalid_functionversion", "list_functions", FunctionVersion="invalid")
    await steps.do("list_all", "list_functions", FunctionVersion="ALL")
    await steps.do("list_default", "list_functions")
    for key in ("list_all", "list_default"):
        del steps.answers[key]["ResponseMetadata"]  # recorded through a paginator


async def create_exceptions(steps: Steps) -> None:
    await steps.create("invalid_role_arn_exc", Role="r1")
    await steps.create("invalid_runtime_exc", Runtime="non-existent-runtime")
    await steps.create("uppercase_runtime_exc", Runtime="PYTHON3.9")
    await steps.create("multiple_architectures", Architectures=["x86_64", "arm64"])
    await steps.create("uppercase_architecture", Architectures=["X86_64"])
    await steps.create("invalid_zip_exc", Code={"ZipFile": b"this is not a zip"})


async def concurrent_code_updates(steps: Steps) -> None:
    await steps.create("create-function-response", Handler="handler.handler")
    await steps.settle()
    steps.service.executor.gate.clear()
    await steps.do(None, "update_function_code", FunctionName="fn", ZipFile=zip_of("a"))
    key = "update-during-in-progress-update-exc"
    await steps.do(key, "update_function_code", FunctionName="fn", ZipFile=zip_of("b"))
    steps.service.executor.gate.set()


async def concurrent_config_updates(steps: Steps) -> None:
    await steps.create("create-function-response", wrapped=True)
    await steps.settle()
    steps.service.executor.gate.clear()
    configure = "update_function_configuration"
    await steps.do(None, configure, FunctionName="fn", Description="one")
    await steps.do("update-during-in-progress-update-exc", configure, FunctionName="fn", Description="two")
    steps.service.executor.gate.set()


async def tag_lifecycle(steps: Steps) -> None:
    await steps.create(None)

    async def tag(key: str, **tags: str) -> None:
        await steps.do(f"{key}_response", "tag_resource", Resource=ARN, Tags=tags)
        await steps.do(f"{key}_response_listtags", "list_tags", Resource=ARN)

    async def untag(key: str, *names: str) -> None:
        await steps.do(f"{key}_response", "untag_resource", Resource=ARN, TagKeys=names)
        await steps.do(f"{key}_response_listtags", "list_tags", Resource=ARN)

    await tag("tag_single", A="tag-a")
    await tag("tag_multiple", B="tag-b", C="tag-c")
    await tag("tag_overlap", C="tag-c-newsuffix", D="tag-d")
    await untag("untag_single", "A")
    await untag("untag_multiple", "B", "C")
    await untag("untag_nonexisting", "F")
    await untag("untag_existing_and_nonexisting", "D", "F")


def logging_update(**logging: str) -> "Scenario":
    async def scenario(steps: Steps) -> None:
        await steps.create("create_response", wrapped=True, MemorySize=256, Timeout=5)
        await steps.settle()
        await steps.do("get_function_response", "get_function", FunctionName="fn")
        await steps.do("function_config", "get_function_configuration", FunctionName="fn")
        update = {"FunctionName": "fn", "LoggingConfig": logging}
        await steps.do("updated_config", "update_function_configuration", **update)
        await steps.settle()
        await steps.do("received_config", "get_function_configuration", FunctionName="fn")

    return scenario


async def reserved_concurrency(steps: Steps) -> None:
    await steps.create(None)
    await steps.settle()
    reserve = {"FunctionName": "fn", "ReservedConcurrentExecutions": 0}
    await steps.do("put_function_concurrency_with_reserved_0", "put_function_concurrency", **reserve)
    reserve["ReservedConcurrentExecutions"] = 1
    await steps.do("put_function_concurrency_with_reserved_1", "put_function_concurrency", **reserve)
    await steps.do("get_function_concurrency", "get_function_concurrency", FunctionName="fn")
    await steps.do("delete_response", "delete_function_concurrency", FunctionName="fn")
    await steps.do("get_function_concurrency_after_delete", "get_function_concurrency", FunctionName="fn")


async def event_invoke_lifecycle(steps: Steps) -> None:
    name = {"FunctionName": "fn"}
    await steps.create(None, wrapped=True)
    await steps.settle()
    put, update = "put_function_event_invoke_config", "update_function_event_invoke_config"
    get, listing = "get_function_event_invoke_config", "list_function_event_invoke_configs"
    await steps.do("put_invokeconfig_retries_0", put, MaximumRetryAttempts=0, **name)
    await steps.do("put_invokeconfig_eventage_60", put, MaximumEventAgeInSeconds=60, **name)
    await steps.do("update_invokeconfig_eventage_nochange", update, MaximumEventAgeInSeconds=60, **name)
    await steps.do("update_invokeconfig_retries", update, MaximumRetryAttempts=1, **name)
    await steps.do("get_invokeconfig", get, **name)
    await steps.do("get_invokeconfig_latest", get, Qualifier="$LATEST", **name)
    await steps.do("list_single_invokeconfig", listing, **name)
    await steps.do("publish_version_result", "publish_version", **name)
    await steps.do("get_invokeconfig_postpublish", get, Qualifier="1", **name)
    await steps.do("put_published_invokeconfig", put, Qualifier="1", MaximumEventAgeInSeconds=120, **name)
    await steps.do("get_published_invokeconfig", get, Qualifier="1", **name)
    await steps.do(None, "delete_function_event_invoke_config", **name)
    await steps.do("list_paging_nolimit_postdelete", listing, **name)


async def multiple_permissions(steps: Steps) -> None:
    await steps.create(None)
    await steps.settle()
    for number, service in enumerate(("logs", "kinesis"), start=1):
        await steps.do(
            f"add_permission_response_{number}",
            "add_permission",
            FunctionName="fn",
            StatementId=service,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
        )
    await steps.do("policy_after_2_add", "get_policy", FunctionName="fn")
    for answer in steps.answers.values():  # the recording holds these texts parsed
        for member in ("Statement", "Policy"):
            if member in answer:
                answer[member] = json.loads(answer[member])


Scenario = Callable[[Steps], Awaitable[None]]
_PARTIAL_LOGGING = "TestLoggingConfig::test_function_partial_advanced_logging_configuration_update"
SCENARIOS: dict[str, Scenario] = {
    "TestLambdaAlias::test_alias_lifecycle": alias_lifecycle,
    "TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_lifecycle": event_invoke_lifecycle,
    "TestLambdaFunction::test_create_lambda_exceptions": create_exceptions,
    "TestLambdaFunction::test_function_lifecycle": function_lifecycle,
    "TestLambdaFunction::test_lambda_concurrent_code_updates": concurrent_code_updates,
    "TestLambdaFunction::test_lambda_concurrent_config_updates": concurrent_config_updates,
    "TestLambdaFunction::test_list_functions": list_functions,
    "TestLambdaFunction::test_redundant_updates": redundant_updates,
    "TestLambdaPermissions::test_create_multiple_lambda_permissions": multiple_permissions,
    "TestLambdaReservedConcurrency::test_function_concurrency": reserved_concurrency,
    "TestLambdaRevisions::test_function_revisions_basic": revisions_basic,
    "TestLambdaRevisions::test_function_revisions_version_and_alias": revisions_version_and_alias,
    "TestLambdaTag::test_create_tag_on_fn_create": create_tag_on_fn_create,
    "TestLambdaTag::test_tag_lifecycle": tag_lifecycle,
    "TestLambdaVersions::test_publish_version_on_create": publish_version_on_create,
    "TestLambdaVersions::test_publish_with_update": publish_with_update,
    "TestLambdaVersions::test_publish_with_wrong_sha256": publish_with_wrong_sha256,
    "TestLambdaVersions::test_version_lifecycle": version_lifecycle,
    f"{_PARTIAL_LOGGING}[partial_config0]": logging_update(LogFormat="JSON"),
    f"{_PARTIAL_LOGGING}[partial_config1]": logging_update(LogFormat="JSON", ApplicationLogLevel="DEBUG"),
    f"{_PARTIAL_LOGGING}[partial_config2]": logging_update(LogFormat="JSON", SystemLogLevel="DEBUG"),
    f"{_PARTIAL_LOGGING}[partial_config3]": logging_update(LogGroup="cool_lambda"),
}
CLIENT_SIDE = {"empty_architectures"}
"""Steps that boto3 refuses before it sends anything."""


@pytest.mark.skipif(not RECORDED.exists(), reason="no recorded answers at ../shared")
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_ends_as_recorded(service: Service, name: str) -> None:
    steps = Steps(service)
    await SCENARIOS[name](steps)
    recordings = json.loads(RECORDED.read_text())
    (recorded,) = (value["recorded-content"] for key, value in recordings.items() if key.endswith(f"::{name}"))
    comparison = Comparison()
    for key, expected in recorded.items():
        if key not in CLIENT_SIDE:
            comparison.compare(expected, steps.answers.get(key, "not performed"), key)
    assert comparison.differences == []
