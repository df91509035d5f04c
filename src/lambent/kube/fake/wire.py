"""The wire between one process and the servers it calls: counts the calls, kills the process at one, spoils others.

A process that is to die gets its clients through a `Wire`: `WiredKube` for a Kubernetes client, and whatever a package
wraps by `Wire.call` (the resource controllers do it for AWS). Call n has two points to die at: 2n before it leaves,
2n + 1 when it has taken effect and nobody has heard of it. From then on every call raises `Crash`, and the servers
keep what they have.

`Weather` says what happens to calls and to the events of watches. A stream that lost or disordered an event ends in
410, as a server's does that knows it cannot go on; no client can notice a loss that nothing tells of.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lambent.kube.client import KubeClient
from lambent.kube.errors import Conflict, Gone, KubeError, ServerError, Throttled, Unreachable
from lambent.kube.fake.faults import MUTATING, Crash
from lambent.kube.types import ALL, GVK, KubeObject, Page, ResourceInfo, Selector, WatchEvent, WatchOptions

T = TypeVar("T")


@dataclass
class Weather:
    """Chances, each between 0 and 1, from one seed; `calm()` ends it. `struck` counts what happened."""

    rng: random.Random
    fails: float = 0.0
    loses_answer: float = 0.0
    hangs: float = 0.0
    drops: float = 0.0
    doubles: float = 0.0
    swaps: float = 0.0
    delays: float = 0.0
    breaks: float = 0.0
    longest_delay_s: float = 5.0
    longest_hang_s: float = 90.0
    is_calm: bool = False
    struck: Counter[str] = field(default_factory=Counter)

    def calm(self) -> None:
        self.is_calm = True

    def strikes(self, what: str) -> bool:
        """Whether it happens now, by the chance of that name."""
        happens = not self.is_calm and self.rng.random() < getattr(self, what)
        self.struck[what] += happens
        return happens


@dataclass
class Wire:
    """`calls` is what left, in order; `died` is set when the process has died at `dies_at`."""

    dies_at: int | None = None
    weather: Weather = field(default_factory=lambda: Weather(random.Random(0), is_calm=True))
    calls: list[str] = field(default_factory=list)
    died: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(
        self, what: str, act: Callable[[], Awaitable[T]], *, errors: Sequence[Exception], lost: Exception | None
    ) -> T:
        """The answer of `act`; weather may give one of `errors` instead, the first of them after a long wait, or
        `lost` when `act` has taken effect."""
        number = self.leave(what)
        await self._spoil(errors)
        try:
            answer = await act()
        finally:
            self.arrive(number)
        if lost is not None and self.weather.strikes("loses_answer"):
            raise lost
        return answer

    def kill(self) -> None:
        """The process dies now."""
        self.died.set()

    def leave(self, what: str) -> int:
        """Counts a call that is about to leave; its number."""
        number = len(self.calls)
        self._die_at(2 * number)
        self.calls.append(what)
        return number

    def arrive(self, number: int) -> None:
        """Call `number` has taken effect."""
        self._die_at(2 * number + 1)

    async def _spoil(self, errors: Sequence[Exception]) -> None:
        weather = self.weather
        if weather.strikes("hangs"):
            await asyncio.sleep(weather.rng.uniform(0, weather.longest_hang_s))
            raise errors[0]
        if weather.strikes("fails"):
            raise weather.rng.choice(errors)

    def _die_at(self, point: int) -> None:
        if point == self.dies_at:
            self.died.set()
        if self.died.is_set():
            raise Crash


class WiredKube:
    """A `KubeClient` over a wire."""

    def __init__(self, client: KubeClient, wire: Wire) -> None:
        self._client = client
        self._wire = wire

    async def get(self, gvk: GVK, name: str, **how: Any) -> KubeObject:
        return await self._call("get", gvk, name, lambda: self._client.get(gvk, name, **how))

    async def create(self, obj: KubeObject, **how: Any) -> KubeObject:
        return await self._of("create", obj, lambda: self._client.create(obj, **how))

    async def replace(self, obj: KubeObject, **how: Any) -> KubeObject:
        return await self._of("replace", obj, lambda: self._client.replace(obj, **how))

    async def apply(self, obj: KubeObject, **how: Any) -> KubeObject:
        return await self._of("apply", obj, lambda: self._client.apply(obj, **how))

    async def patch(self, gvk: GVK, name: str, body: Any, **how: Any) -> KubeObject:
        return await self._call("patch", gvk, name, lambda: self._client.patch(gvk, name, body, **how))

    async def delete(self, gvk: GVK, name: str, **how: Any) -> None:
        await self._call("delete", gvk, name, lambda: self._client.delete(gvk, name, **how))

    async def resolve(self, gvk: GVK) -> ResourceInfo:
        return await self._client.resolve(gvk)

    async def close(self) -> None:
        await self._client.close()

    async def list(
        self, gvk: GVK, *, namespace: str | None = None, selector: Selector = ALL, limit: int = 500
    ) -> AsyncIterator[Page]:
        pages = self._client.list(gvk, namespace=namespace, selector=selector, limit=limit)
        while (page := await self._call("list", gvk, "", lambda: anext(pages, None))) is not None:
            yield page
            if not page.continue_:
                return

    async def watch(
        self, gvk: GVK, *, namespace: str | None = None, options: WatchOptions | None = None
    ) -> AsyncIterator[WatchEvent]:
        number = self._wire.leave(f"watch {gvk.kind}")
        stream = _Disturbed(self._client.watch(gvk, namespace=namespace, options=options), self._wire.weather)
        has_arrived = False
        async for event in stream.events():
            if not has_arrived:
                has_arrived = True
                self._wire.arrive(number)
            if self._wire.died.is_set():
                raise Crash
            yield event

    async def _of(self, verb: str, obj: KubeObject, act: Callable[[], Awaitable[T]]) -> T:
        return await self._call(verb, GVK.of(obj), obj["metadata"].get("name", ""), act)

    async def _call(self, verb: str, gvk: GVK, name: str, act: Callable[[], Awaitable[T]]) -> T:
        lost = Unreachable("the answer was lost") if verb in MUTATING else None
        return await self._wire.call(f"{verb} {gvk.kind} {name}", act, errors=_errors(verb), lost=lost)


def _errors(verb: str) -> list[Exception]:
    found: list[type[KubeError]] = [Unreachable, ServerError, Throttled]
    if verb in MUTATING:
        found.append(Conflict)
    return [kind(f"weather: {kind.__name__}", code=kind.http_status) for kind in found]


class _Disturbed:
    """One watch stream in the weather."""

    def __init__(self, stream: AsyncIterator[WatchEvent], weather: Weather) -> None:
        self._stream = stream
        self._weather = weather
        self._is_spoilt = False
        self._held: WatchEvent | None = None

    async def events(self) -> AsyncIterator[WatchEvent]:
        weather = self._weather
        try:
            async for event in self._stream:
                if weather.strikes("breaks"):
                    raise weather.rng.choice((Gone("weather: Expired", code=410), Unreachable("weather: cut")))
                for shown in self._shown(event):
                    if weather.strikes("delays"):
                        await asyncio.sleep(weather.rng.uniform(0, weather.longest_delay_s))
                    yield shown
        finally:
            await self._stream.aclose()  # type: ignore[attr-defined]
        if self._is_spoilt:
            raise Gone("the stream lost its order", code=410, status_reason="Expired")

    def _shown(self, event: WatchEvent) -> list[WatchEvent]:
        weather = self._weather
        if event.type == "BOOKMARK":
            return [event]
        if weather.strikes("drops"):
            self._is_spoilt = True
            return []
        if self._held is not None:
            held, self._held = self._held, None
            return [event, held]
        if weather.strikes("swaps"):
            self._is_spoilt = True
            self._held = event
            return []
        return [event, event] if weather.strikes("doubles") else [event]
