"""When a pool starts runtimes: the spawn rule and the brake for functions that cannot start.

Spawn rule: as many as there are waiting events that no idle or nearly free runtime will take, within the concurrency.
Counting runtimes that are about to be free is what keeps strictly sequential calls on one runtime.

Crash loop: from the fifth failed init in a row each new start waits 0.1, 0.2, 0.4 ... 5 s; events that arrive
meanwhile fail at once with the last error. One good init ends it.
"""

import math

from lambent.runtime.outcomes import Failure


def spawn_count(*, waiting: int, idle: int, soon: int, live: int, max_concurrency: int) -> int:
    """Runtimes to start now; `soon` = instances starting, in init, or returning within their grace."""
    return max(0, min(waiting - idle - soon, max_concurrency - live))


class CrashLoop:
    """Failed inits in a row and the pause they cause."""

    def __init__(self, *, after: int, first_s: float = 0.1, longest_s: float) -> None:
        self._after = after
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0
        self._until_s = -math.inf
        self._last: Failure | None = None

    def failed(self, failure: Failure, now_s: float) -> None:
        self._failures += 1
        self._last = failure
        surplus = self._failures - self._after
        if surplus >= 0:
            self._until_s = now_s + min(self._first_s * 2 ** min(surplus, 20), self._longest_s)

    def succeeded(self) -> None:
        self._failures = 0
        self._until_s = -math.inf
        self._last = None

    @property
    def until_s(self) -> float:
        """Loop time before which nothing starts."""
        return self._until_s

    def holds(self, now_s: float) -> bool:
        return now_s < self._until_s

    def verdict(self, now_s: float) -> Failure | None:
        """What an event that arrives now is told; None when runtimes may start."""
        return self._last if self.holds(now_s) else None
