"""The end of a namespace: its content is deleted, then the `kubernetes` finalizer goes, then the namespace.

Source: Kubernetes docs, "Namespaces"; conditions as kube-controller-manager writes them.
"""

from collections import Counter
from typing import Any

from lambent.clock import WallClock, rfc3339
from lambent.kubeserver.conditions import set_condition
from lambent.kubeserver.lifecycle.deletion import DeleteOptions, Deleter
from lambent.kubeserver.lifecycle.inbox import Inbox
from lambent.kubeserver.resources import Catalog, Resource
from lambent.kubeserver.storage.records import Change
from lambent.kubeserver.storage.store import Store

BUCKET = "namespaces"
ALWAYS = ("default", "kube-system", "lambent-system")

# Condition type, reason and message while it does not hold.
_CONDITIONS = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    ("NamespaceDeletionContentFailure", "ContentDeleted",
     "All content successfully deleted, may be waiting on finalization"),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)  # fmt: skip


class Namespaces:
    def __init__(self, store: Store, catalog: Catalog, deleter: Deleter, clock: WallClock) -> None:
        self._store = store
        self._catalog = catalog
        self._deleter = deleter
        self._clock = clock
        self._inbox: Inbox[str] = Inbox("namespaces")
        self._ending: set[str] = set()
        store.listen(self._on_change)

    def load(self) -> None:
        for record in self._store.scan(BUCKET):
            self._inbox.add(record.name)

    def _on_change(self, change: Change) -> None:
        if change.bucket == BUCKET:
            if change.type == "DELETED":
                self._ending.discard(change.record.name)
            elif change.record.deleting or change.type == "ADDED":
                self._inbox.add(change.record.name)
        elif change.record.namespace in self._ending and change.type == "DELETED":
            self._inbox.add(change.record.namespace)

    async def run(self) -> None:
        """Empties and furnishes for ever."""
        await self._inbox.serve(self._look)

    async def _look(self, name: str) -> None:
        record = self._store.peek(BUCKET, name)
        if record is None:
            return
        if record.deleting:
            self._ending.add(name)
            await self._empty(name)
        else:
            await self._furnish(name)

    async def _furnish(self, name: str) -> None:
        """Every namespace has the ServiceAccount `default`."""
        if self._store.peek("serviceaccounts", f"{name}/default") is None:
            await self._store.put("serviceaccounts", service_account(name, self._clock))

    async def _empty(self, name: str) -> None:
        remaining: Counter[str] = Counter()
        finalizers: Counter[str] = Counter()
        for resource in self._kinds():
            for record in self._store.scan(resource.bucket, name):
                newest = self._store.peek(resource.bucket, record.path)
                if newest is not None and not newest.deleting:
                    await self._deleter.delete(resource, newest, DeleteOptions(policy="Background"))
                if (left := self._store.peek(resource.bucket, record.path)) is not None:
                    remaining[f"{resource.plural}.{resource.group}"] += 1
                    finalizers.update(left.load()["metadata"].get("finalizers") or ())
        await self._settle(name, remaining, finalizers)

    def _kinds(self) -> list[Resource]:
        by_bucket = {r.bucket: r for r in self._catalog.table.resources if r.namespaced and not r.traits.is_virtual}
        return list(by_bucket.values())

    async def _settle(self, name: str, remaining: Counter[str], finalizers: Counter[str]) -> None:
        record = self._store.peek(BUCKET, name)
        if record is None:
            return
        obj = record.load()
        spec = obj.setdefault("spec", {})
        others = [one for one in spec.get("finalizers") or () if one != "kubernetes"]
        if not remaining:
            spec["finalizers"] = others
            if not others:
                del spec["finalizers"]
            if not others and not obj["metadata"].get("finalizers"):
                await self._store.remove(BUCKET, obj)
                return
        now, held = rfc3339(self._clock()), _held(remaining, finalizers)
        for kind, reason, message in _CONDITIONS:
            value = "True" if kind in held else "False"
            set_condition(obj, kind, value, *held.get(kind, (reason, message)), now=now)
        if obj != record.load():
            await self._store.put(BUCKET, obj)


def _held(remaining: Counter[str], finalizers: Counter[str]) -> dict[str, tuple[str, str]]:
    """Reason and message of the conditions that hold a namespace."""
    out = {}
    if remaining:
        kinds = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(remaining.items()))
        out["NamespaceContentRemaining"] = ("SomeResourcesRemain", f"Some resources are remaining: {kinds}")
    if finalizers:
        names = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
        text = f"Some content in the namespace has finalizers remaining: {names}"
        out["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", text)
    return out


def _made(obj: Any, clock: WallClock) -> Any:
    from lambent.kubeserver.metadata import initialise

    initialise(obj, clock(), counts_generation=False)
    return obj


def service_account(namespace: str, clock: WallClock) -> Any:
    meta = {"name": "default", "namespace": namespace}
    return _made({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}, clock)


def namespace(name: str, clock: WallClock) -> Any:
    head = {"apiVersion": "v1", "kind": "Namespace"}
    meta = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
    rest = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    return _made({**head, "metadata": meta, **rest}, clock)
