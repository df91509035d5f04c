"""Keeps a copy of one collection true: list, then watch, forever. Works with any `KubeClient`.

1. List (all pages, one revision), hand the objects over as a whole (`on_list` diffs), then watch from that revision.
2. Normal end of a watch: watch again from the last revision, no list.
3. A watch that outlives its own time limit by 10 s has a dead peer: cut it, start again at 1.
4. `Gone`: start again at 1. The old copy keeps serving meanwhile.
5. The kind is not served: wait for `wake` (a CRD changed) or 10 s, resolve again.
6. Forbidden: again each 60 s. Any other error: backoff 0.8 s to 30 s with full jitter, start again at 1.

Source: Kubernetes API concepts, "Efficient detection of changes". The cache itself is `kube.informer`.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from lambent.errors import LambentError
from lambent.kube import metrics
from lambent.kube.client import KubeClient
from lambent.kube.errors import (
    Forbidden,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    ServerError,
    Throttled,
    Unauthorized,
    Unreachable,
)
from lambent.kube.types import ALL, GVK, KubeObject, Selector, WatchEvent, WatchOptions

_log = logging.getLogger(__name__)
_STALL_GRACE_S = 10.0
_UNSERVED_RETRY_S = 10.0
_FORBIDDEN_RETRY_S = 60.0
_BACKOFF_FIRST_S = 0.8
_BACKOFF_CAP_S = 30.0

# Why a list may be due again; any other error is a defect.
_KNOWN_ERRORS = (Gone, NotFound, Forbidden, Unauthorized, Invalid, Throttled, ServerError, Unreachable)
_WHYS = ("Stalled", *(kind.__name__ for kind in _KNOWN_ERRORS), "Unforeseen")

State = Literal["waiting", "listing", "watching", "forbidden", "failing"]


class Stalled(Exception):
    """The watch outlived its own time limit."""


@dataclass(frozen=True, slots=True)
class Sink:
    """Who takes what the reflector learns. `on_list` gets the whole collection, `on_event` one change."""

    on_list: Callable[[list[KubeObject]], None]
    on_event: Callable[[WatchEvent], None]
    on_state: Callable[[State], None]


@dataclass
class Reflector:
    """One `run()` per instance. `wake` is set by whoever sees that a CRD changed."""

    client: KubeClient
    gvk: GVK
    sink: Sink
    namespace: str | None = None
    selector: Selector = ALL
    watch_timeout_s: int = 45
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    # From the process' own generator, so that a seeded test repeats.
    rng: random.Random = field(default_factory=lambda: random.Random(random.random()))
    _failures: int = 0
    _revision: str = ""

    def __post_init__(self) -> None:
        for why in _WHYS:
            metrics.INFORMER_RESTARTS.labels(self.gvk.kind, why)

    async def run(self) -> None:
        """Until cancelled. Each pass is one list or one watch; `_revision` empty means a list is due."""
        while True:
            try:
                if not self._revision:
                    await self._list()
                await self._watch()
                self._failures = 0
            except (LambentError, Stalled) as error:
                await self._recover(error)
            except Exception as error:  # noqa: BLE001 - the one catch-all here: a cache must not die of a strange answer
                _log.exception("watch failed unforeseen", extra={"kind": self.gvk.kind})
                await self._recover(error)

    async def _list(self) -> None:
        self.sink.on_state("listing")
        await self.client.resolve(self.gvk)
        items: list[KubeObject] = []
        revision = ""
        async for page in self.client.list(self.gvk, namespace=self.namespace, selector=self.selector):
            if page.resource_version != revision:
                # The first page, or a list that had to start again: what came before is of another moment.
                items, revision = [], page.resource_version
            items.extend(page.items)
        self.sink.on_list(items)
        self._revision = revision

    async def _watch(self) -> None:
        self.sink.on_state("watching")
        options = WatchOptions(self._revision, self.watch_timeout_s, True, self.selector)
        stream = self.client.watch(self.gvk, namespace=self.namespace, options=options)
        try:
            async with asyncio.timeout(self.watch_timeout_s + _STALL_GRACE_S) as limit:
                async for event in stream:
                    self._take(event)
        except TimeoutError:
            if not limit.expired():
                raise
            raise Stalled(f"watch of {self.gvk.kind} is silent") from None
        finally:
            await _close(stream)

    def _take(self, event: WatchEvent) -> None:
        self._revision = event.object["metadata"]["resourceVersion"]
        self._failures = 0
        self.sink.on_event(event)

    async def _recover(self, error: Exception) -> None:
        """Decides, by the kind of error, when to start again; always with a list."""
        self._revision = ""
        why = type(error).__name__ if isinstance(error, (Stalled, *_KNOWN_ERRORS)) else "Unforeseen"
        metrics.INFORMER_RESTARTS.labels(self.gvk.kind, why).inc()
        if isinstance(error, (Gone, Stalled)):
            _log.info("watch starts again", extra={"kind": self.gvk.kind, "why": why})
            await asyncio.sleep(0)
        elif isinstance(error, NotFound):
            await self._wait_until_served()
        elif isinstance(error, Forbidden):
            _log.warning("watch is forbidden: %s", error, extra={"kind": self.gvk.kind})
            self.sink.on_state("forbidden")
            await asyncio.sleep(_FORBIDDEN_RETRY_S)
        else:
            _log.warning("watch failed: %s", error, extra={"kind": self.gvk.kind})
            self.sink.on_state("failing")
            asked_s = error.retry_after_s if isinstance(error, KubeError) else None
            await asyncio.sleep(max(asked_s or 0.0, self._backoff_s()))

    async def _wait_until_served(self) -> None:
        self.sink.on_state("waiting")
        self.sink.on_list([])
        try:
            async with asyncio.timeout(_UNSERVED_RETRY_S):
                await self.wake.wait()
        except TimeoutError:
            pass
        self.wake.clear()

    def _backoff_s(self) -> float:
        bound_s = min(_BACKOFF_CAP_S, _BACKOFF_FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self.rng.uniform(0, bound_s)


async def _close(stream: AsyncIterator[Any]) -> None:
    """Ends an async generator at once instead of at its collection."""
    aclose = getattr(stream, "aclose", None)
    if aclose is not None:
        await aclose()
