"""A function from CreateFunction to DeleteFunction, driven by boto3 over the real HTTP server."""

import asyncio
import hashlib
import json
from base64 import b64encode

import pytest

from lambent.aws.arn import FunctionId
from lambent.functions import reset
from lambent.functions.fake import Refused
from lambent.functions.kinds import FUNCTION, object_name
from lambent.kube.errors import NotFound
from lambent.runtime.invocation import Result

from .conftest import Service, zip_of

ARN = "arn:aws:lambda:us-east-1:123456789012:function:fn"


async def test_a_created_function_is_pending_then_active(service: Service) -> None:
    created = await service.create()
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
    assert "LastUpdateStatus" not in created
    assert created["CodeSha256"] == b64encode(hashlib.sha256(zip_of()).digest()).decode()
    await service.wait("function_active_v2", FunctionName="fn")
    found = await service.call("get_function", FunctionName="fn")
    assert found["Configuration"]["LastUpdateStatus"] == "Successful"
    assert found["Configuration"]["FunctionArn"] == ARN
    assert found["Configuration"]["RevisionId"] != created["RevisionId"]


async def test_an_active_function_answers_with_its_own_event(service: Service) -> None:
    await service.active()
    answer = await service.call("invoke", FunctionName="fn", Payload=b'{"a": [1, 2]}')
    assert json.loads(answer["Payload"].read())["event"] == {"a": [1, 2]}
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseMetadata"]["RequestId"] == service.executor.events[0].request_id


async def test_an_invocation_of_a_pending_function_waits_for_it(service: Service) -> None:
    service.executor.gate.clear()
    await service.create()
    waiting = asyncio.create_task(service.call("invoke", FunctionName="fn", Payload=b"1"))
    updating = await service.failure("update_function_configuration", FunctionName="fn", Timeout=9)
    assert updating[0] == 409
    assert updating[2].endswith("The function is currently in the following state: Pending")
    assert not waiting.done()
    service.executor.gate.set()
    assert (await waiting)["StatusCode"] == 200


async def test_the_former_code_serves_until_the_new_one_is_ready(service: Service) -> None:
    await service.active()
    new = zip_of("def handler(event, context): return 2")
    service.executor.gate.clear()
    updated = await service.call("update_function_code", FunctionName="fn", ZipFile=new)
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert await _code_that_runs(service) == hashlib.sha256(zip_of()).hexdigest()
    status, code, text = await service.failure("update_function_configuration", FunctionName="fn", Timeout=9)
    assert (status, code) == (409, "ResourceConflictException")
    assert text.endswith(f"An update is in progress for resource: {ARN}")
    service.executor.gate.set()
    await service.wait("function_updated_v2", FunctionName="fn")
    await _eventually(lambda: _runs(service, hashlib.sha256(new).hexdigest()))


async def test_code_that_the_back_end_refuses_leaves_the_former_serving(service: Service) -> None:
    await service.active()
    service.executor.refusal = Refused("InvalidZipFileException", "no such file")
    await service.call("update_function_code", FunctionName="fn", ZipFile=zip_of("x = 1"))
    with pytest.raises(Exception, match="terminal failure state"):
        await service.wait("function_updated_v2", FunctionName="fn")
    found = await service.call("get_function_configuration", FunctionName="fn")
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Failed")
    assert found["LastUpdateStatusReason"] == "no such file"
    assert await _code_that_runs(service) == hashlib.sha256(zip_of()).hexdigest()


async def test_a_function_whose_code_is_refused_fails_its_waiter_and_its_invocations(service: Service) -> None:
    service.executor.refusal = Refused("InvalidImage", "not for this machine")
    await service.create()
    with pytest.raises(Exception, match="terminal failure state"):
        await service.wait("function_active_v2", FunctionName="fn")
    status, code, text = await service.failure("invoke", FunctionName="fn")
    assert (status, code) == (409, "ResourceConflictException")
    assert "not for this machine" in text


