"""The AWS port decides per request who answers."""

import pytest

from lambent.aws.caller import CallerReader
from lambent.http.message import Request, Response, Service
from lambent.platform.admin import Health
from lambent.platform.aws_port import AwsPort, Internal


def _named(name: str) -> Service:
    async def answer(request: Request) -> Response:
        return Response(200, [], name.encode())

    return answer


def _port() -> AwsPort:
    return AwsPort(
        invoke=_named("invoke"),
        lambda_api=_named("functions"),
        registry=_named("registry"),
        neighbours=_named("moto"),
        internal=Internal(Health(), lambda: {"region": "us-east-1"}, _named("downloads")),
        callers=CallerReader(),
    )


def _signed(service: str) -> list[tuple[bytes, bytes]]:
    scope = f"AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    return [(b"authorization", scope.encode())]


@pytest.mark.parametrize(
    ("method", "target", "service", "who"),
    [
        ("POST", b"/2015-03-31/functions/f/invocations", "lambda", b"invoke"),
        ("POST", b"/2015-03-31/functions/f/invocations?Qualifier=1", "", b"invoke"),
        ("GET", b"/2015-03-31/functions/", "lambda", b"functions"),
        ("GET", b"/2015-03-31/functions/f", "", b"functions"),
        ("GET", b"/v2/", "", b"registry"),
        ("GET", b"/v2/key", "s3", b"moto"),
        ("PUT", b"/bucket", "s3", b"moto"),
        ("GET", b"/health", "s3", b"moto"),
        ("POST", b"/", "iam", b"moto"),
        ("GET", b"/_lambent/artifacts/00", "", b"downloads"),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else str(value) or "unsigned",
)
async def test_each_request_finds_its_part(method: str, target: bytes, service: str, who: bytes) -> None:
    answer = await _port()(Request(method, target, _signed(service) if service else []))
    assert answer.body == who


async def test_wait_scripts_of_others_find_lambda_running() -> None:
    answer = await _port()(Request("GET", b"/_localstack/health", []))
    assert isinstance(answer.body, bytes)
    assert b'"lambda":"running"' in answer.body


async def test_info_says_what_this_is() -> None:
    answer = await _port()(Request("GET", b"/_lambent/info", []))
    assert isinstance(answer.body, bytes)
    assert b'"region":"us-east-1"' in answer.body
