"""A set of keys that wait to be looked at: what wakes the server's own background loops.

A key that is added while it is being worked on comes again. Bounded by the number of distinct keys (objects).
"""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Inbox(Generic[K]):
    def __init__(self) -> None:
        self._keys: dict[K, None] = {}
        self._filled = asyncio.Event()

    def add(self, key: K) -> None:
        self._keys[key] = None
        self._filled.set()

    def add_later(self, key: K, after_s: float) -> None:
        asyncio.get_running_loop().call_later(after_s, self.add, key)

    async def take(self) -> K:
        """The oldest key, removed."""
        while not self._keys:
            self._filled.clear()
            await self._filled.wait()
        key = next(iter(self._keys))
        del self._keys[key]
        return key
