"""Services: type, ports, selector, affinity and traffic policies.

Source: Kubernetes API reference, ServiceSpec. What the allocators of addresses and ports refuse: `builtin.services`.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.addresses import NO_NETWORK, address, network, parsed
from lambent.kubeserver.validation.containers import PROTOCOL
from lambent.kubeserver.validation.errors import IMMUTABLE, duplicate, forbidden, go_struct, invalid, required, texts
from lambent.kubeserver.validation.rules import Members, among, each, given, members, named, needed, once, one_of, port
from lambent.kubeserver.validation.selectors import labels

_TYPE = needed(among("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"))
_NAMED = needed(named(names.subdomain))
_AFFINITY = needed(among("ClientIP", "None"))
_FAMILY = one_of("IPv4", "IPv6")
_FAMILY_POLICY = among("PreferDualStack", "RequireDualStack", "SingleStack")
_NEAR = among("Cluster", "Local")
_LONGEST_AFFINITY_S = 86400
_LINK_LOCAL_MULTICAST = ipaddress.ip_network("224.0.0.0/24")


def service(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type", ""), spec.get("ports") or ()
    if not ports and not is_headless(spec) and kind != "ExternalName":
        yield required("spec.ports")
    yield from _by_type(spec, kind)
    seen: set[str] = set()
    for one, here in each(ports, "spec.ports"):
        yield from _port(one, seen, here, needs_name=len(ports) > 1)
    yield from labels(spec.get("selector") or {}, "spec.selector")
    yield from _affinity(spec)
    if kind != "ExternalName":
        yield from cluster_addresses(spec)
    for one, here in each(spec.get("externalIPs"), "spec.externalIPs"):
        yield from _external(one, here)
    yield from _TYPE(kind, "spec.type")
    yield from _doubled(ports, kind)
    yield from _load_balancer(spec, kind)
    yield from _traffic(spec, kind)


def service_status(obj: Any) -> Iterator[Problem]:
    found = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if found and (obj.get("spec") or {}).get("type") != "LoadBalancer":
        yield forbidden("status.loadBalancer.ingress", "may only be used when `spec.type` is 'LoadBalancer'")
        return
    for index, one in enumerate(found):
        at = f"status.loadBalancer.ingress[{index}]"
        if one.get("ip"):
            yield from address(one["ip"], f"{at}.ip")
        elif one.get("ipMode") is not None:
            yield forbidden(f"{at}.ipMode", "may not be specified when `ip` is not set")


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
    yield from _NAMED(target, "spec.externalName")


def _port(one: Any, seen: set[str], at: str, *, needs_name: bool) -> Iterator[Problem]:
    if name := one.get("name", ""):
        yield from texts(f"{at}.name", name, names.dns_label(name))
        yield from once(name, f"{at}.name", seen)
    elif needs_name:
        yield required(f"{at}.name")
    yield from members(one, at, _PORT)


def _number(number: int | None, at: str) -> Iterable[Problem]:
    return texts(at, number or 0, names.port_number(number or 0))


_PORT: Members = {
    "port": _number,
    "protocol": PROTOCOL,
    "targetPort": port,
    "appProtocol": given(names.qualified),
}


def _affinity(spec: Any) -> Iterator[Problem]:
    kind, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    yield from _AFFINITY(kind, "spec.sessionAffinity")
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
    seen: set[str] = set()
    for family, here in each(families, "spec.ipFamilies"):
        yield from _FAMILY(family, here)
        yield from once(family, here, seen)
    yield from _FAMILY_POLICY(spec.get("ipFamilyPolicy"), "spec.ipFamilyPolicy")
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
    for one, here in each(ports, "spec.ports"):
        if kind == "ClusterIP" and one.get("nodePort"):
            yield forbidden(f"{here}.nodePort", "may not be used when `type` is 'ClusterIP'")
    taken: set[tuple[str, int]] = set()
    for one, here in each(ports, "spec.ports"):
        key = (one.get("protocol", ""), one.get("nodePort") or 0)
        if key[1] and key in taken:
            yield duplicate(f"{here}.nodePort", key[1])
        taken.add(key)
    taken.clear()
    for one, here in each(ports, "spec.ports"):
        key = (one.get("protocol", ""), one.get("port", 0))
        if key in taken:
            yield Problem(here, "FieldValueDuplicate", f"Duplicate value: {_shown(*key)}")
        taken.add(key)


def _shown(protocol: str, number: int) -> str:
    found = {"name": "", "protocol": protocol, "port": number, "targetPort": 0, "nodePort": 0}
    return go_struct(found, "Name", "Protocol", "AppProtocol", "Port", "TargetPort", "NodePort")


def _load_balancer(spec: Any, kind: str) -> Iterator[Problem]:
    is_balanced, text = kind == "LoadBalancer", "may only be used when `type` is 'LoadBalancer'"
    ranges = [one.strip() for one in spec.get("loadBalancerSourceRanges") or ()]
    if ranges and not is_balanced:
        yield forbidden("spec.LoadBalancerSourceRanges", text)
    for one, here in each(ranges, "spec.LoadBalancerSourceRanges"):
        if network(one) is None:
            yield invalid(here, one, NO_NETWORK)
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
    elif outer:
        yield from _NEAR(outer, "spec.externalTrafficPolicy")
    if needs_health_port(spec):
        yield from _number(health, "spec.healthCheckNodePort")
    elif health:
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", health, text)
    yield from members(spec, "spec", _TRAFFIC)


_TRAFFIC: Members = {
    "internalTrafficPolicy": _NEAR,
    "trafficDistribution": among("PreferClose", "PreferSameZone", "PreferSameNode"),
}


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
    both_ask = needs_health_port(after) and needs_health_port(before)
    if both_ask and after.get("healthCheckNodePort", 0) != before.get("healthCheckNodePort", 0):
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
