"""The state of a `FakeKube`: objects as bytes, one revision counter, a history of changes, and the metadata rules.

What it keeps of a real server: optimistic locking, generation, finalizers and deletionTimestamp, the status
subresource, writes that change nothing keep the revision, collection of dependents (at once, where a real server
takes a moment). What it leaves out: schemas, defaulting, namespaces as preconditions, admission.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any, cast

import orjson

from lambent.clock import WallClock, rfc3339, utc_now
from lambent.kube.errors import AlreadyExists, Conflict, Invalid, NotFound
from lambent.kube.fake.kinds import UNCONDITIONAL, WITHOUT_GENERATION
from lambent.kube.types import GVK, Key, KubeObject, ObjectMeta, Preconditions, Propagation, ResourceInfo, WatchType

GroupKind = tuple[str, str]
_FOREGROUND = "foregroundDeletion"
_SERVER_SET = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


@dataclass(frozen=True, slots=True)
class Change:
    """One committed write; `before` is None for a creation; for a deletion `body` is the last state."""

    revision: int
    type: WatchType
    kind: GroupKind
    before: bytes | None
    body: bytes


class Store:
    """Synchronous: each method is one transaction."""

    def __init__(self, *, now: WallClock = utc_now) -> None:
        self.revision = 1
        self.compacted = 0
        self.history: list[Change] = []
        self.on_change: Callable[[Change], None] = lambda change: None
        self._now = now
        self._objects: dict[GroupKind, dict[Key, bytes]] = {}

    def kind_of(self, info: ResourceInfo) -> GroupKind:
        return (info.gvk.group, info.gvk.kind)

    def read(self, info: ResourceInfo, key: Key) -> KubeObject:
        body = self._objects.get(self.kind_of(info), {}).get(key)
        if body is None:
            raise _not_found(info, key.name)
        return _decode(body, info.gvk)

    def all(self, info: ResourceInfo) -> Iterator[KubeObject]:
        """In the order of a real list: by the bytes of namespace/name."""
        stored = self._objects.get(self.kind_of(info), {})
        for key in sorted(stored, key=lambda key: f"{key.namespace}/{key.name}"):
            yield _decode(stored[key], info.gvk)

    def create(self, info: ResourceInfo, obj: KubeObject, *, dry_run: bool) -> KubeObject:
        new = _copy(obj)
        meta = new["metadata"]
        if meta.get("resourceVersion") not in (None, "", "0"):
            raise Invalid("resourceVersion should not be set on objects to be created", code=422)
        if not meta.get("name"):
            meta["name"] = meta.get("generateName", "") + _uuid().hex[:5]
        key = Key.of(new)
        if key in self._objects.get(self.kind_of(info), {}):
            message = f'{_resource(info)} "{key.name}" already exists'
            raise AlreadyExists(message, code=409, status_reason="AlreadyExists")
        for field in _SERVER_SET:
            cast(dict[str, Any], meta).pop(field, None)
        meta["uid"] = str(_uuid())
        meta["creationTimestamp"] = self._stamp()
        if info.gvk.kind not in WITHOUT_GENERATION:
            meta["generation"] = 1
        if "status" in info.subresources:
            new.pop("status", None)
        created = self._commit(info, "ADDED", None, new, dry_run=dry_run)
        if not dry_run and self._is_orphan(created):
            self._collect([created])
        return created

    def update(
        self, info: ResourceInfo, old: KubeObject, new: KubeObject, *, subresource: str = "", dry_run: bool = False
    ) -> KubeObject:
        """Admits `new` over `old` and commits it; deletes the object if that drops the last finalizer."""
        self._check_lock(info, old, new)
        admitted = _admit(info, old, new, subresource)
        if _without_revision(admitted) == _without_revision(old):
            return old
        meta = admitted["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            return self._remove(info, admitted, dry_run=dry_run)
        return self._commit(info, "MODIFIED", old, admitted, dry_run=dry_run)

    def delete(
        self,
        info: ResourceInfo,
        key: Key,
        *,
        propagation: Propagation | None,
        preconditions: Preconditions | None,
        dry_run: bool,
    ) -> None:
        old = self.read(info, key)
        _check_preconditions(info, old, preconditions or Preconditions())
        new = _copy(old)
        meta = new["metadata"]
        dependents = list(self._dependents(old))
        if propagation == "Orphan":
            self._orphan(old, dependents)
        elif propagation == "Foreground" and dependents and _FOREGROUND not in meta.get("finalizers", ()):
            meta["finalizers"] = [*meta.get("finalizers", ()), _FOREGROUND]
        if not meta.get("finalizers"):
            self._remove(info, new, dry_run=dry_run)
            return
        if "deletionTimestamp" not in meta:
            meta["deletionTimestamp"] = self._stamp()
            cast(dict[str, Any], meta)["deletionGracePeriodSeconds"] = 0
            if "generation" in meta:
                meta["generation"] += 1
        if _without_revision(new) != _without_revision(old):
            self._commit(info, "MODIFIED", old, new, dry_run=dry_run)
        if propagation == "Foreground" and not dry_run:
            self._collect(dependents)

    def compact(self) -> None:
        """Forgets the history: a watch from an earlier revision is refused with 410."""
        self.history.clear()
        self.compacted = self.revision

    def _stamp(self) -> str:
        return rfc3339(self._now().astimezone(UTC) if self._now().tzinfo else self._now().replace(tzinfo=UTC))

    def _commit(
        self, info: ResourceInfo, type_: WatchType, old: KubeObject | None, new: KubeObject, *, dry_run: bool
    ) -> KubeObject:
        if dry_run:
            return new
        self.revision += 1
        new["metadata"]["resourceVersion"] = str(self.revision)
        body = orjson.dumps(new)
        stored = self._objects.setdefault(self.kind_of(info), {})
        if type_ == "DELETED":
            stored.pop(Key.of(new), None)
        else:
            stored[Key.of(new)] = body
        change = Change(self.revision, type_, self.kind_of(info), orjson.dumps(old) if old else None, body)
        self.history.append(change)
        self.on_change(change)
        return _decode(body, info.gvk)

    def _remove(self, info: ResourceInfo, last: KubeObject, *, dry_run: bool) -> KubeObject:
        dependents = list(self._dependents(last))
        removed = self._commit(info, "DELETED", self.read(info, Key.of(last)), last, dry_run=dry_run)
        if not dry_run:
            self._collect(dependents)
            self._finish_owners(removed)
        return removed

    def _check_lock(self, info: ResourceInfo, old: KubeObject, new: KubeObject) -> None:
        asked = new["metadata"].get("resourceVersion")
        if asked in (None, "", "0"):
            if info.gvk.kind in UNCONDITIONAL:
                return
            raise Invalid("metadata.resourceVersion: Invalid value: 0: must be specified for an update", code=422)
        if asked != old["metadata"]["resourceVersion"]:
            raise _stale(info, old)

    def _everything(self) -> Iterator[KubeObject]:
        for stored in list(self._objects.values()):
            for body in list(stored.values()):
                yield cast(KubeObject, orjson.loads(body))

    def _dependents(self, owner: KubeObject) -> Iterator[KubeObject]:
        uid = owner["metadata"].get("uid")
        for obj in self._everything():
            if any(ref["uid"] == uid for ref in obj["metadata"].get("ownerReferences") or ()):
                yield obj

    def _is_orphan(self, obj: KubeObject) -> bool:
        """Every owner is gone; one of a kind that was never here may live elsewhere."""
        refs = obj["metadata"].get("ownerReferences") or ()
        found = [
            self._objects.get((gvk.group, gvk.kind)) for gvk in (GVK.parse(r["apiVersion"], r["kind"]) for r in refs)
        ]
        if not refs or None in found:
            return False
        namespaces = ("", obj["metadata"].get("namespace", ""))
        owners = [
            orjson.loads(body)["metadata"]
            for stored, ref in zip(found, refs, strict=True)
            for namespace in namespaces
            if stored is not None and (body := stored.get(Key(namespace, ref["name"])))
        ]
        uids = {ref["uid"] for ref in refs}
        return not any(owner["uid"] in uids and "deletionTimestamp" not in owner for owner in owners)

    def _collect(self, dependents: list[KubeObject]) -> None:
        """Deletes those without a living owner."""
        alive = {obj["metadata"]["uid"]: obj for obj in self._everything()}
        for obj in dependents:
            if obj["metadata"]["uid"] not in alive:
                continue
            owners = [alive.get(ref["uid"]) for ref in obj["metadata"].get("ownerReferences") or ()]
            if any(owner and "deletionTimestamp" not in owner["metadata"] for owner in owners):
                continue
            self.delete(_plain_info(obj), Key.of(obj), propagation=None, preconditions=None, dry_run=False)

    def _finish_owners(self, removed: KubeObject) -> None:
        """Drops `foregroundDeletion` from owners whose last blocking dependent just went."""
        uids = {ref["uid"] for ref in removed["metadata"].get("ownerReferences") or ()}
        for owner in list(self._everything()):
            meta = owner["metadata"]
            if meta["uid"] not in uids or _FOREGROUND not in meta.get("finalizers", ()):
                continue
            if not any(_blocks(obj, meta["uid"]) for obj in self._dependents(owner)):
                new = _copy(owner)
                new["metadata"]["finalizers"] = [name for name in meta["finalizers"] if name != _FOREGROUND]
                self.update(_plain_info(owner), owner, new)

    def _orphan(self, owner: KubeObject, dependents: list[KubeObject]) -> None:
        uid = owner["metadata"]["uid"]
        for obj in dependents:
            new = _copy(obj)
            new["metadata"]["ownerReferences"] = [
                ref for ref in obj["metadata"]["ownerReferences"] if ref["uid"] != uid
            ]
            self.update(_plain_info(obj), obj, new)


def _uuid() -> uuid.UUID:
    """From the process' own generator, so that a seeded test repeats."""
    return uuid.UUID(int=random.getrandbits(128), version=4)


