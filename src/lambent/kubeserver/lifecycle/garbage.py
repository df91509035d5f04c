"""Garbage collection by owner references.

The graph (owner uid -> dependents) follows the committed changes; work is the set of objects whose owners may be gone,
and of owners that wait for their dependents. Source: Kubernetes docs, "Garbage Collection".
"""

from typing import NamedTuple

from lambent.kube.types import GVK
from lambent.kubeserver.lifecycle.deletion import DeleteOptions, Deleter
from lambent.kubeserver.lifecycle.inbox import Inbox
from lambent.kubeserver.resources import Catalog, Resource
from lambent.kubeserver.storage.records import Change, Owner, Record
from lambent.kubeserver.storage.store import Store


class Node(NamedTuple):
    bucket: str
    path: str


class GarbageCollector:
    def __init__(self, store: Store, catalog: Catalog, deleter: Deleter) -> None:
        self._store = store
        self._catalog = catalog
        self._deleter = deleter
        self._dependents: dict[str, set[Node]] = {}
        self._inbox: Inbox[Node] = Inbox("garbage")
        store.listen(self._on_change)

    def load(self) -> None:
        """Builds the graph of what was read from disk, and looks at every object with owners or being deleted."""
        for bucket in self._store.buckets():
            for record in self._store.scan(bucket):
                self._link(bucket, record)

    def _link(self, bucket: str, record: Record) -> None:
        node = Node(bucket, record.path)
        for owner in record.owners:
            self._dependents.setdefault(owner.uid, set()).add(node)
        if record.owners or record.deleting:
            self._inbox.add(node)

    def _on_change(self, change: Change) -> None:
        if change.type == "MODIFIED" and not (change.record.owners or change.record.deleting or _owners(change.old)):
            return  # most changes
        node = Node(change.bucket, change.record.path)
        for owner in _owners(change.old):
            self._dependents.get(owner.uid, set()).discard(node)
        if change.type != "DELETED":
            self._link(change.bucket, change.record)
            for owner in set(_owners(change.old)) - set(change.record.owners):
                self._wake_owner(change.record, owner)
            return
        for dependent in self._dependents.get(change.record.uid, ()):
            self._inbox.add(dependent)
        for owner in change.record.owners:
            self._wake_owner(change.record, owner)

    def _wake_owner(self, record: Record, owner: Owner) -> None:
        if (node := self._node_of(owner, record.namespace)) is not None:
            self._inbox.add(node)

    def _node_of(self, owner: Owner, namespace: str) -> Node | None:
        """Where an owner of objects of this namespace is kept; None when its kind is not served, or lives in namespaces
        and they do not."""
        resource = self._catalog.table.by_kind(GVK.parse(owner.api_version, owner.kind))
        if resource is None or (resource.namespaced and not namespace):
            return None
        return Node(resource.bucket, f"{namespace}/{owner.name}" if resource.namespaced else owner.name)

    async def run(self) -> None:
        """Collects for ever."""
        await self._inbox.serve(self._look)

    async def _look(self, node: Node) -> None:
        record = self._store.peek(*node)
        resource = self._catalog.table.of_bucket(node.bucket)
        if record is None or resource is None:
            return
        if record.deleting:
            await self._finish_owner(resource, record)
        if record.owners:
            await self._collect(resource, record)

    async def _collect(self, resource: Resource, record: Record) -> None:
        """A dependent stays while one owner is there and not waiting for it; gone owners lose their reference."""
        by_state: dict[str, list[Owner]] = {"solid": [], "dangling": [], "waiting": []}
        for owner in record.owners:
            by_state[self._state_of(owner, record.namespace)].append(owner)
        solid, dangling, waiting = by_state.values()
        if solid:
            if dangling or waiting:
                await self._strip(Node(resource.bucket, record.path), {owner.uid for owner in (*dangling, *waiting)})
            return
        newest = self._store.peek(resource.bucket, record.path)
        if newest is None or newest.uid != record.uid or newest.deleting:
            return
        has_own = bool(self._dependents.get(record.uid))
        policy = "Foreground" if waiting and has_own else "Background"
        kept = {"orphan", "foregroundDeletion"} & set(newest.load()["metadata"].get("finalizers") or ())
        await self._deleter.delete(resource, newest, DeleteOptions(policy="" if kept else policy))

    def _state_of(self, owner: Owner, namespace: str) -> str:
        node = self._node_of(owner, namespace)
        if node is None:
            return "solid"  # an owner that cannot be looked for cannot be proved gone
        found = self._store.peek(*node)
        if found is None or found.uid != owner.uid:
            return "dangling"
        if found.deleting and "foregroundDeletion" in (found.load()["metadata"].get("finalizers") or ()):
            return "waiting"
        return "solid"

    async def _finish_owner(self, resource: Resource, record: Record) -> None:
        """Does what an owner's `orphan` or `foregroundDeletion` finalizer waits for."""
        finalizers = record.load()["metadata"].get("finalizers") or ()
        nodes = list(self._dependents.get(record.uid, ()))
        if "orphan" in finalizers:
            for node in nodes:
                if self._catalog.table.of_bucket(node.bucket) is not None:
                    await self._strip(node, {record.uid})
            await self._let_go(resource, record, "orphan")
        elif "foregroundDeletion" in finalizers:
            held = False
            for node in nodes:
                dependent = self._store.peek(*node)
                if dependent is not None and any(o.uid == record.uid for o in dependent.owners):
                    held = held or any(o.uid == record.uid and o.blocks for o in dependent.owners)
                    self._inbox.add(node)
            if not held:
                await self._let_go(resource, record, "foregroundDeletion")

    async def _strip(self, node: Node, uids: set[str]) -> None:
        """Takes owners out of what an object refers to."""
        newest = self._store.peek(*node)
        if newest is None:
            return
        obj = newest.load()
        left = [one for one in obj["metadata"].get("ownerReferences") or () if one["uid"] not in uids]
        if left:
            obj["metadata"]["ownerReferences"] = left
        else:
            obj["metadata"].pop("ownerReferences", None)
        await self._store.put(node.bucket, obj, epoch=newest.epoch)

    async def _let_go(self, resource: Resource, record: Record, finalizer: str) -> None:
        newest = self._store.peek(resource.bucket, record.path)
        if newest is not None and newest.uid == record.uid:
            await self._deleter.let_go(resource.bucket, newest.load(), finalizer, epoch=newest.epoch)


def _owners(record: Record | None) -> tuple[Owner, ...]:
    return record.owners if record is not None else ()
