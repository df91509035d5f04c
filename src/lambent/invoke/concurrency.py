"""How many invocations run at once: per function within its reservation, the rest within the account's limit.

Counting begins when the router takes an event and ends with its result, sync and async alike; `Slot` gives back what it
took exactly once. Not here: waiting (the pool queues; beyond a limit the caller is told at once).
"""

from collections import Counter
from types import TracebackType

from lambent.invoke import refusals
from lambent.telemetry import counter

_THROTTLES = counter("throttles_total", "Invocations refused for concurrency", ["reason"])

ACCOUNT = "ConcurrentInvocationLimitExceeded"
RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"


class Concurrency:
    """One account and region; `limit` is shared by functions without a reservation."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._unreserved = 0
        self._reserved: Counter[str] = Counter()

    def slot(self, arn: str, reserved: int | None) -> "Slot":
        """Raises TooManyRequestsException when there is none; the slot is a context manager."""
        if reserved is None:
            if self._unreserved >= self._limit:
                raise _throttled(ACCOUNT)
            self._unreserved += 1
        else:
            if self._reserved[arn] >= reserved:
                raise _throttled(RESERVED)
            self._reserved[arn] += 1
        return Slot(self, arn, reserved is not None)

    def give_back(self, arn: str, is_reserved: bool) -> None:
        if not is_reserved:
            self._unreserved -= 1
        elif self._reserved[arn] > 1:
            self._reserved[arn] -= 1
        else:
            del self._reserved[arn]

    @property
    def in_flight(self) -> int:
        return self._unreserved + self._reserved.total()


class Slot:
    __slots__ = ("_arn", "_is_reserved", "_owner")

    def __init__(self, owner: Concurrency, arn: str, is_reserved: bool) -> None:
        self._owner = owner
        self._arn = arn
        self._is_reserved = is_reserved

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owner.give_back(self._arn, self._is_reserved)


def _throttled(reason: str) -> Exception:
    _THROTTLES.labels(reason).inc()
    return refusals.throttled(reason)
