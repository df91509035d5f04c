"""IP addresses and networks, as CEL's network extension and Kubernetes have them.

Values are those of Python's `ipaddress`: an address for `ip`, an interface (an address with a prefix length) for
`cidr`. An IPv4 address mapped into IPv6 is the IPv4 address, unless written with dots, which is refused as is a zone.
"""

from typing import TYPE_CHECKING, Any

from lambent.cel.errors import Fault
from lambent.cel.registry import function
from lambent.cel.values import register_kind

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

    Address = IPv4Address | IPv6Address
    Interface = IPv4Interface | IPv6Interface


def _refuse(text: str) -> None:
    if "%" in text or (":" in text and "." in text):
        raise Fault("conversion", "an address with a zone, or IPv4 mapped into IPv6, is not allowed")


@function("ip", "string -> ip", "The IP address that the string spells.")
def parse_ip(text: str) -> "Address":
    import ipaddress

    register_kind(ipaddress.IPv4Address, "ip")
    register_kind(ipaddress.IPv6Address, "ip")
    _refuse(text)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Fault("conversion", "the string is not an IP address") from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


@function("isIP", "string -> bool", "Whether the string spells an IP address.")
def is_ip(text: str) -> bool:
    try:
        parse_ip(text)
    except Fault:
        return False
    return True


@function("ip.isCanonical", "string -> bool", "Whether the address is spelled in its canonical form.")
def is_canonical(text: str) -> bool:
    return str(parse_ip(text)) == text


@function("family", "ip -> int", "4 or 6.")
def family(address: "Address") -> int:
    return address.version


@function("isUnspecified", "ip -> bool", "Whether it is 0.0.0.0 or ::.")
def is_unspecified(address: "Address") -> bool:
    return address.is_unspecified


@function("isLoopback", "ip -> bool", "Whether it is a loopback address.")
def is_loopback(address: "Address") -> bool:
    return address.is_loopback


@function("isLinkLocalMulticast", "ip -> bool", "Whether it is in 224.0.0.0/24 or ff02::/16.")
def is_link_local_multicast(address: "Address") -> bool:
    if address.version == 4:
        return address.packed[:3] == b"\xe0\x00\x00"
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 2


@function("isLinkLocalUnicast", "ip -> bool", "Whether it is in 169.254.0.0/16 or fe80::/10.")
def is_link_local_unicast(address: "Address") -> bool:
    return address.is_link_local


@function(
    "isGlobalUnicast", "ip -> bool", "Whether it is none of broadcast, unspecified, loopback, multicast, link-local."
)
def is_global_unicast(address: "Address") -> bool:
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and address.packed != b"\xff\xff\xff\xff"


@function("cidr", "string -> cidr", "The network, with its address, that the string spells.")
def parse_cidr(text: str) -> "Interface":
    import ipaddress

    register_kind(ipaddress.IPv4Interface, "cidr")
    register_kind(ipaddress.IPv6Interface, "cidr")
    _refuse(text)
    prefix = text.rpartition("/")[2]
    try:
        if "/" not in text or not prefix.isdigit():
            raise ValueError
        return ipaddress.ip_interface(text)
    except ValueError:
        raise Fault("conversion", "the string is not a network address") from None


@function("isCIDR", "string -> bool", "Whether the string spells a network.")
def is_cidr(text: str) -> bool:
    try:
        parse_cidr(text)
    except Fault:
        return False
    return True


@function("containsIP", "cidr ip -> bool", "Whether the address is in the network.")
def contains_ip(network: "Interface", address: Any) -> bool:
    return address in network.network


@function("containsIP", "cidr string -> bool", "Whether the address is in the network.")
def contains_ip_text(network: "Interface", text: str) -> bool:
    return contains_ip(network, parse_ip(text))


@function("containsCIDR", "cidr cidr -> bool", "Whether the other network is within this one.")
def contains_cidr(network: "Interface", other: Any) -> bool:
    return bool(network.version == other.version and other.network.subnet_of(network.network))


@function("containsCIDR", "cidr string -> bool", "Whether the other network is within this one.")
def contains_cidr_text(network: "Interface", text: str) -> bool:
    return contains_cidr(network, parse_cidr(text))


@function("ip", "cidr -> ip", "The address of the network, host part included.")
def address_of(network: "Interface") -> "Address":
    return parse_ip(str(network.ip))


@function("masked", "cidr -> cidr", "The network without its host part.")
def masked(network: "Interface") -> "Interface":
    return parse_cidr(str(network.network))


@function("prefixLength", "cidr -> int", "The number of bits that name the network.")
def prefix_length(network: "Interface") -> int:
    return network.network.prefixlen


@function("string", "ip|cidr -> string", "The address or network in its usual spelling.")
def string_from_network(value: Any) -> str:
    return str(value)
