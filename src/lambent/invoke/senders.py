"""Senders to AWS services, over the one client factory, and to another function through our own queue.

The whole loop depth of functions that call each other through destinations is bounded by AWS at 16; here a record that
comes back to a function it has left is delivered as any event.
"""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import orjson

from lambent.aws.arn import FunctionId, parse_function_name
from lambent.aws.errors import AwsError
from lambent.invoke.async_store import StoredEvent
from lambent.invoke.destinations import Sender
from lambent.invoke.records import Attributes

if TYPE_CHECKING:  # the client library takes 300 ms to import, and only who has clients needs it
    from lambent.aws.clients import AwsClients


class SqsSender:
    def __init__(self, clients: "AwsClients") -> None:
        self._clients = clients

    async def send(self, arn: str, body: bytes, *, source: StoredEvent, attributes: Attributes) -> None:
        _, _, _, region, account, name = arn.split(":", 5)
        url = await self._clients.call(
            "sqs", "GetQueueUrl", region=region, QueueName=name, QueueOwnerAWSAccountId=account
        )
        fifo = {"MessageGroupId": source.function, "MessageDeduplicationId": source.request_id}
        await self._clients.call(
            "sqs",
            "SendMessage",
            region=region,
            QueueUrl=url["QueueUrl"],
            MessageBody=body.decode(),
            MessageAttributes=_attributes(attributes),
            **(fifo if name.endswith(".fifo") else {}),
        )


class SnsSender:
    def __init__(self, clients: "AwsClients") -> None:
        self._clients = clients

    async def send(self, arn: str, body: bytes, *, source: StoredEvent, attributes: Attributes) -> None:
        await self._clients.call(
            "sns",
            "Publish",
            region=arn.split(":")[3],
            TopicArn=arn,
            Message=body.decode(),
            MessageAttributes=_attributes(attributes),
        )


class EventBridgeSender:
    def __init__(self, clients: "AwsClients") -> None:
        self._clients = clients

    async def send(self, arn: str, body: bytes, *, source: StoredEvent, attributes: Attributes) -> None:
        """Detail types are AWS's: "Lambda Function Invocation Result - Success" and "- Failure"."""
        condition = orjson.loads(body)["requestContext"]["condition"]
        outcome = "Success" if condition == "Success" else "Failure"
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {outcome}",
            "Detail": body.decode(),
            "EventBusName": arn,
            "Resources": [arn, FunctionId(source.account, source.region, source.function).arn],
        }
        answer = await self._clients.call("events", "PutEvents", region=arn.split(":")[3], Entries=[entry])
        if answer.get("FailedEntryCount"):
            raise AwsError("PutEventsFailed", str(answer["Entries"][0].get("ErrorMessage", "")), operation="PutEvents")


class S3Sender:
    def __init__(self, clients: "AwsClients") -> None:
        self._clients = clients

    async def send(self, arn: str, body: bytes, *, source: StoredEvent, attributes: Attributes) -> None:
        key = f"aws/lambda/async/{source.function}/{source.request_id}.json"
        await self._clients.call("s3", "PutObject", Bucket=arn.rpartition(":")[2], Key=key, Body=body)


class Accepting(Protocol):
    """The part of `asynchronous.Acceptance` that a destination function needs."""

    async def accept(self, request_id: str, function: FunctionId, qualifier: str | None, payload: bytes) -> None: ...


class FunctionSender:
    """Another function as destination: one more event in our queue."""

    def __init__(self, queue: Accepting) -> None:
        self._queue = queue

    async def send(self, arn: str, body: bytes, *, source: StoredEvent, attributes: Attributes) -> None:
        parsed = parse_function_name(arn)
        if parsed is None or parsed.account is None or parsed.region is None:
            raise AwsError("InvalidParameterValueException", f"{arn} is no function")
        target = FunctionId(parsed.account, parsed.region, parsed.name)
        await self._queue.accept(str(uuid.uuid4()), target, parsed.qualifier, body)


def _attributes(attributes: Attributes) -> dict[str, dict[str, str]]:
    return {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in attributes.items()}


def aws_senders(clients: "AwsClients") -> Mapping[str, Sender]:
    """A sender for each AWS service that may be a target."""
    return {
        "sqs": SqsSender(clients),
        "sns": SnsSender(clients),
        "events": EventBridgeSender(clients),
        "s3": S3Sender(clients),
    }
