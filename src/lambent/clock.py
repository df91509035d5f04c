"""Time: the wall clock that stamps objects, and an event loop whose time tests can run at will.

Code of ours measures with the running loop's `time()` and sleeps with asyncio, so a test that runs on a
`VirtualTimeLoop` passes hours in milliseconds with nothing injected. Only stamps that leave the process (conditions,
leases, log lines) need the wall clock; whoever writes them takes a `WallClock`.
"""

import asyncio
import selectors
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

WallClock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Kubernetes `metav1.Time`: whole seconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(moment: datetime) -> str:
    """Kubernetes `metav1.MicroTime`: six digits, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> datetime:
    """Either form; raises ValueError."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def work_clock() -> Callable[[], float]:
    """Seconds, to measure work that keeps the running loop busy; on virtual time work takes none, so runs repeat."""
    loop = asyncio.get_running_loop()
    return loop.time if isinstance(loop, VirtualTimeLoop) else time.perf_counter


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the loop's clock to it; real I/O that is ready is served first."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.loop.advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` jumps to the next timer as soon as nothing else can run."""

    def __init__(self) -> None:
        self._now_s = 1_000.0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        self._now_s += seconds
