"""Containers: those that run, those that prepare and those that are added for a look.

Source: Kubernetes API reference, Container. What a container refers to, asks for and is probed by: `references`,
`resources`, `probes`, `security`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names, references, resources, security
from lambent.kubeserver.validation.errors import forbidden, invalid, not_found, required, texts
from lambent.kubeserver.validation.mounts import devices, mounts
from lambent.kubeserver.validation.probes import PROBES, lifecycle, probes
from lambent.kubeserver.validation.rules import Members, Rule, among, each, members, named, needed, once

PROTOCOL: Rule = needed(among("SCTP", "TCP", "UDP"))


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
    if not spec.get("containers"):
        yield required(f"{at}.containers")
    seen: set[str] = set()
    for one, here in each(spec.get("containers"), f"{at}.containers"):
        yield from _container(one, around, here)
        yield from once(one.get("name", ""), f"{here}.name", seen)
        yield from lifecycle(one.get("lifecycle"), spec, f"{here}.lifecycle")
        yield from probes(one, here)
    yield from _host_ports(spec.get("containers") or (), f"{at}.containers")
    for one, here in each(spec.get("initContainers"), f"{at}.initContainers"):
        yield from _container(one, around, here)
        yield from _before(one, spec, here)
        yield from once(one.get("name", ""), f"{here}.name", seen)
        yield from _host_ports([one], f"{at}.initContainers")
    yield from _guests(spec, around, seen, f"{at}.ephemeralContainers")


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
    for one, here in each(spec.get("ephemeralContainers"), at):
        yield from _container(one, around, here)
        yield from untrimmed(one, here)
        yield from once(one.get("name", ""), f"{here}.name", seen)
        target = one.get("targetContainerName")
        if target and target not in others:
            yield not_found(f"{here}.targetContainerName", target)
        for name in _NOT_FOR_GUESTS:
            if one.get(name):
                yield forbidden(f"{here}.{name}", _REFUSED)
        for mount, where in each(one.get("volumeMounts"), f"{here}.volumeMounts"):
            for name in ("subPath", "subPathExpr"):
                if mount.get(name):
                    yield forbidden(f"{where}.{name}", _REFUSED)


def untrimmed(one: Any, at: str) -> Iterator[Problem]:
    """Of a Pod itself; a template may still be filled in."""
    image = one.get("image", "")
    if image != image.strip():
        yield invalid(f"{at}.image", image, "must not have leading or trailing whitespace")


def _container(one: Any, around: Around, at: str) -> Iterator[Problem]:
    yield from members(one, at, _CONTAINER)
    yield from mounts(one, around.volumes, f"{at}.volumeMounts")
    yield from devices(one, around.volumes, f"{at}.volumeDevices")
    yield from _PULL(one.get("imagePullPolicy"), f"{at}.imagePullPolicy")
    yield from resources.of_container(one.get("resources") or {}, around.claims, f"{at}.resources")
    yield from _resizing(one.get("resizePolicy"), around.spec, f"{at}.resizePolicy")
    context = one.get("securityContext")
    yield from security.of_container(context, f"{at}.securityContext", has_host_users=around.has_host_users)


def _ports(ports: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for port, here in each(ports, at):
        if name := port.get("name", ""):
            wrong = names.port_name(name)
            yield from texts(f"{here}.name", name, wrong) if wrong else once(name, f"{here}.name", seen)
        yield from members(port, here, _PORT)


def _host_ports(found: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for one, here in each(found, at):
        for port, where in each(one.get("ports"), f"{here}.ports"):
            if number := port.get("hostPort"):
                text = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{number}"
                yield from once(text, f"{where}.hostPort", seen)


def _resizing(policies: Any, spec: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for one, here in each(policies, at):
        policy = one.get("restartPolicy", "")
        yield from once(one.get("resourceName", ""), here, seen)
        yield from _RESIZED(one.get("resourceName"), at)
        yield from _ON_RESIZE(policy, at)
        if spec.get("restartPolicy") == "Never" and policy != "NotRequired":
            yield invalid(at, policy, "must be 'NotRequired' when `restartPolicy` is 'Never'")


_CONTAINER: Members = {
    "name": needed(named(names.dns_label)),
    "image": needed(),
    "terminationMessagePolicy": needed(among("File", "FallbackToLogsOnError")),
    "ports": _ports,
    "env": references.environment,
    "envFrom": references.environment_from,
}
_PORT: Members = {
    "containerPort": needed(named(names.port_number)),
    "hostPort": named(names.port_number),
    "protocol": PROTOCOL,
}
_PULL = needed(among("Always", "IfNotPresent", "Never"))
_RESIZED, _ON_RESIZE = needed(among("cpu", "memory")), needed(among("NotRequired", "RestartContainer"))
