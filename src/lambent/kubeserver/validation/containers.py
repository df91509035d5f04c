"""Containers: those that run, those that prepare and those that are added for a look.

Source: Kubernetes API reference, Container. What a container refers to, asks for and is probed by: `references`,
`resources`, `probes`, `security`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names, references, resources, security
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    invalid,
    not_found,
    one_of,
    required,
    texts,
    unsupported,
)
from lambent.kubeserver.validation.mounts import devices, mounts
from lambent.kubeserver.validation.probes import PROBES, lifecycle, probes

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULLS = ("Always", "IfNotPresent", "Never")


class Around(NamedTuple):
    """What of its Pod a container is judged by: the spec, the volumes that can be mounted, the names of claims."""

    spec: Any
    volumes: Mapping[str, Any]
    claims: Sequence[str]

    @property
    def has_host_users(self) -> bool:
        return self.spec.get("hostUsers") is not False


def containers(spec: Any, volumes: Mapping[str, Any], at: str) -> Iterator[Problem]:
    """All of a Pod; `at` is its spec."""
    around = Around(spec, volumes, [name for one in spec.get("resourceClaims") or () if (name := one.get("name"))])
    regular = spec.get("containers") or ()
    if not regular:
        yield required(f"{at}.containers")
    seen: set[str] = set()
    for index, one in enumerate(regular):
        here = f"{at}.containers[{index}]"
        yield from _container(one, around, here)
        yield from _named_once(one, seen, here)
        yield from lifecycle(one.get("lifecycle"), spec, f"{here}.lifecycle")
        yield from probes(one, here)
    yield from _host_ports(regular, f"{at}.containers")
    for index, one in enumerate(spec.get("initContainers") or ()):
        here = f"{at}.initContainers[{index}]"
        yield from _container(one, around, here)
        yield from _before(one, spec, here)
        yield from _named_once(one, seen, here)
        yield from _host_ports([one], f"{at}.initContainers")
    yield from _guests(spec, around, seen, f"{at}.ephemeralContainers")


def _named_once(one: Any, seen: set[str], at: str) -> Iterator[Problem]:
    name = one.get("name", "")
    if name in seen:
        yield duplicate(f"{at}.name", name)
    seen.add(name)


def _before(one: Any, spec: Any, at: str) -> Iterator[Problem]:
    """What only a container that goes on running may have."""
    if one.get("restartPolicy") == "Always":
        yield from lifecycle(one.get("lifecycle"), spec, f"{at}.lifecycle")
        yield from probes(one, at)
        return
    for name in ("lifecycle", *PROBES):
        if one.get(name) is not None:
            yield forbidden(f"{at}.{name}", "may not be set for init containers without restartPolicy=Always")


_NOT_FOR_GUESTS = ("ports", "resources", *PROBES, "lifecycle", "resizePolicy")
_REFUSED = "cannot be set for an Ephemeral Container"


def _guests(spec: Any, around: Around, seen: set[str], at: str) -> Iterator[Problem]:
    others = set(seen)
    for index, one in enumerate(spec.get("ephemeralContainers") or ()):
        here = f"{at}[{index}]"
        yield from _container(one, around, here)
        yield from untrimmed(one, here)
        yield from _named_once(one, seen, here)
        target = one.get("targetContainerName")
        if target and target not in others:
            yield not_found(f"{here}.targetContainerName", target)
        for name in _NOT_FOR_GUESTS:
            if one.get(name):
                yield forbidden(f"{here}.{name}", _REFUSED)
        for number, mount in enumerate(one.get("volumeMounts") or ()):
            for name in ("subPath", "subPathExpr"):
                if mount.get(name):
                    yield forbidden(f"{here}.volumeMounts[{number}].{name}", _REFUSED)


def untrimmed(one: Any, at: str) -> Iterator[Problem]:
    """Of a Pod itself; a template may still be filled in."""
    image = one.get("image", "")
    if image != image.strip():
        yield invalid(f"{at}.image", image, "must not have leading or trailing whitespace")


def _container(one: Any, around: Around, at: str) -> Iterator[Problem]:
    if not one.get("name"):
        yield required(f"{at}.name")
    else:
        yield from texts(f"{at}.name", one["name"], names.dns_label(one["name"]))
    if not one.get("image"):
        yield required(f"{at}.image")
    policy = one.get("terminationMessagePolicy", "")
    if not policy:
        yield required(f"{at}.terminationMessagePolicy")
    elif policy not in ("File", "FallbackToLogsOnError"):
        yield unsupported(f"{at}.terminationMessagePolicy", policy, ["File", "FallbackToLogsOnError"])
    yield from _ports(one.get("ports") or (), f"{at}.ports")
    yield from references.environment(one.get("env") or (), f"{at}.env")
    yield from references.environment_from(one.get("envFrom") or (), f"{at}.envFrom")
    yield from mounts(one, around.volumes, f"{at}.volumeMounts")
    yield from devices(one, around.volumes, f"{at}.volumeDevices")
    yield from one_of(f"{at}.imagePullPolicy", one.get("imagePullPolicy"), PULLS)
    yield from resources.of_container(one.get("resources") or {}, around.claims, f"{at}.resources")
    yield from _resizing(one.get("resizePolicy") or (), around.spec, f"{at}.resizePolicy")
    context = one.get("securityContext")
    yield from security.of_container(context, f"{at}.securityContext", has_host_users=around.has_host_users)


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


def _resizing(policies: Any, spec: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, one in enumerate(policies):
        name, policy = one.get("resourceName", ""), one.get("restartPolicy", "")
        if name in seen:
            yield duplicate(f"{at}[{index}]", name)
        seen.add(name)
        yield from one_of(at, name, ("cpu", "memory"))
        yield from one_of(at, policy, ("NotRequired", "RestartContainer"))
        if spec.get("restartPolicy") == "Never" and policy != "NotRequired":
            yield invalid(at, policy, "must be 'NotRequired' when `restartPolicy` is 'Never'")
