"""What `kubectl get` shows of builtin kinds: their columns and the cells below, by (group, kind).

The name's column comes before them (`tables.layout`), but for events, which have it last. Source: kube-apiserver 1.34,
asked for Tables.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lambent.kubeserver.answers import cells
from lambent.kubeserver.answers.ages import created
from lambent.kubeserver.answers.cells import dig, replicas, selector, template
from lambent.kubeserver.resources import Column

Cells = Callable[[Any, datetime], list[Any]]

_COUNTS = ("Desired", "Current", "Ready", "Up-to-date", "Available", "Allowed Disruptions")


def _named(names: str, wide: str = "", *, counts: bool = False) -> tuple[Column, ...]:
    """Columns of these names, a comma between them; those of `wide` are shown with `-o wide` alone."""
    return tuple(
        Column(name, "integer" if counts and name in _COUNTS else "string", "", priority)
        for priority, listed in enumerate((names, wide))
        for name in filter(None, listed.split(","))
    )


_MADE = (Column("Created At", "date", ""),)
_TEMPLATE = "Containers,Images,Selector"
_DAEMONS = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
            "numberAvailable")  # fmt: skip
_READY = ("replicas", "readyReplicas")
_BINDING = _named("Role,Age", "Users,Groups,ServiceAccounts")
_RBAC = "rbac.authorization.k8s.io"
_EVENT = (
    *_named("Last Seen,Type,Reason,Object", "Subobject,Source"),
    *_named("Message", "First Seen,Count"),
    Column("Name", "string", "", 1, "name"),
)


def _made(obj: Any, _: datetime) -> list[Any]:
    return [obj["metadata"].get("creationTimestamp")]


def _counts(obj: Any, *members: str) -> list[int]:
    """Numbers of the status, 0 where one is absent."""
    return [dig(obj, f"status.{member}", 0) for member in members]


def _aged(*paths: str) -> Cells:
    """The members at these paths, then the age."""
    return lambda obj, now: [*(dig(obj, path, "") for path in paths), created(obj, now)]


BUILTIN: dict[tuple[str, str], tuple[tuple[Column, ...], Cells]] = {
    ("", "ConfigMap"): (
        _named("Data,Age"),
        lambda o, n: [len(o.get("data") or {}) + len(o.get("binaryData") or {}), created(o, n)],
    ),
    ("", "Secret"): (
        _named("Type,Data,Age"),
        lambda o, n: [o.get("type", ""), len(o.get("data") or {}), created(o, n)],
    ),
    ("", "Namespace"): (_named("Status,Age"), _aged("status.phase")),
    ("", "ServiceAccount"): (_named("Secrets,Age"), lambda o, n: [len(o.get("secrets") or []), created(o, n)]),
    ("", "Pod"): (_named("Ready,Status,Restarts,Age", "IP,Node,Nominated Node,Readiness Gates"), cells.pod),
    ("", "Service"): (_named("Type,Cluster-IP,External-IP,Port(s),Age", "Selector"), cells.service),
    ("", "PersistentVolumeClaim"): (
        _named("Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age", "VolumeMode"),
        cells.claim,
    ),
    ("", "Event"): (_EVENT, cells.event),
    ("events.k8s.io", "Event"): (_EVENT, cells.event),
    ("apps", "Deployment"): (
        _named("Ready,Up-to-date,Available,Age", _TEMPLATE),
        lambda o, n: [replicas(o), *_counts(o, "updatedReplicas", "availableReplicas"), created(o, n), *template(o)],
    ),
    ("apps", "ReplicaSet"): (
        _named("Desired,Current,Ready,Age", _TEMPLATE, counts=True),
        lambda o, n: [dig(o, "spec.replicas", 0), *_counts(o, *_READY), created(o, n), *template(o)],
    ),
    ("apps", "StatefulSet"): (
        _named("Ready,Age", "Containers,Images"),
        lambda o, n: [replicas(o), created(o, n), *template(o)[:2]],
    ),
    ("apps", "DaemonSet"): (
        _named("Desired,Current,Ready,Up-to-date,Available,Node Selector,Age", _TEMPLATE, counts=True),
        lambda o, n: [
            *_counts(o, *_DAEMONS),
            cells.labels(dig(o, "spec.template.spec.nodeSelector")),
            created(o, n),
            *template(o),
        ],
    ),
    ("batch", "Job"): (_named("Status,Completions,Duration,Age", _TEMPLATE), cells.job),
    ("autoscaling", "HorizontalPodAutoscaler"): (
        _named("Reference,Targets,MinPods,MaxPods,Replicas,Age"),
        cells.autoscaler,
    ),
    ("coordination.k8s.io", "Lease"): (_named("Holder,Age"), _aged("spec.holderIdentity")),
    ("discovery.k8s.io", "EndpointSlice"): (_named("AddressType,Ports,Endpoints,Age"), cells.endpoint_slice),
    ("networking.k8s.io", "NetworkPolicy"): (
        _named("Pod-Selector,Age"),
        lambda o, n: [selector(dig(o, "spec.podSelector")), created(o, n)],
    ),
    ("policy", "PodDisruptionBudget"): (
        _named("Min Available,Max Unavailable,Allowed Disruptions,Age", counts=True),
        lambda o, n: [
            str(dig(o, "spec.minAvailable", "N/A")),
            str(dig(o, "spec.maxUnavailable", "N/A")),
            *_counts(o, "disruptionsAllowed"),
            created(o, n),
        ],
    ),
    (_RBAC, "Role"): (_MADE, _made),
    (_RBAC, "ClusterRole"): (_MADE, _made),
    (_RBAC, "RoleBinding"): (_BINDING, cells.binding),
    (_RBAC, "ClusterRoleBinding"): (_BINDING, cells.binding),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (_MADE, _made),
    ("apiregistration.k8s.io", "APIService"): (_named("Service,Available,Age"), cells.api_service),
}
PLAIN: tuple[tuple[Column, ...], Cells] = (_named("Age"), _aged())
