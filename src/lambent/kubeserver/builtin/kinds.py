"""What single builtin kinds default and check beyond their schema, by (group, kind).

`defaults_of` fills what its writer owns, `settle` what nobody does; `judge` tells what is wrong, `warn` what is
doubtful about an object that is accepted.
Source: Kubernetes API reference, per kind.
"""

import base64
from collections.abc import Callable
from itertools import islice
from typing import Any

from lambent.clock import rfc3339
from lambent.kubeserver import definitions
from lambent.kubeserver.builtin import workloads
from lambent.kubeserver.builtin.bodies import fill_empty
from lambent.kubeserver.builtin.workloads import fill
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.validation.warnings import KINDS


def defaults_of(draft: Draft) -> None:
    """Fills what a kind's own code would fill."""
    resource = draft.resource
    if resource.custom:
        return
    if draft.is_create and resource.has_status:  # what is new has not been seen by its controller
        draft.new.pop("status", None)
    fill_empty(resource, draft.new, structs_only=True)
    found = _DEFAULTS.get((resource.group, resource.kind))
    if found is not None:
        found(draft)
    fill_empty(resource, draft.new)


def settle(draft: Draft) -> None:
    """Does what the server does to an object and nobody owns."""
    resource = draft.resource
    found = None if resource.custom else _SETTLES.get((resource.group, resource.kind))
    if found is not None and draft.subresource not in ("status", "finalize"):
        found(draft)


def judge(draft: Draft) -> None:
    """Adds the problems a kind's own validation would find."""
    resource = draft.resource
    if resource.custom:
        return
    if resource.kind == "CustomResourceDefinition":
        draft.problems += definitions.problems(draft)
        return
    if draft.subresource in ("status", "finalize"):
        if resource.bucket == "services":
            from lambent.kubeserver.validation.services import service_status

            draft.problems += service_status(draft.new)
        return
    # The rules of all kinds: a twentieth of the server's code, and none of it is needed before a write.
    from lambent.kubeserver.validation.kinds import problems

    if resource.bucket == "pods":
        from lambent.kubeserver.validation.warnings.kinds import before_verdict

        draft.call.warnings += before_verdict(draft.new, draft.old)
    draft.problems += problems(resource.group, resource.kind, draft.new, draft.old)


def warn(draft: Draft) -> None:
    """Tells what is doubtful about an object of a builtin kind that is about to be stored."""
    resource = draft.resource
    if resource.custom or (resource.group, resource.kind) not in KINDS or draft.subresource == "status":
        return
    from lambent.kubeserver.validation.warnings.kinds import warnings

    found = warnings(resource.group, resource.kind, draft.new, draft.old)
    draft.call.warnings += islice(found, _MOST_WARNINGS)


def _namespace_defaults(draft: Draft) -> None:
    obj: Any = draft.new
    if draft.is_create:
        obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]
        obj["status"] = {"phase": "Active"}
    elif draft.old is not None and draft.subresource != "finalize":
        obj["spec"] = draft.old.get("spec", {})
    labels = obj["metadata"].get("labels")
    name = obj["metadata"].get("name")
    if name and (labels is None or isinstance(labels, dict)):
        obj["metadata"]["labels"] = {**(labels or {}), "kubernetes.io/metadata.name": name}


def _secret_defaults(draft: Draft) -> None:
    obj: Any = draft.new
    plain = obj.pop("stringData", None)
    if isinstance(plain, dict):
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}
    if not obj.get("type"):
        obj["type"] = "Opaque"


def _service_defaults(draft: Draft) -> None:
    from lambent.kubeserver.builtin.services import defaults  # with the rules of Services, as late as those

    defaults(draft)


def _binding_defaults(draft: Draft) -> None:
    obj: Any = draft.new
    fill(obj, {"roleRef": {}})
    fill(obj["roleRef"], {"apiGroup": _RBAC})
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            fill(subject, {"apiGroup": _RBAC})


def _settle_account(draft: Draft) -> None:
    """Of the Secrets named only the names are kept."""
    obj: Any = draft.new
    if any(one.keys() - {"name"} for one in obj.get("secrets") or ()):
        draft.keep_asked()
        obj["secrets"] = [{"name": one["name"]} if one.get("name") else {} for one in obj["secrets"]]


def _claim_defaults(draft: Draft) -> None:
    obj: Any = draft.new
    spec = _spec(draft)
    fill(spec, {"volumeMode": "Filesystem"})
    _claim_sources(spec, _spec_of(draft.old))
    if draft.is_create:
        obj["status"] = {"phase": "Pending"}


_SOURCES = ((None, "PersistentVolumeClaim"), ("", "PersistentVolumeClaim"),
            ("snapshot.storage.k8s.io", "VolumeSnapshot"))  # fmt: skip


