"""Defaults and checks of Pods and of what makes Pods.

Source: Kubernetes API reference 1.34, defaults of PodSpec, Container, DeploymentSpec, StatefulSetSpec, DaemonSetSpec,
JobSpec.
"""

from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.draft import Draft


def _fill(target: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = value


def _spec(draft: Draft) -> dict[str, Any]:
    spec: Any = draft.new.get("spec")
    return spec if isinstance(spec, dict) else {}


def _pull_policy(image: str) -> str:
    """A floating tag is pulled each time, a fixed one when absent."""
    last = image.rpartition("/")[2]
    if "@" in last:
        return "IfNotPresent"
    tag = last.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _container_defaults(container: dict[str, Any]) -> None:
    _fill(
        container,
        {
            "imagePullPolicy": _pull_policy(str(container.get("image", ""))),
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        },
    )
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(probe), dict):
            values = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
            _fill(container[probe], values)
            if isinstance(container[probe].get("httpGet"), dict):
                _fill(container[probe]["httpGet"], {"path": "/", "scheme": "HTTP"})
    for entry in container.get("env") or ():
        reference = (entry.get("valueFrom") or {}).get("fieldRef") if isinstance(entry, dict) else None
        if isinstance(reference, dict):
            _fill(reference, {"apiVersion": "v1"})


def _volume_defaults(volume: dict[str, Any]) -> None:
    for kind in ("secret", "configMap", "projected", "downwardAPI"):
        if isinstance(volume.get(kind), dict):
            _fill(volume[kind], {"defaultMode": 420})
    if isinstance(volume.get("hostPath"), dict):
        _fill(volume["hostPath"], {"type": ""})


def pod_spec_defaults(spec: Any) -> None:
    if not isinstance(spec, dict):
        return
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            if isinstance(container, dict):
                _container_defaults(container)
    for volume in spec.get("volumes") or ():
        if isinstance(volume, dict):
            _volume_defaults(volume)
    values = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    _fill(spec, values)
    if spec.get("serviceAccountName"):
        _fill(spec, {"serviceAccount": spec["serviceAccountName"]})


def pod_defaults(draft: Draft) -> None:
    spec = _spec(draft)
    pod_spec_defaults(spec)
    if spec:
        _fill(spec, {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority", "priority": 0})
    if draft.is_create:
        draft.new["status"] = {"phase": "Pending", "qosClass": "BestEffort"}


def _template(draft: Draft) -> dict[str, Any]:
    spec = _spec(draft)
    template = spec.get("template")
    if isinstance(template, dict):
        pod_spec_defaults(template.get("spec"))
    return spec


def deployment_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if not spec:
        return
    _fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": {}})
    strategy = spec["strategy"]
    _fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        _fill(strategy, {"rollingUpdate": {}})
        _fill(strategy["rollingUpdate"], {"maxUnavailable": "25%", "maxSurge": "25%"})


def replicas_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if spec:
        _fill(spec, {"replicas": 1})


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
    _fill(spec, values)
    _fill(spec["updateStrategy"], {"type": "RollingUpdate"})
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(spec["updateStrategy"], {"rollingUpdate": {"partition": 0}})


def daemon_set_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if not spec:
        return
    _fill(spec, {"revisionHistoryLimit": 10, "updateStrategy": {}})
    _fill(spec["updateStrategy"], {"type": "RollingUpdate"})
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(spec["updateStrategy"], {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})


def job_defaults(draft: Draft) -> None:
    """A Job selects its own Pods by a label made of its uid, which is set before the object is stored."""
    spec = _template(draft)
    if spec:
        values = {
            "completions": 1,
            "parallelism": 1,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "suspend": False,
        }
        _fill(spec, {**values, "podReplacementPolicy": "TerminatingOrFailed"})


def selector_problems(draft: Draft) -> list[Problem]:
    """The selector is there, selects the template, and never changes."""
    spec = _spec(draft)
    selector: Any = spec.get("selector") or {}
    out: list[Problem] = []
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        text = "Invalid value: {}: empty selector is invalid for deployment"
        out.append(Problem("spec.selector", "FieldValueInvalid", text))
    wanted = selector.get("matchLabels") or {}
    template: Any = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        shown = "{" + ", ".join(f'"{key}":"{value}"' for key, value in labels.items()) + "}"
        text = f"Invalid value: {shown}: `selector` does not match template `labels`"
        out.append(Problem("spec.template.metadata.labels", "FieldValueInvalid", text))
    if not ((template.get("spec") or {}).get("containers")):
        out.append(Problem("spec.template.spec.containers", "FieldValueRequired", "Required value"))
    before: Any = draft.old
    if before is not None and (before.get("spec") or {}).get("selector") != spec.get("selector"):
        out.append(Problem("spec.selector", "FieldValueInvalid", "Invalid value: field is immutable"))
    return out
