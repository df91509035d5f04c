"""Where the end of an asynchronous event is told.

`Sink` is what the dispatcher needs; `LogSink` is the end of an event without any target: a log line and a counter.
"""

import logging
from dataclasses import dataclass
from typing import Protocol

from lambent.invoke.async_store import StoredEvent
from lambent.invoke.retries import Condition
from lambent.runtime.invocation import Result
from lambent.telemetry import counter

log = logging.getLogger(__name__)

_DROPPED = counter("async_dropped_total", "Asynchronous events that ended without success", ["function", "condition"])


@dataclass(frozen=True, slots=True)
class Ending:
    """How an event ended; `result` is None when it never ran."""

    event: StoredEvent
    condition: Condition
    invoke_count: int
    result: Result | None = None


class Sink(Protocol):
    async def deliver(self, ending: Ending) -> None:
        """Never raises: what cannot be delivered is counted."""
        ...


class LogSink:
    async def deliver(self, ending: Ending) -> None:
        if ending.condition == "Success":
            return
        event = ending.event
        _DROPPED.labels(event.function, ending.condition).inc()
        fields = {"function": event.function, "request_id": event.request_id, "attempts": ending.invoke_count}
        log.warning("asynchronous event dropped: %s", ending.condition, extra=fields)
