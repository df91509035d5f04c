"""The work queue: keys to reconcile, never events. One per controller.

`kube.queue_state` holds the rules; this is its asyncio door: the loop's clock, one timer for the earliest deadline,
waiting workers, failure counts and the retry delay (0.2 s x 2^n, at most 5 min, +-10 % jitter). Bounded by the number
of keys. Only `Done` and `Wait` reset a key's failure count, so an early wake-up does not shorten its backoff.
"""

import asyncio
import math
import random
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from lambent.kube import metrics
from lambent.kube.outcome import Done, Fail, Outcome, Retry, Wait
from lambent.kube.queue_state import Phase, QueueState
from lambent.kube.tokens import TokenBucket
from lambent.kube.types import Key

PRIORITIES = ("live", "resync")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delay before the next run after n failures, n from 1."""

    first_s: float = 0.2
    cap_s: float = 300.0
    jitter: float = 0.1
    # From the process' own generator, so that a seeded test repeats.
    rng: random.Random = field(default_factory=lambda: random.Random(random.random()))

    def delay_s(self, failures: int) -> float:
        exact = min(self.cap_s, self.first_s * 2.0 ** min(failures - 1, 40))
        return exact * self.rng.uniform(1 - self.jitter, 1 + self.jitter)


class QueueClosed(Exception):
    """`get` after `close`: no more runs."""


class WorkQueue:
    """Ready keys leave by priority (the order of `priorities`), namespaces in turn, first in first out within one."""

    def __init__(
        self,
        name: str = "queue",
        *,
        priorities: Sequence[str] = PRIORITIES,
        backoff: Backoff | None = None,
        rate_per_s: float | None = None,
    ) -> None:
        """`rate_per_s` bounds all runs together, with bursts of one second's worth; None: no bound."""
        self.name = name
        self.priorities = tuple(priorities)
        self._backoff = backoff or Backoff()
        self._rate_per_s = rate_per_s
        self._tokens: TokenBucket | None = None
        self._state = QueueState(len(self.priorities))
        self._failures: dict[Key, int] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.Handle | None = None
        self._timer_at = math.inf
        self._is_closed = False
        self._waits = [metrics.QUEUE_WAIT_SECONDS.labels(name, label) for label in self.priorities]
        self._retries = [metrics.QUEUE_RETRIES.labels(name, label) for label in self.priorities]
        self._loop: asyncio.AbstractEventLoop | None = None
        for index, label in enumerate(self.priorities):
            metrics.QUEUE_OLDEST_SECONDS.labels(name, label).set_function(partial(_oldest_s, name, label))
            metrics.QUEUE_DEPTH.labels(name, label).set_function(partial(_depth, name, index))
        self.show()

    def show(self) -> None:
        """Counts in the metrics of its name, with the queues of other shards in this process."""
        _shown.setdefault(self.name, weakref.WeakSet()).add(self)

    def hide(self) -> None:
        """Nobody works on it any more."""
        _shown[self.name].discard(self)

    def add(self, key: Key, priority: str = "live") -> None:
        """Run as soon as a worker is free; while the key runs: again right after."""
        self._state.add(key, _now(), self.priorities.index(priority))
        self._settle()

    def add_after(self, key: Key, delay_s: float, priority: str = "live") -> None:
        """Run in `delay_s` at the latest; an earlier deadline stays."""
        now = _now()
        self._state.add_after(key, now + delay_s, now, self.priorities.index(priority))
        self._settle()

    async def get(self) -> Key:
        """The next key, now running; every `get` is answered by one `done` or `abandon`. Raises QueueClosed."""
        while not self._is_closed:
            await self._wait_for_token()
            if (popped := self._state.pop(_now())) is not None:
                self._waits[popped.priority].observe(popped.ready_s)
                self._settle()
                return popped.key
            await self._wait_for_ready()
        raise QueueClosed(self.name)

    def done(self, key: Key, outcome: Outcome, *, counts: bool = True) -> None:
        """The run is complete. `counts=False`: a Retry that is nobody's failure (a lost race), retried soon."""
        deadline = self._deadline(key, outcome, counts=counts)
        self._state.done(key, _now(), deadline)
        self._settle()

    def abandon(self, key: Key) -> None:
        """The run was cancelled or lost: the key is ready again, nothing is forgotten."""
        self._state.abandon(key, _now())
        self._settle()

    def failures(self, key: Key) -> int:
        """Runs of this key that failed since the last success."""
        return self._failures.get(key, 0)

    def close(self) -> None:
        """No new runs: `get` raises QueueClosed. Keys stay known."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for getter in self._getters:
            if not getter.done():
                getter.set_result(None)

    def running(self) -> list[Key]:
        return [key for key, entry in self._state.entries.items() if entry.phase is Phase.RUNNING]

    def depth(self) -> int:
        """Keys that are ready."""
        self._state.promote(_now())
        return self._state.ready_count()

    def oldest_s(self, priority: str | None = None) -> float:
        """How long the oldest ready key (of one priority) has been ready."""
        wanted = None if priority is None else self.priorities.index(priority)
        ready = (entry for entry in self._state.entries.values() if entry.phase is Phase.READY)
        since = min((entry.since for entry in ready if wanted in (None, entry.priority)), default=None)
        return 0.0 if since is None or self._loop is None else self._loop.time() - since

    def __len__(self) -> int:
        """Keys that are not absent."""
        return len(self._state.entries)

    def _deadline(self, key: Key, outcome: Outcome, *, counts: bool) -> float:
        match outcome:
            case Done():
                self._failures.pop(key, None)
                return math.inf
            case Wait(after_s=after_s):
                self._failures.pop(key, None)
                return _now() + after_s
            case Fail():
                return math.inf
            case Retry(after_s=after_s):
                return _now() + self._retry_delay_s(key, after_s, counts=counts)
        assert_never(outcome)

    def _retry_delay_s(self, key: Key, after_s: float | None, *, counts: bool) -> float:
        self._retries[self._state.entries[key].priority].inc()
        failures = self._failures.get(key, 0) + 1 if counts else 1
        if counts:
            self._failures[key] = failures
        return after_s if after_s is not None else self._backoff.delay_s(failures)

    async def _wait_for_token(self) -> None:
        """Only a key that is ready costs a token."""
        if self._rate_per_s is None or not self._state.ready_count():
            return
        if self._tokens is None:
            self._tokens = TokenBucket(self._rate_per_s, max(1.0, self._rate_per_s))
        await asyncio.sleep(self._tokens.reserve_s())

    async def _wait_for_ready(self) -> None:
        getter = asyncio.get_running_loop().create_future()
        self._getters.append(getter)
        try:
            await getter
        except asyncio.CancelledError:
            if getter.done() and not getter.cancelled():
                self._settle()
            raise
        finally:
            if getter in self._getters:
                self._getters.remove(getter)

    def _settle(self) -> None:
        """Wakes as many workers as keys are ready and sets the timer to the earliest deadline."""
        self._loop = asyncio.get_running_loop()
        self._state.promote(_now())
        for _ in range(self._state.ready_count()):
            while self._getters and self._getters[0].done():
                self._getters.popleft()
            if not self._getters:
                break
            self._getters.popleft().set_result(None)
        self._set_timer()

    def _set_timer(self) -> None:
        deadline = self._state.next_deadline()
        if self._timer is not None:
            # Not the handle's own `when`: uvloop gives a plain handle for a moment that has come.
            if self._timer_at == deadline:
                return
            self._timer.cancel()
            self._timer = None
        if deadline < math.inf and not self._is_closed:
            self._timer_at = deadline
            self._timer = asyncio.get_running_loop().call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._settle()


# The metric of a name outlives each of its queues.
_shown: dict[str, "weakref.WeakSet[WorkQueue]"] = {}


def _oldest_s(name: str, priority: str) -> float:
    return max((queue.oldest_s(priority) for queue in _shown[name]), default=0.0)


def _depth(name: str, priority: int) -> float:
    """Asked for far more rarely than a depth changes."""
    return sum(queue._state.ready_count(priority) for queue in _shown[name])


def _now() -> float:
    return asyncio.get_running_loop().time()