def _admit(info: ResourceInfo, old: KubeObject, new: KubeObject, subresource: str) -> KubeObject:
    """What of `new` this endpoint takes, with the metadata that only the server sets."""
    if subresource == "status":
        admitted = _copy(old)
        admitted["status"] = new.get("status", {})
        return admitted
    admitted = _copy(new)
    meta, before = admitted["metadata"], old["metadata"]
    if before.get("deletionTimestamp"):
        _refuse_new_finalizers(before, meta)
    for field in (*_SERVER_SET, "resourceVersion", "managedFields"):
        if field in before:
            cast(dict[str, Any], meta)[field] = cast(dict[str, Any], before)[field]
        else:
            cast(dict[str, Any], meta).pop(field, None)
    admitted["apiVersion"], admitted["kind"] = old["apiVersion"], old["kind"]
    if "status" in info.subresources:
        admitted.pop("status", None)
        if "status" in old:
            admitted["status"] = old["status"]
    if "generation" in before and _desired(admitted, info) != _desired(old, info):
        meta["generation"] = before["generation"] + 1
    return admitted


def _refuse_new_finalizers(before: ObjectMeta, after: ObjectMeta) -> None:
    added = [name for name in after.get("finalizers") or () if name not in (before.get("finalizers") or ())]
    if added:
        message = "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted"
        raise Invalid(f"{message}, found new finalizers {added}", code=422, status_reason="Invalid")


