"""Names of objects in the cluster as the engine speaks of them: what a function manages, and who owns it."""

from dataclasses import dataclass
from typing import Any

# Group and version, kind, namespace, name.
Place = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """An object that a step manages; namespace is empty for cluster-scoped ones, plural may be unknown (empty).

    `function` is the name of its ResourceFunction; `deletion` its delete policy (abandon, destroy or empty); `uid` the
    object's own: None when nobody knows, empty when there was no object at the last look.
    """

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    plural: str = ""
    is_readonly: bool = False
    function: str = ""
    deletion: str = ""
    uid: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    def record(self) -> dict[str, Any]:
        """The entry of the managed-resources annotation."""
        entry = {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "plural": self.plural,
            "name": self.name,
            "readonly": self.is_readonly,
        }
        if self.namespace:
            entry["namespace"] = self.namespace
        entry["resourceFunction"] = self.function
        if self.deletion:
            entry["delete"] = self.deletion
        if self.uid:
            entry["uid"] = self.uid
        return entry

    @classmethod
    def from_record(cls, entry: Any) -> "ResourceRef | None":
        """The inverse; None for anything that is not an entry."""
        if not isinstance(entry, dict):
            return None
        api_version, kind, name = entry.get("apiVersion"), entry.get("kind"), entry.get("name")
        namespace, plural = entry.get("namespace", ""), entry.get("plural", "")
        if not (isinstance(api_version, str) and isinstance(kind, str) and isinstance(name, str)):
            return None
        if not (api_version and kind and name and isinstance(namespace, str) and isinstance(plural, str)):
            return None
        function, deletion, uid = entry.get("resourceFunction"), entry.get("delete"), entry.get("uid")
        return cls(
            api_version,
            kind,
            name,
            namespace,
            plural,
            is_readonly=entry.get("readonly") is True,
            function=function if isinstance(function, str) else "",
            deletion=deletion if isinstance(deletion, str) else "",
            uid=uid if isinstance(uid, str) else None,
        )

    @property
    def place(self) -> Place:
        """What makes it the same object."""
        return (self.api_version, self.kind, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Owner:
    """The trigger object; namespace is empty when it is cluster-scoped."""

    api_version: str
    kind: str
    name: str
    uid: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"

    def may_own(self, ref: ResourceRef) -> bool:
        """Legal: the same namespace, or a cluster-scoped owner. Source: Kubernetes, "Owners and Dependents"."""
        return not self.namespace or self.namespace == ref.namespace

    def reference(self) -> dict[str, Any]:
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "uid": self.uid,
            "controller": False,
            "blockOwnerDeletion": False,
        }
