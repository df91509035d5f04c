"""Containers: names, images, ports, environment, mounts, probes and resources.

Source: Kubernetes API reference, Container. Not here: security contexts, lifecycle hooks and devices.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_negative,
    one_of,
    required,
    texts,
    unsupported,
)
from lambent.kubeserver.validation.quantities import parse

PROTOCOLS = ("SCTP", "TCP", "UDP")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
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
_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_STANDARD_RESOURCES = (*_RESOURCES, "storage", "pods", "services", "secrets", "configmaps", "persistentvolumeclaims")


def containers(spec: Any, volumes: Mapping[str, Any], at: str) -> Iterator[Problem]:
    """Those that run and those that prepare; `at` is the pod's spec."""
    regular = spec.get("containers") or ()
    if not regular:
        yield required(f"{at}.containers")
    seen: set[str] = set()
    for index, one in enumerate(regular):
        here = f"{at}.containers[{index}]"
        yield from _container(one, volumes, here)
        if one.get("name", "") in seen:
            yield duplicate(f"{here}.name", one.get("name", ""))
        seen.add(one.get("name", ""))
        yield from _probes(one, here)
    yield from _host_ports(regular, f"{at}.containers")
    for index, one in enumerate(spec.get("initContainers") or ()):
        here = f"{at}.initContainers[{index}]"
        yield from _container(one, volumes, here)
        yield from _before(one, here)
        if one.get("name", "") in seen:
            yield duplicate(f"{here}.name", one.get("name", ""))
        seen.add(one.get("name") or "\0")


def _before(one: Any, at: str) -> Iterator[Problem]:
    """What only a container that goes on running may have."""
    policy = one.get("restartPolicy")
    if policy is not None and policy != "Always":
        yield unsupported(f"{at}.restartPolicy", policy, ["Always"])
    if policy == "Always":
        yield from _probes(one, at)
        return
    for name in ("lifecycle", *_PROBES):
        if one.get(name) is not None:
            yield forbidden(f"{at}.{name}", "may not be set for init containers without restartPolicy=Always")


