"""Writes to the Kubernetes object of a pass, and the memory of our own last write.

Each write carries the resourceVersion it was made from, so that two writers never undo each other; a Conflict ends
the pass and the runner begins it anew. Not here: what the status says (`statuses`).
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from lambent.kube.client import KubeClient
from lambent.kube.errors import Conflict, NotFound
from lambent.kube.types import GVK, KubeObject, PatchBody


class Held:
    """The object as last read or written in this pass."""

    def __init__(self, kube: KubeClient, obj: KubeObject, *, finalizer: str, manager: str) -> None:
        self._kube = kube
        self.obj = obj
        self._finalizer = finalizer
        self._manager = manager

    @property
    def version(self) -> str:
        return self.obj["metadata"].get("resourceVersion", "")

    @property
    def has_finalizer(self) -> bool:
        return self._finalizer in (self.obj["metadata"].get("finalizers") or ())

    async def claim(self) -> None:
        """Before a call that creates anything: our finalizer is on the object, and the object is what was read.

        An informer may trail the object's end, and what is made for an object that is gone nobody would delete. So an
        object that has the finalizer already is read once more: Conflict when it has changed, NotFound when it is gone.
        """
        if not self.has_finalizer:
            await self.patch({"metadata": {"finalizers": self._with_ours()}})
            return
        meta = self.obj["metadata"]
        live = await self._kube.get(GVK.of(self.obj), meta["name"], namespace=meta.get("namespace"))
        if live["metadata"].get("resourceVersion") != self.version:
            raise Conflict("the object changed while the pass was under way", code=409, status_reason="Conflict")

    async def adopt(self, annotations: Mapping[str, str], spec: Mapping[str, Any]) -> None:
        """Finalizer, annotations and spec in one patch."""
        body: dict[str, Any] = {"metadata": {"finalizers": self._with_ours(), "annotations": dict(annotations)}}
        if spec:
            body["spec"] = dict(spec)
        await self.patch(body)

    async def annotate(self, annotations: Mapping[str, str]) -> None:
        """One patch, and none when all are there already."""
        known = self.obj["metadata"].get("annotations") or {}
        fresh = {key: value for key, value in annotations.items() if known.get(key) != value}
        if fresh:
            await self.patch({"metadata": {"annotations": fresh}})

    def _with_ours(self) -> list[str]:
        return list(dict.fromkeys([*(self.obj["metadata"].get("finalizers") or ()), self._finalizer]))

    async def remove_finalizer(self) -> None:
        """With the last finalizer of a deleted object the object goes."""
        if self.has_finalizer:
            kept = [name for name in self.obj["metadata"].get("finalizers") or () if name != self._finalizer]
            # An informer may trail the object's end; then what is asked for has happened.
            with contextlib.suppress(NotFound):
                await self.patch({"metadata": {"finalizers": kept}})

    async def patch(self, body: dict[str, Any], *, subresource: str = "") -> None:
        meta = self.obj["metadata"]
        locked = {**body, "metadata": {**body.get("metadata", {}), "resourceVersion": self.version}}
        request: PatchBody = locked
        self.obj = await self._kube.patch(
            GVK.of(self.obj),
            meta["name"],
            request,
            namespace=meta.get("namespace"),
            subresource=subresource,
            manager=self._manager,
        )


def merge_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that turns `old` into `new`; empty when they are equal."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            inner = merge_difference(before, value)
            if inner:
                patch[name] = inner
        elif name not in old or before != value:
            patch[name] = value
    return patch
