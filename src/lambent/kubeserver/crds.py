"""CustomResourceDefinitions at work: from an accepted definition to served resources, and to its end.

A definition is served as soon as it is committed, before `Established` is written. When one is deleted, its objects
go first (the finalizer holds it); new ones are refused meanwhile.
"""

import logging
from typing import Any

from lambent.clock import WallClock, rfc3339
from lambent.kube.schema import compile_schema
from lambent.kube.schema.rules import compile_rules
from lambent.kube.types import GVK, KubeObject
from lambent.kubeserver.deletion import CRD_FINALIZER, CRDS_BUCKET, DeleteOptions, Deleter
from lambent.kubeserver.inbox import Inbox
from lambent.kubeserver.records import Change, Record
from lambent.kubeserver.resources import VERBS, Catalog, Column, Resource, Scale, Traits, version_order
from lambent.kubeserver.store import Store
from lambent.kubeserver.watching import Hub

log = logging.getLogger(__name__)

_AGE = Column("Age", "date", ".metadata.creationTimestamp")
_DYING_VERBS = ("delete", "deletecollection", "get", "list", "watch")


def resources_of(crd: KubeObject, *, epoch: int) -> list[Resource]:
    """The served versions of a definition."""
    spec: Any = crd["spec"]
    versions = [version for version in spec["versions"] if version.get("served")]
    storage = next(version["name"] for version in spec["versions"] if version.get("storage"))
    dying = "deletionTimestamp" in crd["metadata"]
    return [_resource(spec, version, storage, dying=dying, epoch=epoch) for version in versions]


def _resource(spec: Any, version: Any, storage: str, *, dying: bool, epoch: int) -> Resource:
    names, group = spec["names"], spec["group"]
    gvk = GVK(group, version["name"], names["kind"])
    source = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    subresources = version.get("subresources") or {}
    warning = f"{gvk.api_version} {gvk.kind} is deprecated{_instead(spec, version, gvk)}"
    return Resource(
        gvk=gvk,
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        namespaced=spec["scope"] == "Namespaced",
        bucket=f"{names['plural']}.{group}",
        stored_api_version=f"{group}/{storage}",
        schema=compile_schema(_without_envelope(source)),
        rules=compile_rules(source),
        list_kind=names.get("listKind", ""),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        columns=_columns(version),
        has_status="status" in subresources,
        scale=_scale(subresources.get("scale")),
        traits=Traits(needs_version_on_update=True, selectable=_selectable(version)),
        custom=True,
        verbs=_DYING_VERBS if dying else VERBS,
        deprecation=(version.get("deprecationWarning") or warning) if version.get("deprecated") else "",
        epoch=epoch,
    )


def _instead(spec: Any, version: Any, gvk: GVK) -> str:
    """The served version that takes the place of a deprecated one, if there is a better one."""
    better = [one["name"] for one in spec["versions"] if one.get("served") and not one.get("deprecated")]
    newest = min(better, key=version_order, default="")
    is_newer = newest and version_order(newest) < version_order(version["name"])
    return f"; use {gvk.group}/{newest} {gvk.kind}" if is_newer else ""


def _without_envelope(source: Any) -> Any:
    """apiVersion, kind and metadata are checked apart, whatever the schema says of them."""
    properties = {
        k: v for k, v in (source.get("properties") or {}).items() if k not in ("apiVersion", "kind", "metadata")
    }
    needed = [name for name in source.get("required") or () if name not in ("apiVersion", "kind", "metadata")]
    return {**source, "properties": properties, "required": needed}


def _columns(version: Any) -> tuple[Column, ...]:
    declared = version.get("additionalPrinterColumns")
    if not declared:
        return (_AGE,)
    return tuple(
        Column(
            column["name"],
            column["type"],
            column["jsonPath"],
            column.get("priority", 0),
            column.get("format", ""),
            column.get("description", ""),
        )
        for column in declared
    )


def _scale(declared: Any) -> Scale | None:
    if not declared:
        return None
    return Scale(declared["specReplicasPath"], declared["statusReplicasPath"], declared.get("labelSelectorPath", ""))


