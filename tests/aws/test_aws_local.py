"""Clients that reach the embedded AWS without a socket see what those on the wire see."""

import asyncio
from datetime import UTC, datetime

import pytest

from lambent.aws.clients import AwsClients, Credentials
from lambent.aws.errors import AwsError
from lambent.http import HttpServer, WsgiService
from lambent.platform.clients import send_to


@pytest.fixture
async def local(aws):
    """`local(...)` gives clients without a socket, of an AWS whose port is never opened."""
    service = WsgiService(aws.embedded)
    server = HttpServer(service)
    opened = []

    def clients(access_key: str = "test") -> AwsClients:
        opened.append(
            AwsClients("http://127.0.0.1:9", credentials=Credentials(access_key), send=send_to(server), max_attempts=1)
        )
        return opened[-1]

    yield clients
    for each in opened:
        await each.aclose()
    await service.shutdown()


async def test_an_object_goes_both_ways_with_its_metadata(aws, local):
    here, wire = local(), aws.clients()
    await here.call("s3", "CreateBucket", Bucket="docs")
    key, body = "a b/ä+c%2F", bytes(range(256)) * 300
    await here.call("s3", "PutObject", Bucket="docs", Key=key, Body=body, Metadata={"a_b": "c"})
    for clients in (here, wire):
        answer = await clients.call("s3", "GetObject", Bucket="docs", Key=key)
        async with answer["Body"] as stream:
            assert b"".join([chunk async for chunk in stream.iter_chunks(4096)]) == body
        assert answer["Metadata"] == {"a_b": "c"}


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("iam", "GetRole", {"RoleName": "absent"}, "NoSuchEntity"),
        ("s3", "HeadBucket", {"Bucket": "absent"}, "404"),
        ("sqs", "GetQueueUrl", {"QueueName": "absent"}, "NonExistentQueue"),
        ("iam", "GetRole", {}, "ParamValidationError"),
    ],
)
async def test_a_refusal_is_the_same_error(aws, local, service, operation, params, code):
    told = []
    for clients in (local(), aws.clients()):
        with pytest.raises(AwsError) as refused:
            await clients.call(service, operation, **params)
        told.append((refused.value.code, refused.value.status, refused.value.message))
    assert told[0] == told[1]
    assert code in told[0][0]


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-11-21T09:03:48Z", datetime(2026, 11, 21, 9, 3, 48, tzinfo=UTC)),
        ("2026-11-21T09:03:48.25Z", datetime(2026, 11, 21, 9, 3, 48, 250_000, tzinfo=UTC)),
        ("2026-11-21T10:03:48+01:00", datetime(2026, 11, 21, 9, 3, 48, tzinfo=UTC)),
        ("Sat, 21 Nov 2026 09:03:48 GMT", datetime(2026, 11, 21, 9, 3, 48, tzinfo=UTC)),
        ("1795251828", datetime(2026, 11, 21, 9, 3, 48, tzinfo=UTC)),
    ],
)
async def test_a_time_is_read_in_every_form_of_aws(told, meant):
    body = f"<R><GetRoleResult><Role><CreateDate>{told}</CreateDate></Role></GetRoleResult></R>".encode()

    async def send(*request):
        return 200, [], body

    answer = await AwsClients("http://127.0.0.1:9", send=send).call("iam", "GetRole", RoleName="r")
    assert answer["Role"]["CreateDate"] == meant


async def test_account_and_region_are_those_of_the_scope(local):
    other = local("111122223333")
    assert (await other.call("sts", "GetCallerIdentity"))["Account"] == "111122223333"
    url = (await other.call("sqs", "CreateQueue", region="eu-west-1", QueueName="q"))["QueueUrl"]
    assert "111122223333" in url
    assert "QueueUrls" not in await other.call("sqs", "ListQueues", region="us-east-1")


async def test_what_a_service_raises_stays_with_the_service(caplog):
    async def broken(request):
        raise ZeroDivisionError

    server = HttpServer(broken)
    clients = AwsClients("http://127.0.0.1:9", send=send_to(server), max_attempts=1)
    with pytest.raises(AwsError) as refused:
        await clients.call("iam", "ListRoles")
    assert refused.value.code == "ResponseParserError"
    assert "the service failed" in caplog.text
    await clients.aclose()


async def test_a_caller_that_gives_up_is_not_held():
    async def never(request):
        await asyncio.Event().wait()

    clients = AwsClients("http://127.0.0.1:9", send=send_to(HttpServer(never)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await clients.call("iam", "ListRoles")
    await clients.aclose()
