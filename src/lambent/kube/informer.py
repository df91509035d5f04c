"""Caches of collections that follow the server, shared by all who ask for the same.

`InformerHub.use(...)` gives an informer; users with the same arguments share one watch and one cache. The last release
stops the watch 30 s later, so that a definition being edited does not list again. A kind whose CRD is not there yet
gives an informer in state `waiting`, which starts when the CRD appears. With the first custom kind the hub begins to
watch CRDs, by their metadata: their events wake who waits, and make the client ask anew what a kind is.

Objects in the cache are read-only by contract: they are shared by everyone. `on_change(fn(old, new))` is called once
per change, `old` None for an addition and `new` None for a deletion; an event with the cached revision calls nobody.
Handlers are synchronous and quick; they add to a queue. Secrets and ConfigMaps are only watched by namespace or name.
"""

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator
from functools import partial
from typing import NamedTuple, Self

from lambent.kube import metrics
from lambent.kube.client import KubeClient
from lambent.kube.collection import ChangeHandler, Informer
from lambent.kube.reflector import Reflector, Sink, State
from lambent.kube.types import ALL, GVK, KubeObject, Selector

__all__ = ["NEVER_CLUSTER_WIDE", "ChangeHandler", "Informer", "InformerHub"]

_LINGER_S = 30.0
_CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
NEVER_CLUSTER_WIDE = frozenset({GVK("", "v1", "Secret"), GVK("", "v1", "ConfigMap")})


class _Use(NamedTuple):
    gvk: GVK
    namespace: str | None
    selector: Selector
    packed: bool = False


# A CRD's name is <plural>.<group>: its metadata says enough.
_CRDS = _Use(_CRD, None, Selector(form="metadata"))


class _Shared:
    """One informer with its task and the number of those who use it."""

    def __init__(self, informer: Informer, reflector: Reflector) -> None:
        self.informer = informer
        self.reflector = reflector
        self.users = 0
        self.task: asyncio.Task[None] | None = None
        self.stop_timer: asyncio.TimerHandle | None = None


class InformerHub:
    """One per process. An async context manager; leaving it (or `close`) stops every watch.

    `guard`: objects of the caches raise on every write; costs a copy each, for tests.
    """

    def __init__(self, client: KubeClient, *, linger_s: float = _LINGER_S, guard: bool = False) -> None:
        self.client = client
        self._guard = guard
        self._linger_s = linger_s
        self._shared: dict[_Use, _Shared] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @contextlib.asynccontextmanager
    async def use(
        self, gvk: GVK, namespace: str | None = None, selector: Selector = ALL, *, packed: bool = False
    ) -> AsyncIterator[Informer]:
        """The informer of this collection, running; wait for `informer.synced` before trusting an absence.

        `packed` keeps bytes instead of dicts: a fifth of the memory, for a decoding at each read.
        """
        if gvk in NEVER_CLUSTER_WIDE and not namespace and "metadata.name=" not in selector.fields:
            raise ValueError(f"{gvk.kind} is watched by namespace or name only")
        use = _Use(gvk, namespace, selector, packed)
        if gvk.is_custom:
            self._watch_crds()
        shared = self._acquire(use)
        try:
            yield shared.informer
        finally:
            self._release(use, shared)

    async def close(self) -> None:
        """Stops every watch and waits for their tasks."""
        stopping = list(self._shared.values())
        self._shared.clear()
        for shared in stopping:
            _stop(shared)
        await asyncio.gather(*(shared.task for shared in stopping if shared.task), return_exceptions=True)

    def follows_all(self, gvk: GVK) -> bool:
        """Whether there is an informer of all objects of the kind: whoever needs some of them may use it too."""
        return _Use(gvk, None, ALL) in self._shared

    def is_ready(self, max_age_s: float = 60.0) -> bool:
        """Every informer that is not waiting for its CRD is synced and has heard of the server lately."""
        return all(
            shared.informer.state == "waiting"
            or (shared.informer.synced.is_set() and shared.informer.age_s < max_age_s)
            for use, shared in self._shared.items()
            # The hub's own: who may not watch CRDs finds new kinds by asking for them.
            if use != _CRDS
        )

    def age_s(self, kind: str) -> float:
        """The age of the most silent informer of that kind."""
        return max((one.age_s for one in self.informers() if one.gvk.kind == kind), default=0.0)

    def informers(self) -> list[Informer]:
        return [shared.informer for shared in self._shared.values()]

    def _acquire(self, use: _Use) -> _Shared:
        shared = self._shared.get(use)
        if shared is None:
            informer = Informer(*use[:3], packed=use.packed, guard=self._guard)
            shared = _Shared(
                informer, Reflector(self.client, use.gvk, self._sink(informer), use.namespace, use.selector)
            )
            self._shared[use] = shared
            metrics.INFORMER_OBJECTS.labels(use.gvk.kind)
            metrics.INFORMER_AGE_SECONDS.labels(use.gvk.kind).set_function(
                partial(_age_s, weakref.ref(self), use.gvk.kind)
            )
            shared.task = asyncio.get_running_loop().create_task(
                shared.reflector.run(), name=f"informer {use.gvk.kind}"
            )
        shared.users += 1
        if shared.stop_timer is not None:
            shared.stop_timer.cancel()
            shared.stop_timer = None
        return shared

    def _release(self, use: _Use, shared: _Shared) -> None:
        shared.users -= 1
        if shared.users == 0 and self._shared.get(use) is shared:
            loop = asyncio.get_running_loop()
            shared.stop_timer = loop.call_later(self._linger_s, self._expire, use, shared)

    def _expire(self, use: _Use, shared: _Shared) -> None:
        if shared.users == 0 and self._shared.get(use) is shared:
            del self._shared[use]
            _stop(shared)

    def _sink(self, informer: Informer) -> Sink:
        """The informer's own, with two ears: a waiting informer needs CRD events, a CRD event wakes the waiting."""
        inner = informer.sink()

        def on_state(state: State) -> None:
            inner.on_state(state)
            if state == "waiting" and informer.gvk != _CRD:
                self._watch_crds()

        return Sink(inner.on_list, inner.on_event, on_state)

    def _watch_crds(self) -> None:
        """Starts the CRD informer; it stays, since kinds that come late tend to come in groups."""
        if _CRDS not in self._shared:
            self._acquire(_CRDS).informer.on_change(self._on_crd)

    def _on_crd(self, old: KubeObject | None, new: KubeObject | None) -> None:
        crd = new or old
        if crd is None:
            return
        _, _, group = crd["metadata"]["name"].partition(".")
        for use, shared in self._shared.items():
            if use.gvk.group == group:
                shared.reflector.wake.set()


def _age_s(hub: "weakref.ref[InformerHub]", kind: str) -> float:
    """For the metric, which outlives the hub."""
    found = hub()
    return found.age_s(kind) if found is not None else 0.0


def _stop(shared: _Shared) -> None:
    if shared.stop_timer is not None:
        shared.stop_timer.cancel()
    if shared.task is not None:
        shared.task.cancel()
    metrics.INFORMER_OBJECTS.labels(shared.informer.gvk.kind).dec(len(shared.informer))
