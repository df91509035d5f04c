"""A set of keys that wait to be looked at, and the loop that looks: what drives the server's own background work.

A key that is added while it is being worked on comes again. Bounded by the number of distinct keys (objects).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from lambent.telemetry import counter

log = logging.getLogger(__name__)

_failures = counter("kubeserver_loop_failures_total", "Runs of the API server's own loops that raised.", ["loop"])
_RETRY_S = 1.0  # soon enough for a user to wait for it, rare enough for a fault that stays

K = TypeVar("K", bound=Hashable)


class Inbox(Generic[K]):
    """`name` says whose, in logs and metrics."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._keys: dict[K, None] = {}
        self._filled = asyncio.Event()

    def add(self, key: K) -> None:
        self._keys[key] = None
        self._filled.set()

    async def serve(self, work: Callable[[K], Awaitable[None]]) -> None:
        """Works on one key at a time, for ever; a key whose work fails comes again."""
        loop = asyncio.get_running_loop()
        while True:
            key = await self._take()
            try:
                await work(key)
            except Exception:
                log.exception("background work failed", extra={"loop": self._name, "key": str(key)})
                _failures.labels(self._name).inc()
                loop.call_later(_RETRY_S, self.add, key)

    async def _take(self) -> K:
        while not self._keys:
            self._filled.clear()
            await self._filled.wait()
        key = next(iter(self._keys))
        del self._keys[key]
        return key
