"""What Invoke answers, request by request, without a socket."""

import base64
import json
from collections.abc import Callable

import orjson
import pytest

from lambent.errors import LambentError
from lambent.http.message import Request, Response
from lambent.invoke import InvokeLimits, InvokeService
from lambent.invoke.fake import FakeDirectory, FakeTransport
from lambent.runtime.errors import LaunchError, PoolClosed, PoolFull
from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.invocation import Event, Result

from .conftest import function, spec_of, target_of

NOT_JSON = "Could not parse request body into json: Could not parse payload into json: "
OTHER_REGION = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
BAD_TYPE = "Value 'Maybe' at 'invocationType'"
PATH = "/2015-03-31/functions/{}/invocations"


def echo(spec: FunctionSpec, event: Event) -> Result:
    return Result(event.payload, log_tail=b"tail of " + event.request_id.encode())


def service(
    handler: Callable[[FunctionSpec, Event], Result] = echo, *, limits: InvokeLimits | None = None, **target
) -> tuple[InvokeService, FakeTransport]:
    directory = FakeDirectory({(function(), None): target_of(function(), **target)})
    directory.targets[function(), "prod"] = target_of(function(), spec=spec_of(function(), version="7"))
    transport = FakeTransport(handler)
    return InvokeService(directory, transport, limits=limits), transport


def post(name: str = "fn", body: bytes = b"{}", *, query: str = "", method: str = "POST", **headers: str) -> Request:
    pairs = [(key.replace("_", "-").lower().encode(), value.encode()) for key, value in headers.items()]
    return Request(method, (PATH.format(name) + query).encode(), pairs, body)


def body_of(response: Response) -> bytes:
    assert isinstance(response.body, bytes)
    return response.body


def header(response: Response, name: bytes) -> str:
    return dict(response.headers)[name].decode()


async def test_payload_and_ids_pass_through() -> None:
    invoke, transport = service()
    response = await invoke(post(body=b' {"a":1}', X_Amzn_Trace_Id="Root=1-a-b"))
    (event,) = transport.events["fn"]
    assert (response.status, response.body, event.payload) == (200, b' {"a":1}', b' {"a":1}')
    assert header(response, b"x-amzn-requestid") == event.request_id
    assert header(response, b"x-amzn-trace-id") == event.trace_id == "Root=1-a-b"
    assert header(response, b"x-amz-executed-version") == "$LATEST"
    assert b"x-amz-log-result" not in dict(response.headers)


async def test_an_error_like_answer_is_a_success_and_an_error_is_told_by_its_path() -> None:
    body = b'{"errorMessage": "just data"}'
    invoke, _ = service(lambda spec, event: Result(body))
    assert b"x-amz-function-error" not in dict((await invoke(post())).headers)
    invoke, _ = service(lambda spec, event: Result(body, is_error=True))
    response = await invoke(post())
    assert (response.status, header(response, b"x-amz-function-error")) == (200, "Unhandled")


async def test_a_log_tail_is_given_only_when_asked_for() -> None:
    invoke, _ = service()
    response = await invoke(post(X_Amz_Log_Type="Tail"))
    tail = base64.b64decode(header(response, b"x-amz-log-result")).decode()
    assert tail == f"tail of {header(response, b'x-amzn-requestid')}"


async def test_an_empty_body_reaches_the_function_as_an_object() -> None:
    invoke, transport = service()
    await invoke(post(body=b""))
    assert transport.events["fn"][0].payload == b"{}"


async def test_a_client_context_reaches_the_function_decoded() -> None:
    invoke, transport = service()
    context = orjson.dumps({"custom": {"a": "b"}})
    await invoke(post(X_Amz_Client_Context=base64.b64encode(context).decode(), X_Amz_Tenant_Id="t1"))
    event = transport.events["fn"][0]
    assert (json.loads(event.client_context), event.tenant_id) == ({"custom": {"a": "b"}}, "t1")


@pytest.mark.parametrize(
    "name", ["fn:prod", "function:fn:prod", f"{function().arn}:prod", "123456789012%3Afunction%3Afn%3Aprod"]
)
async def test_a_qualifier_in_the_name_selects_the_version(name: str) -> None:
    invoke, _ = service()
    assert header(await invoke(post(name)), b"x-amz-executed-version") == "7"


async def test_a_qualifier_in_the_query_selects_the_version() -> None:
    invoke, _ = service()
    assert header(await invoke(post(query="?Qualifier=prod")), b"x-amz-executed-version") == "7"
    assert header(await invoke(post("fn:prod", query="?Qualifier=prod")), b"x-amz-executed-version") == "7"


