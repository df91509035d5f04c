"""`FakeKube`: an in-memory Kubernetes API behind the client Protocol, for unit tests of controllers.

Objects cross as bytes, so nothing is shared between server and caller; each call yields to the loop once, so calls
interleave as they do on a network. Faults are ordered with `fail`, `chaos` and `crash_after`; `calls` records what was
asked. Not here: schemas, defaulting, RBAC (`kubeserver` has them).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, cast

import orjson

from lambent.clock import WallClock, utc_now
from lambent.kube.errors import Gone, Invalid, NotFound
from lambent.kube.fake.applies import Ownership
from lambent.kube.fake.faults import MUTATING, Chaos, Fault, Faults
from lambent.kube.fake.kinds import CRD, Kinds
from lambent.kube.fake.store import Change, Store
from lambent.kube.patches import PatchError, TestFailed, json_patch, merge_patch
from lambent.kube.selectors import SelectorError, object_test
from lambent.kube.types import (
    ALL,
    GVK,
    Key,
    KubeObject,
    Page,
    PatchBody,
    PatchKind,
    Preconditions,
    Propagation,
    ResourceInfo,
    Selector,
    WatchEvent,
    WatchOptions,
    WatchType,
)


class Call(NamedTuple):
    """One request as the fake saw it; `what` is "verb Kind namespace/name/subresource"."""

    verb: str
    gvk: GVK
    namespace: str
    name: str
    subresource: str = ""


class FakeKube:
    """Implements `kube.client.KubeClient`. `kinds` and `crds` add to the few builtins it knows."""

    def __init__(
        self,
        *,
        kinds: Iterable[ResourceInfo] = (),
        crds: Iterable[KubeObject] = (),
        objects: Iterable[KubeObject] = (),
        now: WallClock = utc_now,
    ) -> None:
        self.kinds = Kinds()
        self.faults = Faults()
        self.calls: list[Call] = []
        self._store = Store(now=now)
        self._store.on_change = self._committed
        self._owners: dict[tuple[str, str], Ownership] = {}
        self._watchers: dict[asyncio.Queue[Change | None], bool] = {}
        for info in kinds:
            self.kinds.register(info)
        for crd in crds:
            self.kinds.register_crd(crd)
        for obj in objects:
            self.put(obj)

    def register(
        self, gvk: GVK, plural: str, *, namespaced: bool = True, subresources: Iterable[str] = ("status",)
    ) -> None:
        """Serves one more kind."""
        known = self.kinds.resolve(CRD)
        self.kinds.register(ResourceInfo(gvk, plural, namespaced, frozenset(subresources), known.verbs))

    def put(self, obj: KubeObject) -> KubeObject:
        """Creates or overwrites, status included, without a call, a fault or a check: the hand of the test."""
        info = self.kinds.resolve(GVK.of(obj))
        obj = self._placed(info, obj)
        try:
            old = self._store.read(info, Key.of(obj))
        except NotFound:
            old = self._store.create(info, obj, dry_run=False)
        new = cast(KubeObject, {**obj, "metadata": {**old["metadata"], **obj["metadata"]}})
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        written = self._store.update(info, old, new)
        if "status" in obj and "status" in info.subresources:
            with_status = cast(KubeObject, {**written, "status": obj["status"]})
            return self._store.update(info, written, with_status, subresource="status")
        return written

    def terminate(self, gvk: GVK, name: str, namespace: str | None = None) -> None:
        """Requests deletion without a call: an object without finalizers is gone, another is being deleted."""
        info = self.kinds.resolve(gvk)
        key = self._key(info, name, namespace)
        self._store.delete(info, key, propagation=None, preconditions=None, dry_run=False)

    def peek(self, gvk: GVK, name: str, namespace: str | None = None) -> KubeObject | None:
        """The stored object, without a call; None when absent."""
        info = self.kinds.resolve(gvk)
        with suppress(NotFound):
            return self._store.read(info, self._key(info, name, namespace))
        return None

    def peek_all(self, gvk: GVK) -> Sequence[KubeObject]:
        return list(self._store.all(self.kinds.resolve(gvk)))

    @property
    def revision(self) -> int:
        return self._store.revision

    def writes(self) -> Sequence[Call]:
        """The mutating calls so far."""
        return [call for call in self.calls if call.verb in MUTATING]

    def fail(
        self,
        verb: str | None,
        gvk: GVK | None,
        error: BaseException,
        times: int = 1,
        *,
        after: bool = False,
    ) -> None:
        """The next `times` such calls raise `error`; with `after`, once the write is done (the answer is lost)."""
        self.faults.order(Fault(verb, gvk, error, times, after))

    def chaos(self, seed: int, rate: float, *, ambiguous: bool = True) -> None:
        """From now on a share `rate` of all calls fails by chance; `faults.clear()` ends it."""
        self.faults.chaos = Chaos(seed, rate, ambiguous=ambiguous)

    def crash_after(self, mutations: int | None) -> None:
        """After that many more writes every write raises `Crash`, as if the process had died."""
        self.faults.crash_after(mutations)

    def compact(self) -> None:
        """Forgets the watch history, as etcd's compaction does."""
        self._store.compact()

    def cut_watches(self) -> None:
        """Every open watch ends as a server's timeout ends it."""
        for queue in self._watchers:
            queue.put_nowait(None)

    def stall_watches(self) -> None:
        """Every open watch falls silent and never ends, as behind a dead peer."""
        for queue in self._watchers:
            self._watchers[queue] = True

    async def get(self, gvk: GVK, name: str, *, namespace: str | None = None, subresource: str = "") -> KubeObject:
        info = await self._enter("get", gvk, namespace, name, subresource)
        return self._store.read(info, self._key(info, name, namespace))

    async def list(
        self, gvk: GVK, *, namespace: str | None = None, selector: Selector = ALL, limit: int = 500
    ) -> AsyncIterator[Page]:
        info = await self._enter("list", gvk, namespace, "")
        matches = _matcher(selector, namespace)
        items = [_shown(obj, selector) for obj in self._store.all(info) if matches(obj)]
        revision = str(self._store.revision)
        for start in range(0, max(len(items), 1), limit):
            if start:
                await self._enter("list", gvk, namespace, "")
            rest = start + limit < len(items)
            yield Page(items[start : start + limit], revision, str(start + limit) if rest else "")

    async def create(self, obj: KubeObject, *, manager: str = "", dry_run: bool = False) -> KubeObject:
        gvk = GVK.of(obj)
        meta = obj["metadata"]
        info = await self._enter("create", gvk, meta.get("namespace"), meta.get("name", ""))
        created = self._store.create(info, self._placed(info, obj), dry_run=dry_run)
        if not dry_run:
            self._note(None, created, "", manager)
        self.faults.check("create", gvk, after=True)
        return created

    async def replace(
        self, obj: KubeObject, *, subresource: str = "", manager: str = "", dry_run: bool = False
    ) -> KubeObject:
        gvk, meta = GVK.of(obj), obj["metadata"]
        info = await self._enter("replace", gvk, meta.get("namespace"), meta["name"], subresource)
        old = self._store.read(info, self._key(info, meta["name"], meta.get("namespace")))
        new = self._store.update(info, old, self._placed(info, obj), subresource=subresource, dry_run=dry_run)
        if not dry_run:
            self._note(old, new, subresource, manager)
        self.faults.check("replace", gvk, after=True)
        return new

    async def patch(
        self,
        gvk: GVK,
        name: str,
        body: PatchBody,
        *,
        namespace: str | None = None,
        kind: PatchKind = "merge",
        subresource: str = "",
        manager: str = "",
        dry_run: bool = False,
    ) -> KubeObject:
        info = await self._enter("patch", gvk, namespace, name, subresource)
        old = self._store.read(info, self._key(info, name, namespace))
        wanted = _patched(old, body, kind)
        new = self._store.update(info, old, wanted, subresource=subresource, dry_run=dry_run)
        if not dry_run:
            self._note(old, new, subresource, manager)
        self.faults.check("patch", gvk, after=True)
        return new

    async def apply(
        self, obj: KubeObject, *, manager: str, force: bool = False, subresource: str = "", dry_run: bool = False
    ) -> KubeObject:
        gvk, meta = GVK.of(obj), obj["metadata"]
        info = await self._enter("apply", gvk, meta.get("namespace"), meta["name"], subresource)
        key = self._key(info, meta["name"], meta.get("namespace"))
        try:
            old = self._store.read(info, key)
        except NotFound:
            if subresource or meta.get("resourceVersion"):
                raise
            owners = Ownership()
            identity = cast(KubeObject, {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": dict(meta)})
            merged = self._placed(info, owners.merge(identity, obj, manager, force=force))
            new = self._store.create(info, merged, dry_run=dry_run)
        else:
            owners = self._owners_of(old, subresource).copy()
            mine = self._store.read(info, key)
            if asked := meta.get("resourceVersion"):
                mine["metadata"]["resourceVersion"] = asked
            merged = owners.merge(mine, obj, manager, force=force)
            new = self._store.update(info, old, merged, subresource=subresource, dry_run=dry_run)
        if not dry_run:
            self._owners[new["metadata"]["uid"], subresource] = owners
        self.faults.check("apply", gvk, after=True)
        return new

    async def delete(
        self,
        gvk: GVK,
        name: str,
        *,
        namespace: str | None = None,
        propagation: Propagation | None = None,
        preconditions: Preconditions | None = None,
        dry_run: bool = False,
    ) -> None:
        info = await self._enter("delete", gvk, namespace, name)
        key = self._key(info, name, namespace)
        self._store.delete(info, key, propagation=propagation, preconditions=preconditions, dry_run=dry_run)
        self.faults.check("delete", gvk, after=True)

    async def watch(
        self, gvk: GVK, *, namespace: str | None = None, options: WatchOptions | None = None
    ) -> AsyncIterator[WatchEvent]:
        options = options or WatchOptions()
        info = await self._enter("watch", gvk, namespace, "")
        matches = _matcher(options.selector, namespace)
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        for change in self._backlog(info, options):
            queue.put_nowait(change)
        self._watchers[queue] = False
        deadline = asyncio.get_running_loop().time() + options.timeout_s
        try:
            with suppress(TimeoutError):
                async for event in self._events(queue, info, matches, deadline):
                    yield WatchEvent(event.type, _shown(event.object, options.selector))
            if self._watchers[queue]:
                await asyncio.Event().wait()
            # A bookmark claims that everything before it was delivered.
            if options.bookmarks and queue.empty():
                yield _bookmark(info.gvk, self._store.revision)
        finally:
            self._watchers.pop(queue, None)

    async def resolve(self, gvk: GVK) -> ResourceInfo:
        await asyncio.sleep(0)
        return self.kinds.resolve(gvk)

    async def close(self) -> None:
        self.cut_watches()

    async def _enter(
        self, verb: str, gvk: GVK, namespace: str | None, name: str, subresource: str = ""
    ) -> ResourceInfo:
        await asyncio.sleep(0)
        self.calls.append(Call(verb, gvk, namespace or "", name, subresource))
        self.faults.check(verb, gvk)
        info = self.kinds.resolve(gvk)
        if subresource and subresource not in info.subresources:
            raise NotFound("the server could not find the requested resource", code=404, status_reason="NotFound")
        return info

    def _owners_of(self, obj: KubeObject, subresource: str) -> Ownership:
        return self._owners.setdefault((obj["metadata"]["uid"], subresource), Ownership())

    def _note(self, old: KubeObject | None, new: KubeObject, subresource: str, manager: str) -> None:
        """Who names no manager is known by its user agent."""
        self._owners_of(new, subresource).note(old, new, manager or "lambent-controller")

    def _key(self, info: ResourceInfo, name: str, namespace: str | None) -> Key:
        return Key((namespace or "default") if info.namespaced else "", name)

    def _placed(self, info: ResourceInfo, obj: KubeObject) -> KubeObject:
        """With the namespace the URL would give; without one if the kind has none."""
        meta = dict(obj["metadata"])
        if info.namespaced:
            meta["namespace"] = meta.get("namespace") or "default"
        else:
            meta.pop("namespace", None)
        return cast(KubeObject, {**obj, "metadata": meta})

    def _committed(self, change: Change) -> None:
        if change.kind == (CRD.group, CRD.kind):
            self._crd_changed(change)
        for queue in self._watchers:
            queue.put_nowait(change)

    def _crd_changed(self, change: Change) -> None:
        crd = orjson.loads(change.body)
        if change.type != "DELETED":
            self.kinds.register_crd(crd)
            return
        for version in crd["spec"]["versions"]:
            self.kinds.unregister(GVK(crd["spec"]["group"], version["name"], crd["spec"]["names"]["kind"]))

    def _backlog(self, info: ResourceInfo, options: WatchOptions) -> Sequence[Change]:
        kind = self._store.kind_of(info)
        if options.resource_version in ("", "0"):
            return [
                Change(int(obj["metadata"]["resourceVersion"]), "ADDED", kind, None, orjson.dumps(obj))
                for obj in self._store.all(info)
            ]
        since = int(options.resource_version)
        if since < self._store.compacted:
            message = f"too old resource version: {since} ({self._store.revision})"
            raise Gone(message, code=410, status_reason="Expired", what=f"watch {info.gvk.kind}")
        return [change for change in self._store.history if change.revision > since]

    async def _events(
        self,
        queue: asyncio.Queue[Change | None],
        info: ResourceInfo,
        matches: Callable[[KubeObject], bool],
        deadline: float,
    ) -> AsyncIterator[WatchEvent]:
        while (change := await self._next(queue, deadline)) is not None:
            if change.kind != self._store.kind_of(info):
                continue
            if (event := _seen(change, info.gvk, matches)) is not None:
                yield event

    async def _next(self, queue: asyncio.Queue[Change | None], deadline: float) -> Change | None:
        """The limit holds for the wait alone: around a `yield` it would cut short what the consumer waits for."""
        async with asyncio.timeout_at(deadline):
            change = await queue.get()
            if self._watchers[queue]:
                await asyncio.Event().wait()
            return change


def _matcher(selector: Selector, namespace: str | None) -> Callable[[KubeObject], bool]:
    try:
        selected = object_test(selector)
    except SelectorError as error:
        raise Invalid(str(error), code=400, status_reason="BadRequest") from error
    return lambda obj: (not namespace or obj["metadata"].get("namespace") == namespace) and selected(obj)


def _shown(obj: KubeObject, selector: Selector) -> KubeObject:
    if selector.form == "full":
        return obj
    return {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": obj["metadata"]}


def _patched(old: KubeObject, body: PatchBody, kind: PatchKind) -> KubeObject:
    if kind == "strategic":
        message = "the body of the request was in an unknown format"
        raise Invalid(message, code=415, status_reason="UnsupportedMediaType")
    try:
        patched: Any = json_patch(old, cast(Any, body)) if kind == "json" else merge_patch(old, body)
    except TestFailed as error:
        raise Invalid("the server rejected our request due to an error in our request", code=422) from error
    except PatchError as error:
        raise Invalid(str(error), code=422, status_reason="Invalid") from error
    return cast(KubeObject, patched)


def _seen(change: Change, gvk: GVK, matches: Callable[[KubeObject], bool]) -> WatchEvent | None:
    """The event a watcher with this selector gets: leaving the set is a deletion, entering an addition."""
    obj = cast(KubeObject, {**orjson.loads(change.body), "apiVersion": gvk.api_version})
    before = orjson.loads(change.before) if change.before else None
    was, is_ = before is not None and matches(before), change.type != "DELETED" and matches(obj)
    if not was and not is_:
        return WatchEvent("DELETED", obj) if change.type == "DELETED" and matches(obj) else None
    if is_:
        return WatchEvent("MODIFIED" if was else "ADDED", obj)
    return WatchEvent("DELETED", obj)


def _bookmark(gvk: GVK, revision: int) -> WatchEvent:
    meta = {"resourceVersion": str(revision)}
    type_: WatchType = "BOOKMARK"
    return WatchEvent(type_, cast(KubeObject, {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": meta}))
