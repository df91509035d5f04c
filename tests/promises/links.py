"""A simulated process' way to its server: some time each way, none for the dead, and pauses between the two.

A pause may begin after a write was checked and before it leaves. Not here: what a server makes of a request.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from lambent.kube.client import KubeClient
from lambent.kube.errors import Unreachable
from lambent.kube.fencing import current_fence
from lambent.kube.types import KubeObject
from tests.promises.processes import Process, Processes

WAY_S = 0.02


class World(Protocol):
    """What links lead to; `pauses_in_flight` asks for a pause of the next process that writes under a term."""

    kube: KubeClient
    processes: Processes
    rng: random.Random
    pauses_in_flight: bool

    def took(self, obj: KubeObject) -> None:
        """The server has taken this write."""

    def until(self, claim: Callable[[], bool]) -> None: ...


class Link:
    """A `KubeClient` of one process."""

    def __init__(self, world: World, process: Process) -> None:
        self._world, self._process = world, process

    def __getattr__(self, verb: str) -> Any:
        async def call(*args: Any, **options: Any) -> Any:
            if self._world.pauses_in_flight and current_fence.get():
                self._world.pauses_in_flight, self._process.is_paused = False, True
            await self._travel()
            answer = await self._asked(verb, *args, **options)
            if verb in ("create", "replace"):
                self._world.took(answer)
            await self._travel()
            return answer

        async def stream(*args: Any, **options: Any) -> AsyncIterator[Any]:
            async for each in getattr(self._world.kube, verb)(*args, **options):
                await self._travel()
                yield each

        return stream if verb in ("list", "watch") else call

    async def _asked(self, verb: str, *args: Any, **options: Any) -> Any:
        return await getattr(self._world.kube, verb)(*args, **options)

    async def _travel(self) -> None:
        if not self._process.is_dead:
            await asyncio.sleep(self._world.rng.uniform(0.001, WAY_S))
        if self._process.is_dead:
            raise Unreachable("the process is dead")


def pause_in_flight(world: World) -> Process:
    world.pauses_in_flight = True
    world.until(lambda: any(one.is_paused for one in world.processes.living))
    return next(one for one in world.processes.living if one.is_paused)