def _claim_sources(spec: dict[str, Any], old: Any) -> None:
    """The older member takes two kinds only; it and the newer one stand for each other."""
    source, ref = spec.get("dataSource"), spec.get("dataSourceRef")
    was_used = old is not None and (old.get("dataSource") is not None or old.get("dataSourceRef") is not None)
    if ref is not None:
        ref.pop("namespace", None)  # another feature that 1.34 has switched off
    is_known = source is not None and (source.get("apiGroup"), source.get("kind", "")) in _SOURCES
    if source is not None and ref is None and not was_used and not is_known:
        del spec["dataSource"]
        return
    if source is not None and ref is None:
        spec["dataSourceRef"] = dict(source)
    elif source is None and ref is not None:
        spec["dataSource"] = dict(ref)


def _spec_of(old: Any) -> Any:
    return old.get("spec") if old is not None else None


def _autoscaler_defaults(draft: Draft) -> None:
    obj: Any = draft.new
    spec = _spec(draft)
    goal = {"type": "Utilization", "averageUtilization": 80}
    fill(spec, {"minReplicas": 1, "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": goal}}]})
    for direction in ("scaleUp", "scaleDown") if spec.get("behavior") is not None else ():
        fill(spec["behavior"], {direction: {}})
        fill(spec["behavior"][direction], _scaling(direction))
    if draft.is_create:
        obj["status"] = {"desiredReplicas": 0, "currentMetrics": None}


def _api_service_defaults(draft: Draft) -> None:
    """One without a Service is served here, and so it is available."""
    obj: Any = draft.new
    if draft.is_create and _spec(draft).get("service") is None:
        message = "Local APIServices are always available"
        head = {"type": "Available", "status": "True", "lastTransitionTime": rfc3339(draft.now)}
        obj["status"] = {"conditions": [{**head, "reason": "Local", "message": message}]}


def _scaling(direction: str) -> dict[str, Any]:
    percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
    if direction == "scaleDown":
        return {"selectPolicy": "Max", "policies": [percent]}
    pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
    return {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [pods, percent]}


def _network_policy_defaults(draft: Draft) -> None:
    spec = _spec(draft)
    kinds = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    fill(spec, {"podSelector": {}, "policyTypes": kinds})
    for rule in (*(spec.get("ingress") or ()), *(spec.get("egress") or ())):
        for port in rule.get("ports") or ():
            fill(port, {"protocol": "TCP"})


def _slice_defaults(draft: Draft) -> None:
    obj: Any = draft.new
    for port in obj.get("ports") or ():
        fill(port, {"name": "", "protocol": "TCP"})


def _settle_slice(draft: Draft) -> None:
    obj: Any = draft.new
    if any("deprecatedTopology" in one for one in obj.get("endpoints") or ()):
        draft.keep_asked()
        for one in obj["endpoints"]:
            one.pop("deprecatedTopology", None)  # of an older version of the kind, kept for nobody
        if draft.old is not None:  # which has none, so that this was a change
            obj["metadata"]["generation"] = draft.old["metadata"].get("generation", 0) + 1


def _lease_defaults(draft: Draft) -> None:
    """Coordinated leader election is switched off in 1.34, so its fields are dropped."""
    for name in ("strategy", "preferredHolder"):
        _spec(draft).pop(name, None)


def _spec(draft: Draft) -> dict[str, Any]:
    """The spec, which Go's structs always have."""
    obj: Any = draft.new
    if obj.get("spec") is None:
        obj["spec"] = {}
    spec: dict[str, Any] = obj["spec"]
    return spec


_MOST_WARNINGS = 500  # far more than an answer has room for
_RBAC = "rbac.authorization.k8s.io"
_DEFAULTS: dict[tuple[str, str], Callable[[Draft], None]] = {
    ("", "Namespace"): _namespace_defaults,
    ("", "Secret"): _secret_defaults,
    ("", "Service"): _service_defaults,
    ("", "PersistentVolumeClaim"): _claim_defaults,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler_defaults,
    ("apiregistration.k8s.io", "APIService"): _api_service_defaults,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy_defaults,
    ("discovery.k8s.io", "EndpointSlice"): _slice_defaults,
    ("coordination.k8s.io", "Lease"): _lease_defaults,
    (_RBAC, "RoleBinding"): _binding_defaults,
    (_RBAC, "ClusterRoleBinding"): _binding_defaults,
    ("", "Pod"): workloads.pod_defaults,
    ("apps", "Deployment"): workloads.deployment_defaults,
    ("apps", "ReplicaSet"): workloads.replicas_defaults,
    ("apps", "StatefulSet"): workloads.stateful_set_defaults,
    ("apps", "DaemonSet"): workloads.daemon_set_defaults,
    ("batch", "Job"): workloads.job_defaults,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.defaults,
}
_SETTLES: dict[tuple[str, str], Callable[[Draft], None]] = {
    ("", "Pod"): workloads.settle_pod,
    ("", "ServiceAccount"): _settle_account,
    **{("apps", kind): workloads.settle_template for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")},
    ("batch", "Job"): workloads.settle_job,
    ("discovery.k8s.io", "EndpointSlice"): _settle_slice,
}
JUDGED_BY_SCHEMA = {("apiregistration.k8s.io", "APIService")}
"""Kinds of which the schema's own findings are told; of the others kube-apiserver has its own words."""
