"""The kinds a `FakeKube` serves: a few builtins at start, others by registration or by creating their CRD."""

from collections.abc import Iterable, Mapping
from typing import Any

from lambent.kube.errors import NotFound
from lambent.kube.types import GVK, KubeObject, ResourceInfo

_VERBS = frozenset({"get", "list", "watch", "create", "update", "patch", "delete"})
CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")

# api version, kind, plural, namespaced, subresources
_BUILTINS: tuple[tuple[str, str, str, bool, tuple[str, ...]], ...] = (
    ("v1", "Namespace", "namespaces", False, ("status",)),
    ("v1", "ConfigMap", "configmaps", True, ()),
    ("v1", "Secret", "secrets", True, ()),
    ("v1", "ServiceAccount", "serviceaccounts", True, ()),
    ("v1", "Service", "services", True, ("status",)),
    ("v1", "Event", "events", True, ()),
    ("v1", "Pod", "pods", True, ("status",)),
    ("apps/v1", "Deployment", "deployments", True, ("status", "scale")),
    ("coordination.k8s.io/v1", "Lease", "leases", True, ()),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False, ("status",)),
)
WITHOUT_GENERATION = frozenset({"Namespace", "ConfigMap", "Secret", "ServiceAccount", "Service", "Event", "Lease"})
# An update of these without a resourceVersion is allowed. Source: kube-apiserver 1.34.
UNCONDITIONAL = frozenset(
    {"Namespace", "ConfigMap", "Secret", "ServiceAccount", "Service", "Event", "Pod", "Deployment"}
)


class Kinds:
    """A registry of `ResourceInfo` by kind."""

    def __init__(self) -> None:
        self._infos: dict[GVK, ResourceInfo] = {}
        for api_version, kind, plural, namespaced, subresources in _BUILTINS:
            gvk = GVK.parse(api_version, kind)
            self._infos[gvk] = ResourceInfo(gvk, plural, namespaced, frozenset(subresources), _VERBS)

    def register(self, info: ResourceInfo) -> None:
        self._infos[info.gvk] = info

    def unregister(self, gvk: GVK) -> None:
        self._infos.pop(gvk, None)

    def resolve(self, gvk: GVK) -> ResourceInfo:
        try:
            return self._infos[gvk]
        except KeyError:
            message = "the server could not find the requested resource"
            raise NotFound(message, code=404, status_reason="NotFound", what=f"resolve {gvk.kind}") from None

    def __contains__(self, gvk: GVK) -> bool:
        return gvk in self._infos

    def register_crd(self, crd: Mapping[str, Any] | KubeObject) -> list[GVK]:
        """Every served version of a CustomResourceDefinition."""
        spec: Mapping[str, Any] = crd["spec"]
        names = spec["names"]
        registered = []
        for version in _served(spec):
            gvk = GVK(spec["group"], version["name"], names["kind"])
            subresources = frozenset(version.get("subresources") or ())
            self.register(ResourceInfo(gvk, names["plural"], spec["scope"] == "Namespaced", subresources, _VERBS))
            registered.append(gvk)
        return registered


def _served(spec: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (version for version in spec["versions"] if version.get("served", True))