async def test_a_configuration_update_changes_only_what_is_given(service: Service) -> None:
    await service.active(Environment={"Variables": {"AB": "1"}}, Timeout=7)
    updated = await service.call("update_function_configuration", FunctionName="fn", MemorySize=256)
    assert (updated["Timeout"], updated["MemorySize"]) == (7, 256)
    assert updated["Environment"] == {"Variables": {"AB": "1"}}


async def test_a_deleted_function_is_gone_and_its_environments_stop(service: Service) -> None:
    await service.active()
    answer = await service.call("delete_function", FunctionName="fn")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert (await service.failure("get_function", FunctionName="fn"))[2] == f"Function not found: {ARN}"
    await _eventually(lambda: _is_gone(service))
    assert not service.executor.prepared
    assert (await service.failure("invoke", FunctionName="fn"))[2] == f"Function not found: {ARN}:$LATEST"


async def test_fifty_updates_with_one_revision_succeed_once(service: Service) -> None:
    await service.active()
    revision = (await service.call("get_function_configuration", FunctionName="fn"))["RevisionId"]
    calls = [_attempt(service, revision, f"change {number}") for number in range(50)]
    outcomes = await asyncio.gather(*calls)
    assert set(outcomes) <= {200, 409, 412}
    assert outcomes.count(200) == 1


async def _attempt(service: Service, revision: str, text: str) -> int:
    try:
        await service.call("update_function_configuration", FunctionName="fn", Description=text, RevisionId=revision)
    except service.client.exceptions.PreconditionFailedException:
        return 412
    except service.client.exceptions.ResourceConflictException:
        return 409
    return 200


async def _code_that_runs(service: Service) -> str:
    answer = await service.call("invoke", FunctionName="fn")
    return str(json.loads(answer["Payload"].read())["code"])


async def _runs(service: Service, sha256: str) -> bool:
    return await _code_that_runs(service) == sha256


async def _is_gone(service: Service) -> bool:
    name = object_name(FunctionId("123456789012", "us-east-1", "fn"))
    try:
        await service.kube.get(FUNCTION, name, namespace="default")
    except NotFound:
        return True
    return False


async def _eventually(check) -> None:
    async with asyncio.timeout(2):
        while not await check():  # noqa: ASYNC110 - what is awaited is an answer of the API, not an event
            await asyncio.sleep(0)


async def test_a_reset_leaves_nothing(service: Service) -> None:
    await service.active(Publish=True)
    await service.call("create_alias", FunctionName="fn", Name="prod", FunctionVersion="1")
    for _ in range(2):
        await reset(service.backend.store, service.backend.artifacts)
        assert (await service.call("list_functions", FunctionVersion="ALL"))["Functions"] == []
    assert not service.executor.prepared
    await service.active()


async def test_a_response_stream_ends_with_its_completion(service: Service) -> None:
    await service.active()
    answer = await service.call("invoke_with_response_stream", FunctionName="fn", Payload=b'{"a": 1}', LogType="Tail")
    events = [event async for event in _events(answer["EventStream"])]
    assert json.loads(events[0]["PayloadChunk"]["Payload"])["event"] == {"a": 1}
    assert set(events[-1]["InvokeComplete"]) == {"LogResult"}
    assert answer["ExecutedVersion"] == "$LATEST"
    service.executor.handler = lambda spec, event: Result(b'{"errorType": "E"}', is_error=True)
    answer = await service.call("invoke_with_response_stream", FunctionName="fn")
    (failed,) = [event async for event in _events(answer["EventStream"])]
    assert failed["InvokeComplete"] == {"ErrorCode": "Unhandled", "ErrorDetails": '{"errorType": "E"}'}


async def _events(stream):
    """botocore's blocking iterator, read in a thread; it checks every checksum."""
    for event in await asyncio.to_thread(list, stream):
        yield event


async def test_a_function_made_since_under_the_name_of_a_deleted_one_stays(service: Service) -> None:
    await service.active()
    id_ = FunctionId("123456789012", "us-east-1", "fn")
    former = await service.backend.store.get(id_)
    await service.call("delete_function", FunctionName="fn")
    await service.create()
    await service.backend.store.delete(former.obj)
    assert (await service.backend.store.get(id_)).obj["metadata"]["uid"] != former.obj["metadata"]["uid"]
