"""Controllers of a process under one task group.

A controller that ends by itself ends the daemon (`serve` raises), since a platform with a dead part must not look
alive.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger(__name__)


class Runnable(Protocol):
    """A controller: `run` until cancelled, `shutdown` drains it."""

    async def run(self) -> None: ...

    async def shutdown(self, drain_s: float) -> object: ...


class Controllers:
    """Runs controllers side by side; the first that fails ends them all."""

    def __init__(self, controllers: Sequence[Runnable], *, drain_s: float) -> None:
        self._controllers = controllers
        self._drain_s = drain_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="controllers")

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for controller in self._controllers:
                group.create_task(controller.run())

    async def serve(self) -> None:
        """Returns, or raises, when they have ended."""
        assert self._task is not None
        await asyncio.shield(self._task)

    async def shutdown(self, *, at_once: bool = False) -> None:
        """Lets runs in progress end within the bound (unless at once), then cancels, also when cancelled itself."""
        if self._task is None:
            return
        try:
            if not self._task.done():
                drain_s = 0.0 if at_once else self._drain_s
                await asyncio.gather(*(each.shutdown(drain_s) for each in self._controllers))
        finally:
            self._task.cancel()
        (outcome,) = await asyncio.gather(self._task, return_exceptions=True)
        if isinstance(outcome, Exception):
            log.error("controllers ended with %s", outcome)
