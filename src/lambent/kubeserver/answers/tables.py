"""Tables: what `kubectl get` shows. Columns of builtin kinds are functions here, those of custom kinds JSONPaths.

Source: Kubernetes API concepts, "Receiving resources as Tables"; columns as kube-apiserver 1.34.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from lambent.clock import parse_rfc3339
from lambent.kubeserver.answers.jsonpath import PathError, compile_path
from lambent.kubeserver.resources import Column, Resource

Cells = Callable[[Any, datetime], list[Any]]

_LARGEST = 1 << 63
_NAME = Column("Name", "string", "", 0, "name", "Name must be unique within a namespace.")


def age(stamp: str | None, now: datetime) -> str:
    """Relative time as kubectl prints it: 5s, 3m20s, 4h10m, 2d3h, 400d."""
    if not stamp:
        return "<unknown>"
    try:
        seconds = int((now - parse_rfc3339(stamp)).total_seconds())
    except ValueError:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    years = days // 365
    if years < 2:
        return f"{days}d"
    return f"{years}y{days % 365}d" if days % 365 and years < 8 else f"{years}y"


def _created(obj: Any, now: datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _readable(columns: Sequence[Column]) -> Sequence[Column]:
    """Those before the first whose path cannot be read: kube-apiserver shows no more."""
    for index, column in enumerate(columns):
        try:
            compile_path(column.path)
        except PathError:
            return columns[:index]
    return columns


def _custom_cells(columns: Sequence[Column]) -> Cells:
    paths = [(column.type, compile_path(column.path)) for column in columns]

    def cells(obj: Any, now: datetime) -> list[Any]:
        return [obj["metadata"]["name"], *(_cell(kind, find(obj), now) for kind, find in paths)]

    return cells


def _cell(kind: str, value: Any, now: datetime) -> Any:
    """A value as the cell of a column of this type; None for one of another type."""
    match kind, value:
        case "date", str():
            return age(value, now)
        case "string", bool():
            return str(value).lower()
        case "string", dict() | list():
            import orjson

            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        case "string", str() | int() | float():
            return str(value)
        case ("boolean", bool()) | ("number", float()):
            return value
        case "integer" | "number", int() | float() if not isinstance(value, bool) and abs(value) < _LARGEST:
            return int(value)
    return None


def _c(name: str, kind: str = "string", priority: int = 0) -> Column:
    return Column(name, kind, "", priority)


def _dig(obj: Any, path: str, default: Any = None) -> Any:
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return default if obj is None else obj


def _containers(obj: Any) -> list[str]:
    containers = _dig(obj, "spec.template.spec.containers", [])
    selector = ",".join(f"{k}={v}" for k, v in sorted(_dig(obj, "spec.selector.matchLabels", {}).items()))
    return [",".join(c.get("name", "") for c in containers), ",".join(c.get("image", "") for c in containers), selector]


_WIDE = (_c("Containers", priority=1), _c("Images", priority=1), _c("Selector", priority=1))

_BUILTIN: dict[tuple[str, str], tuple[tuple[Column, ...], Cells]] = {
    ("", "ConfigMap"): (
        (_c("Data"), _c("Age")),
        lambda o, n: [len(o.get("data") or {}) + len(o.get("binaryData") or {}), _created(o, n)],
    ),
    ("", "Secret"): (
        (_c("Type"), _c("Data"), _c("Age")),
        lambda o, n: [o.get("type", ""), len(o.get("data") or {}), _created(o, n)],
    ),
    ("", "Namespace"): (
        (_c("Status"), _c("Age")),
        lambda o, n: [_dig(o, "status.phase", ""), _created(o, n)],
    ),
    ("", "ServiceAccount"): (
        (_c("Secrets"), _c("Age")),
        lambda o, n: [len(o.get("secrets") or []), _created(o, n)],
    ),
    ("apps", "Deployment"): (
        (_c("Ready"), _c("Up-to-date"), _c("Available"), _c("Age"), *_WIDE),
        lambda o, n: [
            f"{_dig(o, 'status.readyReplicas', 0)}/{_dig(o, 'spec.replicas', 0)}",
            _dig(o, "status.updatedReplicas", 0),
            _dig(o, "status.availableReplicas", 0),
            _created(o, n),
            *_containers(o),
        ],
    ),
    ("apps", "ReplicaSet"): (
        (_c("Desired", "integer"), _c("Current", "integer"), _c("Ready", "integer"), _c("Age"), *_WIDE),
        lambda o, n: [
            _dig(o, "spec.replicas", 0),
            _dig(o, "status.replicas", 0),
            _dig(o, "status.readyReplicas", 0),
            _created(o, n),
            *_containers(o),
        ],
    ),
    ("apps", "StatefulSet"): (
        (_c("Ready"), _c("Age"), *_WIDE[:2]),
        lambda o, n: [
            f"{_dig(o, 'status.readyReplicas', 0)}/{_dig(o, 'spec.replicas', 0)}",
            _created(o, n),
            *_containers(o)[:2],
        ],
    ),
    ("batch", "Job"): (
        (_c("Status"), _c("Completions"), _c("Duration"), _c("Age")),
        lambda o, n: [
            next((c["type"] for c in _dig(o, "status.conditions", []) if c.get("status") == "True"), "Running"),
            f"{_dig(o, 'status.succeeded', 0)}/{_dig(o, 'spec.completions', 1)}",
            age(_dig(o, "status.startTime"), n) if _dig(o, "status.startTime") else "",
            _created(o, n),
        ],
    ),
    ("", "Pod"): (
        (_c("Ready"), _c("Status"), _c("Restarts"), _c("Age"), _c("IP", priority=1), _c("Node", priority=1)),
        lambda o, n: [
            f"{sum(bool(s.get('ready')) for s in _dig(o, 'status.containerStatuses', []))}"
            f"/{len(_dig(o, 'spec.containers', []))}",
            _dig(o, "status.phase", "Unknown"),
            str(sum(s.get("restartCount", 0) for s in _dig(o, "status.containerStatuses", []))),
            _created(o, n),
            _dig(o, "status.podIP", "<none>"),
            _dig(o, "spec.nodeName", "<none>"),
        ],
    ),
    ("", "Service"): (
        (_c("Type"), _c("Cluster-IP"), _c("External-IP"), _c("Port(s)"), _c("Age"), _c("Selector", priority=1)),
        lambda o, n: [
            _dig(o, "spec.type", "ClusterIP"),
            _dig(o, "spec.clusterIP", "<none>"),
            "<none>",
            ",".join(f"{p.get('port')}/{p.get('protocol', 'TCP')}" for p in _dig(o, "spec.ports", [])) or "<none>",
            _created(o, n),
            ",".join(f"{k}={v}" for k, v in _dig(o, "spec.selector", {}).items()) or "<none>",
        ],
    ),
    ("", "Event"): (
        (_c("Last Seen"), _c("Type"), _c("Reason"), _c("Object"), _c("Message"), _c("Name", priority=1)),
        lambda o, n: [
            age(o.get("lastTimestamp") or o.get("eventTime") or o["metadata"].get("creationTimestamp"), n),
            o.get("type", ""),
            o.get("reason", ""),
            f"{_dig(o, 'involvedObject.kind', '').lower()}/{_dig(o, 'involvedObject.name', '')}",
            (o.get("message") or "").strip(),
            o["metadata"]["name"],
        ],
    ),
    ("coordination.k8s.io", "Lease"): (
        (_c("Holder"), _c("Age")),
        lambda o, n: [_dig(o, "spec.holderIdentity", ""), _created(o, n)],
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        (_c("Created At", "date"),),
        lambda o, n: [o["metadata"].get("creationTimestamp")],
    ),
    ("rbac.authorization.k8s.io", "Role"): (
        (_c("Created At", "date"),),
        lambda o, n: [o["metadata"].get("creationTimestamp")],
    ),
    ("rbac.authorization.k8s.io", "ClusterRole"): (
        (_c("Created At", "date"),),
        lambda o, n: [o["metadata"].get("creationTimestamp")],
    ),
    ("rbac.authorization.k8s.io", "RoleBinding"): (
        (_c("Role"), _c("Age")),
        lambda o, n: [f"{_dig(o, 'roleRef.kind', '')}/{_dig(o, 'roleRef.name', '')}", _created(o, n)],
    ),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (
        (_c("Role"), _c("Age")),
        lambda o, n: [f"{_dig(o, 'roleRef.kind', '')}/{_dig(o, 'roleRef.name', '')}", _created(o, n)],
    ),
}
_PLAIN: tuple[tuple[Column, ...], Cells] = ((_c("Age"),), lambda o, n: [_created(o, n)])


def layout(resource: Resource) -> tuple[list[dict[str, Any]], Cells]:
    """Column definitions, and the function that fills a row."""
    if resource.columns is not None:
        columns = _readable(resource.columns)
        return _definitions((_NAME, *columns)), _custom_cells(columns)
    own, cells = _BUILTIN.get((resource.group, resource.kind), _PLAIN)
    if resource.kind == "Event":  # the one kind whose first column is not its name
        return _definitions(own), cells
    return _definitions((_NAME, *own)), lambda obj, now: [obj["metadata"]["name"], *cells(obj, now)]


def _definitions(columns: Sequence[Column]) -> list[dict[str, Any]]:
    return [
        {"name": c.name, "type": c.type, "format": c.format, "description": c.description, "priority": c.priority}
        for c in columns
    ]