@pytest.mark.parametrize(
    ("request_", "status", "code", "text"),
    [
        (post("none"), 404, "ResourceNotFoundException", f"Function not found: {function('none').arn}:$LATEST"),
        (post("a" * 65), 404, "ResourceNotFoundException", f"Function not found: {function('a' * 65).arn}:$LATEST"),
        (post(query="?Qualifier=nope"), 404, "ResourceNotFoundException", f"Function not found: {function().arn}:nope"),
        (post("fn:1", query="?Qualifier=2"), 400, "InvalidParameterValueException", "The derived qualifier"),
        (post("my-function!"), 400, "ValidationException", "Value 'my-function!' at 'functionName'"),
        (post(query="?Qualifier=invalid!"), 400, "ValidationException", "Value 'invalid!' at 'qualifier'"),
        (post(query="?Qualifier=" + "a" * 129), 400, "ValidationException", "less than or equal to 128"),
        (post(function(region="eu-west-1").arn), 404, "ResourceNotFoundException", OTHER_REGION),
        (post(function(account="999999999999").arn), 403, "AccessDeniedException", ""),
        (post(body=b"{"), 400, "InvalidRequestContentException", NOT_JSON),
        (post(body=b"n\x87"), 400, "InvalidRequestContentException", NOT_JSON),
        (post(X_Amz_Client_Context="%"), 400, "InvalidRequestContentException", "Client context"),
        (post(X_Amz_Client_Context="A" * 3584), 400, "InvalidRequestContentException", "longer than 3583 bytes"),
        (post(X_Amz_Invocation_Type="Maybe"), 400, "InvalidParameterValueException", BAD_TYPE),
        (post(X_Amz_Log_Type="All"), 400, "InvalidParameterValueException", "Value 'All' at 'logType'"),
        (post(X_Amz_Invocation_Type="Event"), 503, "ServiceException", "The event was not accepted"),
        (post(method="GET"), 405, "MethodNotAllowedException", "Only POST"),
    ],
    ids=lambda value: None if isinstance(value, Request) else str(value)[:30],
)  # fmt: skip
async def test_a_refusal_has_the_form_and_words_of_aws(request_: Request, status: int, code: str, text: str) -> None:
    invoke, transport = service()
    response = await invoke(request_)
    assert (response.status, header(response, b"x-amzn-errortype")) == (status, code)
    body = orjson.loads(body_of(response))
    assert text in (body.get("message") or body.get("Message") or "")
    assert header(response, b"x-amzn-requestid")
    assert not transport.events


@pytest.mark.parametrize(
    ("error", "status", "code", "members"),
    [
        (PoolFull("full"), 429, "TooManyRequestsException", {"Reason", "Type", "message"}),
        (PoolClosed("gone"), 503, "ServiceException", {"Type", "Message"}),
        (LaunchError("no such program"), 502, "InvalidRuntimeException", {"Type", "Message"}),
        (ZeroDivisionError(), 500, "ServiceException", {"Type", "Message"}),
    ],
)
async def test_a_transport_that_refuses_becomes_its_own_error(
    error: Exception, status: int, code: str, members: set[str]
) -> None:
    def refuse(spec: FunctionSpec, event: Event) -> Result:
        raise error

    invoke, _ = service(refuse)
    response = await invoke(post())
    assert (response.status, header(response, b"x-amzn-errortype")) == (status, code)
    assert set(orjson.loads(body_of(response))) == members
    assert (b"retry-after" in dict(response.headers)) == (status in (429, 503))
    assert isinstance(error, LambentError) or b"ZeroDivision" not in body_of(response)


async def test_a_payload_is_refused_one_byte_above_its_limit() -> None:
    invoke, _ = service(limits=InvokeLimits(request=10))
    assert (await invoke(post(body=b'"12345678"'))).status == 200
    response = await invoke(post(body=b'"123456789"'))
    assert (response.status, header(response, b"x-amzn-errortype")) == (413, "RequestEntityTooLargeException")
    assert b"Request must be smaller than 10 bytes for the Invoke operation" in body_of(response)


async def test_a_dry_run_runs_nothing() -> None:
    invoke, transport = service()
    response = await invoke(post(X_Amz_Invocation_Type="DryRun"))
    assert (response.status, response.body, dict(transport.events)) == (204, b"", {})


async def test_a_reservation_of_zero_blocks_every_call() -> None:
    invoke, _ = service(reserved_concurrency=0)
    response = await invoke(post())
    body = orjson.loads(body_of(response))
    assert (response.status, body["message"]) == (429, "Rate Exceeded.")
    assert body["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


async def test_a_slot_is_given_back_whatever_happens() -> None:
    def fail(spec: FunctionSpec, event: Event) -> Result:
        raise PoolFull("full")

    invoke, _ = service(fail, reserved_concurrency=1)
    for _ in range(3):
        assert b"ReservedFunction" not in body_of(await invoke(post()))


async def test_a_pool_that_was_replaced_meanwhile_hands_over_to_its_successor() -> None:
    def closed_once(spec: FunctionSpec, event: Event) -> Result:
        if spec.pool_key.endswith("#1"):
            directory.targets[function(), None] = target_of(function(), spec=spec_of(function(), revision="2"))
            raise PoolClosed("retired")
        return Result(b'"new"')

    directory = FakeDirectory({(function(), None): target_of(function())})
    invoke = InvokeService(directory, FakeTransport(closed_once))
    assert (await invoke(post())).body == b'"new"'


async def test_a_function_that_failed_says_why() -> None:
    invoke, _ = service(spec=None, state="Failed", reason="No such image")
    response = await invoke(post())
    assert (response.status, header(response, b"x-amzn-errortype")) == (409, "ResourceConflictException")
    assert b"No such image" in body_of(response)
