"""Watches on managed resources: a change of a resource wakes the triggers that manage it, and passes read their caches.

Kinds are watched once, whoever uses them, filtered by our label; where the process watches the whole kind anyway, that
watch serves. An object that lacks the label (read-only, or made by others and left as it is) is watched by its name. A
watch runs while any reference needs it. `ensure` returns when the watch has its first list, so that what changes after
the read that follows is never missed.

A cache answers for an object only while its watch is up, and with a copy no older than what an answer of the server has
shown this process (`sightings`). That an object is not there the server has to say: a cache that is late, or one that
is filtered by the label, shows the same. Where none is wanted, a watch by name keeps this true from then on; since each
of those is a connection, there are some of them only.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from lambent.kube.informer import NEVER_CLUSTER_WIDE, Informer, InformerHub
from lambent.kube.types import ALL, GVK, Key, KubeObject, Selector
from lambent.workflow.controller.sightings import Sightings
from lambent.workflow.engine import ResourceRef
from lambent.workflow.engine.patches import MANAGED_LABEL
from lambent.workflow.engine.references import Place

_log = logging.getLogger(__name__)
_LABELLED = Selector(labels=f"{MANAGED_LABEL}=true")
_BY_NAME_ALONE = frozenset((gvk.api_version, gvk.kind) for gvk in NEVER_CLUSTER_WIDE)
_FIRST_LIST_S = 5.0
# Watches on objects that are to be absent. Beyond, a GET per pass costs servers less than a watch each.
_MOST_ABSENT = 50


class Trigger(NamedTuple):
    """A trigger object among those of every kind."""

    gvk: GVK
    key: Key


class Watched(NamedTuple):
    """Arguments of an informer."""

    gvk: GVK
    namespace: str | None
    selector: Selector


@dataclass(slots=True)
class _Watch:
    """A running watch, ready after its first list."""

    task: asyncio.Task[None]
    informer: Informer | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)


def watch_for(ref: ResourceRef, live: KubeObject | None) -> Watched:
    """By label when the object carries it (or will, being created by us), else by name."""
    if _is_labelled(ref, live):
        return Watched(GVK.parse(ref.api_version, ref.kind), None, _LABELLED)
    return _by_name(ref)


def _by_name(ref: ResourceRef) -> Watched:
    gvk = GVK.parse(ref.api_version, ref.kind)
    return Watched(gvk, ref.namespace or None, Selector(fields=f"metadata.name={ref.name}"))


def _is_labelled(ref: ResourceRef, live: KubeObject | None) -> bool:
    """Whether the watch by label shows it. Secrets and ConfigMaps have none: it would be cluster-wide."""
    if ref.is_readonly or (ref.api_version, ref.kind) in _BY_NAME_ALONE:
        return False
    return live is None or (live["metadata"].get("labels") or {}).get(MANAGED_LABEL) == "true"


class ResourceWatches:
    """`wake` is called with each trigger that manages a changed object, and its place. Lives inside the caller's task
    group.
    """

    def __init__(self, hub: InformerHub, group: asyncio.TaskGroup, wake: Callable[[Trigger, Place], None]) -> None:
        self._hub = hub
        self._group = group
        self._wake = wake
        self._watches: dict[Watched, _Watch] = {}
        self._by_place: dict[Place, dict[Trigger, None]] = {}
        self._uses: dict[Trigger, dict[Place, Watched]] = {}
        self._counts: Counter[Watched] = Counter()
        self._unused: set[Watched] = set()
        self.sightings = Sightings()

    def cached(self, trigger: Trigger, ref: ResourceRef) -> KubeObject | None:
        """The object as a cache shows it; None when only the server can say. Shared and read-only."""
        watched = self._uses.get(trigger, {}).get(ref.place)
        informer = self._running(watched)
        obj = informer.get(Key(ref.namespace, ref.name)) if informer is not None else None
        if obj is None or watched is None or _is_labelled(ref, obj) is not (watched.selector is _LABELLED):
            return None
        return obj if self.sightings.admits(ref.place, obj) else None

    def shows_none(self, trigger: Trigger, ref: ResourceRef) -> bool:
        """Whether there is no such object, as the server said once and a watch on its name would have told since."""
        watched = self._uses.get(trigger, {}).get(ref.place)
        informer = self._running(watched)
        if informer is None or watched is None or watched.selector is _LABELLED:
            return False
        return informer.get(Key(ref.namespace, ref.name)) is None and self.sightings.admits_absence(ref.place)

    def _running(self, watched: Watched | None) -> Informer | None:
        watch = self._watches.get(watched) if watched is not None else None
        if watch is None or watch.informer is None or watch.informer.state != "watching":
            return None
        return watch.informer if watch.informer.synced.is_set() else None

    async def ensure_absent(self, trigger: Trigger, ref: ResourceRef) -> bool:
        """As `ensure`, by name, for an object that the server does not have and nobody wants."""
        self.sightings.missed(ref.place)
        watched = _by_name(ref)
        if watched not in self._watches and sum(one.selector is not _LABELLED for one in self._watches) >= _MOST_ABSENT:
            return False
        return await self._follow_as(trigger, ref, watched)

    async def ensure(self, trigger: Trigger, ref: ResourceRef, live: KubeObject | None = None) -> bool:
        """Notes that the trigger uses the object and waits (with a limit) until its watch is running.

        `live` is the object once it is known; True when that calls for another watch than before, so that the object
        should be read again.
        """
        known = self._uses.get(trigger, {}).get(ref.place)
        return await self._follow_as(trigger, ref, known if known and live is None else watch_for(ref, live))

    async def _follow_as(self, trigger: Trigger, ref: ResourceRef, watched: Watched) -> bool:
        is_new = watched != self._uses.get(trigger, {}).get(ref.place)
        self._use(trigger, ref.place, watched)
        watch = self._watches.get(watched)
        if watch is None:
            watch = self._watches[watched] = _Watch(self._group.create_task(self._follow(watched)))
        if not watch.ready.is_set():
            try:
                await asyncio.wait_for(watch.ready.wait(), _FIRST_LIST_S)
            except TimeoutError:
                # The pass goes on; without the watch the delays of the functions still apply.
                _log.warning("no watch on %s yet", watched.gvk.kind, extra={"kind": watched.gvk.kind})
        return is_new

    def _use(self, trigger: Trigger, place: Place, watched: Watched) -> None:
        uses = self._uses.setdefault(trigger, {})
        before = uses.get(place)
        if before == watched:
            return
        self._by_place.setdefault(place, {})[trigger] = None
        uses[place] = watched
        self._counts[watched] += 1
        if before is not None:
            self._release(before)

    def _release(self, watched: Watched) -> None:
        self._counts[watched] -= 1
        if not self._counts[watched]:
            self._unused.add(watched)

    def keep(self, trigger: Trigger, refs: Iterable[ResourceRef]) -> None:
        """Forgets what the trigger no longer uses."""
        wanted = {ref.place for ref in refs}
        uses = self._uses.get(trigger, {})
        for place in [place for place in uses if place not in wanted]:
            self._release(uses.pop(place))
            self._leave(trigger, place)
        if not uses:
            self._uses.pop(trigger, None)
        self._stop_unused()

    def forget(self, trigger: Trigger) -> None:
        self.keep(trigger, ())

    def _leave(self, trigger: Trigger, place: Place) -> None:
        users = self._by_place.get(place, {})
        users.pop(trigger, None)
        if not users:
            self._by_place.pop(place, None)
            self.sightings.forget(place)

    def _stop_unused(self) -> None:
        unused, self._unused = self._unused, set()
        for watched in unused:
            if not self._counts[watched]:
                del self._counts[watched]
                if watched in self._watches:
                    self._watches.pop(watched).task.cancel()

    async def _follow(self, watched: Watched) -> None:
        is_part = watched.selector is _LABELLED and self._hub.follows_all(watched.gvk)
        selector = ALL if is_part else watched.selector
        async with self._hub.use(watched.gvk, watched.namespace, selector) as informer:
            remove = informer.on_change(self._changed, replay=False)
            try:
                await informer.settled.wait()
                if (watch := self._watches.get(watched)) is not None:
                    watch.informer = informer
                    watch.ready.set()
                await asyncio.Event().wait()
            finally:
                remove()

    def _changed(self, old: KubeObject | None, new: KubeObject | None) -> None:
        obj = new or old
        if obj is None:
            return
        metadata = obj["metadata"]
        place = (obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata["name"])
        for trigger in tuple(self._by_place.get(place, ())):
            self._wake(trigger, place)
