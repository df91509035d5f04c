"""Events about objects, as `kubectl describe` shows them.

core/v1, named by the hash of (uid, reason, message), so a repeat bumps `count` instead of adding an object. At most 25
in a burst, then one per 5 min, per object. A failed write is logged and forgotten: no controller fails for an event.
Messages hold no values of user variables. Source: Kubernetes API reference, "Event v1".
"""

import hashlib
import logging
from collections import OrderedDict
from enum import StrEnum
from typing import Any, Literal, cast

from lambent.clock import WallClock, rfc3339, utc_now
from lambent.errors import LambentError
from lambent.kube.client import KubeClient
from lambent.kube.errors import AlreadyExists, NotFound
from lambent.kube.tokens import TokenBucket
from lambent.kube.types import GVK, KubeObject

_log = logging.getLogger(__name__)
_EVENT = GVK("", "v1", "Event")
_BURST = 25
_REFILL_PER_S = 1 / 300
_MAX_MESSAGE_CHARS = 1000
# Objects whose events are remembered; beyond it the longest silent one starts afresh.
_MAX_KNOWN = 4096


class Reason(StrEnum):
    """The reasons our controllers give. One list, so that a reader can look a reason up."""

    CREATED = "Created"
    UPDATED = "Updated"
    DELETED = "Deleted"
    ADOPTED = "Adopted"
    READY = "Ready"
    WAITING = "Waiting"
    RETRYING = "Retrying"
    FAILED = "Failed"
    DELETION_BLOCKED = "DeletionBlocked"
    ABANDONED = "Abandoned"
    DRIFT_CORRECTED = "DriftCorrected"
    INVALID_SPEC = "InvalidSpec"
    RELEASED = "Released"
    RECORD_IGNORED = "RecordIgnored"
    ROLLED_BACK = "RolledBack"
    BECAME_LEADER = "LeaderElection"


class EventRecorder:
    """Writes events as `component`; safe to call from any task."""

    def __init__(self, client: KubeClient, component: str, *, now: WallClock = utc_now) -> None:
        self._client = client
        self._component = component
        self._now = now
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    async def normal(self, obj: KubeObject, reason: Reason, message: str) -> None:
        await self._record(obj, "Normal", reason, message)

    async def warning(self, obj: KubeObject, reason: Reason, message: str) -> None:
        await self._record(obj, "Warning", reason, message)

    async def _record(self, obj: KubeObject, type_: Literal["Normal", "Warning"], reason: Reason, message: str) -> None:
        uid = obj["metadata"].get("uid", "")
        message = message[:_MAX_MESSAGE_CHARS]
        digest = hashlib.sha256(f"{uid}\0{reason}\0{message}".encode()).hexdigest()[:16]
        name = f"{obj['metadata']['name'][:200]}.{digest}"
        if not self._bucket(uid).take():
            return
        try:
            await self._write(obj, name, type_, reason, message)
        except LambentError as error:
            _log.warning("could not write an event: %s", error, extra={"kind": obj["kind"]})

    async def _write(self, obj: KubeObject, name: str, type_: str, reason: Reason, message: str) -> None:
        namespace = obj["metadata"].get("namespace") or "default"
        count = self._counts.get(f"{namespace}/{name}", 0)
        if count and await self._bump(name, namespace, count + 1):
            return
        try:
            await self._client.create(self._event(obj, name, namespace, type_, reason, message))
            self._remember(f"{namespace}/{name}", 1)
        except AlreadyExists:
            stored = await self._client.get(_EVENT, name, namespace=namespace)
            await self._bump(name, namespace, int(cast(dict[str, Any], stored).get("count") or 1) + 1)

    async def _bump(self, name: str, namespace: str, count: int) -> bool:
        """False when the event has expired meanwhile."""
        body = {"count": count, "lastTimestamp": rfc3339(self._now())}
        try:
            await self._client.patch(_EVENT, name, body, namespace=namespace)
        except NotFound:
            self._counts.pop(f"{namespace}/{name}", None)
            return False
        self._remember(f"{namespace}/{name}", count)
        return True

    def _event(
        self, obj: KubeObject, name: str, namespace: str, type_: str, reason: Reason, message: str
    ) -> KubeObject:
        meta, stamp = obj["metadata"], rfc3339(self._now())
        involved = {
            "apiVersion": obj["apiVersion"],
            "kind": obj["kind"],
            "name": meta["name"],
            "namespace": meta.get("namespace", ""),
            "uid": meta.get("uid", ""),
            "resourceVersion": meta.get("resourceVersion", ""),
        }
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {key: value for key, value in involved.items() if value},
            "type": type_,
            "reason": str(reason),
            "message": message,
            "count": 1,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "source": {"component": self._component},
        }
        return cast(KubeObject, event)

    def _remember(self, key: str, count: int) -> None:
        self._counts[key] = count
        self._counts.move_to_end(key)
        while len(self._counts) > _MAX_KNOWN:
            self._counts.popitem(last=False)

    def _bucket(self, uid: str) -> TokenBucket:
        bucket = self._buckets.setdefault(uid, TokenBucket(_REFILL_PER_S, _BURST))
        self._buckets.move_to_end(uid)
        while len(self._buckets) > _MAX_KNOWN:
            self._buckets.popitem(last=False)
        return bucket
