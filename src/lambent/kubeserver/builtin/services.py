"""What a Service gets from the server: defaults, addresses, ports of nodes; what of these an update keeps or gives up.

Addresses and ports come at random out of one range each, as in kube-apiserver; what is taken is read off the Services
that are there, so nothing has to be released. One family, IPv4. Source: Kubernetes docs, "Service ClusterIP
allocation", API reference, ServiceSpec.
"""

import ipaddress
import random
from collections.abc import Iterable, Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.builtin.workloads import fill
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.status import ApiError, invalid
from lambent.kubeserver.validation import errors
from lambent.kubeserver.validation.addresses import parsed
from lambent.kubeserver.validation.services import cluster_addresses, is_headless, is_open, needs_health_port

RANGE = ipaddress.ip_network("10.96.0.0/16")
_FIRST_PORT, _LAST_PORT = 30000, 32767
_FAMILY = "IPv4"
_RESERVED = 257  # the network's own, and the low part that is kept for those who ask by name


def defaults(draft: Draft) -> None:
    spec = _spec(draft.new)
    fill(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    for port in spec.get("ports") or ():
        fill(port, {"protocol": "TCP"})
        if not port.get("targetPort"):
            port["targetPort"] = port.get("port", 0)
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    if spec["sessionAffinity"] == "ClientIP" and config.get("timeoutSeconds") is None:
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
    if is_open(spec):
        fill(spec, {"externalTrafficPolicy": "Cluster"})
    if spec["type"] in ("ClusterIP", "NodePort", "LoadBalancer"):
        fill(spec, {"internalTrafficPolicy": "Cluster"})
    if spec["type"] == "LoadBalancer":
        fill(spec, {"allocateLoadBalancerNodePorts": True})
        for one in ((draft.new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            fill(one, {"ipMode": "VIP"} if one.get("ip") else {})


def _spec(obj: Any) -> dict[str, Any]:
    if obj.get("spec") is None:
        obj["spec"] = {}
    spec: dict[str, Any] = obj["spec"]
    return spec


def allocate(draft: Draft, others: Iterable[Any]) -> None:
    """Fills in what was not asked for; raises 422 for what cannot be had. `others` are all Services but this one."""
    spec, old = _spec(draft.new), _spec(draft.old) if draft.old is not None else None
    if old is not None:
        _carry_over(spec, old)
    _in_step(spec, old)
    _families(draft, spec, old)
    _take_address(draft, spec, old, others)
    _take_ports(draft, spec, old, others)
    if old is not None:
        _give_up(spec, old)


def _refuse(draft: Draft, problems: Iterable[Problem]) -> None:
    found = [*problems]
    if found:
        raise _refusal(draft, found)


def _refusal(draft: Draft, found: list[Problem]) -> ApiError:
    return invalid("", "Service", draft.new["metadata"].get("name", ""), found)


def _needs_address(spec: Any) -> bool:
    return bool(spec.get("type") != "ExternalName")


def _needs_ports(spec: Any) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _carry_over(spec: dict[str, Any], old: Any) -> None:
    """What a client left out of an update stays as it was allocated."""
    if _needs_address(old) and _needs_address(spec):
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and old.get(name):
                spec[name] = old[name]
    if _needs_ports(old) and _needs_ports(spec):
        used = _ports_of(old) & _ports_of(spec)
        before = {port.get("name", ""): port.get("nodePort", 0) for port in old.get("ports") or ()}
        for port in spec.get("ports") or ():
            kept = before.get(port.get("name", ""), 0)
            if not port.get("nodePort") and kept and kept not in used:
                port["nodePort"] = kept
    if needs_health_port(old) and needs_health_port(spec) and old.get("healthCheckNodePort"):
        fill(spec, {"healthCheckNodePort": old["healthCheckNodePort"]})


def _ports_of(spec: Any) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}


def _in_step(spec: dict[str, Any], old: Any) -> None:
    """`clusterIP` and the first of `clusterIPs` are one; who sets only the former means both."""
    own, own_list = spec.get("clusterIP", ""), spec.get("clusterIPs") or []
    if old is None:
        if own and not own_list:
            spec["clusterIPs"] = [own]
        return
    before, before_list = old.get("clusterIP", ""), old.get("clusterIPs") or []
    if own != before and own_list == before_list:
        if own:
            spec["clusterIPs"] = [own]
        else:
            spec.pop("clusterIPs", None)


def _families(draft: Draft, spec: dict[str, Any], old: Any) -> None:
    if not _needs_address(spec):
        return
    is_bare = spec.get("clusterIP") == "None" and not spec.get("selector")
    kept = (old or {}).get("ipFamilyPolicy")
    fill(spec, {"ipFamilyPolicy": kept or ("RequireDualStack" if is_bare else "SingleStack")})
    _refuse(draft, cluster_addresses(spec))
    _refuse(draft, _mismatched(spec))
    families = [*(spec.get("ipFamilies") or [_FAMILY])]
    if is_bare:  # whoever writes its endpoints says what they are
        if len(families) < 2 and spec["ipFamilyPolicy"] != "SingleStack":
            families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    else:
        _refuse(draft, _unconfigured(spec))
    spec["ipFamilies"] = families


def _mismatched(spec: Any) -> Iterator[Problem]:
    policy = spec["ipFamilyPolicy"]
    lead = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
    if policy == "SingleStack":
        for member, text in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
            if len(spec.get(member) or ()) == 2:
                yield errors.invalid("spec.ipFamilyPolicy", policy, f"{lead} {text} are specified")
    found = spec.get("clusterIPs") or []
    for index, one in enumerate(found):
        if one == "None":
            return
        address = parsed(one)
        if index >= len(spec.get("ipFamilies") or ()) and address is not None and address.version == 6:
            yield errors.invalid(f"spec.clusterIPs[{index}]", found, "IPv6 is not configured on this cluster")


def _unconfigured(spec: Any) -> Iterator[Problem]:
    policy = spec["ipFamilyPolicy"]
    if policy == "RequireDualStack":
        text = "this cluster is not configured for dual-stack services"
        yield errors.invalid("spec.ipFamilyPolicy", policy, text)
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family != _FAMILY:
            yield errors.invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")


def _take_address(draft: Draft, spec: dict[str, Any], old: Any, others: Iterable[Any]) -> None:
    given = spec.get("clusterIPs") or []
    if not _needs_address(spec) or is_headless(spec):
        return
    if old is not None and _needs_address(old) and (is_headless(old) or old.get("clusterIPs") == given):
        return
    taken = {one for other in others for one in _spec(other).get("clusterIPs") or ()}
    if not given:
        spec["clusterIP"] = next(one for one in _candidates() if one not in taken)
        spec["clusterIPs"] = [spec["clusterIP"]]
    elif (why := _unavailable(given[0], taken)) and (old is None or not _needs_address(old)):
        text = f"failed to allocate IP {given[0]}: {why}"
        _refuse(draft, [errors.invalid("spec.clusterIPs", given, text)])


def _candidates() -> Iterator[str]:
    while True:
        yield str(RANGE[random.randrange(_RESERVED, RANGE.num_addresses - 1)])


def _unavailable(text: str, taken: set[str]) -> str:
    address = parsed(text)
    if address is None or address not in RANGE or address in (RANGE[0], RANGE[-1]):
        return f"the provided IP ({text}) is not in the valid range. The range of valid IPs is {RANGE}"
    return "provided IP is already allocated" if text in taken else ""


def _take_ports(draft: Draft, spec: dict[str, Any], old: Any, others: Iterable[Any]) -> None:
    wants_all = bool(spec["type"] == "NodePort" or (_needs_ports(spec) and spec.get("allocateLoadBalancerNodePorts")))
    wants_health = needs_health_port(spec)
    given = _ports_of(spec) if _needs_ports(spec) else set()
    own = _ports_of(old) | {old.get("healthCheckNodePort", 0)} if old is not None else set()
    if not (wants_all or wants_health or given):
        return
    taken = {number for other in others for number in _all_ports(_spec(other))}
    for index, port in enumerate(spec.get("ports") or ()):
        number = port.get("nodePort", 0)
        if number and number not in own and (why := _no_port(number, taken, is_dry_run=draft.call.is_dry_run)):
            _refuse(draft, [errors.invalid(f"spec.ports[{index}].nodePort", number, why)])
    taken |= given | {spec.get("healthCheckNodePort", 0)}
    _number(spec, taken, wants_all=wants_all)
    health = spec.get("healthCheckNodePort", 0)
    if wants_health and not health:
        spec["healthCheckNodePort"] = _free(taken)


def _number(spec: Any, taken: set[int], *, wants_all: bool) -> None:
    """One number serves a port of two protocols."""
    shared: dict[int, int] = {}
    for port in spec.get("ports") or ():
        if wants_all and not port.get("nodePort"):
            port["nodePort"] = shared.get(port.get("port", 0)) or _free(taken)
            taken.add(port["nodePort"])
        if port.get("nodePort"):
            shared[port.get("port", 0)] = port["nodePort"]


def _free(taken: set[int]) -> int:
    return random.choice([one for one in range(_FIRST_PORT, _LAST_PORT + 1) if one not in taken])


def _all_ports(spec: Any) -> set[int]:
    return _ports_of(spec) | ({spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else set())


def _no_port(number: int, taken: set[int], *, is_dry_run: bool) -> str:
    if not is_dry_run and not _FIRST_PORT <= number <= _LAST_PORT:  # a dry run is not told that by kube-apiserver
        listed = f"{_FIRST_PORT}-{_LAST_PORT}"
        return f"provided port is not in the valid range. The range of valid ports is {listed}"
    return "provided port is already allocated" if number in taken else ""


def _give_up(spec: dict[str, Any], old: Any) -> None:
    """What only the old type had goes, unless the client changed it: then it is a mistake that is told."""
    if _needs_address(old) and not _needs_address(spec):
        if all(spec.get(name) == old.get(name) for name in ("clusterIP", "clusterIPs")):
            _forget(spec, "clusterIP", "clusterIPs")
        for name in ("ipFamilies", "ipFamilyPolicy"):
            if spec.get(name) == old.get(name):
                _forget(spec, name)
    if _needs_ports(old) and not _needs_ports(spec) and _ports_of(old) == _ports_of(spec):
        for port in spec.get("ports") or ():
            _forget(port, "nodePort")
    gone = {
        "healthCheckNodePort": needs_health_port(old) and not needs_health_port(spec),
        "allocateLoadBalancerNodePorts": old.get("type") == "LoadBalancer" != spec.get("type"),
        "loadBalancerClass": old.get("type") == "LoadBalancer" != spec.get("type"),
        "externalTrafficPolicy": is_open(old) and not is_open(spec),
    }
    for name, is_gone in gone.items():
        if is_gone and spec.get(name) == old.get(name):
            _forget(spec, name)


def _forget(owner: dict[str, Any], *members: str) -> None:
    for name in members:
        owner.pop(name, None)
