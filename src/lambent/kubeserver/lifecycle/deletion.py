"""What DELETE does to one object: gone, or marked and held by its finalizers.

Used by the DELETE verb, and by the loops that delete on the server's behalf (garbage collection, namespaces, CRDs).
Source: Kubernetes docs, "Finalizers" and "Garbage Collection".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambent.clock import WallClock, rfc3339
from lambent.kube.types import KubeObject
from lambent.kubeserver import status
from lambent.kubeserver.conditions import TERMINATING, set_condition
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.storage.records import Record
from lambent.kubeserver.storage.store import Store

POLICIES = ("Background", "Foreground", "Orphan")
CRD_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """`policy` "" means the kind's default; `cascades` says that orphanDependents was given as false."""

    policy: str = ""
    uid: str = ""
    resource_version: str = ""
    is_dry_run: bool = False
    cascades: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """`obj` is the object as it was (is_gone) or as it is now (held by finalizers)."""

    obj: KubeObject
    is_gone: bool


class Deleter:
    def __init__(self, store: Store, clock: WallClock) -> None:
        self._store = store
        self._clock = clock

    async def delete(self, resource: Resource, record: Record, options: DeleteOptions) -> Deleted:
        """`record` is the newest version (`Store.peek`); raises 409 when a precondition does not hold."""
        _check_preconditions(resource, record, options)
        obj: KubeObject = record.load()
        held = self._mark(resource, obj, options)
        if options.is_dry_run:
            return Deleted(obj, is_gone=not held)
        if not held:
            await self._store.remove(resource.bucket, obj)
            return Deleted(obj, is_gone=True)
        if obj != record.load():
            committed = await self._store.put(resource.bucket, obj, epoch=record.epoch)
            return Deleted(committed.load(), is_gone=False)
        return Deleted(obj, is_gone=False)

    async def let_go(self, bucket: str, obj: KubeObject, finalizer: str, *, epoch: int = 0) -> None:
        """Takes one of the server's own finalizers off; the object goes, unless another one holds it."""
        left = [name for name in obj["metadata"].get("finalizers") or () if name != finalizer]
        if left:
            obj["metadata"]["finalizers"] = left
            await self._store.put(bucket, obj, epoch=epoch)
        else:
            obj["metadata"].pop("finalizers", None)
            await self._store.remove(bucket, obj)

    def _mark(self, resource: Resource, obj: KubeObject, options: DeleteOptions) -> bool:
        """Marks an object that something still holds; False when nothing does."""
        meta: Any = obj["metadata"]
        finalizers = list(meta.get("finalizers") or ())
        _set(finalizers, "foregroundDeletion", options.policy == "Foreground", keep=not options.policy)
        _set(finalizers, "orphan", options.policy == "Orphan", keep=not options.policy)
        if resource.bucket == CRDS_BUCKET and "deletionTimestamp" not in meta:
            _set(finalizers, CRD_FINALIZER, True, keep=False)
        is_namespace = resource.bucket == "namespaces"
        if not finalizers and not (is_namespace and (obj.get("spec") or {}).get("finalizers")):
            return False
        if finalizers:
            meta["finalizers"] = finalizers
        else:
            meta.pop("finalizers", None)
        if "deletionTimestamp" not in meta:
            self._stamp(resource, obj, self._clock(), is_namespace)
        return True

    def _stamp(self, resource: Resource, obj: KubeObject, now: datetime, is_namespace: bool) -> None:
        meta: Any = obj["metadata"]
        meta["deletionTimestamp"] = rfc3339(now)
        if is_namespace:
            obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        elif resource.bucket == CRDS_BUCKET:
            text = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
            set_condition(obj, TERMINATING, "True", "InstanceDeletionPending", text, now=rfc3339(now))
        else:
            meta["deletionGracePeriodSeconds"] = 0
        if resource.traits.counts_generation and resource.bucket != CRDS_BUCKET:
            meta["generation"] = meta.get("generation", 0) + 1


CRDS_BUCKET = "customresourcedefinitions.apiextensions.k8s.io"


def _set(finalizers: list[str], name: str, wanted: bool, *, keep: bool) -> None:
    if wanted and name not in finalizers:
        finalizers.append(name)
    elif not wanted and not keep and name in finalizers:
        finalizers.remove(name)


def _check_preconditions(resource: Resource, record: Record, options: DeleteOptions) -> None:
    if options.uid and options.uid != record.uid:
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({record.uid}). "
            "The object might have been deleted and then recreated"
        )
        raise status.conflict(resource.group, resource.kind, record.name, why)
    if options.resource_version and options.resource_version != str(record.rv):
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the ResourceVersion "
            f"in record ({record.rv}). The object might have been modified"
        )
        raise status.conflict(resource.group, resource.kind, record.name, why)


def is_finished(obj: KubeObject) -> bool:
    """Whether an object that is being deleted has nothing left that holds it."""
    meta = obj["metadata"]
    held_by_spec = (
        obj.get("kind") == "Namespace" and obj.get("apiVersion") == "v1" and (obj.get("spec") or {}).get("finalizers")
    )
    return "deletionTimestamp" in meta and not meta.get("finalizers") and not held_by_spec
