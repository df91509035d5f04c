"""What single builtin kinds default and check beyond their schema, by (group, kind).

`defaults_of` runs before the schema, `judge` after it. Source: Kubernetes API reference, per kind.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

import orjson

from lambent.kube.schema import Problem
from lambent.kubeserver import definitions
from lambent.kubeserver.builtin import workloads
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.event_views import GROUP

_SIZE_LIMIT_BYTES = 1024 * 1024  # of a ConfigMap's or Secret's data


def defaults_of(draft: Draft) -> None:
    """Fills what a kind's own code would fill."""
    found = _DEFAULTS.get((draft.resource.group, draft.resource.kind))
    if found is not None and not draft.resource.custom:
        found(draft)


def judge(draft: Draft) -> None:
    """Adds the problems a kind's own validation would find."""
    found = _JUDGES.get((draft.resource.group, draft.resource.kind))
    if found is not None and not draft.resource.custom:
        draft.problems += found(draft)


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
    obj: Any = draft.new
    spec = obj.get("spec")
    if isinstance(spec, dict):
        spec.setdefault("type", "ClusterIP")
        spec.setdefault("sessionAffinity", "None")
        for port in spec.get("ports") or ():
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port.get("port"))


def _event_defaults(draft: Draft) -> None:
    """An Event of either view is kept as core/v1 and shown by both."""
    obj: Any = draft.new
    if draft.resource.group == GROUP:
        return
    obj.setdefault("eventTime", None)


def _same(draft: Draft, *names: str) -> bool:
    return draft.old is None or all(draft.new.get(name) == draft.old.get(name) for name in names)


def _config_problems(draft: Draft) -> list[Problem]:
    obj, out = draft.new, []
    if draft.old is not None and draft.old.get("immutable") and not _same(draft, "data", "binaryData", "immutable"):
        out.append(Problem("data", "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set"))
    if len(orjson.dumps([obj.get("data"), obj.get("binaryData")])) > _SIZE_LIMIT_BYTES:
        out.append(Problem("", "FieldValueTooLong", f"Too long: may not be more than {_SIZE_LIMIT_BYTES} bytes"))
    return out


def _event_problems(draft: Draft) -> list[Problem]:
    """The newer view requires a time; the older one fills the fields that the newer shows."""
    if draft.resource.group == GROUP and draft.is_create and not draft.new.get("eventTime"):
        return [Problem("eventTime", "FieldValueRequired", "Required value")]
    involved: Any = draft.new.get("involvedObject") or draft.new.get("regarding") or {}
    namespace = involved.get("namespace", "")
    if namespace and namespace != draft.new["metadata"].get("namespace") and namespace != "":
        text = f'Invalid value: "{namespace}": does not match event.namespace'
        return [Problem("involvedObject.namespace", "FieldValueInvalid", text)]
    return []


def _secret_problems(draft: Draft) -> list[Problem]:
    out = _config_problems(draft)
    obj: Any = draft.new
    for key, value in (obj.get("data") or {}).items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError, TypeError):
            out.append(Problem(f"data[{key}]", "FieldValueInvalid", 'Invalid value: "<redacted>": is not base64'))
    if not _same(draft, "type"):
        out.append(Problem("type", "FieldValueInvalid", f'Invalid value: "{obj.get("type")}": field is immutable'))
    return out


_DEFAULTS: dict[tuple[str, str], Callable[[Draft], None]] = {
    ("", "Namespace"): _namespace_defaults,
    ("", "Secret"): _secret_defaults,
    ("", "Service"): _service_defaults,
    ("", "Event"): _event_defaults,
    ("", "Pod"): workloads.pod_defaults,
    ("apps", "Deployment"): workloads.deployment_defaults,
    ("apps", "ReplicaSet"): workloads.replicas_defaults,
    ("apps", "StatefulSet"): workloads.stateful_set_defaults,
    ("apps", "DaemonSet"): workloads.daemon_set_defaults,
    ("batch", "Job"): workloads.job_defaults,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.defaults,
}
_JUDGES: dict[tuple[str, str], Callable[[Draft], list[Problem]]] = {
    ("", "ConfigMap"): _config_problems,
    ("", "Secret"): _secret_problems,
    ("", "Event"): _event_problems,
    (GROUP, "Event"): _event_problems,
    ("apps", "Deployment"): workloads.selector_problems,
    ("apps", "ReplicaSet"): workloads.selector_problems,
    ("apps", "StatefulSet"): workloads.selector_problems,
    ("apps", "DaemonSet"): workloads.selector_problems,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.problems,
}
