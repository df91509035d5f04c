"""The table of builtin kinds. Source: Kubernetes API reference 1.34 (names, verbs, columns of `kubectl get`)."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

from lambent.kube.schema import Schema, compile_schema
from lambent.kube.types import GVK
from lambent.kubeserver.resources import Resource, Scale, Traits

_HERE = Path(__file__).parent
_WORKLOAD_SCALE = Scale(".spec.replicas", ".status.replicas", ".status.selector")
_EVENT_FIELDS = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_NEW_EVENT_FIELDS = (
    *(name.replace("involvedObject", "regarding") for name in _EVENT_FIELDS if name.startswith("involvedObject")),
    *("reason", "reportingController", "type"),
)
_GROUPS = (
    *("", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io"),
    *("autoscaling", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "apiextensions.k8s.io"),
    *("coordination.k8s.io", "discovery.k8s.io"),
)
"""The order in which discovery tells of the groups, which is that of `kubectl get all`."""
_TWICE = ("update", "whole")
_PLAIN = Traits(counts_generation=False)
_WHOLE = Traits(counts_generation=False, update_looks=_TWICE)
_RBAC = Traits(
    counts_generation=False, creates_on_put=True, name_rule="path", update_looks=("whole", "whole", "update")
)
_VIRTUAL = Traits(counts_generation=False, is_virtual=True)


@cache
def definitions() -> dict[str, Any]:
    """The generated schemas, by their names in the OpenAPI document."""
    found: dict[str, Any] = orjson.loads((_HERE / "schemas.json").read_bytes())["schemas"]
    return found


@cache
def schema_names() -> dict[tuple[str, str, str], str]:
    return {
        (gvk["group"], gvk["version"], gvk["kind"]): name
        for name, schema in definitions().items()
        for gvk in schema.get("x-kubernetes-group-version-kind", ())
    }


@cache
def schema_of(group: str, version: str, kind: str) -> Schema:
    known = definitions()
    return compile_schema({"$ref": schema_names()[group, version, kind]}, definitions=known, omits_empty=True)


@cache
def object_meta() -> Schema:
    """The schema of `metadata`, for objects whose own schema does not speak of it."""
    known = definitions()
    return compile_schema(
        {"$ref": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}, definitions=known, omits_empty=True
    )


def _resource(
    group_version: str,
    kind: str,
    plural: str,
    short: str = "",
    *,
    namespaced: bool = True,
    status: bool = False,
    scale: bool = False,
    traits: Traits = Traits(),  # noqa: B008 - frozen
    categories: str = "",
    bucket: str = "",
    verbs: tuple[str, ...] | None = None,
) -> Resource:
    group, _, version = group_version.rpartition("/")
    extra = {"verbs": verbs} if verbs else {}
    return Resource(
        gvk=GVK(group, version, kind),
        plural=plural,
        singular=kind.lower(),
        namespaced=namespaced,
        bucket=bucket or (f"{plural}.{group}" if group else plural),
        stored_api_version="v1" if bucket else group_version,
        schema=schema_of(group, version, kind),
        short_names=tuple(short.split()),
        categories=tuple(categories.split()),
        has_status=status,
        scale=_WORKLOAD_SCALE if scale else None,
        traits=traits,
        **extra,  # type: ignore[arg-type]  # verbs alone
    )


@cache
def builtin_resources() -> tuple[Resource, ...]:
    """Everything served without a CRD. `v1 Event` and `events.k8s.io/v1 Event` are two views of one bucket."""
    found = (*_core(), *_workloads(), *_policies(), *_reviews())
    return tuple(sorted(found, key=lambda resource: (_GROUPS.index(resource.group), resource.plural)))


def _core() -> tuple[Resource, ...]:
    r = _resource
    return (
        r("v1", "Namespace", "namespaces", "ns", namespaced=False, status=True,
          verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
          traits=Traits(counts_generation=False, name_rule="label", selectable=("status.phase",),
                        subresources=(("finalize", "Namespace"),))),
        r("v1", "ConfigMap", "configmaps", "cm", traits=_WHOLE),
        r("v1", "Secret", "secrets", traits=Traits(counts_generation=False, selectable=("type",), update_looks=_TWICE)),
        r("v1", "ServiceAccount", "serviceaccounts", "sa",
          traits=Traits(counts_generation=False, delete_answers_object=True, update_looks=_TWICE,
                        subresources=(("token", "TokenRequest"),))),
        r("v1", "Event", "events", "ev",
          traits=Traits(counts_generation=False, creates_on_put=True, selectable=_EVENT_FIELDS, update_looks=())),
        r("v1", "Pod", "pods", "po", status=True, categories="all",
          traits=Traits(update_looks=_TWICE, status_keeps=("ownerReferences",),
                        selectable=("status.phase", "spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName",
                                    "spec.schedulerName", "status.podIP", "status.podIPs", "status.nominatedNodeName",
                                    "spec.hostNetwork"),
                        subresources=(("log", "Pod"), ("eviction", "Eviction"), ("binding", "Binding")))),
        r("v1", "Service", "services", "svc", status=True, categories="all",
          traits=Traits(counts_generation=False, creates_on_put=True, delete_answers_object=True, name_rule="dns1035",
                        selectable=("spec.clusterIP", "spec.type"))),
        r("v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", status=True,
          traits=Traits(counts_generation=False, update_looks=("whole", "update", "whole"))),
    )  # fmt: skip


def _workloads() -> tuple[Resource, ...]:
    r = _resource
    return (
        r("apps/v1", "Deployment", "deployments", "deploy", status=True, scale=True, categories="all",
          traits=Traits(counts_metadata=("annotations",), status_keeps=("labels",))),
        r("apps/v1", "ReplicaSet", "replicasets", "rs", status=True, scale=True, categories="all"),
        r("apps/v1", "StatefulSet", "statefulsets", "sts", status=True, scale=True, categories="all",
          traits=Traits(name_rule="label")),
        r("apps/v1", "DaemonSet", "daemonsets", "ds", status=True, categories="all"),
        r("batch/v1", "Job", "jobs", status=True, categories="all",
          traits=Traits(orphans_by_default=True, selectable=("status.successful",), update_looks=_TWICE)),
        r("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", status=True,
          categories="all", traits=_PLAIN),
    )  # fmt: skip


def _policies() -> tuple[Resource, ...]:
    r = _resource
    needs = Traits(
        counts_generation=False,
        needs_version_on_update=True,
        status_keeps=("labels", "annotations", "finalizers", "ownerReferences"),
    )
    return (
        r("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", "netpol", traits=Traits(update_looks=_TWICE)),
        r("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", status=True,
          traits=Traits(needs_version_on_update=True, name_rule="path", update_looks=())),
        r("discovery.k8s.io/v1", "EndpointSlice", "endpointslices",
          traits=Traits(counts_metadata=("labels",), update_looks=("whole",))),
        r("coordination.k8s.io/v1", "Lease", "leases",
          traits=Traits(counts_generation=False, needs_version_on_update=True, creates_on_put=True)),
        r("events.k8s.io/v1", "Event", "events", "ev", bucket="events",
          traits=Traits(counts_generation=False, creates_on_put=True, selectable=_NEW_EVENT_FIELDS)),
        r("rbac.authorization.k8s.io/v1", "Role", "roles", traits=_RBAC),
        r("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False, traits=_RBAC),
        r("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", traits=_RBAC),
        r("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False, traits=_RBAC),
        r("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", "crd crds",
          namespaced=False, status=True, categories="api-extensions", traits=Traits(needs_version_on_update=True)),
        r("apiregistration.k8s.io/v1", "APIService", "apiservices", namespaced=False, status=True,
          categories="api-extensions", traits=needs),
    )  # fmt: skip


def _reviews() -> tuple[Resource, ...]:
    r = _resource
    return (
        *(r("authentication.k8s.io/v1", kind, plural, namespaced=False, traits=_VIRTUAL, verbs=("create",))
          for kind, plural in (("TokenReview", "tokenreviews"), ("SelfSubjectReview", "selfsubjectreviews"))),
        *(r("authorization.k8s.io/v1", kind, plural, namespaced=False, traits=_VIRTUAL, verbs=("create",))
          for kind, plural in (("SelfSubjectAccessReview", "selfsubjectaccessreviews"),
                               ("SelfSubjectRulesReview", "selfsubjectrulesreviews"),
                               ("SubjectAccessReview", "subjectaccessreviews"))),
        r("authorization.k8s.io/v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", traits=_VIRTUAL,
          verbs=("create",)),
    )  # fmt: skip
