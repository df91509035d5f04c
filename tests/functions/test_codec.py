"""The codec against the service model: routes, types, validation texts, errors as SDKs see them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import botocore.awsrequest
import botocore.parsers
import pytest
import yaml

from lambent.aws.answers import encode_error
from lambent.aws.errors import ServiceError
from lambent.aws.service_model import lambda_model
from lambent.functions.codec import Router, parse_parameters, serialise, validate
from lambent.functions.operations import HANDLERS
from lambent.http.message import Request

from .conftest import Service

MODEL = lambda_model()
ROUTER = Router(MODEL)


def _target(name: str) -> bytes:
    """A request target of the operation with `x` for each parameter."""
    uri = MODEL.operation_model(name).http["requestUri"]
    path, _, query = uri.partition("?")
    parts = ["x" if part.startswith("{") else part for part in path.split("/")]
    return ("/".join(parts) + (f"?{query}" if query else "")).encode()


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_every_modelled_operation_has_its_route(name: str) -> None:
    method = MODEL.operation_model(name).http["method"]
    assert ROUTER.match(method, _target(name)).operation == name
    assert ROUTER.knows(_target(name))


async def test_an_operation_without_a_handler_answers_501_and_never_an_empty_200(service: Service) -> None:
    for name in MODEL.operation_names:
        if name in HANDLERS or name.startswith("Invoke"):
            continue
        request = Request(MODEL.operation_model(name).http["method"], _target(name), [], b"{}")
        response = await service.handle(request)
        assert (response.status, dict(response.headers)[b"x-amzn-errortype"]) == (501, b"NotImplementedException"), name


async def test_an_unknown_path_is_404_and_a_wrong_method_405(service: Service) -> None:
    unknown = await service.handle(Request("GET", b"/2015-03-31/nothing", []))
    assert (unknown.status, dict(unknown.headers)[b"x-amzn-errortype"]) == (404, b"UnknownOperationException")
    wrong = await service.handle(Request("PATCH", b"/2015-03-31/functions", []))
    assert wrong.status == 405
    assert b"GET, POST" in wrong.body


@pytest.mark.parametrize("shape", [s for s in MODEL.error_shapes if s.metadata.get("exception")], ids=lambda s: s.name)
def test_each_modelled_error_reads_back_with_its_message(shape: Any) -> None:
    capital = "Message" in shape.members
    status = shape.metadata.get("error", {}).get("httpStatusCode", 500)
    error = ServiceError(shape.name, "what happened", status=status, capital_message=capital)
    code, headers, body = encode_error(error, "rid")
    raw = {
        "status_code": code,
        "headers": botocore.awsrequest.HeadersDict({k.decode(): v.decode() for k, v in headers}),
        "body": body,
    }
    parsed = botocore.parsers.RestJSONParser().parse(raw, shape)
    assert parsed["Message" if capital else "message"] == "what happened"
    assert json.loads(body)["Type"] == ("User" if status < 500 else "Service")


with Path(__file__).with_name("violations.yaml").open() as _file:
    VIOLATIONS = yaml.load(_file, yaml.CSafeLoader)


@pytest.mark.parametrize("case", VIOLATIONS, ids=lambda case: case["name"])
def test_a_violation_is_told_in_the_words_of_aws(case: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as caught:
        validate(MODEL.operation_model(case["operation"]).input_shape, case["parameters"])
    problems = case["problems"]
    noun = "error" if len(problems) == 1 else "errors"
    expected = f"{len(problems)} validation {noun} detected: " + "; ".join(problems)
    assert (caught.value.code, caught.value.message) == ("ValidationException", expected)


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"Timeout": "three"}', b'{"Timeout": true}', b'{"Layers": {}}', b'{"ZipFile": "%"}']
)
def test_a_value_of_another_type_cannot_be_read(body: bytes) -> None:
    matched = ROUTER.match("PUT", b"/2015-03-31/functions/f/configuration")
    shape = MODEL.operation_model("UpdateFunctionConfiguration").input_shape
    if b"ZipFile" in body:
        shape = MODEL.operation_model("UpdateFunctionCode").input_shape
    with pytest.raises(ServiceError, match=r"must be|Could not parse") as caught:
        parse_parameters(shape, matched, lambda name: b"", body)
    assert caught.value.code == "SerializationException"


def test_parameters_come_from_path_query_header_and_body() -> None:
    matched = ROUTER.match("POST", b"/2015-03-31/functions/a%3Ab/invocations?Qualifier=1%2B")
    shape = MODEL.operation_model("Invoke").input_shape
    found = parse_parameters(shape, matched, lambda name: b"Tail" if name == b"x-amz-log-type" else b"", b"raw")
    assert found == {"FunctionName": "a:b", "Qualifier": "1+", "LogType": "Tail", "Payload": b"raw"}


def test_absent_members_are_left_out_of_an_answer() -> None:
    operation = MODEL.operation_model("GetFunctionConcurrency")
    status, _, body = serialise(operation, {"ReservedConcurrentExecutions": None})
    assert (status, body) == (200, b"{}")


async def test_a_quote_in_a_name_does_not_break_the_answer(service: Service) -> None:
    answers = await asyncio.gather(
        *(service.handle(Request("GET", f"/2015-03-31/functions/{name}".encode(), [])) for name in ("%22", "a%0Ab"))
    )
    assert [json.loads(answer.body)["message"].startswith("1 validation error") for answer in answers] == [True, True]
