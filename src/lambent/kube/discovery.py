"""Discovery documents as `ResourceInfo`: the aggregated form and the legacy one, and what a client keeps of them.

Source: Kubernetes API concepts, "API discovery"; KEP-3352.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from lambent.kube.errors import KubeError, NotFound
from lambent.kube.types import GVK, ResourceInfo, WatchEvent

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
AGGREGATED_BETA = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
ACCEPT = f"{AGGREGATED},{AGGREGATED_BETA},application/json"
# kube-apiserver's discovery shows a change within seconds of its event.
_SHOWN_AFTER_S = 10.0
_CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")


class KnownKinds(dict[GVK, ResourceInfo]):
    """What discovery has said; a client shows it what it learns, and it forgets what may be so no more."""

    def on_error(self, gvk: GVK, error: KubeError) -> None:
        """A 404 that names no object means that the kind itself is gone."""
        if isinstance(error, NotFound) and '" not found' not in error.message:
            self.pop(gvk, None)

    def on_event(self, gvk: GVK, event: WatchEvent) -> None:
        """A definition that came, changed or went: its kinds may have other subresources. Its name is plural.group.

        Twice, since what is asked for at once may be an old answer.
        """
        if gvk == _CRD and event.type != "BOOKMARK":
            group = event.object["metadata"]["name"].partition(".")[2]
            self._forget(group)
            asyncio.get_running_loop().call_later(_SHOWN_AFTER_S, self._forget, group)

    def _forget(self, group: str) -> None:
        for known in [known for known in self if known.group == group]:
            del self[known]


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
