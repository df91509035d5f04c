"""Services, NetworkPolicies and EndpointSlices: addresses in odd forms, and members without effect.

Source: Kubernetes API reference, ServiceSpec, IPBlock, EndpointSlice.
"""

from collections.abc import Iterator
from typing import Any

from lambent.kubeserver.validation.rules import each
from lambent.kubeserver.validation.warnings.addresses import address, cidr

_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")


def service(new: Any, old: Any) -> Iterator[str]:
    spec = new.get("spec") or {}
    kind, outside, balancer = spec.get("type"), spec.get("externalIPs"), spec.get("loadBalancerIP")
    if _HINTS in (new["metadata"].get("annotations") or {}):
        yield f"annotation {_HINTS} is deprecated, please use {_MODE} instead"
    is_headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if not is_headless:
        for one, at in each(spec.get("clusterIPs"), "spec.clusterIPs"):
            yield from address(one, at)
    if is_headless and balancer:
        yield "spec.loadBalancerIP is ignored for headless services"
    if is_headless and outside:
        yield "spec.externalIPs is ignored for headless services"
    if is_headless and spec.get("sessionAffinity") != "None":
        yield "spec.SessionAffinity is ignored for headless services"
    for one, at in each(outside, "spec.externalIPs"):
        yield from address(one, at)
    if balancer:
        yield from address(balancer, "spec.loadBalancerIP")
    for one, at in each(spec.get("loadBalancerSourceRanges"), "spec.loadBalancerSourceRanges"):
        yield from cidr(one.strip(), at)
    if kind == "ExternalName" and outside:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'


def policy(new: Any, old: Any) -> Iterator[str]:
    spec = new.get("spec") or {}
    for member, peers in (("ingress", "from"), ("egress", "to")):
        for rule, at in each(spec.get(member), f"spec.{member}"):
            for peer, where in each(rule.get(peers), f"{at}.{peers}"):
                block = peer.get("ipBlock")
                if block is not None:
                    yield from _block(block, f"{where}.ipBlock")


def _block(block: Any, at: str) -> Iterator[str]:
    yield from cidr(block.get("cidr", ""), f"{at}.cidr")
    for one, where in each(block.get("except"), f"{at}.except"):
        yield from cidr(one, where)


def endpoint_slice(new: Any, old: Any) -> Iterator[str]:
    """What Kubernetes' own controllers write is not looked at: they copy what others were warned of."""
    if old is None and new.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"
    if (new["metadata"].get("labels") or {}).get(_MANAGED_BY) in _CONTROLLERS:
        return
    for endpoint, at in each(new.get("endpoints"), "endpoints"):
        for one, where in each(endpoint.get("addresses"), f"{at}.addresses"):
            yield from address(one, where)
