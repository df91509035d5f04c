"""One collection of the server, followed: the informer. Who starts and shares it is `kube.informer`."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from lambent.kube import metrics
from lambent.kube.cache import Cache, ObjectCache, PackedCache
from lambent.kube.guard import guarded
from lambent.kube.index import Index, IndexFunction
from lambent.kube.reflector import Sink, State
from lambent.kube.selectors import label_test
from lambent.kube.types import ALL, GVK, Key, KubeObject, Selector, WatchEvent

_log = logging.getLogger(__name__)

ChangeHandler = Callable[[KubeObject | None, KubeObject | None], None]
Objects = list[KubeObject]


class Informer:
    """A cache of one collection, without `managedFields`: nobody here reads them, and they are half of an object in
    memory. `synced` is set after the first list, `settled` then or once it is clear that none
    will come soon (kind not served, forbidden); `state` says what the watch does now."""

    def __init__(
        self,
        gvk: GVK,
        namespace: str | None = None,
        selector: Selector = ALL,
        *,
        packed: bool = False,
        guard: bool = False,
    ) -> None:
        self.gvk = gvk
        self._guard = guard
        self.namespace = namespace
        self.selector = selector
        self.state: State = "listing"
        self.synced = asyncio.Event()
        self.settled = asyncio.Event()
        self._cache: Cache = PackedCache() if packed else ObjectCache()
        self._indexes: dict[str, Index] = {}
        self._handlers: list[ChangeHandler] = []
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()

    def get(self, key: Key) -> KubeObject | None:
        return self._cache.get(key)

    def list(self, namespace: str | None = None, labels: str = "") -> "Objects":
        """In no particular order; `labels` is a label selector."""
        matches = label_test(labels)
        chosen = (
            key
            for key in self._cache
            if namespace in (None, key.namespace) and (not labels or matches(self._cache.labels(key)))
        )
        return self._read(chosen)

    def by_index(self, name: str, value: str) -> "Objects":
        return self._read(self._indexes[name].keys(value))

    def _read(self, keys: Iterable[Key]) -> "Objects":
        return [obj for key in keys if (obj := self._cache.get(key)) is not None]

    def add_index(self, name: str, values: IndexFunction) -> None:
        """`values(obj)` are the index values of an object; a name that is taken keeps its first function."""
        if name in self._indexes:
            return
        index = self._indexes[name] = Index(values)
        for key in self._cache:
            index.put(key, self._cache.get(key))

    def on_change(self, handler: ChangeHandler, *, replay: bool = True) -> Callable[[], None]:
        """Calls `handler(old, new)` per change; with `replay` first `handler(None, obj)` for each known object.

        Returns the function that takes the handler off.
        """
        self._handlers.append(handler)
        if replay:
            for obj in self.list():
                self._call(handler, None, obj)
        return lambda: self._handlers.remove(handler) if handler in self._handlers else None

    @property
    def age_s(self) -> float:
        """Time since the server was last heard of."""
        return self._loop.time() - self._heard_at

    def __len__(self) -> int:
        return len(self._cache)

    def sink(self) -> Sink:
        return Sink(self._on_list, self._on_event, self._on_state)

    def _on_state(self, state: State) -> None:
        self.state = state
        if state in ("waiting", "forbidden"):
            self.settled.set()
        self._heard()

    def _heard(self) -> None:
        if self.state == "watching":
            self._heard_at = self._loop.time()

    def _on_list(self, items: "Objects") -> None:
        """Diffs the new list against the cache: what vanished is a deletion with its last known state."""
        self._heard_at = self._loop.time()
        fresh = {Key.of(obj): obj for obj in items}
        for key in [key for key in self._cache if key not in fresh]:
            self._set(key, None)
        for key, obj in fresh.items():
            self._set(key, obj)
        if self.state != "waiting":
            self.synced.set()
            self.settled.set()

    def _on_event(self, event: WatchEvent) -> None:
        self._heard()
        if event.type in ("ADDED", "MODIFIED"):
            self._set(Key.of(event.object), event.object)
        elif event.type == "DELETED":
            self._set(Key.of(event.object), None, last=event.object)

    def _set(self, key: Key, new: KubeObject | None, last: KubeObject | None = None) -> None:
        revision = self._cache.revision(key)
        if new is None and revision is None:
            return
        if new is not None and revision == new["metadata"].get("resourceVersion"):
            return
        old = last or (self._cache.get(key) if self._handlers else None)
        if new is None:
            self._cache.drop(key)
        else:
            new["metadata"].pop("managedFields", None)
            new = guarded(new) if self._guard else new
            self._cache.put(key, new)
        for index in self._indexes.values():
            index.put(key, new)
        metrics.INFORMER_OBJECTS.labels(self.gvk.kind).inc((new is not None) - (revision is not None))
        for handler in tuple(self._handlers):
            self._call(handler, old, new)

    def _call(self, handler: ChangeHandler, old: KubeObject | None, new: KubeObject | None) -> None:
        try:
            handler(old, new)
        except Exception:  # noqa: BLE001 - the one catch-all around handlers: one user's defect must not stop the cache
            _log.exception("a change handler failed", extra={"kind": self.gvk.kind})
