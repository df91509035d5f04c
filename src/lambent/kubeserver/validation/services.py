"""Services: type, ports, selector, affinity and traffic policies.

Source: Kubernetes API reference, ServiceSpec. What the allocators of addresses and ports refuse: `builtin.services`.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.addresses import NO_NETWORK, address, network, parsed
from lambent.kubeserver.validation.containers import PROTOCOLS
from lambent.kubeserver.validation.errors import (
    IMMUTABLE,
    duplicate,
    forbidden,
    go_struct,
    invalid,
    listed,
    one_of,
    required,
    texts,
    unsupported,
)
from lambent.kubeserver.validation.probes import port_number_or_name
from lambent.kubeserver.validation.selectors import labels

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_SPREADS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_LONGEST_AFFINITY_S = 86400
_LINK_LOCAL_MULTICAST = ipaddress.ip_network("224.0.0.0/24")


def service(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type", ""), spec.get("ports") or ()
    if not ports and not is_headless(spec) and kind != "ExternalName":
        yield required("spec.ports")
    yield from _by_type(spec, kind)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port(port, seen, f"spec.ports[{index}]", needs_name=len(ports) > 1)
    yield from labels(spec.get("selector") or {}, "spec.selector")
    yield from _affinity(spec)
    if kind != "ExternalName":
        yield from cluster_addresses(spec)
    for index, one in enumerate(spec.get("externalIPs") or ()):
        yield from _external(one, f"spec.externalIPs[{index}]")
    yield from one_of("spec.type", kind, _TYPES)
    yield from _doubled(ports, kind)
    yield from _load_balancer(spec, kind)
    yield from _traffic(spec, kind)


def is_headless(spec: Any) -> bool:
    return bool(spec.get("clusterIPs") == ["None"])


def is_open(spec: Any) -> bool:
    """Whether it can be reached from outside of the cluster."""
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_port(spec: Any) -> bool:
    return bool(spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local")


def _by_type(spec: Any, kind: str) -> Iterator[Problem]:
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind != "ExternalName":
        return
    for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(name) not in (None, []):
            yield forbidden(f"spec.{name}", "may not be set for ExternalName services")
    target = spec.get("externalName", "").removesuffix(".")
    if not target:
        yield required("spec.externalName")
    else:
        yield from texts("spec.externalName", target, names.subdomain(target))


def _port(port: Any, seen: set[str], at: str, *, needs_name: bool) -> Iterator[Problem]:
    name, number = port.get("name", ""), port.get("port", 0)
    if not name and needs_name:
        yield required(f"{at}.name")
    elif name:
        yield from texts(f"{at}.name", name, names.dns_label(name))
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
    yield from texts(f"{at}.port", number, names.port_number(number))
    yield from one_of(f"{at}.protocol", port.get("protocol"), PROTOCOLS)
    yield from port_number_or_name(port.get("targetPort", 0), f"{at}.targetPort")
    if (protocol := port.get("appProtocol")) is not None:
        yield from texts(f"{at}.appProtocol", protocol, names.qualified(protocol))


def _affinity(spec: Any) -> Iterator[Problem]:
    kind, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    yield from one_of("spec.sessionAffinity", kind, ("ClientIP", "None"))
    if kind == "None" and config is not None:
        yield forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None")
    if kind == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds", 0)
        if not 0 < seconds <= _LONGEST_AFFINITY_S:
            text = f"must be greater than 0 and less than {_LONGEST_AFFINITY_S}"
            yield invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, text)


def cluster_addresses(spec: Any) -> Iterator[Problem]:
    """Addresses inside the cluster and their families, of a Service that has such."""
    own, found, families = spec.get("clusterIP", ""), spec.get("clusterIPs") or [], spec.get("ipFamilies") or ()
    if own and not found:
        yield required("spec.clusterIPs")
    elif own and found[0] != own:
        yield invalid("spec.clusterIPs", found, "first value must match `clusterIP`")
    elif not own and found:
        yield invalid("spec.clusterIPs", found, "must be empty when `clusterIP` is not specified")
    for index, family in enumerate(families):
        if family not in ("IPv4", "IPv6"):
            yield unsupported(f"spec.ipFamilies[{index}]", family, ["IPv4", "IPv6"])
        if family in families[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
    yield from listed("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), _FAMILY_POLICIES)
    wrong = [*_unreadable(found)]
    yield from wrong
    if len(found) > 2:
        yield invalid("spec.clusterIPs", found, "may only hold up to 2 values")
    if not wrong:
        yield from _of_families(found, families)


def _unreadable(found: list[str]) -> Iterator[Problem]:
    for index, one in enumerate(found):
        if index or one != "None":
            yield from address(one, f"spec.clusterIPs[{index}]")
        elif len(found) > 1:
            yield invalid("spec.clusterIPs", found, "'None' must be the first and only value")


def _of_families(found: list[str], families: Sequence[str]) -> Iterator[Problem]:
    versions = [own.version for one in found if (own := parsed(one)) is not None]
    if len(found) > 1 and len(set(versions)) < 2:
        yield invalid("spec.clusterIPs", found, "may specify no more than one IP for each IP family")
    for index, (version, family) in enumerate(zip(versions, families, strict=False)):
        if family in ("IPv4", "IPv6") and family != f"IPv{version}":
            text = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            yield invalid(f"spec.clusterIPs[{index}]", found[index], text)


def _external(text: str, at: str) -> Iterator[Problem]:
    yield from address(text, at)
    own = parsed(text)
    if own is None:
        return
    if own.is_unspecified:
        yield invalid(at, text, f"may not be unspecified ({text})")
    if own.is_loopback:
        yield invalid(at, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if own.is_link_local:
        yield invalid(at, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if own in _LINK_LOCAL_MULTICAST:
        yield invalid(at, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


def _doubled(ports: Any, kind: str) -> Iterator[Problem]:
    """A port of a protocol may be named once, a node's port only where there are such."""
    if kind == "ClusterIP":
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                yield forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    taken: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("nodePort") or 0)
        if key[1] and key in taken:
            yield duplicate(f"spec.ports[{index}].nodePort", key[1])
        taken.add(key)
    taken.clear()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in taken:
            yield Problem(f"spec.ports[{index}]", "FieldValueDuplicate", f"Duplicate value: {_shown(*key)}")
        taken.add(key)


