"""Autoscalers, disruption budgets, network policies and endpoint slices.

Source: Kubernetes API reference, autoscaling/v2, policy/v1, networking.k8s.io/v1, discovery.k8s.io/v1.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.errors import (
    POSITIVE,
    duplicate,
    forbidden,
    go_struct,
    invalid,
    invalid_shown,
    required,
    texts,
    too_many,
    unsupported,
)
from lambent.kubeserver.validation.quantities import parse
from lambent.kubeserver.validation.resources import container_name
from lambent.kubeserver.validation.selectors import label_selector
from lambent.kubeserver.validation.workloads import at_most_all, number_or_percent

_METRICS = {"Object": "object", "External": "external", "Pods": "pods", "Resource": "resource",
            "ContainerResource": "containerResource"}  # fmt: skip
_LONGEST_WINDOW_S, _LONGEST_PERIOD_S = 3600, 1800


def autoscaler(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, POSITIVE)
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _target(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
    metrics = spec.get("metrics") or ()
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        text = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden("spec.metrics", text)
    for index, metric in enumerate(metrics):
        yield from _metric(metric, f"spec.metrics[{index}]")
    for name in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(name)
        if rules is not None:
            yield from _rules(rules, f"spec.behavior.{name}")


def _target(ref: Any, at: str) -> Iterator[Problem]:
    yield from _named(ref, at)
    version = ref.get("apiVersion", "")
    if version.count("/") > 1:
        yield invalid(f"{at}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    elif "/" not in version:
        yield invalid(f"{at}.apiVersion", version, "apiVersion must specify API group")


def _named(ref: Any, at: str) -> Iterator[Problem]:
    for name in ("kind", "name"):
        value = ref.get(name, "")
        if not value:
            yield required(f"{at}.{name}")
        else:
            yield from texts(f"{at}.{name}", value, names.path_segment(value))


def _metric(metric: Any, at: str) -> Iterator[Problem]:
    kind = metric.get("type", "")
    if not kind:
        yield required(f"{at}.type", "must specify a metric source type")
    if kind not in _METRICS:
        yield unsupported(f"{at}.type", kind, sorted(_METRICS))
    present = [name for name in _METRICS.values() if metric.get(name) is not None]
    if present:
        yield from _source(metric[present[0]], present[0], f"{at}.{present[0]}")
    wanted = _METRICS.get(kind, "")
    if not wanted:  # said once more where kube-apiserver looks for the source
        yield unsupported(f"{at}.type", kind, sorted(_METRICS))
    if wanted and wanted not in present:
        yield required(f"{at}.{wanted}", "must populate information for the given metric source")
    for name in sorted(present):
        if len(present) > 1 and name != wanted:
            yield forbidden(f"{at}.{name}", "must populate the given metric source only")


def _source(source: Any, kind: str, at: str) -> Iterator[Problem]:
    target = source.get("target") or {}
    if kind in ("resource", "containerResource"):
        yield from _of_resource(source, kind, at)
    else:
        if kind == "object":
            yield from _named(source.get("describedObject") or {}, f"{at}.describedObject")
        name = (source.get("metric") or {}).get("name", "")
        if not name:
            yield required(f"{at}.metric.name", "must specify a metric name")
        else:
            yield from texts(f"{at}.metric.name", name, names.path_segment(name))
    yield from _goal(target, f"{at}.target")
    yield from _amounts(target, kind, f"{at}.target")


def _of_resource(source: Any, kind: str, at: str) -> Iterator[Problem]:
    if not source.get("name"):
        yield required(f"{at}.name", "must specify a resource name")
    elif kind == "containerResource":
        yield from container_name(source["name"], f"{at}.name")
    if kind == "resource":
        return
    if not source.get("container"):
        yield required(f"{at}.container", "must specify a container")
    else:
        yield from texts(f"{at}.container", source["container"], names.dns_label(source["container"]))


_NEEDED = {
    "object": "must set either a target value or averageValue",
    "external": "must set either a target value for metric or a per-pod target",
    "pods": "must specify a positive target averageValue",
}


def _amounts(target: Any, kind: str, at: str) -> Iterator[Problem]:
    value, average, used = (target.get(name) for name in ("value", "averageValue", "averageUtilization"))
    if kind in ("resource", "containerResource"):
        if used is None and average is None:
            text = "must set either a target raw value or a target utilization"
            yield required(f"{at}.averageUtilization", text)
        if used is not None and average is not None:
            text = "may not set both a target raw value and a target utilization"
            yield forbidden(f"{at}.averageValue", text)
        return
    if average is None and (kind == "pods" or value is None):
        yield required(f"{at}.averageValue", _NEEDED[kind])
    if kind == "external" and average is not None and value is not None:
        yield forbidden(f"{at}.value", "may not set both a target value for metric and a per-pod target")


def _goal(target: Any, at: str) -> Iterator[Problem]:
    kind = target.get("type", "")
    if not kind:
        yield required(f"{at}.type", "must specify a metric target type")
    if kind not in ("Utilization", "Value", "AverageValue"):
        yield invalid(f"{at}.type", kind, "must be either Utilization, Value, or AverageValue")
    used = target.get("averageUtilization")
    if used is not None and used < 1:
        yield invalid(f"{at}.averageUtilization", used, POSITIVE)
    for name in ("value", "averageValue"):
        if target.get(name) is not None and parse(target[name])[0] <= 0:
            yield invalid(f"{at}.{name}", target[name], "must be positive")


def _rules(rules: Any, at: str) -> Iterator[Problem]:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        yield invalid(f"{at}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _LONGEST_WINDOW_S:
        text = f"must be less than or equal to {_LONGEST_WINDOW_S}"
        yield invalid(f"{at}.stabilizationWindowSeconds", window, text)
    select = rules.get("selectPolicy")
    if select is not None and select not in ("Max", "Min", "Disabled"):
        yield unsupported(f"{at}.selectPolicy", select, ["Disabled", "Max", "Min"])
    if not rules.get("policies"):
        yield required(f"{at}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules.get("policies") or ()):
        here = f"{at}.policies[{index}]"
        if policy.get("type", "") not in ("Pods", "Percent"):
            yield unsupported(f"{here}.type", policy.get("type", ""), ["Percent", "Pods"])
        for name in ("value", "periodSeconds"):
            if policy.get(name, 0) <= 0:
                yield invalid(f"{here}.{name}", policy.get(name, 0), "must be greater than zero")
        if policy.get("periodSeconds", 0) > _LONGEST_PERIOD_S:
            text = f"must be less than or equal to {_LONGEST_PERIOD_S}"
            yield invalid(f"{here}.periodSeconds", policy["periodSeconds"], text)


def budget(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = go_struct(spec, "MinAvailable", "Selector", "MaxUnavailable", "UnhealthyPodEvictionPolicy")
        yield invalid_shown("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        if spec.get(name) is not None:
            yield from number_or_percent(spec[name], f"spec.{name}")
            yield from at_most_all(spec[name], f"spec.{name}")
    yield from label_selector(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in ("AlwaysAllow", "IfHealthyBudget"):
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, ["AlwaysAllow", "IfHealthyBudget"])


def network_policy(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    yield from label_selector(spec.get("podSelector"), "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            here = f"spec.{direction}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                yield from _policy_port(port, f"{here}.ports[{number}]")
            for number, peer in enumerate(rule.get(peers) or ()):
                yield from _peer(peer, f"{here}.{peers}[{number}]")
    kinds = spec.get("policyTypes") or ()
    if len(kinds) > 2:
        yield invalid("spec.policyTypes", list(kinds), "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(kinds):
        if kind not in ("Ingress", "Egress"):
            yield unsupported(f"spec.policyTypes[{index}]", kind, ["Ingress", "Egress"])


def _policy_port(port: Any, at: str) -> Iterator[Problem]:
    protocol, number, last = port.get("protocol", "TCP"), port.get("port"), port.get("endPort")
    if protocol not in ("TCP", "UDP", "SCTP"):
        yield unsupported(f"{at}.protocol", protocol, ["TCP", "UDP", "SCTP"])
    if number is None:
        if last is not None:
            yield invalid(f"{at}.endPort", last, "may not be specified when `port` is not specified")
        return
    is_name = isinstance(number, str)
    yield from texts(f"{at}.port", number, names.port_name(number) if is_name else names.port_number(number))
    if last is None:
        return
    if is_name:
        yield invalid(f"{at}.endPort", last, "may not be specified when `port` is non-numeric")
    elif last < number:
        yield invalid(f"{at}.endPort", number, "must be greater than or equal to `port`")
    yield from texts(f"{at}.endPort", last, names.port_number(last))


def _peer(peer: Any, at: str) -> Iterator[Problem]:
    found = [name for name in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(name) is not None]
    for name in found:
        if name == "ipBlock":
            yield from _block(peer["ipBlock"], f"{at}.ipBlock")
        else:
            yield from label_selector(peer[name], f"{at}.{name}")
    if not found:
        yield required(at, "must specify a peer")
    elif "ipBlock" in found and len(found) > 1:
        yield forbidden(at, "may not specify both ipBlock and another peer")


_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def _network(text: str) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _block(block: Any, at: str) -> Iterator[Problem]:
    text = block.get("cidr", "")
    if not text:
        yield required(f"{at}.cidr")
        return
    whole = _network(text)
    if whole is None:
        yield invalid(f"{at}.cidr", text, _CIDR)
        return
    for index, one in enumerate(block.get("except") or ()):
        part = _network(one)
        if part is None:
            yield invalid(f"{at}.except[{index}]", one, _CIDR)
        elif part.version != whole.version or part == whole or not part.subnet_of(whole):
            yield invalid(f"{at}.except[{index}]", one, "must be a strict subset of `cidr`")


_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MOST_ENDPOINTS, _MOST_ADDRESSES, _MOST_PORTS = 1000, 100, 20_000


def endpoint_slice(obj: Any) -> Iterator[Problem]:
    kind = obj.get("addressType", "")
    if not kind:
        yield required("addressType")
    elif kind not in _ADDRESS_TYPES:
        yield unsupported("addressType", kind, _ADDRESS_TYPES)
    found = obj.get("endpoints") or ()
    if len(found) > _MOST_ENDPOINTS:
        yield too_many("endpoints", len(found), _MOST_ENDPOINTS)
    for index, one in enumerate(found):
        yield from _endpoint(one, kind, f"endpoints[{index}]")
    seen: set[str] = set()
    for index, port in enumerate(obj.get("ports") or ()):
        name = port.get("name", "")
        if name:
            yield from texts(f"ports[{index}].name", name, names.dns_label(name))
        if name in seen:
            yield duplicate(f"ports[{index}].name", name)
        seen.add(name)
        if port.get("protocol", "TCP") not in ("TCP", "UDP", "SCTP"):
            yield unsupported(f"ports[{index}].protocol", port["protocol"], ["SCTP", "TCP", "UDP"])
        if (protocol := port.get("appProtocol")) is not None:
            yield from texts(f"ports[{index}].appProtocol", protocol, names.qualified(protocol))


def _endpoint(one: Any, kind: str, at: str) -> Iterator[Problem]:
    addresses = one.get("addresses") or ()
    if not addresses:
        yield required(f"{at}.addresses", "must contain at least 1 address")
    elif len(addresses) > _MOST_ADDRESSES:
        yield too_many(f"{at}.addresses", len(addresses), _MOST_ADDRESSES)
    for index, address in enumerate(addresses):
        here = f"{at}.addresses[{index}]"
        if kind == "FQDN":
            yield from texts(here, address, names.subdomain(address))
        elif kind in _ADDRESS_TYPES and (text := _not_of(address, kind)):
            yield invalid(here, address, text)
    if (name := one.get("nodeName")) is not None:
        yield from texts(f"{at}.nodeName", name, names.subdomain(name))
    if (name := one.get("hostname")) is not None:
        yield from texts(f"{at}.hostname", name, names.dns_label(name))
    hints = one.get("hints") or {}
    for member, rule in (("forZones", names.label_value), ("forNodes", names.subdomain)):
        yield from _hints(hints.get(member) or (), rule, f"{at}.hints.{member}")


_MOST_HINTS = 8


def _hints(found: Any, rule: names.Rule, at: str) -> Iterator[Problem]:
    if len(found) > _MOST_HINTS:
        yield too_many(at, len(found), _MOST_HINTS)
        return
    seen: set[str] = set()
    for index, one in enumerate(found):
        name = one.get("name", "")
        if name in seen:
            yield duplicate(f"{at}[{index}].name", name)
        else:
            yield from texts(f"{at}[{index}].name", name, rule(name))
        seen.add(name)


def _not_of(text: str, kind: str) -> str:
    try:
        is_of = ipaddress.ip_address(text).version == int(kind[-1])
    except ValueError:
        return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    return "" if is_of else f"must be an {kind} address"


def kept_slice(new: Any, old: Any) -> Iterator[Problem]:
    if new.get("addressType") != old.get("addressType"):
        yield invalid("addressType", new.get("addressType", ""), "field is immutable")
