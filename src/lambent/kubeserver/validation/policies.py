"""Disruption budgets and network policies. Source: Kubernetes API reference, policy/v1, networking.k8s.io/v1."""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.addresses import NO_NETWORK, Network, network, unmapped, unmapped_network
from lambent.kubeserver.validation.errors import forbidden, go_struct, invalid, invalid_shown, required, texts
from lambent.kubeserver.validation.rules import Members, Rule, among, each, inside, items, members, one_of
from lambent.kubeserver.validation.selectors import label_selector
from lambent.kubeserver.validation.workloads import at_most_all, number_or_percent


def budget(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = go_struct(spec, "MinAvailable", "Selector", "MaxUnavailable", "UnhealthyPodEvictionPolicy")
        yield invalid_shown("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    yield from members(spec, "spec", _BUDGET)


def _share(amount: int | str | None, at: str) -> Iterator[Problem]:
    if amount is not None:
        yield from number_or_percent(amount, at)
        yield from at_most_all(amount, at)


_BUDGET: Members = {
    "minAvailable": _share,
    "maxUnavailable": _share,
    "selector": label_selector,
    "unhealthyPodEvictionPolicy": among("AlwaysAllow", "IfHealthyBudget"),
}


def network_policy(obj: Any) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    yield from members(spec, "spec", _NETWORK)
    kinds = spec.get("policyTypes") or ()
    if len(kinds) > 2:
        yield invalid("spec.policyTypes", list(kinds), "may not specify more than two policyTypes")
    else:
        yield from _DIRECTIONS(kinds, "spec.policyTypes")


def _port(found: Any, at: str) -> Iterator[Problem]:
    number, last = found.get("port"), found.get("endPort")
    yield from _PROTOCOL(found.get("protocol"), f"{at}.protocol")
    if number is None:
        if last is not None:
            yield invalid(f"{at}.endPort", last, "may not be specified when `port` is not specified")
        return
    yield from texts(f"{at}.port", number, names.port(number))
    if last is None:
        return
    if isinstance(number, str):
        yield invalid(f"{at}.endPort", last, "may not be specified when `port` is non-numeric")
    elif last < number:
        yield invalid(f"{at}.endPort", number, "must be greater than or equal to `port`")
    yield from texts(f"{at}.endPort", last, names.port_number(last))


def _peer(peer: Any, at: str) -> Iterator[Problem]:
    yield from members(peer, at, _PEER)
    count = sum(peer.get(name) is not None for name in _PEER)
    if not count:
        yield required(at, "must specify a peer")
    elif peer.get("ipBlock") is not None and count > 1:
        yield forbidden(at, "may not specify both ipBlock and another peer")


def _block(block: Any, at: str) -> Iterator[Problem]:
    if block is None:
        return
    text = block.get("cidr", "")
    whole = network(text)
    if whole is None:
        yield invalid(f"{at}.cidr", text, NO_NETWORK) if text else required(f"{at}.cidr")
        return
    for one, here in each(block.get("except"), f"{at}.except"):
        part = network(one)
        if part is None:
            yield invalid(here, one, NO_NETWORK)
        elif part.prefixlen <= whole.prefixlen or not _holds(whole, part):
            yield invalid(here, one, "must be a strict subset of `cidr`")


def _holds(whole: Network, part: Network) -> bool:
    return unmapped(part.network_address) in unmapped_network(whole)


def _rule(peers: str) -> Rule:
    return items(inside({"ports": items(_port), peers: items(_peer)}))


_PROTOCOL, _DIRECTIONS = among("TCP", "UDP", "SCTP"), items(one_of("Ingress", "Egress"))
_PEER: Members = {"podSelector": label_selector, "namespaceSelector": label_selector, "ipBlock": _block}
_NETWORK: Members = {"podSelector": label_selector, "ingress": _rule("from"), "egress": _rule("to")}
