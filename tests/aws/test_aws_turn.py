"""moto is not thread-safe; whoever asks the embedded AWS from many threads must not notice."""

import asyncio
import json
import time

import pytest

from lambent.aws.clients import AwsClients
from lambent.http import HttpServer, Limits, WsgiService


@pytest.fixture
async def crowded(aws):
    """Clients of the embedded AWS behind eight threads."""
    service = WsgiService(aws.embedded, threads=8)
    server = HttpServer(service, limits=Limits(body=lambda *_: 10**8))
    host, port = await server.startup("127.0.0.1", 0)
    clients = AwsClients(f"http://{host}:{port}", max_attempts=1)
    yield clients
    await clients.aclose()
    await server.shutdown(1)
    await service.shutdown()


async def test_requests_never_meet_inside_moto(aws, crowded, monkeypatch):
    """It looks a role up by going through all of them, and raises when another thread adds one meanwhile."""
    inside, most, moto = 0, 0, aws.embedded._moto

    def counted(environ, start_response):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.002)
        answer = moto(environ, start_response)
        inside -= 1
        return answer

    monkeypatch.setattr(aws.embedded, "_moto", counted)
    names = [f"role-{number}" for number in range(16)]
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    create = (crowded.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust) for name in names)
    await asyncio.gather(*create, *(crowded.call("s3", "ListBuckets") for _ in names))
    found = await asyncio.gather(*(crowded.call("iam", "GetRole", RoleName=name) for name in names))
    assert [answer["Role"]["RoleName"] for answer in found] == names
    assert most == 1


async def test_a_long_poll_lets_everyone_else_in(crowded):
    url = (await crowded.call("sqs", "CreateQueue", QueueName="q"))["QueueUrl"]
    poll = asyncio.create_task(crowded.call("sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20))
    async with asyncio.timeout(15):
        await crowded.call("sqs", "GetQueueUrl", QueueName="q")
        await crowded.call("s3", "ListBuckets")
        await crowded.call("sqs", "SendMessage", QueueUrl=url, MessageBody="come")
        assert [message["Body"] for message in (await poll)["Messages"]] == ["come"]