def _desired(obj: KubeObject, info: ResourceInfo) -> dict[str, Any]:
    hidden = {"metadata", "apiVersion"} | ({"status"} if "status" in info.subresources else set())
    return {name: value for name, value in obj.items() if name not in hidden}


def _without_revision(obj: KubeObject) -> dict[str, Any]:
    meta = {name: value for name, value in obj["metadata"].items() if name != "resourceVersion"}
    return {**obj, "metadata": meta}


def _check_preconditions(info: ResourceInfo, obj: KubeObject, wanted: Preconditions) -> None:
    meta = obj["metadata"]
    if wanted.uid is not None and wanted.uid != meta["uid"]:
        raise _stale(info, obj)
    if wanted.resource_version is not None and wanted.resource_version != meta["resourceVersion"]:
        raise _stale(info, obj)


def _blocks(obj: KubeObject, uid: str) -> bool:
    refs = obj["metadata"].get("ownerReferences") or ()
    return any(ref["uid"] == uid and ref.get("blockOwnerDeletion") for ref in refs)


def _plain_info(obj: KubeObject) -> ResourceInfo:
    """Enough for the store; the collector does not know plurals."""
    gvk = GVK.of(obj)
    return ResourceInfo(gvk, gvk.kind.lower() + "s", bool(obj["metadata"].get("namespace")), frozenset({"status"}))


def _resource(info: ResourceInfo) -> str:
    return f"{info.plural}.{info.gvk.group}" if info.gvk.group else info.plural


def _not_found(info: ResourceInfo, name: str) -> NotFound:
    return NotFound(f'{_resource(info)} "{name}" not found', code=404, status_reason="NotFound")


def _stale(info: ResourceInfo, obj: KubeObject) -> Conflict:
    message = (
        f'Operation cannot be fulfilled on {_resource(info)} "{obj["metadata"]["name"]}": '
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    return Conflict(message, code=409, status_reason="Conflict")


def _copy(obj: KubeObject) -> KubeObject:
    return cast(KubeObject, orjson.loads(orjson.dumps(obj)))


def _decode(body: bytes, gvk: GVK) -> KubeObject:
    obj = cast(KubeObject, orjson.loads(body))
    obj["apiVersion"], obj["kind"] = gvk.api_version, gvk.kind
    return obj