def _selectable(version: Any) -> tuple[str, ...]:
    return tuple(field["jsonPath"].removeprefix(".") for field in version.get("selectableFields") or ())


class Definitions:
    """Keeps the catalog equal to the stored definitions, and writes their status."""

    def __init__(self, store: Store, catalog: Catalog, deleter: Deleter, hub: Hub, *, clock: WallClock) -> None:
        self._store = store
        self._catalog = catalog
        self._hub = hub
        self._deleter = deleter
        self._clock = clock
        self._inbox: Inbox[str] = Inbox("definitions")
        self._waits: dict[str, str] = {}
        self._epoch = 0
        store.listen(self._on_change)

    def load(self) -> None:
        """Serves what the store holds; to be called once after it was read."""
        for record in self._store.scan(CRDS_BUCKET):
            self._serve(record)

    def _serve(self, record: Record) -> None:
        self._epoch += 1
        obj = record.load()
        resources = resources_of(obj, epoch=self._epoch)
        self._catalog.put(record.name, resources)
        self._waits[f"{obj['spec']['names']['plural']}.{obj['spec']['group']}"] = record.name
        self._inbox.add(record.name)

    def _on_change(self, change: Change) -> None:
        if change.bucket == CRDS_BUCKET:
            if change.type == "DELETED":
                self._catalog.drop(change.record.name)
                self._hub.close(change.record.name)  # its bucket has the definition's name
            elif change.old is None or _served_part(change.old) != _served_part(change.record):
                self._serve(change.record)
        elif change.type == "DELETED" and change.bucket in self._waits:
            self._inbox.add(self._waits[change.bucket])

    async def run(self) -> None:
        """Settles definitions for ever."""
        await self._inbox.serve(self._settle)

    async def _settle(self, name: str) -> None:
        record = self._store.peek(CRDS_BUCKET, name)
        if record is not None:
            await (self._remove(record) if record.deleting else self._establish(record))

    async def _establish(self, record: Record) -> None:
        obj = record.load()
        status: Any = obj.setdefault("status", {})
        conditions = status.get("conditions") or []
        held = {condition["type"]: condition["status"] for condition in conditions}
        names = {key: value for key, value in obj["spec"]["names"].items() if value}
        stored = [v["name"] for v in obj["spec"]["versions"] if v.get("storage")]
        wanted = list(dict.fromkeys([*(status.get("storedVersions") or []), *stored]))
        if (
            held.get("Established") == "True"
            and status.get("acceptedNames") == names
            and status.get("storedVersions") == wanted
        ):
            return
        now = rfc3339(self._clock())
        status["conditions"] = [
            _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
            _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
        ]
        status["acceptedNames"] = names
        status["storedVersions"] = wanted
        await self._store.put(CRDS_BUCKET, obj)

    async def _remove(self, record: Record) -> None:
        """Deletes the objects of a dying definition; the definition goes when the last of them is gone."""
        if CRD_FINALIZER not in (record.load()["metadata"].get("finalizers") or ()):
            return
        resources = self._catalog.of_crd(record.name)
        bucket = record.name  # plural.group, for both
        for one in self._store.scan(bucket):
            newest = self._store.peek(bucket, one.path)
            if newest is not None and not newest.deleting and resources:
                await self._deleter.delete(resources[0], newest, DeleteOptions(policy="Background"))
        if any(self._store.peek(bucket, one.path) for one in self._store.scan(bucket)):
            return
        newest = self._store.peek(CRDS_BUCKET, record.name)
        if newest is None:
            return
        obj = newest.load()
        left = [name for name in obj["metadata"].get("finalizers") or () if name != CRD_FINALIZER]
        if left:
            obj["metadata"]["finalizers"] = left
            await self._store.put(CRDS_BUCKET, obj)
        else:
            obj["metadata"].pop("finalizers", None)
            await self._store.remove(CRDS_BUCKET, obj)


def _served_part(record: Record) -> tuple[Any, bool]:
    return record.load()["spec"], record.deleting


def _condition(kind: str, reason: str, message: str, now: str) -> dict[str, str]:
    return {"lastTransitionTime": now, "message": message, "reason": reason, "status": "True", "type": kind}
