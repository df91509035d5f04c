"""Defaults and checks of Pods and of what makes Pods.

Source: Kubernetes API reference 1.34, defaults of PodSpec, Container, DeploymentSpec, StatefulSetSpec, DaemonSetSpec,
JobSpec.
"""

from typing import Any

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
    """A floating tag is pulled each time, a fixed one when absent."""
    last = image.rpartition("/")[2]
    if "@" in last:
        return "IfNotPresent"
    tag = last.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _container_defaults(container: dict[str, Any]) -> None:
    fill(
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
            fill(container[probe], values)
            if isinstance(container[probe].get("httpGet"), dict):
                fill(container[probe]["httpGet"], {"path": "/", "scheme": "HTTP"})
    for entry in container.get("env") or ():
        reference = (entry.get("valueFrom") or {}).get("fieldRef") if isinstance(entry, dict) else None
        if isinstance(reference, dict):
            fill(reference, {"apiVersion": "v1"})


def _volume_defaults(volume: dict[str, Any]) -> None:
    for kind in ("secret", "configMap", "projected", "downwardAPI"):
        if isinstance(volume.get(kind), dict):
            fill(volume[kind], {"defaultMode": 420})
    if isinstance(volume.get("hostPath"), dict):
        fill(volume["hostPath"], {"type": ""})


def pod_spec_defaults(spec: Any) -> None:
    if not isinstance(spec, dict):
        return
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            if isinstance(container, dict):
                _container_defaults(container)
                if kind == "containers":  # a feature that 1.34 has switched off, so the field is dropped
                    container.pop("restartPolicy", None)
    for volume in spec.get("volumes") or ():
        if isinstance(volume, dict):
            if not volume.keys() - {"name"}:
                volume["emptyDir"] = {}
            _volume_defaults(volume)
    values = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    fill(spec, values)
    if spec.get("serviceAccountName"):
        fill(spec, {"serviceAccount": spec["serviceAccountName"]})


def pod_defaults(draft: Draft) -> None:
    spec = _spec(draft)
    pod_spec_defaults(spec)
    if spec:
        fill(spec, {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority", "priority": 0})
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
        fill(spec["updateStrategy"], {"rollingUpdate": {"partition": 0}})


def daemon_set_defaults(draft: Draft) -> None:
    spec = _template(draft)
    if not spec:
        return
    fill(spec, {"revisionHistoryLimit": 10, "updateStrategy": {}})
    fill(spec["updateStrategy"], {"type": "RollingUpdate"})
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        fill(spec["updateStrategy"], {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})


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
        }
        fill(spec, {**values, "podReplacementPolicy": "TerminatingOrFailed"})


def select_own_pods(draft: Draft) -> None:
    """A Job selects its own Pods by a label made of its uid, unless it says how itself."""
    spec = _spec(draft)
    if not draft.is_create or spec.get("manualSelector"):
        return
    uid, name = draft.new["metadata"]["uid"], draft.new["metadata"].get("name", "")
    meta = spec.setdefault("template", {}).setdefault("metadata", {})
    own = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    meta["labels"] = {**(meta.get("labels") or {}), **own}
    fill(spec, {"selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}})
