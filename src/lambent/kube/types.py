"""The words of the Kubernetes API as Python values: kind, key, object envelope, page, watch event.

Objects are plain dicts as JSON gives them (`KubeObject`); nothing here copies or converts them. Not here: any kind
of ours, and any I/O.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple, NewType, Required, TypedDict
from urllib.parse import quote

from lambent.kube.errors import Invalid

Uid = NewType("Uid", str)
ResourceVersion = NewType("ResourceVersion", str)


class OwnerReference(TypedDict, total=False):
    """metadata.ownerReferences[]."""

    apiVersion: Required[str]
    kind: Required[str]
    name: Required[str]
    uid: Required[str]
    controller: bool
    blockOwnerDeletion: bool


class ObjectMeta(TypedDict, total=False):
    """metadata, as far as a controller reads it."""

    name: Required[str]
    generateName: str
    namespace: str
    uid: str
    resourceVersion: str
    generation: int
    creationTimestamp: str
    deletionTimestamp: str
    labels: dict[str, str]
    annotations: dict[str, str]
    finalizers: list[str]
    ownerReferences: list[OwnerReference]
    managedFields: list[dict[str, Any]]


class KubeObject(TypedDict, total=False):
    """Any object of the API; members that are not here (data, rules) are reached by `.get`."""

    apiVersion: Required[str]
    kind: Required[str]
    metadata: Required[ObjectMeta]
    spec: dict[str, Any]
    status: dict[str, Any]


class GVK(NamedTuple):
    """Group, version, kind; the core group is the empty string."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def is_custom(self) -> bool:
        """For certain: groups of Kubernetes itself have no dot or end in .k8s.io, as some custom ones do."""
        return "." in self.group and not self.group.endswith(".k8s.io")

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, api_version: str, kind: str) -> "GVK":
        group, _, version = api_version.rpartition("/")
        return cls(group, version, kind)

    @classmethod
    def of(cls, obj: KubeObject) -> "GVK":
        return cls.parse(obj["apiVersion"], obj["kind"])


class Key(NamedTuple):
    """What a work queue holds: an object's place among those of its kind; cluster-scoped objects have namespace ""."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @classmethod
    def of(cls, obj: KubeObject) -> "Key":
        meta = obj["metadata"]
        return cls(meta.get("namespace", ""), meta["name"])


@lru_cache(maxsize=4096)
def _segment(text: str) -> str:
    """A name or namespace as one segment of a path, whatever is in it: expressions make them from what users write.

    Names of roles may have characters that a path may not. Raises Invalid for what no object may be called, since a
    server or a proxy would take it for more than one segment, or for none.
    """
    if text in (".", "..") or "/" in text or "%" in text:
        raise Invalid(f'"{text}" is not the name of an object', code=400, status_reason="BadRequest")
    return quote(text, safe=":")


@dataclass(frozen=True, slots=True)
class ResourceInfo:
    """What discovery says of a kind."""

    gvk: GVK
    plural: str
    namespaced: bool
    subresources: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """URL path of the collection, object or subresource; raises Invalid for a name that is none.

        Source: Kubernetes API concepts, "Resource URIs".
        """
        root = f"/apis/{self.gvk.group}" if self.gvk.group else "/api"
        place = f"/namespaces/{_segment(namespace)}" if self.namespaced and namespace else ""
        path = f"{root}/{self.gvk.version}{place}/{self.plural}"
        if name:
            path = f"{path}/{_segment(name)}"
        return f"{path}/{subresource}" if subresource else path


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `continue_` is empty on the last."""

    items: list[KubeObject]
    resource_version: str
    continue_: str = ""


WatchType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch; for ERROR, `object` is a Status."""

    type: WatchType
    object: KubeObject


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What must still be true for a delete to happen."""

    uid: str | None = None
    resource_version: str | None = None


PatchKind = Literal["merge", "json", "strategic"]
Propagation = Literal["Background", "Foreground", "Orphan"]
PatchBody = dict[str, Any] | list[dict[str, Any]]


Form = Literal["full", "metadata"]


@dataclass(frozen=True, slots=True)
class Selector:
    """What of a collection is asked for: label and field selector texts as the API takes them (empty selects all),
    and how much of each object. "metadata" gives objects of kind PartialObjectMetadata (meta.k8s.io/v1), without spec.
    """

    labels: str = ""
    fields: str = ""
    form: Form = "full"


ALL = Selector()


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """Where a watch starts and how long the server may keep it open."""

    resource_version: str = ""
    timeout_s: int = 45
    bookmarks: bool = True
    selector: Selector = field(default=ALL)
