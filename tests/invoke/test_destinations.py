"""Where the end of an asynchronous event is told, and in which words."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from lambent.aws.errors import AwsError
from lambent.invoke import AsyncQueue, EventStore, InlineRunner
from lambent.invoke.async_store import StoredEvent
from lambent.invoke.fake import FakeDirectory, FakeTransport
from lambent.invoke.records import Attributes
from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.invocation import Event, Result

from .conftest import function, target_of

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
OTHER = function("other").arn
ARN = function().arn


class Mailbox:
    """A sender that keeps what it is sent; the first `refusals` attempts fail."""

    def __init__(self, refusals: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.attributes: list[Attributes] = []
        self.arrived = asyncio.Event()
        self._refusals = refusals

    async def send(self, arn: str, body: bytes, *, source: StoredEvent, attributes: Attributes) -> None:
        assert arn == QUEUE
        if self._refusals:
            self._refusals -= 1
            raise AwsError("ServiceUnavailable", "not now")
        self.bodies.append(body)
        self.attributes.append(attributes)
        self.arrived.set()


def _now() -> datetime:
    return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)


def failing(spec: FunctionSpec, event: Event) -> Result:
    return Result(b'{"errorMessage": "no", "errorType": "E"}', is_error=True, error_type="E")


@contextlib.asynccontextmanager
async def running(path: Path, handler: Any, mailbox: Mailbox, **target: Any) -> AsyncIterator[FakeTransport]:
    directory = FakeDirectory({(function(), None): target_of(function(), **target)})
    directory.targets[function("other"), None] = target_of(function("other"))
    transport = FakeTransport(handler)
    store = EventStore(path / "async.db")
    queue = AsyncQueue(InlineRunner(store), directory, transport, senders={"sqs": mailbox}, clock=_now)
    task = asyncio.create_task(queue.run())
    await queue.accept("r1", function(), None, b'{"n": 1}')
    try:
        yield transport
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()


async def test_a_success_is_told_with_both_payloads(tmp_path: Path) -> None:
    mailbox = Mailbox()
    async with running(tmp_path, lambda spec, event: Result(b'{"ok": true}'), mailbox, on_success=QUEUE):
        await mailbox.arrived.wait()
    record = orjson.loads(mailbox.bodies[0])
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": "r1",
            "functionArn": f"{ARN}:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"n": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"ok": True},
    }


async def test_retries_that_are_used_up_count_three_and_name_the_error(tmp_path: Path) -> None:
    mailbox = Mailbox()
    async with running(tmp_path, failing, mailbox, on_failure=QUEUE):
        await mailbox.arrived.wait()
    record = orjson.loads(mailbox.bodies[0])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "no"


async def test_an_event_that_never_ran_has_no_response(tmp_path: Path) -> None:
    mailbox = Mailbox()
    async with running(tmp_path, failing, mailbox, on_failure=QUEUE, reserved_concurrency=0):
        await mailbox.arrived.wait()
    record = orjson.loads(mailbox.bodies[0])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record
    assert "responsePayload" not in record


async def test_a_dead_letter_is_the_original_payload_with_attributes(tmp_path: Path) -> None:
    mailbox = Mailbox()
    async with running(tmp_path, failing, mailbox, dead_letter=QUEUE, max_retry_attempts=0):
        await mailbox.arrived.wait()
    assert mailbox.bodies == [b'{"n": 1}']
    assert mailbox.attributes[0] == {
        "RequestID": ("String", "r1"),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "no"),
    }


async def test_a_target_that_refuses_is_asked_again_and_the_function_is_not(tmp_path: Path) -> None:
    mailbox = Mailbox(refusals=2)
    async with running(tmp_path, lambda spec, event: Result(b"1"), mailbox, on_success=QUEUE) as transport:
        await mailbox.arrived.wait()
    assert len(transport.events["fn"]) == 1
    assert len(mailbox.bodies) == 1


async def test_another_function_gets_the_record_as_its_event(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    def handler(spec: FunctionSpec, event: Event) -> Result:
        if spec.name == "other":
            arrived.set()
        return Result(b"1")

    async with running(tmp_path, handler, Mailbox(), on_success=OTHER) as transport:
        await arrived.wait()
    (event,) = transport.events["other"]
    assert orjson.loads(event.payload)["requestContext"]["requestId"] == "r1"
    assert event.request_id != "r1"
