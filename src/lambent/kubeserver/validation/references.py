"""Values that a container takes from elsewhere: fields of its Pod, amounts, keys of ConfigMaps and Secrets.

Source: Kubernetes API reference, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import invalid, required, texts, unsupported
from lambent.kubeserver.validation.rules import Members, Rule, always, each, inside, members, named, needed

VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_ENV_FIELDS = ("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
               "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs")  # fmt: skip
_READABLE = {*VOLUME_FIELDS, *_ENV_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"}
_AMOUNTS = tuple(f"{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory"))
_SIZES = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"
_DIVISORS = {
    "cpu": ("1m and 1", "cpu"),
    "memory": (_SIZES, "memory"),
    "ephemeral-storage": (_SIZES, "local ephemeral storage"),
    "hugepages": (_SIZES, "hugepages"),
}


def environment(entries: Any, at: str) -> Iterator[Problem]:
    for entry, here in each(entries, at):
        yield from _NAME(entry.get("name"), f"{here}.name")
        if (source := entry.get("valueFrom")) is not None:
            yield from _source(entry, source, f"{here}.valueFrom")


def _source(entry: Any, source: Any, at: str) -> Iterator[Problem]:
    yield from members(source, at, _SOURCES)
    count = sum(value is not None for value in source.values())
    if not count:
        why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid(at, "", why)
    elif entry.get("value"):
        yield invalid(at, "", "may not be specified when `value` is not empty")
    elif count > 1:
        yield invalid(at, "", "may not have more than one field specified at a time")


def field(ref: Any, allowed: Sequence[str], at: str) -> Iterator[Problem]:
    version, path = ref.get("apiVersion", ""), ref.get("fieldPath", "")
    if not version or not path:
        yield required(f"{at}.fieldPath" if version else f"{at}.apiVersion")
        return
    head, subscript = path.partition("['")[::2]
    has_subscript = bool(subscript) and path.endswith("']")
    if why := _unreadable(version, path, head if has_subscript else path, has_subscript=has_subscript):
        yield invalid(f"{at}.fieldPath", path, f"error converting fieldPath: {why}")
    elif has_subscript:
        key = subscript.removesuffix("']")
        key = key.lower() if head == "metadata.annotations" else key
        yield from texts(at, key, names.qualified(key))
    elif path not in allowed:
        yield unsupported(f"{at}.fieldPath", path, allowed)


def _unreadable(version: str, path: str, head: str, *, has_subscript: bool) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    if has_subscript:
        is_map = head in ("metadata.annotations", "metadata.labels")
        return "" if is_map else f"field label does not support subscript: {path}"
    return "" if path in _READABLE else f"field label not supported: {path}"


def resource_field(ref: Any, at: str, *, needs_container: bool) -> Iterator[Problem]:
    name = ref.get("resource", "")
    if needs_container and not ref.get("containerName"):
        yield required(f"{at}.containerName")
    elif not name:
        yield required(f"{at}.resource")
    elif name not in _AMOUNTS and not name.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield unsupported(f"{at}.resource", name, _AMOUNTS)
    kind, divisor = name.partition(".")[2], ref.get("divisor", "0")
    if (known := _DIVISORS.get("hugepages" if kind.startswith("hugepages-") else kind)) is None:
        return
    listed, shown = known
    if divisor != "0" and divisor not in re.split(", | and ", listed):
        yield invalid(f"{at}.divisor", name, f"only divisor's values {listed} are supported with the {shown} resource")


def environment_from(entries: Any, at: str) -> Iterator[Problem]:
    for entry, here in each(entries, at):
        yield from members(entry, here, _FROM)
        count = sum(entry.get(name) is not None for name in ("configMapRef", "secretRef"))
        if not count:
            yield invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")
        elif count > 1:
            yield invalid(at, "", "may not have more than one field specified at a time")


_NAME = needed(named(names.env_name))
_KEY = inside({"name": always(names.subdomain), "key": needed(named(names.config_key))})
_SOURCES: Members = {
    "fieldRef": lambda ref, at: () if ref is None else field(ref, _ENV_FIELDS, at),
    "resourceFieldRef": lambda ref, at: () if ref is None else resource_field(ref, at, needs_container=False),
    "configMapKeyRef": _KEY,
    "secretKeyRef": _KEY,
}
# kube-apiserver takes the name for the beginning of one
_WHOLE: Rule = inside({"name": needed(named(names.generated(names.subdomain)))})
_FROM: Members = {"prefix": named(names.env_name), "configMapRef": _WHOLE, "secretRef": _WHOLE}
