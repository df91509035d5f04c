"""IP addresses and networks, as kinds that are older than the strict rules for them take them.

Source: Kubernetes API reference, ServiceSpec; KEP-4858 (what 1.34 still lets pass with a warning).
"""

import ipaddress
import re
from collections.abc import Iterator

from lambent.kube.schema import Problem
from lambent.kubeserver.validation.errors import invalid

NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NO_NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_ZEROS = re.compile(r"(?<![0-9a-fA-F])0+(?=\d{1,3}(?:\.|$))")  # before a number of a dotted address
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parsed(text: str) -> Address | None:
    """An address; leading zeros of its numbers say nothing, as to Go's old parser."""
    try:
        found = ipaddress.ip_address(_ZEROS.sub("", text) if "." in text else text)
    except ValueError:
        return None
    return None if "%" in text else found


def is_zero_led(text: str) -> bool:
    return "." in text and _ZEROS.search(text) is not None


def unmapped(found: Address) -> Address:
    """An IPv4 address that is written as IPv6 is an IPv4 address."""
    return (found.version == 6 and found.ipv4_mapped) or found


def unmapped_network(found: Network) -> Network:
    start = unmapped(found.network_address)
    if start.version == found.version:
        return found
    return ipaddress.ip_network(f"{start}/{found.prefixlen - 96}")


def network(text: str) -> Network | None:
    head, slash, length = text.partition("/")
    own = parsed(head)
    if own is None or not slash or not length.isdecimal():
        return None
    try:
        return ipaddress.ip_network(f"{own}/{int(length)}", strict=False)
    except ValueError:
        return None


def address(text: str | None, at: str) -> Iterator[Problem]:
    if parsed(text or "") is None:
        yield invalid(at, text or "", NO_ADDRESS)
