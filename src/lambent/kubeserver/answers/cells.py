"""The cells of builtin kinds in `kubectl get`: a function for each kind that has more to tell than its fields.

Their columns: `columns`. Source: kube-apiserver 1.34, asked for Tables.
"""

from datetime import datetime
from typing import Any

from lambent.clock import parse_rfc3339
from lambent.kubeserver.answers.ages import age, created

NONE = "<none>"
_ACCESS = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_SHOWN_ENDPOINTS = 3


def dig(obj: Any, path: str, default: Any = None) -> Any:
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return default if obj is None else obj


def labels(found: Any, empty: str = NONE) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or empty


def selector(found: Any) -> str:
    """A LabelSelector in one line."""
    if not isinstance(found, dict):
        return NONE
    signs = {"In": "in", "NotIn": "notin"}
    parts = [(key, f"{key}={value}") for key, value in (found.get("matchLabels") or {}).items()]
    for one in found.get("matchExpressions") or ():
        key, operator = one.get("key", ""), one.get("operator", "")
        if operator in signs:
            parts.append((key, f"{key} {signs[operator]} ({','.join(sorted(one.get('values') or ()))})"))
        else:
            parts.append((key, key if operator == "Exists" else f"!{key}"))
    return ",".join(text for _, text in sorted(parts, key=lambda part: part[0])) or NONE


def template(obj: Any) -> list[str]:
    containers = dig(obj, "spec.template.spec.containers", [])
    names, images = ([str(one.get(key, "")) for one in containers] for key in ("name", "image"))
    return [",".join(names), ",".join(images), selector(dig(obj, "spec.selector"))]


def claim(obj: Any, now: datetime) -> list[Any]:
    modes = dict.fromkeys(_ACCESS.get(mode, mode) for mode in dig(obj, "status.accessModes", []))
    is_bound = bool(dig(obj, "spec.volumeName"))
    return [
        "Terminating" if obj["metadata"].get("deletionTimestamp") else dig(obj, "status.phase", ""),
        dig(obj, "spec.volumeName", ""),
        dig(obj, "status.capacity.storage", "0") if is_bound else "",
        ",".join(modes) if is_bound else "",
        dig(obj, "spec.storageClassName", ""),
        dig(obj, "spec.volumeAttributesClassName", "<unset>"),
        created(obj, now),
        dig(obj, "spec.volumeMode", "<unset>"),
    ]


def service(obj: Any, now: datetime) -> list[Any]:
    ports = [
        f"{one.get('port')}{':' + str(one['nodePort']) if one.get('nodePort') else ''}/{one.get('protocol', 'TCP')}"
        for one in dig(obj, "spec.ports", [])
    ]
    return [
        dig(obj, "spec.type", "ClusterIP"),
        dig(obj, "spec.clusterIP", NONE) or NONE,
        _outside(obj),
        ",".join(ports) or NONE,
        created(obj, now),
        labels(dig(obj, "spec.selector")),
    ]


def _outside(obj: Any) -> str:
    """Where a Service is reached from elsewhere."""
    own: list[str] = dig(obj, "spec.externalIPs", [])
    match dig(obj, "spec.type", "ClusterIP"):
        case "ExternalName":
            return str(dig(obj, "spec.externalName", ""))
        case "LoadBalancer":
            points = dig(obj, "status.loadBalancer.ingress", [])
            found = dict.fromkeys([*(one.get("ip") or one.get("hostname", "") for one in points), *own])
            return ",".join(found) or "<pending>"
    return ",".join(own) or NONE


def job(obj: Any, now: datetime) -> list[Any]:
    held = {one["type"] for one in dig(obj, "status.conditions", []) if one.get("status") == "True"}
    order = ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet")
    state = next((kind for kind in order if kind in held), "")
    gone = "Terminating" if obj["metadata"].get("deletionTimestamp") else "Running"
    begun, ended = dig(obj, "status.startTime"), dig(obj, "status.completionTime")
    wanted = dig(obj, "spec.completions") or f"1 of {dig(obj, 'spec.parallelism', 1)}"
    return [
        state or gone,
        f"{dig(obj, 'status.succeeded', 0)}/{wanted}",
        age(begun, parse_rfc3339(ended) if ended else now) if begun else "",
        created(obj, now),
        *template(obj),
    ]


