"""Pods and their templates, and what of a Pod may change. Source: Kubernetes API reference, PodSpec.

Not here: the options of Windows.
"""

from collections.abc import Iterator
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
    unsupported,
)
from lambent.kubeserver.validation.selectors import annotations, labels
from lambent.kubeserver.validation.volumes import volumes

RESTARTS = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_LARGEST = 2**31 - 1
_NAMED = {
    "hostname": names.dns_label,
    "subdomain": names.dns_label,
    "serviceAccountName": names.subdomain,
    "nodeName": names.subdomain,
    "priorityClassName": names.subdomain,
}


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
        for index, one in enumerate(spec.get(kind) or ()):
            yield from untrimmed(one, f"spec.{kind}[{index}]")


def pod_spec(spec: Any, at: str, name: str = "") -> Iterator[Problem]:
    if spec.get("terminationGracePeriodSeconds") is None:
        yield required(f"{at}.terminationGracePeriodSeconds")
    usable, wrong = volumes(spec.get("volumes") or (), f"{at}.volumes", name)
    yield from wrong
    yield from _resource_claims(spec.get("resourceClaims") or (), f"{at}.resourceClaims")
    yield from containers(spec, usable, at)
    yield from resources.of_pod(spec, at)
    yield from _listed(spec.get("restartPolicy", ""), RESTARTS, f"{at}.restartPolicy")
    yield from _network(spec, at)
    yield from labels(spec.get("nodeSelector") or {}, f"{at}.nodeSelector")
    yield from security.of_pod(spec, at)
    yield from security.on_host(spec, at)
    yield from security.of_system(spec, at)
    yield from _scheduled(spec, at)
    yield from _names(spec, at)
    if (system := spec.get("os")) is not None:
        yield from _listed(system.get("name", ""), ("linux", "windows"), f"{at}.os", f"{at}.os.name")
    if (amounts := spec.get("overhead")) is not None:
        yield from resources.overhead(amounts, f"{at}.overhead")


def _names(spec: Any, at: str) -> Iterator[Problem]:
    for name, rule in _NAMED.items():
        if value := spec.get(name):
            yield from texts(f"{at}.{name}", value, rule(value))
    if (kind := spec.get("runtimeClassName")) is not None:
        yield from texts(f"{at}.runtimeClassName", kind, names.subdomain(kind))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _LARGEST:
        yield invalid(f"{at}.activeDeadlineSeconds", deadline, f"must be between 1 and {_LARGEST}, inclusive")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        yield from texts(f"{at}.readinessGates[{index}].conditionType", kind, names.qualified(kind))


def _scheduled(spec: Any, at: str) -> Iterator[Problem]:
    if (found := spec.get("affinity")) is not None:
        yield from scheduling.affinity(found, f"{at}.affinity")
    yield from scheduling.gates(spec.get("schedulingGates") or (), f"{at}.schedulingGates")
    yield from scheduling.spread(spec.get("topologySpreadConstraints") or (), f"{at}.topologySpreadConstraints")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from scheduling.toleration(toleration, f"{at}.tolerations[{index}]")
    if (policy := spec.get("preemptionPolicy")) is not None:
        yield from _listed(policy, ("PreemptLowerPriority", "Never"), f"{at}.preemptionPolicy")


def _listed(value: str, allowed: tuple[str, ...], at: str, needed_at: str = "") -> Iterator[Problem]:
    """As `one_of`, in the order kube-apiserver lists them."""
    if not value:
        yield required(needed_at or at)
    elif value not in allowed:
        yield unsupported(at, value, allowed)


def _resource_claims(found: Any, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, one in enumerate(found):
        here, name = f"{at}[{index}]", one.get("name", "")
        if not name:
            yield required(f"{here}.name")
        elif name in seen:
            yield duplicate(f"{here}.name", name)
        else:
            yield from texts(f"{here}.name", name, names.dns_label(name))
        seen.add(name)
        shown = go_struct({"name": "", **one}, "Name", "ResourceClaimName", "ResourceClaimTemplateName")
        given = [member for member in ("resourceClaimName", "resourceClaimTemplateName") if one.get(member) is not None]
        if len(given) > 1:
            text = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            yield invalid_shown(here, shown, text)
        elif not given:
            yield invalid_shown(here, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
        for member in given:
            yield from texts(f"{here}.{member}", one[member], names.subdomain(one[member]))


_MOST_SERVERS, _MOST_SEARCHES, _LONGEST_SEARCHES = 3, 32, 2048


def _network(spec: Any, at: str) -> Iterator[Problem]:
    yield from _listed(spec.get("dnsPolicy", ""), _DNS, f"{at}.dnsPolicy")
    yield from _resolver(spec.get("dnsConfig"), spec.get("dnsPolicy"), f"{at}.dnsConfig")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        here = f"{at}.hostAliases[{index}]"
        yield from address(alias.get("ip", ""), f"{here}.ip")
        for number, host in enumerate(alias.get("hostnames") or ()):
            yield from texts(f"{here}.hostnames[{number}]", host, names.subdomain(host))
    if spec.get("hostNetwork"):
        yield from _same_ports(spec, at)
    if (name := spec.get("hostnameOverride")) is not None:
        for other, text in (("setHostnameAsFQDN", "setHostnameAsFQDN"), ("hostNetwork", "hostNetwork")):
            if spec.get(other):
                yield forbidden(f"{at}.hostnameOverride", f"may not be specified when {text} is true")
        if len(name) > 64:
            yield too_long(f"{at}.hostnameOverride", 64)
        yield from texts(f"{at}.hostnameOverride", name, names.subdomain(name))


def _same_ports(spec: Any, at: str) -> Iterator[Problem]:
    for number, one in enumerate(spec.get("containers") or ()):
        for index, port in enumerate(one.get("ports") or ()):
            outer, inner = port.get("hostPort", 0), port.get("containerPort", 0)
            if (outer or at == "spec") and outer != inner:
                where = f"{at}.containers[{number}].ports[{index}].hostPort"
                yield invalid(where, outer, "must match `containerPort` when `hostNetwork` is true")


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
    for index, one in enumerate(servers):
        yield from address(one, f"{at}.nameservers[{index}]")
    if len(searches) > _MOST_SEARCHES:
        yield invalid(f"{at}.searches", searches, f"must not have more than {_MOST_SEARCHES} search paths")
    if len(" ".join(searches)) > _LONGEST_SEARCHES:
        text = f"must not have more than {_LONGEST_SEARCHES} characters (including spaces) in the search list"
        yield invalid(f"{at}.searches", searches, text)
    for index, one in enumerate(searches):
        found = [] if one == "." else names.underscored_subdomain(one.removesuffix("."))
        yield from texts(f"{at}.searches[{index}]", one.removesuffix("."), found)
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required(f"{at}.options[{index}]", "must not be empty")
