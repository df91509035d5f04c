"""Turns at the event loop: all passes together evaluate for a few milliseconds, then everything else has its turn.

A pass of a huge workflow, or many passes at once, would otherwise keep the loop from its sockets, probes and timers.
Those who wait take turns in the order in which they came, so that a huge pass delays a small one by one piece.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from lambent.clock import work_clock

# Of the 5 ms between two yields the last piece may need some, since none is cut.
SLICE_S = 0.003


class Pacer:
    """One per process. `clock` measures work, in seconds."""

    def __init__(self, slice_s: float = SLICE_S, clock: Callable[[], float] | None = None) -> None:
        self._slice_s = slice_s
        self._clock = clock or work_clock()
        self._turn = asyncio.Lock()
        self._end: float | None = None

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[Callable[[], bool]]:
        """Gives the function that says when the turn is over. Hold it without waiting for anything."""
        async with self._turn:
            if self._is_over():
                await asyncio.sleep(0)
            if self._end is None:
                self._end = self._clock() + self._slice_s
                asyncio.get_running_loop().call_soon(self._renew)
            yield self._is_over

    def _is_over(self) -> bool:
        return self._end is not None and self._clock() >= self._end

    def _renew(self) -> None:
        """The loop has come round."""
        self._end = None