def event(obj: Any, now: datetime) -> list[Any]:
    involved = obj.get("involvedObject") or obj.get("regarding") or {}
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    first = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime")
    last = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    series = obj.get("series") or {}
    seen = series.get("lastObservedTime") or last or first
    reporter = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return [
        age(seen, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}",
        involved.get("fieldPath", ""),
        f"{reporter}, {host}" if host else reporter,
        str(obj.get("message") or obj.get("note") or "").strip(),
        age(first, now),
        series.get("count") or obj.get("count") or obj.get("deprecatedCount") or 1,
        obj["metadata"]["name"],
    ]


def binding(obj: Any, now: datetime) -> list[Any]:
    subjects = [one for one in obj.get("subjects") or () if isinstance(one, dict)]

    def named(kind: str) -> str:
        return ", ".join(str(one.get("name")) for one in subjects if one.get("kind") == kind)

    accounts = [
        f"{one.get('namespace', '')}/{one.get('name')}" for one in subjects if one.get("kind") == "ServiceAccount"
    ]
    role = f"{dig(obj, 'roleRef.kind', '')}/{dig(obj, 'roleRef.name', '')}"
    return [role, created(obj, now), named("User"), named("Group"), ", ".join(accounts)]


def endpoint_slice(obj: Any, now: datetime) -> list[Any]:
    ports = [str(one.get("port") or "*") for one in obj.get("ports") or ()]
    points = [point for one in obj.get("endpoints") or () for point in one.get("addresses") or ()]
    return [obj.get("addressType", ""), _some(ports, "<unset>"), _some(points, "<unset>"), created(obj, now)]


def _some(values: list[str], empty: str) -> str:
    """The first few of them, and how many there are besides."""
    more = f" + {len(values) - _SHOWN_ENDPOINTS} more..." if len(values) > _SHOWN_ENDPOINTS else ""
    return ",".join(values[:_SHOWN_ENDPOINTS]) + more if values else empty


def autoscaler(obj: Any, now: datetime) -> list[Any]:
    target = dig(obj, "spec.scaleTargetRef", {})
    return [
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _goals(dig(obj, "spec.metrics", []), dig(obj, "status.currentMetrics", [])),
        str(dig(obj, "spec.minReplicas", "<unset>")),
        dig(obj, "spec.maxReplicas", 0),
        dig(obj, "status.currentReplicas", 0),
        created(obj, now),
    ]


def _goals(wanted: list[Any], seen: list[Any]) -> str:
    """`now/target` of the first two metrics."""
    shown = [_goal(one, seen[index] if index < len(seen) else {}) for index, one in enumerate(wanted)]
    more = f" + {len(shown) - 2} more..." if len(shown) > 2 else ""
    return ", ".join(shown[:2]) + more if shown else NONE


def _goal(metric: Any, seen: Any) -> str:
    key = {"ContainerResource": "containerResource"}.get(kind := str(metric.get("type", "")), kind.lower())
    target, current = dig(metric, f"{key}.target", {}), dig(seen, f"{key}.current", {})
    name = f"{dig(metric, f'{key}.name', '')}: " if kind in ("Resource", "ContainerResource") else ""
    unknown = "<unknown>"
    if (share := target.get("averageUtilization")) is not None and name:
        at = current.get("averageUtilization")
        return f"{name}{unknown if at is None else f'{at}%'}/{share}%"
    if (amount := target.get("averageValue")) is not None:
        mark = "" if name or kind == "Pods" else " (avg)"
        return f"{name}{current.get('averageValue', unknown)}/{amount}{mark}"
    return f"{name}{current.get('value', unknown)}/{target.get('value', '<auto>')}"


def replicas(obj: Any) -> str:
    return f"{dig(obj, 'status.readyReplicas', 0)}/{dig(obj, 'spec.replicas', 0)}"


def _state(status: Any) -> tuple[str, Any]:
    """Which state a container is in, and what is known of it."""
    return next(iter((status.get("state") or {}).items()), ("", {}))


