"""LambdaFunction objects that came through the Kubernetes API: the other door to the same room."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any, cast

from lambent.aws.arn import FunctionId
from lambent.functions import FunctionStore
from lambent.functions.kinds import FUNCTION
from lambent.kube.errors import NotFound
from lambent.kube.types import KubeObject
from lambent.telemetry import REGISTRY

from .conftest import ROLE, Service, api_server, function, running, zip_of

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


def manifest(**spec: Any) -> KubeObject:
    """As a user writes it."""
    whole = {
        "role": ROLE,
        "runtime": "python3.12",
        "handler": "index.handler",
        "environment": {"variables": {"STAGE": "dev"}},
        "code": {"zipFile": base64.b64encode(zip_of()).decode()},
        **spec,
    }
    obj = {
        "apiVersion": "lambent.dev/v1alpha1",
        "kind": "LambdaFunction",
        "metadata": {"name": "hello", "namespace": "default"},
        "spec": whole,
    }
    return cast(KubeObject, obj)


async def test_an_applied_function_is_listed_and_answers(embedded: Service) -> None:
    await _apply(embedded, manifest())
    listed = await embedded.call("list_functions")
    assert [entry["FunctionArn"] for entry in listed["Functions"]] == [ARN]
    found = await embedded.call("get_function_configuration", FunctionName="hello")
    assert (found["State"], found["Timeout"], found["Environment"]) == ("Active", 3, {"Variables": {"STAGE": "dev"}})
    assert found["CodeSha256"]
    answer = await embedded.call("invoke", FunctionName="hello", Payload=b'{"n": 1}')
    assert json.loads(answer["Payload"].read())["event"] == {"n": 1}


async def test_an_object_of_any_name_is_found_by_the_function_it_says_it_is(embedded: Service) -> None:
    await _apply(embedded, manifest(functionName="of_my_choice"))
    found = await embedded.call("get_function_configuration", FunctionName="of_my_choice")
    assert found["State"] == "Active"
    assert (await embedded.failure("create_function", **function("of_my_choice")))[:2] == (
        409,
        "ResourceConflictException",
    )
    assert (await embedded.failure("get_function", FunctionName="hello"))[0] == 404
    await embedded.kube.delete(FUNCTION, "hello", namespace="default")
    async with asyncio.timeout(30):
        while await _exists(embedded):  # noqa: ASYNC110 - answers of an API
            await asyncio.sleep(0.01)
    assert (await embedded.failure("get_function", FunctionName="of_my_choice"))[0] == 404


async def test_a_store_without_informers_finds_an_object_of_any_name(embedded: Service) -> None:
    await _apply(embedded, manifest(functionName="of_my_choice"))
    record = await FunctionStore(embedded.kube).get(FunctionId("123456789012", "us-east-1", "of_my_choice"))
    assert record.obj["metadata"]["name"] == "hello"


async def test_asking_for_a_function_that_is_not_there_lists_nothing(embedded: Service) -> None:
    before = _listed()
    assert (await embedded.failure("get_function", FunctionName="nothing"))[0] == 404
    assert _listed() == before


async def test_a_direct_edit_is_a_new_revision_that_settles(embedded: Service) -> None:
    await _apply(embedded, manifest())
    before = await embedded.call("get_function_configuration", FunctionName="hello")
    await embedded.kube.patch(FUNCTION, "hello", {"spec": {"timeout": 9}}, namespace="default")
    await embedded.wait("function_updated_v2", FunctionName="hello")
    after = await embedded.call("get_function_configuration", FunctionName="hello")
    assert (after["Timeout"], after["LastUpdateStatus"]) == (9, "Successful")
    assert after["RevisionId"] != before["RevisionId"]
    assert after["CodeSha256"] == before["CodeSha256"]


async def test_an_applied_function_takes_updates_through_the_api(embedded: Service) -> None:
    await _apply(embedded, manifest())
    new = zip_of("new")
    updated = await embedded.call("update_function_code", FunctionName="hello", ZipFile=new)
    assert updated["LastUpdateStatus"] == "InProgress"
    await embedded.wait("function_updated_v2", FunctionName="hello")
    assert (await embedded.call("publish_version", FunctionName="hello"))["Version"] == "1"


async def test_broken_code_of_an_applied_function_says_so_in_its_status(embedded: Service) -> None:
    await embedded.kube.apply(manifest(code={"zipFile": "AAAA"}), manager="kubectl")
    status = await _settled(embedded)
    assert status["state"] == "Failed"
    assert status["stateReason"].startswith("Could not unzip uploaded file.")
    conditions = {one["type"]: one["status"] for one in status["conditions"]}
    assert conditions == {"Ready": "False", "Stalled": "True"}


async def test_deleting_the_object_stops_its_environments(embedded: Service) -> None:
    await _apply(embedded, manifest())
    await embedded.call("publish_version", FunctionName="hello")
    await embedded.kube.delete(FUNCTION, "hello", namespace="default")
    async with asyncio.timeout(5):
        while embedded.executor.prepared or await _exists(embedded):  # noqa: ASYNC110 - answers of an API
            await asyncio.sleep(0.01)
    assert (await embedded.failure("get_function", FunctionName="hello"))[0] == 404


async def test_a_restarted_service_serves_what_it_served(tmp_path: Path) -> None:
    async with api_server() as kube:
        async with running(tmp_path, kube) as first:
            await first.active()
            await first.call("publish_version", FunctionName="fn")
        async with running(tmp_path, kube) as second:
            answer = await second.call("invoke", FunctionName="fn:1", Payload=b"[]")
            assert answer["ExecutedVersion"] == "1"
            assert (await second.call("get_function", FunctionName="fn"))["Configuration"]["State"] == "Active"


async def test_a_second_object_of_the_same_function_fails_and_the_first_serves_on(embedded: Service) -> None:
    await embedded.active("hello")
    await embedded.kube.apply(manifest(), manager="kubectl")
    status = await _settled(embedded)
    assert (status["state"], status["stateReasonCode"]) == ("Failed", "InvalidConfiguration")
    assert (await embedded.call("invoke", FunctionName="hello"))["StatusCode"] == 200
    await embedded.kube.delete(FUNCTION, "hello", namespace="default")
    assert (await embedded.call("invoke", FunctionName="hello"))["StatusCode"] == 200


async def test_every_setting_survives_the_schema(embedded: Service) -> None:
    await embedded.active(
        Tags={"k": "v"},
        Layers=[],
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:q"},
        TracingConfig={"Mode": "Active"},
        EphemeralStorage={"Size": 1024},
        LoggingConfig={"LogFormat": "JSON"},
    )
    name = {"FunctionName": "fn"}
    await embedded.call("put_function_event_invoke_config", MaximumRetryAttempts=1, **name)
    await embedded.call("put_function_recursion_config", RecursiveLoop="Allow", **name)
    await embedded.call("put_runtime_management_config", UpdateRuntimeOn="FunctionUpdate", **name)
    grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    await embedded.call("add_permission", **grant, **name)
    await embedded.call("put_function_concurrency", ReservedConcurrentExecutions=5, **name)
    await embedded.call("publish_version", **name)
    found = await embedded.call("get_function", Qualifier="1", **name)
    configuration = found["Configuration"]
    assert configuration["VpcConfig"]["SubnetIds"] == ["subnet-1"]
    assert configuration["DeadLetterConfig"] == {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:q"}
    assert (configuration["TracingConfig"], configuration["EphemeralStorage"]) == ({"Mode": "Active"}, {"Size": 1024})
    assert configuration["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert (found["Tags"], found["Concurrency"]) == ({"k": "v"}, {"ReservedConcurrentExecutions": 5})
    assert (await embedded.call("get_function_event_invoke_config", **name))["MaximumRetryAttempts"] == 1
    assert (await embedded.call("get_function_recursion_config", **name))["RecursiveLoop"] == "Allow"
    assert (await embedded.call("get_runtime_management_config", **name))["UpdateRuntimeOn"] == "FunctionUpdate"
    assert json.loads((await embedded.call("get_policy", **name))["Policy"])["Statement"][0]["Sid"] == "s"


def _listed() -> float:
    """How often LambdaFunctions were listed so far."""
    samples = (sample for metric in REGISTRY.collect() for sample in metric.samples)
    requests = (sample for sample in samples if sample.name == "lambent_kubeserver_requests_total")
    of_functions = {"verb": "list", "resource": "lambdafunctions"}
    return sum(sample.value for sample in requests if of_functions.items() <= sample.labels.items())


async def _apply(service: Service, obj: KubeObject) -> None:
    await service.kube.apply(obj, manager="kubectl")
    await _settled(service)


async def _settled(service: Service) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            status = (await service.kube.get(FUNCTION, "hello", namespace="default")).get("status", {})
            if "state" in status:
                return status
            await asyncio.sleep(0.01)


async def _exists(service: Service) -> bool:
    try:
        await service.kube.get(FUNCTION, "hello", namespace="default")
    except NotFound:
        return False
    return True
