"""EndpointSlices: addresses of one type, their ports and hints. Source: Kubernetes API reference,
discovery.k8s.io/v1.
"""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kubeserver.validation import names
from lambent.kubeserver.validation.addresses import NO_ADDRESS, Address, is_zero_led, parsed, unmapped
from lambent.kubeserver.validation.errors import duplicate, invalid, required, texts, too_many, unchanged
from lambent.kubeserver.validation.rules import Members, Rule, among, each, given, members, named, needed, once, whole

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MOST_ENDPOINTS, _MOST_ADDRESSES, _MOST_HINTS = 1000, 100, 8


def endpoint_slice(obj: Any) -> Iterator[Problem]:
    kind, found = obj.get("addressType", ""), obj.get("endpoints") or ()
    yield from _KIND(kind, "addressType")
    if len(found) > _MOST_ENDPOINTS:
        yield too_many("endpoints", len(found), _MOST_ENDPOINTS)
    for one, here in each(found, "endpoints"):
        yield from _addresses(one.get("addresses") or (), kind, f"{here}.addresses")
        yield from members(one, here, _ENDPOINT)
    seen: set[str] = set()
    for port, here in each(obj.get("ports"), "ports"):
        yield from _NAME(port.get("name"), f"{here}.name")
        yield from once(port.get("name", ""), f"{here}.name", seen)
        yield from members(port, here, _PORT)


def kept_slice(new: Any, old: Any) -> Iterator[Problem]:
    return unchanged("addressType", new.get("addressType", ""), old.get("addressType", ""))


def _addresses(found: Any, kind: str, at: str) -> Iterator[Problem]:
    if not found:
        yield required(at, "must contain at least 1 address")
    elif len(found) > _MOST_ADDRESSES:
        yield too_many(at, len(found), _MOST_ADDRESSES)
    for address, here in each(found, at):
        if kind == "FQDN":
            yield from texts(here, address, names.subdomain(address))
        elif kind in _ADDRESS_TYPES:
            yield from _address(address, kind, at, here)


def _address(text: str, kind: str, at: str, here: str) -> Iterator[Problem]:
    found = parsed(text)
    why = NO_ADDRESS if found is None else _ill_written(text, found) if kind == "IPv6" else ""
    if found is None or why:
        yield invalid(here, text, why)
        return
    plain = unmapped(found)
    if f"IPv{plain.version}" != kind:
        yield invalid(at, text, f"must be an {kind} address")
    if reserved := _reserved(plain, text):
        yield invalid(here, text, f"may not be {reserved}")


def _ill_written(text: str, found: Address) -> str:
    """IPv6 addresses are taken in their one form only; IPv4 ones in all that older versions took."""
    if is_zero_led(text):
        return "must not have leading 0s"
    if unmapped(found) is not found:
        return "must not be an IPv4-mapped IPv6 address"
    return "" if str(found) == text else f'must be in canonical form ("{found}")'


def _reserved(found: Address, text: str) -> str:
    """What an address is that no endpoint can have."""
    if found.is_unspecified:
        return f"unspecified ({text})"
    if found.is_loopback:
        return "in the loopback range (127.0.0.0/8, ::1/128)"
    if found.is_link_local:
        return "in the link-local range (169.254.0.0/16, fe80::/10)"
    first = found.packed
    is_near = first[:3] == b"\xe0\0\0" if found.version == 4 else first[0] == 0xFF and first[1] & 0xF == 2
    return "in the link-local multicast range (224.0.0.0/24, ff02::/10)" if is_near else ""


def _hints(rule: names.Rule) -> Rule:
    def judge(found: Any, at: str) -> Iterator[Problem]:
        if len(found or ()) > _MOST_HINTS:
            yield too_many(at, len(found), _MOST_HINTS)
            return
        seen: set[str] = set()
        for one, here in each(found, at):
            name = one.get("name", "")
            yield from [duplicate(f"{here}.name", name)] if name in seen else texts(f"{here}.name", name, rule(name))
            seen.add(name)

    return judge


_KIND = needed(among(*_ADDRESS_TYPES))
_NAME = named(names.dns_label)
_PORT: Members = {"protocol": among("SCTP", "TCP", "UDP"), "appProtocol": given(names.qualified)}
_ENDPOINT: Members = {
    "nodeName": given(names.subdomain),
    "hostname": given(names.dns_label),
    "hints": whole({"forZones": _hints(names.label_value), "forNodes": _hints(names.subdomain)}),
}