def _ended(state: Any) -> str:
    """Why a container ended, of one that did."""
    if state.get("reason"):
        return str(state["reason"])
    signal = state.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{state.get('exitCode', 0)}"


def _is_beside(container: Any) -> bool:
    """An initial container that goes on beside the others."""
    return bool(container.get("restartPolicy") == "Always")


def _initial(obj: Any) -> tuple[str, list[Any]]:
    """What the Pod still waits for, empty when its first containers are done; the statuses up to there."""
    kinds = {one.get("name"): one for one in dig(obj, "spec.initContainers", [])}
    seen: list[Any] = []
    for status in dig(obj, "status.initContainerStatuses", []):
        seen.append(status)
        kind, state = _state(status)
        if kind == "terminated" and not state.get("exitCode"):
            continue
        if _is_beside(kinds.get(status.get("name"), {})) and status.get("started"):
            continue
        if kind == "terminated":
            return f"Init:{_ended(state)}", seen
        if kind == "waiting" and state.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{state['reason']}", seen
        return f"Init:{len(seen) - 1}/{len(kinds)}", seen
    return "", seen


def _running(obj: Any, phase: str, held: dict[str, Any]) -> str:
    """The word for a Pod whose own containers are at work, or were."""
    runs = False
    for one in reversed(dig(obj, "status.containerStatuses", [])):
        kind, state = _state(one)
        if kind == "waiting" and state.get("reason"):
            phase = state["reason"]
        elif kind == "terminated":
            phase = _ended(state)
        runs = runs or (kind == "running" and bool(one.get("ready")))
    if phase == "Completed" and runs:
        return "Running" if held.get("Ready", {}).get("status") == "True" else "NotReady"
    return phase


def _restarts(statuses: list[Any], now: datetime) -> str:
    count = sum(one.get("restartCount", 0) for one in statuses)
    ends = [found for one in statuses if (found := dig(one, "lastState.terminated.finishedAt"))]
    return f"{count} ({age(max(ends), now)} ago)" if ends and count else str(count)


def pod(obj: Any, now: datetime) -> list[Any]:
    held = {one.get("type"): one for one in dig(obj, "status.conditions", [])}
    phase = str(dig(obj, "status.reason") or dig(obj, "status.phase", ""))
    if held.get("PodScheduled", {}).get("reason") == "SchedulingGated":
        phase = "SchedulingGated"
    beside = {one.get("name") for one in dig(obj, "spec.initContainers", []) if _is_beside(one)}
    waits, seen = _initial(obj)
    ready = [one for one in seen if one.get("name") in beside and one.get("started") and one.get("ready")]
    if not waits or held.get("Initialized", {}).get("status") == "True":
        statuses = dig(obj, "status.containerStatuses", [])
        waits = _running(obj, waits or phase, held)
        ready += [one for one in statuses if one.get("ready") and _state(one)[0] == "running"]
        seen = [one for one in seen if one.get("name") in beside] + statuses
    if obj["metadata"].get("deletionTimestamp") and dig(obj, "status.phase") not in ("Succeeded", "Failed"):
        waits = "Unknown" if dig(obj, "status.reason") == "NodeLost" else "Terminating"
    gates = [held.get(one.get("conditionType"), {}).get("status") for one in dig(obj, "spec.readinessGates", [])]
    return [
        f"{len(ready)}/{len(dig(obj, 'spec.containers', [])) + len(beside)}",
        waits,
        _restarts(seen, now),
        created(obj, now),
        dig(obj, "status.podIP") or NONE,
        dig(obj, "spec.nodeName") or NONE,
        dig(obj, "status.nominatedNodeName") or NONE,
        f"{gates.count('True')}/{len(gates)}" if gates else NONE,
    ]


def api_service(obj: Any, now: datetime) -> list[Any]:
    service = dig(obj, "spec.service")
    found = next((one for one in dig(obj, "status.conditions", []) if one.get("type") == "Available"), None)
    state = found["status"] if found else "Unknown"
    if found and state != "True" and found.get("reason"):
        state += f" ({found['reason']})"
    return [f"{service.get('namespace')}/{service.get('name')}" if service else "Local", state, created(obj, now)]
