"""The table of what is served: one `Resource` per (group, version, plural), replaced as a whole when a CRD changes.

Routing, discovery, OpenAPI and Tables all read this one table, so they cannot disagree. Not here: where builtin kinds
(`builtin`) and custom ones (`crds`) come from.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambent.kube.schema import Problems, Schema
from lambent.kube.schema.embedded import Embedded
from lambent.kube.types import GVK

if TYPE_CHECKING:
    from lambent.kube.schema.rules import Rules

ENVELOPE = ("apiVersion", "kind", "metadata")
"""The members that every object has, which a custom kind's schema leaves to the server."""
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a Table; `path` is a JSONPath of the object."""

    name: str
    type: str
    path: str
    priority: int = 0
    format: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a kind keeps what its scale subresource shows."""

    spec_path: str
    status_path: str
    selector_path: str = ""


@dataclass(frozen=True, slots=True)
class Traits:
    """How a kind differs from plain storage. Source: Kubernetes API reference, per kind."""

    counts_generation: bool = True
    counts_metadata: tuple[str, ...] = ()  # members of it whose change counts for the generation, too
    status_keeps: tuple[str, ...] = ()  # members of it that a write to `/status` leaves as they are
    needs_version_on_update: bool = False
    creates_on_put: bool = False
    delete_answers_object: bool = False
    orphans_by_default: bool = False
    selectable: tuple[str, ...] = ()
    size_limit_bytes: int = 1_536 * 1024
    name_rule: str = "subdomain"  # or "label", "dns1035"; or "path": RBAC names may hold colons
    update_looks: tuple[str, ...] = ("update",)  # how a kind judges metadata on an update: "update", "whole"
    subresources: tuple[tuple[str, str], ...] = ()  # beyond status and scale: (name, kind)
    is_virtual: bool = False  # computed answers; nothing is stored


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One served version of a kind; `bucket` names its objects in the store, shared by all its versions."""

    gvk: GVK
    plural: str
    singular: str
    namespaced: bool
    bucket: str
    stored_api_version: str
    schema: Schema
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] | None = None
    has_status: bool = False
    scale: Scale | None = None
    traits: Traits = field(default=Traits())
    custom: bool = False
    verbs: tuple[str, ...] = VERBS
    deprecation: str = ""
    rules: "Rules | None" = None
    embedded: Embedded | None = None
    epoch: int = 0
    versions: tuple[str, ...] = ()
    """All that are served of a custom kind."""
    head: Callable[[Any], Problems] | None = None
    """Judges kind, version and metadata of a new object, where the schema says something of them."""
    readers: tuple[Callable[[Any], object], ...] = ()
    """What an object passes when it is read as this version: the stored version's schema, then its own."""
    api_version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_version", self.gvk.api_version)  # each write asks for it several times

    @property
    def group(self) -> str:
        return self.gvk.group

    @property
    def kind(self) -> str:
        return self.gvk.kind

    @property
    def list_name(self) -> str:
        return self.list_kind or f"{self.gvk.kind}List"


class Table:
    """An immutable index of resources; `version` changes with each replacement."""

    def __init__(self, resources: Iterable[Resource], version: int = 0) -> None:
        self.resources = tuple(resources)
        self.version = version
        self._by_path = {(r.group, r.gvk.version, r.plural): r for r in self.resources}
        self._by_kind = {r.gvk: r for r in self.resources}
        self.groups: dict[str, dict[str, list[Resource]]] = {}
        for resource in self.resources:
            self.groups.setdefault(resource.group, {}).setdefault(resource.gvk.version, []).append(resource)

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._by_path.get((group, version, plural))

    def by_kind(self, gvk: GVK) -> Resource | None:
        return self._by_kind.get(gvk)

    def versions(self, group: str) -> list[str]:
        """Preferred first."""
        return sorted(self.groups.get(group, {}), key=version_order)

    def of_bucket(self, bucket: str) -> Resource | None:
        return next((r for r in self.resources if r.bucket == bucket), None)


class Catalog:
    """The present table, and where others learn that it changed."""

    def __init__(self, builtin: Sequence[Resource]) -> None:
        self._builtin = tuple(builtin)
        self._custom: dict[str, tuple[Resource, ...]] = {}
        self.table = Table(builtin)

    def put(self, crd: str, resources: Sequence[Resource]) -> None:
        self._custom[crd] = tuple(resources)
        self._replace()

    def drop(self, crd: str) -> None:
        if self._custom.pop(crd, None) is not None:
            self._replace()

    def of_crd(self, crd: str) -> tuple[Resource, ...]:
        return self._custom.get(crd, ())

    def _replace(self) -> None:
        custom = (resource for resources in self._custom.values() for resource in resources)
        self.table = Table((*self._builtin, *custom), self.table.version + 1)


def version_order(version: str) -> tuple[int, int, int, str]:
    """Sort key: GA first, then beta, alpha, others; within one, the higher number first.

    Source: Kubernetes docs, "Versions in CustomResourceDefinitions: version priority".
    """
    head, stage, tail = version, 3, ""
    for rank, word in ((1, "beta"), (2, "alpha")):
        if word in version:
            head, _, tail = version.partition(word)
            stage = rank
    if stage == 3:
        stage = 0
    number = head.removeprefix("v")
    if not version.startswith("v") or not number.isdigit() or (tail and not tail.isdigit()):
        return (3, 0, 0, version)
    return (stage, -int(number), -int(tail or 0), version)
