"""Discovery documents as `ResourceInfo`: the aggregated form and the legacy one. Pure.

Source: Kubernetes API concepts, "API discovery"; KEP-3352.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lambent.kube.types import GVK, ResourceInfo

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
AGGREGATED_BETA = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
ACCEPT = f"{AGGREGATED},{AGGREGATED_BETA},application/json"


def is_aggregated(document: Mapping[str, Any]) -> bool:
    return document.get("kind") == "APIGroupDiscoveryList"


def from_aggregated(document: Mapping[str, Any]) -> Iterator[ResourceInfo]:
    """All kinds of an APIGroupDiscoveryList."""
    for group in document.get("items") or ():
        for version in group.get("versions") or ():
            for resource in version.get("resources") or ():
                yield _aggregated_resource(group["metadata"].get("name", ""), version["version"], resource)


def _aggregated_resource(group: str, version: str, resource: Mapping[str, Any]) -> ResourceInfo:
    own = resource.get("responseKind") or {}
    gvk = GVK(own.get("group") or group, own.get("version") or version, own.get("kind", ""))
    return ResourceInfo(
        gvk if gvk.group == group else GVK(group, version, gvk.kind),
        resource["resource"],
        resource.get("scope") == "Namespaced",
        frozenset(sub["subresource"] for sub in resource.get("subresources") or ()),
        frozenset(resource.get("verbs") or ()),
    )


def from_legacy(document: Mapping[str, Any]) -> Iterator[ResourceInfo]:
    """All kinds of an APIResourceList (`/api/v1`, `/apis/<group>/<version>`)."""
    group, _, version = document["groupVersion"].rpartition("/")
    resources = document.get("resources") or ()
    for resource in resources:
        plural = resource["name"]
        if "/" in plural:
            continue
        prefix = f"{plural}/"
        subresources = (other["name"][len(prefix) :] for other in resources if other["name"].startswith(prefix))
        yield ResourceInfo(
            GVK(group, version, resource["kind"]),
            plural,
            bool(resource.get("namespaced")),
            frozenset(subresources),
            frozenset(resource.get("verbs") or ()),
        )
