"""Writes what a pass found out to the trigger object: status and record, each only when it says something new.

The status goes to the `status` subresource if the trigger's CRD has one, else to the main object in one patch with the
record. Every write states the revision it was made from; a conflict is answered by reading again. A kind whose schema
drops members of the status (built-in kinds do) gets the same status once, and not in every pass.

A pass that follows at once must not compare with a cache from before the last write, or one that does not know of
a write whose answer was lost: it would find nothing to write, and the watch's event of what was written is no reason
for another pass. `newest` asks the server then.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lambent.clock import rfc3339
from lambent.kube.cache import is_older
from lambent.kube.client import KubeClient
from lambent.kube.errors import Conflict, NotFound
from lambent.kube.types import GVK, Key, KubeObject
from lambent.workflow.controller.held_kinds import HeldKinds
from lambent.workflow.controller.records import FINALIZER, KnownRecords
from lambent.workflow.engine.managed import ANNOTATION, Record
from lambent.workflow.engine.patches import compact_json
from lambent.workflow.engine.publishing import status_patch, timeless

_ATTEMPTS = 3
# The revision of a write that was sent and not answered: newer than any.
_UNKNOWN = "unknown"
# Given the present status, the time and the generation to record (None for kinds without the subresource).
StatusMaker = Callable[[Mapping[str, Any], str, int | None], dict[str, Any]]


class Publication:
    """Writes for one trigger kind."""

    def __init__(
        self, kube: KubeClient, gvk: GVK, *, held: HeldKinds, records: KnownRecords, now: Callable[[], datetime]
    ) -> None:
        self._kube = kube
        self._gvk = gvk
        self._held = held
        self._records = records
        self._now = now
        self._lossy: dict[Key, str] = {}
        self._written: dict[Key, str] = {}

    def forget(self, key: Key) -> None:
        self._lossy.pop(key, None)
        self._written.pop(key, None)

    async def newest(self, cached: KubeObject) -> KubeObject | None:
        """The trigger at least as new as our last write; None when it is gone. Raises KubeError."""
        if not is_older(cached, self._written.get(Key.of(cached), "")):
            return cached
        try:
            return await self._read(cached)
        except NotFound:
            return None

    async def publish(self, obj: KubeObject, make: StatusMaker, record: Record | None = None) -> KubeObject:
        """The object as it is after the writes (none, one or two). Raises KubeError."""
        info = await self._kube.resolve(self._gvk)
        has_status = "status" in info.subresources
        for attempt in range(_ATTEMPTS):
            try:
                return await self._write(obj, make, record, has_status=has_status)
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
                newer = await self._read(obj)
                if newer["metadata"].get("uid") != obj["metadata"].get("uid"):
                    # Another object by now, which has a pass and a record of its own.
                    return obj
                obj = newer
        return obj

    async def wanted(self, obj: KubeObject, make: StatusMaker) -> dict[str, Any]:
        """What `publish` would want the status to be now. Raises KubeError."""
        info = await self._kube.resolve(self._gvk)
        generation = obj["metadata"].get("generation") if "status" in info.subresources else None
        return make(obj.get("status") or {}, rfc3339(self._now()), generation)

    async def store_record(self, obj: KubeObject, record: Record, *, finalizer: str = "") -> KubeObject:
        """Record and finalizer alone, before the first create that depends on them."""
        names = obj["metadata"].get("finalizers") or []
        metadata = await self._annotated(obj, record, is_held=bool(finalizer) or FINALIZER in names)
        if finalizer and finalizer not in names:
            await self._held.note(self._gvk)
            metadata["finalizers"] = [*names, finalizer]
        return await self._patch(obj, {"metadata": metadata}) if metadata else obj

    async def _write(
        self, obj: KubeObject, make: StatusMaker, record: Record | None, *, has_status: bool
    ) -> KubeObject:
        present = obj.get("status") or {}
        generation = obj["metadata"].get("generation") if has_status else None
        wanted = make(present, rfc3339(self._now()), generation)
        status = self._unless_lost(obj, wanted, status_patch(wanted, present))
        is_held = FINALIZER in (obj["metadata"].get("finalizers") or ())
        metadata = await self._annotated(obj, record, is_held=is_held) if record is not None else {}
        before = obj
        if has_status:
            if metadata:
                obj = await self._patch(obj, {"metadata": metadata})
            if status:
                obj = await self._patch(obj, {"status": status}, subresource="status")
        else:
            body: dict[str, Any] = {"metadata": metadata} if metadata else {}
            if status:
                body["status"] = status
            if body:
                obj = await self._patch(obj, body)
        if status:
            self._note_loss(obj, wanted)
        if metadata:
            await self._records.drop_unused(before, obj)
        return obj

    def _unless_lost(self, obj: KubeObject, wanted: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        """Nothing, when the same was written before and the kind's schema dropped a part of it."""
        is_lost = bool(status) and self._lossy.get(Key.of(obj)) == compact_json(timeless(wanted))
        return {} if is_lost else status

    def _note_loss(self, written: KubeObject, wanted: dict[str, Any]) -> None:
        if status_patch(wanted, written.get("status") or {}):
            self._lossy[Key.of(written)] = compact_json(timeless(wanted))
        else:
            self._lossy.pop(Key.of(written), None)

    async def _annotated(self, obj: KubeObject, record: Record, *, is_held: bool) -> dict[str, Any]:
        annotations = obj["metadata"].get("annotations") or {}
        text = await self._records.place(obj, record, is_held=is_held)
        return {} if annotations.get(ANNOTATION) == text else {"annotations": {ANNOTATION: text}}

    async def _read(self, obj: KubeObject) -> KubeObject:
        metadata = obj["metadata"]
        return self._known(await self._kube.get(self._gvk, metadata["name"], namespace=metadata.get("namespace")))

    async def _patch(self, obj: KubeObject, body: dict[str, Any], *, subresource: str = "") -> KubeObject:
        metadata = obj["metadata"]
        stated = {**body.get("metadata", {}), "resourceVersion": metadata["resourceVersion"]}
        self._written[Key.of(obj)] = _UNKNOWN
        patched = await self._kube.patch(
            self._gvk,
            metadata["name"],
            {**body, "metadata": stated},
            namespace=metadata.get("namespace"),
            subresource=subresource,
        )
        return self._known(patched)

    def _known(self, obj: KubeObject) -> KubeObject:
        self._written[Key.of(obj)] = obj["metadata"]["resourceVersion"]
        return obj
