"""Addresses and networks that are written in another than the one common form.

Source: KEP-4858; RFC 5952. Both are taken as `validation.addresses` reads them; what it cannot read is refused there.
"""

from collections.abc import Iterator

from lambent.kubeserver.validation.addresses import Address, is_zero_led, network, parsed, unmapped, unmapped_network

_LATER = "will be considered invalid in a future Kubernetes release"


def address(text: str, at: str) -> Iterator[str]:
    found = parsed(text)
    if found is None:
        return
    if _is_odd(text, found):
        yield f'{at}: non-standard IP address "{text}" {_LATER}: use "{unmapped(found)}"'
    elif found.version == 6 and str(found) != text:
        yield f'{at}: IPv6 address "{text}" should be in RFC 5952 canonical format ("{found}")'


def cidr(text: str, at: str) -> Iterator[str]:
    head, _, length = text.partition("/")
    own, whole = parsed(head), network(text)
    if own is None or whole is None:
        return
    common = str(unmapped_network(whole))
    is_ambiguous = own != whole.network_address
    if is_ambiguous:
        alone = f"{unmapped(own)}/{own.max_prefixlen}"
        yield f'{at}: CIDR value "{text}" is ambiguous in this context (should be "{common}" or "{alone}"?)'
    if _is_odd(head, own) or length != str(whole.prefixlen):
        yield f'{at}: non-standard CIDR value "{text}" {_LATER}: use "{common}"'
    elif own.version == 6 and not is_ambiguous and common != text:
        yield f'{at}: IPv6 CIDR value "{text}" should be in RFC 5952 canonical format ("{common}")'


def _is_odd(text: str, found: Address) -> bool:
    """Whether there are zeros before a number, or an IPv4 address is written as IPv6."""
    return is_zero_led(text) or unmapped(found) is not found
