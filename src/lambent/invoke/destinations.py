"""Where the end of an asynchronous event is told: destination, dead-letter queue, or only the log.

| ending | destination | dead-letter target |
|---|---|---|
| success | record to OnSuccess | - |
| any other | record to OnFailure | the original payload with RequestID, ErrorCode, ErrorMessage |

Targets are reached through `Senders`, one per AWS service. Delivery that fails is tried again with backoff for a
bounded time, then logged and counted; it never runs the function again.
Source: AWS Lambda developer guide, "Retaining records of asynchronous invocations", "Dead-letter queues".
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lambent.clock import WallClock, utc_now
from lambent.errors import LambentError
from lambent.invoke.async_store import StoredEvent
from lambent.invoke.directory import Target
from lambent.invoke.records import Attributes, dead_letter_attributes, destination_record
from lambent.invoke.retries import Condition
from lambent.runtime.invocation import Result
from lambent.telemetry import counter

log = logging.getLogger(__name__)

_DROPPED = counter("async_dropped_total", "Asynchronous events that ended without success", ["function", "condition"])
_DELIVERIES = counter(
    "destination_deliveries_total", "Records sent to destinations", ["function", "target_type", "result"]
)
_WAITS_S = (1.0, 5.0, 30.0)  # the event keeps its place in the queue meanwhile, so not for long


@dataclass(frozen=True, slots=True)
class Ending:
    """How an event ended; `result` is None when it never ran, `target` None when the function is gone."""

    event: StoredEvent
    condition: Condition
    invoke_count: int
    result: Result | None = None
    target: Target | None = None


class Sink(Protocol):
    async def deliver(self, ending: Ending) -> None:
        """Never raises an error of a target: what cannot be delivered is counted."""
        ...


class Sender(Protocol):
    """Sends a body to targets of one service."""

    async def send(self, arn: str, body: bytes, *, source: StoredEvent, attributes: Attributes) -> None:
        """Raises `LambentError`. `attributes` are message attributes (dead letters only)."""
        ...


class LogSink:
    """The end of an event without any target: a log line and a counter."""

    async def deliver(self, ending: Ending) -> None:
        if ending.condition == "Success":
            return
        event = ending.event
        _DROPPED.labels(event.function, ending.condition).inc()
        fields = {"function": event.function, "request_id": event.request_id, "attempts": ending.invoke_count}
        log.warning("asynchronous event ended: %s", ending.condition, extra=fields)


class DestinationSink:
    """`senders` by the service in the target's ARN (sqs, sns, events, s3, lambda)."""

    def __init__(self, senders: Mapping[str, Sender], *, clock: WallClock = utc_now) -> None:
        self._senders = senders
        self._clock = clock
        self._log = LogSink()

    async def deliver(self, ending: Ending) -> None:
        await self._log.deliver(ending)
        target = ending.target
        if target is None:
            return
        arn = target.on_success if ending.condition == "Success" else target.on_failure
        if arn:
            record = destination_record(
                ending.event,
                target.arn,
                condition=ending.condition,
                invoke_count=ending.invoke_count,
                result=ending.result,
                now=self._clock(),
            )
            await self._send(arn, record, ending, {})
        if ending.condition != "Success" and target.dead_letter:
            attributes = dead_letter_attributes(ending.event, ending.result, ending.condition)
            await self._send(target.dead_letter, ending.event.payload, ending, attributes)

    async def _send(self, arn: str, body: bytes, ending: Ending, attributes: Attributes) -> None:
        service = arn.split(":")[2] if arn.count(":") > 2 else ""
        outcome = "failed"
        sender = self._senders.get(service)
        for wait_s in (*_WAITS_S, None) if sender else ():
            try:
                assert sender is not None
                await sender.send(arn, body, source=ending.event, attributes=attributes)
            except LambentError as error:
                log.warning("destination %s refused a record: %s", service, error)
                if wait_s is not None:
                    await asyncio.sleep(wait_s)
            else:
                outcome = "sent"
                break
        _DELIVERIES.labels(ending.event.function, service or "unknown", outcome).inc()
