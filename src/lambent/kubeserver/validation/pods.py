"""Pods and their templates, and what of a Pod may change. Source: Kubernetes API reference, PodSpec.

Not here: the options of Windows.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names, resources, scheduling, security
from lambent.kubeserver.validation.addresses import address
from lambent.kubeserver.validation.containers import containers, untrimmed
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    go_struct,
    invalid,
    invalid_shown,
    required,
    texts,
    too_long,
)
from lambent.kubeserver.validation.rules import (
    Members,
    always,
    among,
    between,
    each,
    given,
    inside,
    items,
    members,
    named,
    needed,
)
from lambent.kubeserver.validation.selectors import annotations, labels
from lambent.kubeserver.validation.volumes import volumes


def template(found: Any, at: str) -> Iterator[Problem]:
    """A pod template: metadata's labels and annotations, then the spec."""
    meta = found.get("metadata") or {}
    yield from labels(meta.get("labels") or {}, f"{at}.labels")
    yield from annotations(meta.get("annotations") or {}, f"{at}.annotations")
    yield from pod_spec(found.get("spec") or {}, f"{at}.spec")
    if (found.get("spec") or {}).get("ephemeralContainers"):
        yield forbidden(f"{at}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def new_pod(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def pod(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    yield from pod_spec(spec, "spec", (obj.get("metadata") or {}).get("name", ""))
    for kind in ("containers", "initContainers"):
        for one, here in each(spec.get(kind), f"spec.{kind}"):
            yield from untrimmed(one, here)


def pod_spec(spec: Any, at: str, name: str = "") -> Iterator[Problem]:
    if spec.get("terminationGracePeriodSeconds") is None:
        yield required(f"{at}.terminationGracePeriodSeconds")
    usable, wrong = volumes(spec.get("volumes") or (), f"{at}.volumes", name)
    yield from wrong
    yield from _resource_claims(spec.get("resourceClaims"), f"{at}.resourceClaims")
    yield from containers(spec, usable, at)
    yield from resources.of_pod(spec, at)
    yield from _RESTARTS(spec.get("restartPolicy"), f"{at}.restartPolicy")
    yield from _network(spec, at)
    yield from labels(spec.get("nodeSelector") or {}, f"{at}.nodeSelector")
    yield from security.of_pod(spec, at)
    yield from security.on_host(spec, at)
    yield from security.of_system(spec, at)
    yield from members(spec, at, _SCHEDULED)
    yield from members(spec, at, _NAMED)
    if (system := spec.get("os")) is not None:
        yield from _SYSTEM(system.get("name"), f"{at}.os" if system.get("name") else f"{at}.os.name")
    if (amounts := spec.get("overhead")) is not None:
        yield from resources.overhead(amounts, f"{at}.overhead")


def _resource_claims(found: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for one, here in each(found, at):
        name = one.get("name", "")
        is_known = name and name in seen
        yield from [duplicate(f"{here}.name", name)] if is_known else _NAME(name, f"{here}.name")
        seen.add(name)
        shown = go_struct({"name": "", **one}, "Name", "ResourceClaimName", "ResourceClaimTemplateName")
        count = sum(one.get(member) is not None for member in _CLAIMED)
        if count > 1:
            text = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            yield invalid_shown(here, shown, text)
        elif not count:
            yield invalid_shown(here, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
        yield from members(one, here, _CLAIMED)


_MOST_SERVERS, _MOST_SEARCHES, _LONGEST_SEARCHES = 3, 32, 2048


def _network(spec: Any, at: str) -> Iterator[Problem]:
    yield from _DNS(spec.get("dnsPolicy"), f"{at}.dnsPolicy")
    yield from _resolver(spec.get("dnsConfig"), spec.get("dnsPolicy"), f"{at}.dnsConfig")
    yield from _ALIASES(spec.get("hostAliases"), f"{at}.hostAliases")
    if spec.get("hostNetwork"):
        yield from _same_ports(spec, at)
    if (name := spec.get("hostnameOverride")) is not None:
        for other in ("setHostnameAsFQDN", "hostNetwork"):
            if spec.get(other):
                yield forbidden(f"{at}.hostnameOverride", f"may not be specified when {other} is true")
        if len(name) > 64:
            yield too_long(f"{at}.hostnameOverride", 64)
        yield from texts(f"{at}.hostnameOverride", name, names.subdomain(name))


def _same_ports(spec: Any, at: str) -> Iterator[Problem]:
    for one, here in each(spec.get("containers"), f"{at}.containers"):
        for port, where in each(one.get("ports"), f"{here}.ports"):
            outer, inner = port.get("hostPort", 0), port.get("containerPort", 0)
            if (outer or at == "spec") and outer != inner:
                yield invalid(f"{where}.hostPort", outer, "must match `containerPort` when `hostNetwork` is true")


def _resolver(config: Any, policy: str | None, at: str) -> Iterator[Problem]:
    if config is None:
        if policy == "None":
            yield required(at, "must provide `dnsConfig` when `dnsPolicy` is None")
        return
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if policy == "None" and not servers:
        text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{at}.nameservers", text)
        return
    if len(servers) > _MOST_SERVERS:
        yield invalid(f"{at}.nameservers", servers, f"must not have more than {_MOST_SERVERS} nameservers")
    for one, here in each(servers, f"{at}.nameservers"):
        yield from address(one, here)
    if len(searches) > _MOST_SEARCHES:
        yield invalid(f"{at}.searches", searches, f"must not have more than {_MOST_SEARCHES} search paths")
    if len(" ".join(searches)) > _LONGEST_SEARCHES:
        text = f"must not have more than {_LONGEST_SEARCHES} characters (including spaces) in the search list"
        yield invalid(f"{at}.searches", searches, text)
    for one, here in each(searches, f"{at}.searches"):
        found = [] if one == "." else names.underscored_subdomain(one.removesuffix("."))
        yield from texts(here, one.removesuffix("."), found)
    for option, here in each(config.get("options"), f"{at}.options"):
        yield from _OPTION(option.get("name"), here)


def _preemption(policy: str | None, at: str) -> Iterable[Problem]:
    return () if policy is None else _PREEMPTION(policy, at)


_NAME = needed(named(names.dns_label))
_PREEMPTION = needed(among("PreemptLowerPriority", "Never"))
_CLAIMED: Members = {"resourceClaimName": given(names.subdomain), "resourceClaimTemplateName": given(names.subdomain)}
_RESTARTS = needed(among("Always", "OnFailure", "Never"))
_DNS = needed(among("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"))
_ALIASES = items(inside({"ip": address, "hostnames": items(always(names.subdomain))}))
_OPTION = needed(why="must not be empty")
_SYSTEM = needed(among("linux", "windows"))
_SCHEDULED: Members = {
    "affinity": scheduling.affinity,
    "schedulingGates": scheduling.gates,
    "topologySpreadConstraints": scheduling.spread,
    "tolerations": items(scheduling.toleration),
    "preemptionPolicy": _preemption,
}
_NAMED: Members = {
    "hostname": named(names.dns_label),
    "subdomain": named(names.dns_label),
    "serviceAccountName": named(names.subdomain),
    "nodeName": named(names.subdomain),
    "priorityClassName": named(names.subdomain),
    "runtimeClassName": given(names.subdomain),
    "activeDeadlineSeconds": between(1, 2**31 - 1),
    "readinessGates": items(inside({"conditionType": always(names.qualified)})),
}