def _shown(protocol: str, number: int) -> str:
    found = {"name": "", "protocol": protocol, "port": number, "targetPort": 0, "nodePort": 0}
    return go_struct(found, "Name", "Protocol", "AppProtocol", "Port", "TargetPort", "NodePort")


def _load_balancer(spec: Any, kind: str) -> Iterator[Problem]:
    is_balanced, text = kind == "LoadBalancer", "may only be used when `type` is 'LoadBalancer'"
    ranges = [one.strip() for one in spec.get("loadBalancerSourceRanges") or ()]
    if ranges and not is_balanced:
        yield forbidden("spec.LoadBalancerSourceRanges", text)
    for index, one in enumerate(ranges):
        if network(one) is None:
            yield invalid(f"spec.LoadBalancerSourceRanges[{index}]", one, NO_NETWORK)
    if not is_balanced and spec.get("allocateLoadBalancerNodePorts") is not None:
        yield forbidden("spec.allocateLoadBalancerNodePorts", text)
    yield from _class(spec)


def _class(spec: Any) -> Iterator[Problem]:
    name = spec.get("loadBalancerClass")
    if name is None:
        return
    if spec.get("type") == "LoadBalancer":
        yield from texts("spec.loadBalancerClass", name, names.qualified(name))
    else:
        yield forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")


def _traffic(spec: Any, kind: str) -> Iterator[Problem]:
    outer, health = spec.get("externalTrafficPolicy"), spec.get("healthCheckNodePort", 0)
    if outer and not is_open(spec):
        yield invalid("spec.externalTrafficPolicy", outer, "may only be set for externally-accessible services")
    elif outer and outer not in ("Cluster", "Local"):
        yield unsupported("spec.externalTrafficPolicy", outer, ["Cluster", "Local"])
    if needs_health_port(spec):
        yield from texts("spec.healthCheckNodePort", health, names.port_number(health))
    elif health:
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", health, text)
    yield from listed("spec.internalTrafficPolicy", spec.get("internalTrafficPolicy"), ("Cluster", "Local"))
    yield from listed("spec.trafficDistribution", spec.get("trafficDistribution"), _SPREADS)


def kept_service(new: Any, old: Any) -> Iterator[Problem]:
    """Addresses and families stay; so does the class of a load balancer."""
    after, before = new.get("spec") or {}, old["spec"]
    if "ExternalName" not in (after.get("type"), before.get("type")):
        yield from _kept_list("clusterIPs", after, before)
        if is_headless(after) == is_headless(before) and not is_headless(after):
            yield from _kept_list("ipFamilies", after, before)
    both_balance = after.get("type") == before.get("type") == "LoadBalancer"
    if both_balance and after.get("loadBalancerClass") != before.get("loadBalancerClass"):
        yield invalid("spec.loadBalancerClass", after.get("loadBalancerClass"), _ONCE)
    yield from _class(after)  # which an update is told twice
    if needs_health_port(after) and needs_health_port(before):
        ports = [spec.get("healthCheckNodePort", 0) for spec in (after, before)]
        if ports[0] != ports[1]:
            yield forbidden("spec.healthCheckNodePort", IMMUTABLE)


_ONCE = "may not change once set"


def _kept_list(member: str, after: Any, before: Any) -> Iterator[Problem]:
    now, then = after.get(member) or [], before.get(member) or []
    if member == "clusterIPs" and is_headless(after) and is_headless(before):
        return
    if len(now) == len(then):
        for index, (one, other) in enumerate(zip(now, then, strict=True)):
            if one != other:
                where = index if member == "clusterIPs" else 0
                yield invalid(f"spec.{member}[{where}]", now, _ONCE)
    elif then and now and now[0] != then[0]:
        yield invalid(f"spec.{member}[0]", now, _ONCE)
