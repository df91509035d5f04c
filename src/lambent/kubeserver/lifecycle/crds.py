"""CustomResourceDefinitions at work: from an accepted definition to served resources, and to its end.

A definition whose names are free is served as soon as it is committed, before `Established` is written; one whose names
belong to another waits for them. When one is deleted, its objects go first (the finalizer holds it); new ones are
refused meanwhile. Not here: what a definition may say (`definitions`).
"""

from typing import Any

from lambent.clock import WallClock, rfc3339
from lambent.kubeserver.conditions import TERMINATING, is_true, set_condition
from lambent.kubeserver.definitions.acceptance import NOBODY, Acceptance, Names, accept
from lambent.kubeserver.definitions.approval import approval, is_protected
from lambent.kubeserver.lifecycle.deletion import CRD_FINALIZER, CRDS_BUCKET, DeleteOptions, Deleter
from lambent.kubeserver.lifecycle.inbox import Inbox
from lambent.kubeserver.lifecycle.served import resources_of
from lambent.kubeserver.reads.watching import Hub
from lambent.kubeserver.resources import Catalog
from lambent.kubeserver.storage.records import Change, Record
from lambent.kubeserver.storage.store import Store


class Definitions:
    """Keeps the catalog equal to the stored definitions, and writes their status."""

    def __init__(self, store: Store, catalog: Catalog, deleter: Deleter, hub: Hub, *, clock: WallClock) -> None:
        self._store = store
        self._catalog = catalog
        self._hub = hub
        self._deleter = deleter
        self._clock = clock
        self._inbox: Inbox[str] = Inbox("definitions")
        self._granted: dict[str, dict[str, Acceptance]] = {}  # by group, then by definition
        self._epoch = 0
        store.listen(self._on_change)

    def load(self) -> None:
        """Serves what the store holds; to be called once after it was read."""
        records = list(self._store.scan(CRDS_BUCKET))
        for record in records:  # whoever had a name keeps it, whatever the order of reading
            held = _accepted(record.load())
            self._group(record)[record.name] = Acceptance(held)
        for record in records:
            self._serve(record)

    def _group(self, record: Record) -> dict[str, Acceptance]:
        spec: Any = record.load()["spec"]
        return self._granted.setdefault(spec["group"], {})

    def _serve(self, record: Record) -> None:
        """Grants names and serves under them; what was served before stays when new names are taken."""
        obj = record.load()
        spec: Any = obj["spec"]
        group = self._group(record)
        before = group.get(record.name)
        held = before.names if before else _accepted(obj)
        wanted = {name: value for name, value in spec["names"].items() if value}
        others = [one.names for name, one in group.items() if name != record.name]
        group[record.name] = granted = accept(wanted, held, others)
        self._inbox.add(record.name)
        if granted.is_whole or is_true(obj, "Established"):
            self._epoch += 1
            self._catalog.put(record.name, resources_of(obj, granted.names, epoch=self._epoch))
        if before is not None and before.names != granted.names:
            self._retry(group, record.name)

    def _retry(self, group: dict[str, Acceptance], freed: str) -> None:
        """Names came free: whoever waits in the group may have them now."""
        for name, one in list(group.items()):
            waiting = self._store.peek(CRDS_BUCKET, name) if not one.is_whole and name != freed else None
            if waiting is not None:
                self._serve(waiting)

    def _on_change(self, change: Change) -> None:
        if change.bucket == CRDS_BUCKET:
            if change.type == "DELETED":
                self._drop(change.record)
            elif change.old is None or _served_part(change.old) != _served_part(change.record):
                self._serve(change.record)
        elif change.type == "DELETED" and self._catalog.of_crd(change.bucket):
            self._inbox.add(change.bucket)  # plural.group, for both

    def _drop(self, record: Record) -> None:
        self._catalog.drop(record.name)
        self._hub.close(record.name)  # its bucket has the definition's name
        group = self._group(record)
        if group.pop(record.name, None) is not None:
            self._retry(group, record.name)

    async def run(self) -> None:
        """Settles definitions for ever."""
        await self._inbox.serve(self._settle)

    async def _settle(self, name: str) -> None:
        record = self._store.peek(CRDS_BUCKET, name)
        if record is not None:
            await (self._remove(record) if record.deleting else self._establish(record))

    async def _establish(self, record: Record) -> None:
        granted = self._group(record).get(record.name)
        if granted is None:
            return
        obj: Any = record.load()
        now = rfc3339(self._clock())
        if granted.is_whole:
            set_condition(obj, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now=now)
            text = "the initial names have been accepted"
            if not is_true(obj, "Established"):
                set_condition(obj, "Established", "True", "InitialNamesAccepted", text, now=now)
        else:
            set_condition(obj, "NamesAccepted", "False", granted.reason, granted.message, now=now)
            if not is_true(obj, "Established"):
                set_condition(obj, "Established", "False", "NotAccepted", "not all names are accepted", now=now)
        if is_protected(obj["spec"]["group"]):
            set_condition(obj, "KubernetesAPIApprovalPolicyConformant", *approval(obj), now=now)
        obj["status"]["acceptedNames"] = granted.names
        if obj != record.load():
            await self._store.put(CRDS_BUCKET, obj)

    async def _remove(self, record: Record) -> None:
        """Deletes the objects of a dying definition; the definition goes when the last of them is gone."""
        obj: Any = record.load()
        if CRD_FINALIZER not in (obj["metadata"].get("finalizers") or ()):
            return
        bucket = record.name  # plural.group, for both
        if is_true(obj, "Established"):
            await self._note_deletion(record)
            await self._delete_objects(bucket)
            if any(self._store.peek(bucket, one.path) for one in self._store.scan(bucket)):
                return
        newest = self._store.peek(CRDS_BUCKET, record.name)
        if newest is not None:
            await self._let_go(newest)

    async def _delete_objects(self, bucket: str) -> None:
        resources = self._catalog.of_crd(bucket)
        for one in self._store.scan(bucket):
            newest = self._store.peek(bucket, one.path)
            if newest is not None and not newest.deleting and resources:
                await self._deleter.delete(resources[0], newest, DeleteOptions(policy="Background"))

    async def _note_deletion(self, record: Record) -> None:
        obj, text = record.load(), "CustomResource deletion is in progress"
        set_condition(obj, TERMINATING, "True", "InstanceDeletionInProgress", text, now=rfc3339(self._clock()))
        if obj != record.load():
            await self._store.put(CRDS_BUCKET, obj)

    async def _let_go(self, record: Record) -> None:
        """Takes the server's own finalizer off; another one may still hold the definition."""
        obj = record.load()
        why = ("NeverEstablished", "resource was never established")
        if is_true(obj, "Established"):
            why = ("InstanceDeletionCompleted", "removed all instances")
        set_condition(obj, TERMINATING, "False", *why, now=rfc3339(self._clock()))
        await self._deleter.let_go(CRDS_BUCKET, obj, CRD_FINALIZER)


def _served_part(record: Record) -> tuple[Any, bool]:
    return record.load()["spec"], record.deleting


def _accepted(obj: Any) -> Names:
    return (obj.get("status") or {}).get("acceptedNames") or NOBODY
