"""Services: type, ports, selector, affinity and traffic policies.

Source: Kubernetes API reference, ServiceSpec. Not here: what the allocators of addresses and ports refuse.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.containers import PROTOCOLS
from lambent.kubeserver.validation.errors import (
    duplicate,
    forbidden,
    go_struct,
    invalid,
    one_of,
    required,
    texts,
    unsupported,
)
from lambent.kubeserver.validation.probes import port_number_or_name
from lambent.kubeserver.validation.selectors import labels

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_LONGEST_AFFINITY_S = 86400


def service(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type", ""), spec.get("ports") or ()
    is_headless = spec.get("clusterIP") == "None"
    if not ports and not is_headless and kind != "ExternalName":
        yield required("spec.ports")
    yield from _by_type(spec, kind, is_headless=is_headless)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port(port, seen, f"spec.ports[{index}]", needs_name=len(ports) > 1)
    yield from labels(spec.get("selector") or {}, "spec.selector")
    yield from _affinity(spec)
    yield from _addresses(spec)
    yield from one_of("spec.type", kind, _TYPES)
    yield from _doubled(ports, kind)
    yield from _load_balancer(spec, kind)
    yield from _traffic(spec, kind)


def _by_type(spec: Any, kind: str, *, is_headless: bool) -> Iterator[Problem]:
    if kind in ("LoadBalancer", "NodePort") and is_headless:
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind != "ExternalName":
        return
    if spec.get("clusterIP"):
        yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
    for name in ("ipFamilies", "ipFamilyPolicy"):
        if spec.get(name):
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
    if protocol := port.get("appProtocol"):
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


def _addresses(spec: Any) -> Iterator[Problem]:
    own = spec.get("clusterIP", "")
    if own not in ("", "None") and not _is_address(own):
        yield invalid("spec.clusterIPs[0]", own, _NOT_AN_ADDRESS)
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family not in ("IPv4", "IPv6"):
            yield unsupported(f"spec.ipFamilies[{index}]", family, ["IPv4", "IPv6"])
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in ("SingleStack", "PreferDualStack", "RequireDualStack"):
        allowed = ["PreferDualStack", "RequireDualStack", "SingleStack"]
        yield unsupported("spec.ipFamilyPolicy", policy, allowed)
    for index, one in enumerate(spec.get("externalIPs") or ()):
        if not _is_address(one):
            yield invalid(f"spec.externalIPs[{index}]", one, _NOT_AN_ADDRESS)


_NOT_AN_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


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
    if kind == "LoadBalancer":
        return
    if spec.get("loadBalancerSourceRanges"):
        yield forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'")
    for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
        if spec.get(name) is not None:
            yield forbidden(f"spec.{name}", "may only be used when `type` is 'LoadBalancer'")


def _traffic(spec: Any, kind: str) -> Iterator[Problem]:
    outer, inner, spread = (
        spec.get(name) for name in ("externalTrafficPolicy", "internalTrafficPolicy", "trafficDistribution")
    )
    is_open = kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    if outer and not is_open:
        yield invalid("spec.externalTrafficPolicy", outer, "may only be set for externally-accessible services")
    elif outer and outer not in ("Cluster", "Local"):
        yield unsupported("spec.externalTrafficPolicy", outer, ["Cluster", "Local"])
    if inner is not None and inner not in ("Cluster", "Local"):
        yield unsupported("spec.internalTrafficPolicy", inner, ["Cluster", "Local"])
    if spread is not None and spread != "PreferClose":
        yield unsupported("spec.trafficDistribution", spread, ["PreferClose"])
