"""Values that a container takes from elsewhere: fields of its Pod, amounts, keys of ConfigMaps and Secrets.

Source: Kubernetes API reference, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import invalid, required, texts, unsupported

VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_READABLE = {*VOLUME_FIELDS, *_ENV_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"}
_AMOUNTS = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_SIZES = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"
_DIVISORS = {
    "cpu": ("1m and 1", ["1m", "1"], "cpu"),
    "memory": (_SIZES, _SIZES.split(", "), "memory"),
    "ephemeral-storage": (_SIZES, _SIZES.split(", "), "local ephemeral storage"),
    "hugepages": (_SIZES, _SIZES.split(", "), "hugepages"),
}


def environment(entries: Any, at: str) -> Iterator[Problem]:
    for index, entry in enumerate(entries):
        here, name = f"{at}[{index}]", entry.get("name", "")
        if not name:
            yield required(f"{here}.name")
        else:
            yield from texts(f"{here}.name", name, names.env_name(name))
        if entry.get("valueFrom") is not None:
            yield from _source(entry, entry["valueFrom"], f"{here}.valueFrom")


def _source(entry: Any, source: Any, at: str) -> Iterator[Problem]:
    if (ref := source.get("fieldRef")) is not None:
        yield from field(ref, _ENV_FIELDS, f"{at}.fieldRef")
    if (ref := source.get("resourceFieldRef")) is not None:
        yield from resource_field(ref, f"{at}.resourceFieldRef", needs_container=False)
    for name in ("configMapKeyRef", "secretKeyRef"):
        if (ref := source.get(name)) is not None:
            yield from _key(ref, f"{at}.{name}")
    count = sum(value is not None for value in source.values())
    if not count:
        text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid(at, "", text)
    elif entry.get("value"):
        yield invalid(at, "", "may not be specified when `value` is not empty")
    elif count > 1:
        yield invalid(at, "", "may not have more than one field specified at a time")


def field(ref: Any, allowed: Sequence[str], at: str) -> Iterator[Problem]:
    version, path = ref.get("apiVersion", ""), ref.get("fieldPath", "")
    if not version:
        yield required(f"{at}.apiVersion")
        return
    if not path:
        yield required(f"{at}.fieldPath")
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
    text, good, shown = known
    if divisor != "0" and divisor not in good:
        yield invalid(f"{at}.divisor", name, f"only divisor's values {text} are supported with the {shown} resource")


def _key(ref: Any, at: str) -> Iterator[Problem]:
    name, key = ref.get("name", ""), ref.get("key", "")
    yield from texts(f"{at}.name", name, names.subdomain(name))
    if not key:
        yield required(f"{at}.key")
    else:
        yield from texts(f"{at}.key", key, names.config_key(key))


def environment_from(entries: Any, at: str) -> Iterator[Problem]:
    for index, entry in enumerate(entries):
        here = f"{at}[{index}]"
        if prefix := entry.get("prefix"):
            yield from texts(f"{here}.prefix", prefix, names.env_name(prefix))
        found = [name for name in ("configMapRef", "secretRef") if entry.get(name) is not None]
        for name in found:
            named = entry[name].get("name", "")
            if not named:
                yield required(f"{here}.{name}.name")
            else:
                rule = names.generated(names.subdomain)  # kube-apiserver takes it for the beginning of a name
                yield from texts(f"{here}.{name}.name", named, rule(named))
        if not found:
            yield invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(found) > 1:
            yield invalid(at, "", "may not have more than one field specified at a time")
