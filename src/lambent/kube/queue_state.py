"""The work queue as a pure state machine: keys and deadlines in, keys out, no clock and no tasks of its own.

Per key exactly one of: absent, waiting(deadline), ready, running, running + again(deadline).

| call | absent | waiting(d) | ready | running |
|---|---|---|---|---|
| add            | ready      | ready              | -     | again(now)        |
| add_after(t)   | waiting(t) | waiting(min(d, t)) | -     | again(min(.., t)) |
| done(deadline) |            |                    |       | ready or waiting(min(deadline, again)), else absent |
| abandon        |            |                    |       | ready             |

The earlier deadline wins, always. A request that comes while its key runs outlives that run. Ready keys leave by
priority (a lower one is passed over seven times in a row, no more), namespaces in turn, first in first out within one.
The asyncio door is `kube.workqueue`.
"""

import heapq
import itertools
import math
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from lambent.kube.types import Key

# Under overload a lower priority gets every eighth turn, so that none waits for ever.
PASSED_OVER = 8


class Phase(Enum):
    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"


@dataclass(slots=True)
class Entry:
    """What is known of one key that is not absent. `deadline` is the wake-up while waiting, `again` while running."""

    phase: Phase
    priority: int
    since: float
    deadline: float = math.inf
    again: float = math.inf
    again_priority: int = 0


class Popped(NamedTuple):
    """A key that runs now, and how long it had been ready."""

    key: Key
    priority: int
    ready_s: float


class _ReadyRing:
    """Ready keys of one priority: namespaces in turn, first in first out within each."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, OrderedDict[Key, None]] = OrderedDict()
        self.size = 0

    def push(self, key: Key) -> None:
        self._turns.setdefault(key.namespace, OrderedDict())[key] = None
        self.size += 1

    def pop(self) -> Key:
        namespace, keys = next(iter(self._turns.items()))
        key, _ = keys.popitem(last=False)
        self.size -= 1
        if keys:
            self._turns.move_to_end(namespace)
        else:
            del self._turns[namespace]
        return key

    def remove(self, key: Key) -> None:
        keys = self._turns[key.namespace]
        del keys[key]
        self.size -= 1
        if not keys:
            del self._turns[key.namespace]


class QueueState:
    """Priorities are 0 (first) to `priorities` - 1. All times are seconds of one monotonic clock."""

    def __init__(self, priorities: int) -> None:
        self.entries: dict[Key, Entry] = {}
        self._rings = [_ReadyRing() for _ in range(priorities)]
        self._timers: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._passed_over = 0

    def add(self, key: Key, now: float, priority: int = 0) -> None:
        entry = self.entries.get(key)
        if entry is None:
            self._make_ready(key, now, priority)
        elif entry.phase is Phase.WAITING:
            self._make_ready(key, now, min(priority, entry.priority))
        elif entry.phase is Phase.RUNNING:
            self._again(entry, now, priority)
        elif priority < entry.priority:
            self._rings[entry.priority].remove(key)
            entry.priority = priority
            self._rings[priority].push(key)

    def add_after(self, key: Key, deadline: float, now: float, priority: int = 0) -> None:
        if deadline <= now:
            self.add(key, now, priority)
            return
        entry = self.entries.get(key)
        if entry is None:
            self._wait(key, deadline, now, priority)
        elif entry.phase is Phase.WAITING and deadline < entry.deadline:
            self._wait(key, deadline, now, min(priority, entry.priority))
        elif entry.phase is Phase.RUNNING:
            self._again(entry, deadline, priority)

    def pop(self, now: float) -> Popped | None:
        """The next key to run, now running; None when none is ready."""
        self.promote(now)
        priority = self._next_priority()
        if priority is None:
            return None
        key = self._rings[priority].pop()
        entry = self.entries[key]
        popped = Popped(key, priority, now - entry.since)
        entry.phase, entry.again, entry.since = Phase.RUNNING, math.inf, now
        return popped

    def _next_priority(self) -> int | None:
        """The first that has ready keys; but each time that so many in a row left before others, the last of them."""
        ready = [priority for priority, ring in enumerate(self._rings) if ring.size]
        if len(ready) < 2:
            self._passed_over = 0
            return ready[0] if ready else None
        self._passed_over = (self._passed_over + 1) % PASSED_OVER
        return ready[0] if self._passed_over else ready[-1]

    def done(self, key: Key, now: float, deadline: float = math.inf, priority: int = 0) -> None:
        """The run is complete; `deadline` is what its outcome asks for, infinite for nothing."""
        entry = self._running(key)
        if entry.again < deadline:
            deadline, priority = entry.again, entry.again_priority
        del self.entries[key]
        if deadline <= now:
            self._make_ready(key, now, priority)
        elif deadline < math.inf:
            self._wait(key, deadline, now, priority)

    def abandon(self, key: Key, now: float) -> None:
        """The run did not complete (cancelled, crashed, leadership lost): its key is ready as before."""
        entry = self._running(key)
        self._make_ready(key, now, entry.priority)

    def promote(self, now: float) -> None:
        """Waiting keys whose deadline has come are ready."""
        while self._timers and (self._timers[0][0] <= now or self._is_stale(self._timers[0])):
            timer = heapq.heappop(self._timers)
            if not self._is_stale(timer):
                key = timer[2]
                self._make_ready(key, now, self.entries[key].priority)

    def next_deadline(self) -> float:
        while self._timers and self._is_stale(self._timers[0]):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else math.inf

    def ready_count(self, priority: int | None = None) -> int:
        if priority is not None:
            return self._rings[priority].size
        return sum([ring.size for ring in self._rings])

    def _running(self, key: Key) -> Entry:
        entry = self.entries.get(key)
        if entry is None or entry.phase is not Phase.RUNNING:
            raise ValueError(f"{key} is not running")
        return entry

    def _again(self, entry: Entry, deadline: float, priority: int) -> None:
        if deadline < entry.again:
            entry.again, entry.again_priority = deadline, priority
        elif deadline == entry.again:
            entry.again_priority = min(priority, entry.again_priority)

    def _make_ready(self, key: Key, now: float, priority: int) -> None:
        self.entries[key] = Entry(Phase.READY, priority, now)
        self._rings[priority].push(key)

    def _wait(self, key: Key, deadline: float, now: float, priority: int) -> None:
        self.entries[key] = Entry(Phase.WAITING, priority, now, deadline)
        heapq.heappush(self._timers, (deadline, next(self._order), key))

    def _is_stale(self, timer: tuple[float, int, Key]) -> bool:
        entry = self.entries.get(timer[2])
        return entry is None or entry.phase is not Phase.WAITING or entry.deadline != timer[0]
