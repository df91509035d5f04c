"""LambdaFunction objects that came through the Kubernetes API: the other door to the same room."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any, cast

from lambent.functions.kinds import FUNCTION
from lambent.kube.errors import NotFound
from lambent.kube.types import KubeObject

from .conftest import ROLE, Service, api_server, running, zip_of

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