def _container(one: Any, volumes: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if not one.get("name"):
        yield required(f"{at}.name")
    else:
        yield from texts(f"{at}.name", one["name"], names.dns_label(one["name"]))
    if not one.get("image"):
        yield required(f"{at}.image")
    policy = one.get("terminationMessagePolicy")
    if policy not in ("File", "FallbackToLogsOnError"):
        yield unsupported(f"{at}.terminationMessagePolicy", policy, ["File", "FallbackToLogsOnError"])
    yield from _ports(one.get("ports") or (), f"{at}.ports")
    yield from _environment(one.get("env") or (), f"{at}.env")
    yield from _environment_from(one.get("envFrom") or (), f"{at}.envFrom")
    yield from _mounts(one.get("volumeMounts") or (), volumes, f"{at}.volumeMounts")
    yield from one_of(f"{at}.imagePullPolicy", one.get("imagePullPolicy"), ("Always", "IfNotPresent", "Never"))
    yield from resources(one.get("resources") or {}, f"{at}.resources")


def _ports(ports: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        here, name = f"{at}[{index}]", port.get("name", "")
        if name:
            wrong = names.port_name(name)
            yield from texts(f"{here}.name", name, wrong)
            if not wrong and name in seen:
                yield duplicate(f"{here}.name", name)
            seen |= set() if wrong else {name}
        number = port.get("containerPort", 0)
        if not number:
            yield required(f"{here}.containerPort")
        else:
            yield from texts(f"{here}.containerPort", number, names.port_number(number))
        if port.get("hostPort"):
            yield from texts(f"{here}.hostPort", port["hostPort"], names.port_number(port["hostPort"]))
        yield from one_of(f"{here}.protocol", port.get("protocol"), PROTOCOLS)


def _host_ports(found: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, one in enumerate(found):
        for index, port in enumerate(one.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            text = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if text in seen:
                yield duplicate(f"{at}[{number}].ports[{index}].hostPort", text)
            seen.add(text)


def _environment(entries: Any, at: str) -> Iterator[Problem]:
    for index, entry in enumerate(entries):
        here, name = f"{at}[{index}]", entry.get("name", "")
        if not name:
            yield required(f"{here}.name")
        else:
            yield from texts(f"{here}.name", name, names.env_name(name))
        if entry.get("valueFrom") is not None:
            yield from _source(entry, entry["valueFrom"], f"{here}.valueFrom")


def _source(entry: Any, source: Any, at: str) -> Iterator[Problem]:
    if (field := source.get("fieldRef")) is not None:
        yield from _field(field, f"{at}.fieldRef")
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


def _field(field: Any, at: str) -> Iterator[Problem]:
    path = field.get("fieldPath", "")
    if not path:
        yield required(f"{at}.fieldPath")
        return
    head, subscript = path.partition("['")[::2]
    if subscript and head in ("metadata.annotations", "metadata.labels"):
        key = subscript.removesuffix("']")
        key = key.lower() if head == "metadata.annotations" else key
        yield from texts(at, key, names.qualified(key))
    elif path in ("metadata.annotations", "metadata.labels"):
        yield unsupported(f"{at}.fieldPath", path, _ENV_FIELDS)
    elif path not in _ENV_FIELDS:
        yield invalid(f"{at}.fieldPath", path, f"error converting fieldPath: field label not supported: {path}")


def _key(ref: Any, at: str) -> Iterator[Problem]:
    name, key = ref.get("name", ""), ref.get("key", "")
    yield from texts(f"{at}.name", name, names.subdomain(name))
    if not key:
        yield required(f"{at}.key")
    else:
        yield from texts(f"{at}.key", key, names.config_key(key))


def _environment_from(entries: Any, at: str) -> Iterator[Problem]:
    for index, entry in enumerate(entries):
        here = f"{at}[{index}]"
        if prefix := entry.get("prefix"):
            yield from texts(f"{here}.prefix", prefix, names.env_name(prefix))
        found = [name for name in ("configMapRef", "secretRef") if entry.get(name) is not None]
        for name in found:
            named = entry[name].get("name", "")
            yield from texts(f"{here}.{name}.name", named, names.subdomain(named))
        if not found:
            yield invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(found) > 1:
            yield invalid(at, "", "may not have more than one field specified at a time")


def _mounts(mounts: Any, volumes: Mapping[str, Any], at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        here, name, path = f"{at}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{here}.name")
        if name not in volumes:
            yield not_found(f"{here}.name", name)
        if not path:
            yield required(f"{here}.mountPath")
        if path in seen:
            yield invalid(f"{here}.mountPath", path, "must be unique")
        seen.add(path)
        below, expression = mount.get("subPath", ""), mount.get("subPathExpr", "")
        if below:
            yield from descending(below, f"{at}.subPath")
        if expression:
            if below:
                yield invalid(f"{here}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
            yield from descending(expression, f"{at}.subPathExpr")


def descending(path: str, at: str) -> Iterator[Problem]:
    """A relative path that does not leave its root."""
    if path.startswith("/"):
        yield invalid(at, path, "must be a relative path")
    if ".." in path.split("/"):
        yield invalid(at, path, "must not contain '..'")


def _probes(one: Any, at: str) -> Iterator[Problem]:
    for name in _PROBES:
        probe = one.get(name)
        if probe is None:
            continue
        here = f"{at}.{name}"
        yield from _handler(probe, here)
        for member in (
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ):
            yield from not_negative(f"{here}.{member}", probe.get(member))
        grace = probe.get("terminationGracePeriodSeconds")
        if grace is not None and grace <= 0:
            yield invalid(f"{here}.terminationGracePeriodSeconds", grace, "must be greater than 0")
        if name == "readinessProbe":
            if grace is not None:
                yield invalid(f"{here}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")
        elif probe.get("successThreshold", 0) != 1:
            yield invalid(f"{here}.successThreshold", probe.get("successThreshold", 0), "must be 1")


def _handler(probe: Any, at: str) -> Iterator[Problem]:
    found = [name for name in ("exec", "httpGet", "tcpSocket", "grpc") if probe.get(name) is not None]
    if not found:
        yield required(at, "must specify a handler type")
        return
    first = probe[found[0]]
    match found[0]:
        case "exec":
            if not first.get("command"):
                yield required(f"{at}.exec.command")
        case "httpGet":
            yield from _http(first, f"{at}.httpGet")
        case "tcpSocket":
            yield from port_number_or_name(first.get("port", 0), f"{at}.tcpSocket.port")
        case _:
            yield from port_number_or_name(first.get("port", 0), f"{at}.grpc.port")
    for name in found[1:]:
        yield forbidden(f"{at}.{name}", "may not specify more than 1 handler type")


def _http(get: Any, at: str) -> Iterator[Problem]:
    if not get.get("path"):
        yield required(f"{at}.path")
    yield from port_number_or_name(get.get("port", 0), f"{at}.port")
    if get.get("scheme", "") not in ("HTTP", "HTTPS"):
        yield unsupported(f"{at}.scheme", get.get("scheme", ""), ["HTTP", "HTTPS"])
    for header in get.get("httpHeaders") or ():
        name = header.get("name", "")
        yield from texts(f"{at}.httpHeaders", name, names.header_name(name))


def port_number_or_name(port: int | str, at: str) -> Iterator[Problem]:
    found = names.port_name(port) if isinstance(port, str) else names.port_number(port)
    yield from texts(at, port, found)


def resources(wanted: Any, at: str) -> Iterator[Problem]:
    """Names and amounts; no request above its limit."""
    limits, requests = wanted.get("limits") or {}, wanted.get("requests") or {}
    for name, amount in limits.items():
        yield from _resource(name, amount, f"{at}.limits[{name}]")
    for name, amount in requests.items():
        yield from _resource(name, amount, f"{at}.requests[{name}]")
        is_divisible = "/" not in name and not name.startswith("hugepages-")
        if name not in limits:
            if not is_divisible:
                yield required(f"{at}.limits", "Limit must be set for non overcommitable resources")
            continue
        value, limit = parse(amount)[0], parse(limits[name])[0]
        if value != limit and not is_divisible:
            yield invalid(f"{at}.requests", amount, f"must be equal to {name} limit of {limits[name]}")
        elif value > limit:
            yield invalid(f"{at}.requests", amount, f"must be less than or equal to {name} limit of {limits[name]}")


def _resource(name: str, amount: str, at: str) -> Iterator[Problem]:
    wrong = names.qualified(name)
    yield from texts(at, name, wrong)
    if "/" not in name and not name.startswith("hugepages-"):
        if not wrong and name not in _STANDARD_RESOURCES:
            yield invalid(at, name, "must be a standard resource type or fully qualified")
        if name not in _RESOURCES:
            yield invalid(at, name, "must be a standard resource for containers")
    value = parse(amount)[0]
    if value < 0:
        yield invalid(at, amount, "must be greater than or equal to 0")
    if ("/" in name or name in ("pods", "services")) and value.denominator != 1:
        yield invalid(at, amount, "must be an integer")
