"""Defaults and checks of Pods and of what makes Pods.

Source: Kubernetes API reference 1.34, defaults of PodSpec, Container, DeploymentSpec, StatefulSetSpec, DaemonSetSpec,
JobSpec.
"""

import re
from typing import Any

from lambent.kubeserver.builtin import switched_off
from lambent.kubeserver.draft import Draft


def fill(target: dict[str, Any], values: dict[str, Any]) -> None:
    """Sets what is absent."""
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = value


def _spec(draft: Draft) -> dict[str, Any]:
    spec: Any = draft.new.get("spec")
    return spec if isinstance(spec, dict) else {}


def _pull_policy(image: str) -> str:
    """A floating tag is pulled each time; a fixed one, and what is no image's name, when absent."""
    last = image.rpartition("/")[2]
    if "@" in last or not _IS_IMAGE.match(image):
        return "IfNotPresent"
    tag = last.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_IS_IMAGE = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?\Z", re.ASCII)


def _container_defaults(container: dict[str, Any]) -> None:
    fill(
        container,
        {
            "imagePullPolicy": _pull_policy(str(container.get("image", ""))),
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        },
    )
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (probe := container.get(name)) is not None:
            fill(probe, {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
            _handler_defaults(probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _handler_defaults(hook)
    for entry in container.get("env") or ():
        _field_defaults(entry.get("valueFrom") or {})


def _handler_defaults(handler: dict[str, Any]) -> None:
    if (get := handler.get("httpGet")) is not None:
        fill(get, {"path": "/", "scheme": "HTTP"})
    if (grpc := handler.get("grpc")) is not None:
        fill(grpc, {"service": ""})


def _field_defaults(source: dict[str, Any]) -> None:
    if (reference := source.get("fieldRef")) is not None:
        fill(reference, {"apiVersion": "v1"})


_VOLUMES: dict[str, dict[str, Any]] = {
    "secret": {"defaultMode": 420},
    "configMap": {"defaultMode": 420},
    "projected": {"defaultMode": 420},
    "downwardAPI": {"defaultMode": 420},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def _volume_defaults(volume: dict[str, Any]) -> None:
    if not volume.keys() - {"name"}:
        volume["emptyDir"] = {}
    for kind, values in _VOLUMES.items():
        if volume.get(kind) is not None:
            fill(volume[kind], values)
    if (claim := (volume.get("ephemeral") or {}).get("volumeClaimTemplate")) is not None:
        fill(claim["spec"], {"volumeMode": "Filesystem"})
    for source in (volume.get("projected") or {}).get("sources") or ():
        if (token := source.get("serviceAccountToken")) is not None:
            fill(token, {"expirationSeconds": 3600})
        _file_defaults(source.get("downwardAPI"))
    _file_defaults(volume.get("downwardAPI"))


def _file_defaults(source: dict[str, Any] | None) -> None:
    for item in (source or {}).get("items") or ():
        _field_defaults(item)


def pod_spec_defaults(spec: dict[str, Any]) -> None:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            _container_defaults(container)
    for volume in spec.get("volumes") or ():
        _volume_defaults(volume)
    values = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    fill(spec, values)
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account


def _on_host_ports(spec: dict[str, Any]) -> None:
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            for port in container.get("ports") or ():
                if port.get("containerPort"):
                    fill(port, {"hostPort": port["containerPort"]})


def _requests(spec: dict[str, Any]) -> None:
    """What a container may have at most is what it asks for, where that is not said."""
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            resources = container.get("resources") or {}
            if limits := resources.get("limits"):
                resources["requests"] = {**limits, **(resources.get("requests") or {})}


def pod_defaults(draft: Draft) -> None:
    """Some of them are of Pods alone: their templates keep what they say."""
    spec = _spec(draft)
    pod_spec_defaults(spec)
    if spec:
        if spec.get("hostNetwork"):
            _on_host_ports(spec)
        _requests(spec)
        if spec["terminationGracePeriodSeconds"] < 0:
            spec["terminationGracePeriodSeconds"] = 1
        fill(spec, {"enableServiceLinks": True})
    _addresses(draft.new.get("status") or {})
    if draft.is_create:
        draft.new["status"] = {"phase": "Pending", "qosClass": _quality_of_service(spec)}


def _addresses(status: Any) -> None:
    """`podIP` and the first of `podIPs` are one; the former has the last word."""
    one, several = status.get("podIP"), status.get("podIPs") or []
    if one and (not several or several[0].get("ip") != one):
        status["podIPs"] = [{"ip": one}]
    elif several and not one:
        status["podIP"] = several[0].get("ip", "")


def _quality_of_service(spec: dict[str, Any]) -> str:
    """Source: Kubernetes docs, "Pod Quality of Service Classes"."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    found = [_amounts(one) for one in ([spec] if spec.get("resources") else containers)]
    if not any(requests or limits for requests, limits in found):
        return "BestEffort"
    is_sure = all(len(limits) == len(_COUNTED) and requests == limits for requests, limits in found)
    return "Guaranteed" if is_sure else "Burstable"


_COUNTED = ("cpu", "memory")


def _amounts(owner: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is asked for and allowed of the resources that count."""
    given = owner.get("resources") or {}
    requests, limits = (
        {name: one for name, one in (given.get(kind) or {}).items() if name in _COUNTED and one != "0"}
        for kind in ("requests", "limits")
    )
    return requests, limits


def settle_pod(draft: Draft) -> None:
    draft.keep_asked()
    spec = _spec(draft)
    switched_off.drop(spec)
    fill(spec, {"preemptionPolicy": "PreemptLowerPriority", "priority": 0})


def settle_template(draft: Draft) -> None:
    draft.keep_asked()
    switched_off.drop((_spec(draft).get("template") or {}).get("spec") or {})
    if draft.asked == draft.new:
        draft.asked = None


def settle_job(draft: Draft) -> None:
    settle_template(draft)
    _select_own_pods(draft)


def _template(draft: Draft) -> dict[str, Any]:
    spec = _spec(draft)
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        pod_spec_defaults(template["spec"])
    return spec


def deployment_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if not spec:
        return
    fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": {}})
    strategy = spec["strategy"]
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        fill(strategy, {"rollingUpdate": {}})
        fill(strategy["rollingUpdate"], {"maxUnavailable": "25%", "maxSurge": "25%"})


def replicas_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if spec:
        fill(spec, {"replicas": 1})


def stateful_set_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if not spec:
        return
    values = {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    }
    fill(spec, values)
    fill(spec["updateStrategy"], {"type": "RollingUpdate"})
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        fill(spec["updateStrategy"], {"rollingUpdate": {}})
        fill(spec["updateStrategy"]["rollingUpdate"], {"partition": 0})
    fill(spec["persistentVolumeClaimRetentionPolicy"], {"whenDeleted": "Retain", "whenScaled": "Retain"})
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.update({"apiVersion": "v1", "kind": "PersistentVolumeClaim"})
        fill(claim["spec"], {"volumeMode": "Filesystem"})
        fill(claim["status"], {"phase": "Pending"})


def daemon_set_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if not spec:
        return
    fill(spec, {"revisionHistoryLimit": 10, "updateStrategy": {}})
    fill(spec["updateStrategy"], {"type": "RollingUpdate"})
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        fill(spec["updateStrategy"], {"rollingUpdate": {}})
        fill(spec["updateStrategy"]["rollingUpdate"], {"maxSurge": 0, "maxUnavailable": 1})
    _count_templates(draft)


_TEMPLATES = "deprecated.daemonset.template.generation"


def _count_templates(draft: Draft) -> None:
    """How often a DaemonSet's template changed stands in an annotation, where older clients look for it."""
    meta: Any = draft.new["metadata"]
    if not isinstance(meta.get("annotations") or {}, dict):
        return
    count, old = 1, draft.old
    if old is not None:
        before = str((old["metadata"].get("annotations") or {}).get(_TEMPLATES, "0"))
        old_spec: Any = old.get("spec") or {}
        has_changed = old_spec.get("template") != _spec(draft).get("template")
        count = (int(before) if before.isdecimal() else 0) + has_changed
    meta["annotations"] = {**(meta.get("annotations") or {}), _TEMPLATES: str(count)}


def job_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if spec:
        if spec.get("parallelism") is None:
            fill(spec, {"completions": 1})
        values = {
            "parallelism": 1,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "manualSelector": False,
            "podReplacementPolicy": "Failed" if spec.get("podFailurePolicy") is not None else "TerminatingOrFailed",
        }
        fill(spec, values)
        for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
            for one in rule.get("onPodConditions") or ():
                fill(one, {"status": "True"})
    if not draft.is_create:
        _label_by_template(draft)


def _select_own_pods(draft: Draft) -> None:
    """A Job selects its own Pods by a label made of its uid, unless it says how itself."""
    spec = _spec(draft)
    if not draft.is_create:
        return
    if spec.get("manualSelector"):
        _label_by_template(draft)
        return
    from lambent.kubeserver.validation.jobs import own_labels  # with the rules of Jobs, as late as those

    draft.keep_asked()
    own = own_labels(draft.new["metadata"])
    meta = spec.setdefault("template", {}).setdefault("metadata", {})
    meta["labels"] = {**own, **(meta.get("labels") or {})}
    key = "batch.kubernetes.io/controller-uid"
    fill(spec, {"selector": {"matchLabels": {key: own[key]}}})
    _label_by_template(draft)


def _label_by_template(draft: Draft) -> None:
    """A Job without labels takes those of its Pods."""
    own: Any = draft.new["metadata"]
    found = ((_spec(draft).get("template") or {}).get("metadata") or {}).get("labels")
    if not own.get("labels") and found:
        own["labels"] = dict(found)
