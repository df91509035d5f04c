"""The kinds whose objects our finalizer holds, noted where the next controller finds them.

Which kinds are triggers, workflows say. When the last workflow of a kind goes while no controller runs, nothing would
tell the next one of the objects that wait for it, and they could never be deleted. So a kind is noted in a ConfigMap
before its first object gets the finalizer, and taken off when a controller sees that none is held any more.

Putting a kind on the note needs no precondition: each kind is a key of its own, the value says nothing, and one too
many costs the next start a list. Taking one off has one: between the look that found none held and the write another
controller may have noted the kind. Of several controllers that share the triggers none takes a kind off: a kind that
stands on the note already is noted by nobody again, so no precondition would tell one of them of the others' objects.
"""

import asyncio
import logging
from collections.abc import Container, Iterable
from typing import Any, cast

from lambent.kube.client import KubeClient
from lambent.kube.errors import AlreadyExists, Forbidden, KubeError, NotFound
from lambent.kube.types import GVK, Key, KubeObject, Selector
from lambent.workflow.controller.records import CONFIG_MAP, FINALIZER

_log = logging.getLogger(__name__)
NAME = "lambent-held-kinds"
_METADATA = Selector(form="metadata")


class HeldKinds:
    """`namespace` is that of the triggers that are served, None for all; then the note lies in `default`. `has_all`
    says that no other controller serves triggers there.
    """

    def __init__(self, kube: KubeClient, namespace: str | None, *, has_all: bool = True) -> None:
        self._kube = kube
        self._namespace = namespace
        self._has_all = has_all
        self._noted: set[GVK] = set()
        self._revision = ""
        """Of the note as it was read or written last."""
        self._lock = asyncio.Lock()

    async def note(self, gvk: GVK) -> None:
        """Before an object of the kind gets the finalizer. Raises KubeError."""
        if gvk in self._noted:
            return
        async with self._lock:
            try:
                await self._write({_name(gvk): "held"})
            except Forbidden:
                # Deletion works as long as a workflow has the kind; a pass must not fail for the case without.
                _log.warning("may not note in a ConfigMap that objects are held", extra={"kind": gvk.kind})
            self._noted.add(gvk)

    async def drop(self, gvk: GVK) -> None:
        """No object of the kind is held; what cannot be said now the next start finds out."""
        async with self._lock:
            if gvk in self._noted:
                self._noted.discard(gvk)
                await self._take_off([gvk])

    async def find(self, served: Container[GVK]) -> dict[GVK, list[Key]]:
        """The held objects of each kind that was noted and is not served. Raises KubeError."""
        found: dict[GVK, list[Key]] = {}
        async with self._lock:
            noted = await self._read()
        for gvk in noted:
            if gvk not in served:
                found[gvk] = await self._held(gvk)
        async with self._lock:
            await self._take_off(gvk for gvk, keys in found.items() if not keys and gvk not in self._noted)
            self._noted.update(gvk for gvk, keys in found.items() if keys)
        return {gvk: keys for gvk, keys in found.items() if keys}

    async def _read(self) -> list[GVK]:
        try:
            note = await self._kube.get(CONFIG_MAP, NAME, namespace=self._place)
        except NotFound:
            return []
        self._saw(note)
        names = (name.split(".", 2) for name in cast(dict[str, Any], note).get("data") or {})
        return [GVK(parts[2], parts[1], parts[0]) for parts in names if len(parts) == len(GVK._fields)]

    async def _held(self, gvk: GVK) -> list[Key]:
        try:
            pages = self._kube.list(gvk, namespace=self._namespace, selector=_METADATA)
            objects = [obj async for page in pages for obj in page.items]
        except NotFound:
            # The CRD went, and its objects with it.
            return []
        return [Key.of(obj) for obj in objects if FINALIZER in (obj["metadata"].get("finalizers") or ())]

    async def _take_off(self, kinds: Iterable[GVK]) -> None:
        data: dict[str, str | None] = {_name(gvk): None for gvk in kinds}
        if data and self._revision and self._has_all:
            body = {"metadata": {"resourceVersion": self._revision}, "data": data}
            try:
                self._saw(await self._kube.patch(CONFIG_MAP, NAME, body, namespace=self._place))
            except KubeError as error:
                _log.info("cannot take kinds off the note of held ones: %s", error)

    async def _write(self, data: dict[str, str]) -> None:
        try:
            self._saw(await self._kube.patch(CONFIG_MAP, NAME, {"data": data}, namespace=self._place))
        except NotFound:
            metadata = {"name": NAME, "namespace": self._place}
            note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            try:
                self._saw(await self._kube.create(cast(KubeObject, note)))
            except AlreadyExists:
                self._saw(await self._kube.patch(CONFIG_MAP, NAME, {"data": data}, namespace=self._place))

    def _saw(self, note: KubeObject) -> None:
        self._revision = note["metadata"]["resourceVersion"]

    @property
    def _place(self) -> str:
        return self._namespace or "default"


def _name(gvk: GVK) -> str:
    """As a key of a ConfigMap."""
    return f"{gvk.kind}.{gvk.version}.{gvk.group}"
