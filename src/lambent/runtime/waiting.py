"""Events in a pool, from arrival to answer, and the line in which they wait for a runtime.

First in, first out, bounded, with one exception: an event whose delivery failed goes back to the front with its
deadline. A caller that leaves the line (cancels) takes its event out in O(1).
"""

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from lambent.runtime.invocation import Event, Result


@dataclass(eq=False, slots=True)
class Invocation:
    """One event with its answer; times are loop time in seconds. `deadline_s` is set at the first hand-over."""

    event: Event
    answer: asyncio.Future[Result]
    arrived_s: float
    handed_s: float = 0.0
    deadline_s: float = math.inf
    token: str = field(default="")

    def settle(self, result: Result) -> None:
        """Gives the answer unless the caller has gone."""
        if not self.answer.done():
            self.answer.set_result(result)

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Gauge(Protocol):
    def inc(self) -> None: ...

    def dec(self) -> None: ...


class Line:
    """The waiting events of a pool; `gauge` shows their number."""

    def __init__(self, limit: int, gauge: Gauge) -> None:
        self._limit = limit
        self._gauge = gauge
        self._events: OrderedDict[Invocation, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def is_full(self) -> bool:
        return len(self._events) >= self._limit

    def join(self, invocation: Invocation) -> None:
        self._events[invocation] = None
        self._gauge.inc()

    def return_to_front(self, invocation: Invocation) -> None:
        self._events[invocation] = None
        self._events.move_to_end(invocation, last=False)
        self._gauge.inc()

    def next(self) -> Invocation | None:
        """The first event whose caller still waits; it leaves the line."""
        while self._events:
            invocation = self._events.popitem(last=False)[0]
            self._gauge.dec()
            if not invocation.answer.done():
                return invocation
        return None

    def leave(self, invocation: Invocation) -> None:
        if invocation in self._events:
            del self._events[invocation]
            self._gauge.dec()

    def take_expired(self, now_s: float) -> list[Invocation]:
        """Events whose callers' time has ended; they leave the line."""
        expired = [each for each in self._events if each.event.deadline_s <= now_s]
        for each in expired:
            self.leave(each)
        return expired

    def take_all(self) -> list[Invocation]:
        everyone = list(self._events)
        for each in everyone:
            self.leave(each)
        return everyone

    def earliest_deadline(self) -> float:
        return min((each.event.deadline_s for each in self._events), default=math.inf)
