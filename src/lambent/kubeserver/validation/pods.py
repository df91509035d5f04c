"""Pods and their templates. Source: Kubernetes API reference, PodSpec, Volume, Toleration.

Not here: affinity, topology, security contexts, DNS settings, Windows, and volumes of single vendors.
"""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.containers import containers, descending
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    invalid,
    required,
    texts,
    unsupported,
)
from lambent.kubeserver.validation.selectors import annotations, labels

RESTARTS = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_LARGEST = 2**31 - 1
_NAMED = {
    "hostname": names.dns_label,
    "subdomain": names.dns_label,
    "serviceAccountName": names.subdomain,
    "nodeName": names.subdomain,
    "priorityClassName": names.subdomain,
    "runtimeClassName": names.subdomain,
}


def template(found: Any, at: str) -> Iterator[Problem]:
    """A pod template: metadata's labels and annotations, then the spec."""
    meta = found.get("metadata") or {}
    yield from labels(meta.get("labels") or {}, f"{at}.labels")
    yield from annotations(meta.get("annotations") or {}, f"{at}.annotations")
    yield from pod_spec(found.get("spec") or {}, f"{at}.spec")
    if (found.get("spec") or {}).get("ephemeralContainers"):
        yield forbidden(f"{at}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def pod(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    yield from pod_spec(spec, "spec")
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")


def pod_spec(spec: Any, at: str) -> Iterator[Problem]:
    usable: dict[str, Any] = {}
    yield from _volumes(spec.get("volumes") or (), usable, f"{at}.volumes")
    yield from containers(spec, usable, at)
    yield from _listed(spec.get("restartPolicy", "Always"), RESTARTS, f"{at}.restartPolicy")
    yield from _listed(spec.get("dnsPolicy", "ClusterFirst"), _DNS, f"{at}.dnsPolicy")
    yield from labels(spec.get("nodeSelector") or {}, f"{at}.nodeSelector")
    for name, rule in _NAMED.items():
        if value := spec.get(name):
            yield from texts(f"{at}.{name}", value, rule(value))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _LARGEST:
        yield invalid(f"{at}.activeDeadlineSeconds", deadline, f"must be between 1 and {_LARGEST}, inclusive")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration(toleration, f"{at}.tolerations[{index}]")
    policy = spec.get("preemptionPolicy")
    if policy is not None and policy not in ("PreemptLowerPriority", "Never"):
        yield unsupported(f"{at}.preemptionPolicy", policy, ["PreemptLowerPriority", "Never"])


def _listed(value: str, allowed: tuple[str, ...], at: str) -> Iterator[Problem]:
    """As `one_of`, in the order kube-apiserver lists them."""
    if not value:
        yield required(at)
    elif value not in allowed:
        yield unsupported(at, value, allowed)


def _volumes(volumes: Any, usable: dict[str, Any], at: str) -> Iterator[Problem]:
    """`usable` takes those that mounts may name: only the good ones."""
    for index, volume in enumerate(volumes):
        here, name = f"{at}[{index}]", volume.get("name", "")
        found = [*_source(volume, here)]
        if not name:
            found.append(required(f"{here}.name"))
        else:
            found += texts(f"{here}.name", name, names.dns_label(name))
        if name in usable:
            found.append(duplicate(f"{here}.name", name))
        if not found:
            usable[name] = volume
        yield from found


def _source(volume: Any, at: str) -> Iterator[Problem]:
    kinds = [name for name, value in volume.items() if name != "name" and value is not None]
    if not kinds:
        yield required(at, "must specify a volume type")
        return
    kinds.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    first, here = volume[kinds[0]], f"{at}.{kinds[0]}"
    for member in _NEEDED.get(kinds[0], ()):
        if not first.get(member):
            yield required(f"{here}.{member}")
    if kinds[0] == "hostPath" and ".." in first.get("path", "").split("/"):
        yield invalid(f"{here}.path", first["path"], "must not contain '..'")
    if kinds[0] in ("secret", "configMap"):
        yield from _files(first, here)
    for kind in kinds[1:]:
        yield forbidden(f"{at}.{kind}", "may not specify more than 1 volume type")


_ORDER = ("emptyDir", "hostPath", "gitRepo", "secret", "nfs", "iscsi", "persistentVolumeClaim", "downwardAPI", "fc",
          "flexVolume", "configMap", "projected", "csi", "ephemeral", "image")  # fmt: skip


_NEEDED = {
    "hostPath": ("path",),
    "secret": ("secretName",),
    "configMap": ("name",),
    "persistentVolumeClaim": ("claimName",),
    "nfs": ("server", "path"),
    "csi": ("driver",),
}


def _files(source: Any, at: str) -> Iterator[Problem]:
    text = "must be a number between 0 and 0777 (octal), both inclusive"
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(f"{at}.defaultMode", mode, text)
    for index, item in enumerate(source.get("items") or ()):
        here = f"{at}.items[{index}]"
        for member in ("key", "path"):
            if not item.get(member):
                yield required(f"{here}.{member}")
        path = item.get("path", "")
        yield from descending(path, f"{here}.path")
        if path.startswith("..") and not path.startswith("../") and path != "..":
            yield invalid(f"{here}.path", path, "must not start with '..'")
        mode = item.get("mode")
        if mode is not None and not 0 <= mode <= 0o777:
            yield invalid(f"{here}.mode", mode, text)


def _toleration(found: Any, at: str) -> Iterator[Problem]:
    key, operator, value = found.get("key", ""), found.get("operator", ""), found.get("value", "")
    effect = found.get("effect", "")
    if key:
        yield from texts(f"{at}.key", key, names.qualified(key))
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{at}.operator", operator, text)
    if found.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield invalid(f"{at}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator in ("Equal", ""):
        if wrong := names.label_value(value):
            yield invalid(f"{at}.operator", value, ";".join(wrong))
    elif operator == "Exists":
        if value:
            yield invalid(f"{at}.operator", value, "value must be empty when `operator` is 'Exists'")
    else:
        yield unsupported(f"{at}.operator", operator, ["Equal", "Exists"])
    if effect and effect not in _EFFECTS:
        yield unsupported(f"{at}.effect", effect, _EFFECTS)
