"""From an accepted definition to the resources that are served.

Not here: which names it was granted, and when it is served (`crds`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from lambent.kube.schema import Problems, compile_judgement, compile_pruning, compile_schema
from lambent.kube.schema.embedded import embedded
from lambent.kube.types import GVK, KubeObject
from lambent.kubeserver.definitions.acceptance import Names
from lambent.kubeserver.resources import ENVELOPE, VERBS, Column, Resource, Scale, Traits, version_order

if TYPE_CHECKING:
    from lambent.kube.schema.rules import Rules

_AGE = Column("Age", "date", ".metadata.creationTimestamp")
_DYING_VERBS = ("delete", "deletecollection", "get", "list", "watch")


def resources_of(crd: KubeObject, names: Names, *, epoch: int) -> list[Resource]:
    """The served versions of a definition under the names it was granted."""
    spec: Any = {**crd["spec"], "names": names}
    versions = [version for version in spec["versions"] if version.get("served")]
    storage = next(version for version in spec["versions"] if version.get("storage"))
    dying = "deletionTimestamp" in crd["metadata"]
    return [_resource(spec, version, storage, dying=dying, epoch=epoch) for version in versions]


def _resource(spec: Any, version: Any, storage: Any, *, dying: bool, epoch: int) -> Resource:
    names, group = spec["names"], spec["group"]
    gvk = GVK(group, version["name"], names["kind"])
    source, stored = _source(version), _source(storage)
    schema = compile_schema(_without_envelope(source))
    subresources = version.get("subresources") or {}
    warning = f"{gvk.api_version} {gvk.kind} is deprecated{_instead(spec, version, gvk)}"
    return Resource(
        gvk=gvk,
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        namespaced=spec["scope"] == "Namespaced",
        bucket=f"{names['plural']}.{group}",
        stored_api_version=f"{group}/{storage['name']}",
        schema=schema,
        rules=_rules(source),
        embedded=embedded(source),
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
        versions=tuple(f"{group}/{one['name']}" for one in spec["versions"] if one.get("served")),
        head=_head(source),
        readers=(schema.admit,) if source == stored else _readers(source, stored),
    )


def _source(version: Any) -> Any:
    return (version.get("schema") or {}).get("openAPIV3Schema") or {}


def _head(source: Any) -> Callable[[Any], Problems] | None:
    declared = {name: child for name, child in (source.get("properties") or {}).items() if name in ENVELOPE}
    says = any(child.keys() - {"type", "description"} for child in declared.values())
    return compile_judgement({"type": "object", "properties": declared}) if says else None


def _readers(source: Any, stored: Any) -> tuple[Callable[[Any], object], ...]:
    return compile_schema(_without_envelope(stored)).admit, compile_pruning(_without_envelope(source))


def _rules(source: Any) -> "Rules | None":
    """The language of rules takes a while to import, and many definitions have none."""
    if b'"x-kubernetes-validations"' not in orjson.dumps(source):
        return None
    from lambent.kube.schema.rules import compile_rules

    return compile_rules(source)


def _instead(spec: Any, version: Any, gvk: GVK) -> str:
    """The served version that takes the place of a deprecated one, if there is a better one."""
    better = [one["name"] for one in spec["versions"] if one.get("served") and not one.get("deprecated")]
    newest = min(better, key=version_order, default="")
    is_newer = newest and version_order(newest) < version_order(version["name"])
    return f"; use {gvk.group}/{newest} {gvk.kind}" if is_newer else ""


def _without_envelope(source: Any) -> Any:
    """apiVersion, kind and metadata are checked apart, whatever the schema says of them."""
    properties = {k: v for k, v in (source.get("properties") or {}).items() if k not in ENVELOPE}
    needed = [name for name in source.get("required") or () if name not in ENVELOPE]
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
