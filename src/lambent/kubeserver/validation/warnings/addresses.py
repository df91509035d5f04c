"""Addresses and networks that are written in another than the one common form.

Source: KEP-4858; RFC 5952. Both are taken as `validation.addresses` reads them; what it cannot read is refused there.
"""

import re
from collections.abc import Iterator

from lambent.kubeserver.validation.addresses import Address, Network, network, parsed

_ZERO_LED = re.compile(r"(?:^|\.)0+\d+(?=[./]|$)|/0+\d")
_LATER = "will be considered invalid in a future Kubernetes release"


def address(text: str, at: str) -> Iterator[str]:
    found = parsed(text)
    if found is None:
        return
    if _is_odd(text, found):
        yield f'{at}: non-standard IP address "{text}" {_LATER}: use "{_plain(found)}"'
    elif found.version == 6 and str(found) != text:
        yield f'{at}: IPv6 address "{text}" should be in RFC 5952 canonical format ("{found}")'


def cidr(text: str, at: str) -> Iterator[str]:
    own, whole = parsed(text.partition("/")[0]), network(text)
    if own is None or whole is None:
        return
    common = _network(whole)
    is_ambiguous = own != whole.network_address
    if is_ambiguous:
        alone = f"{_plain(own)}/{own.max_prefixlen}"
        yield f'{at}: CIDR value "{text}" is ambiguous in this context (should be "{common}" or "{alone}"?)'
    if _is_odd(text, own):
        yield f'{at}: non-standard CIDR value "{text}" {_LATER}: use "{common}"'
    elif own.version == 6 and not is_ambiguous and common != text:
        yield f'{at}: IPv6 CIDR value "{text}" should be in RFC 5952 canonical format ("{common}")'


def _is_odd(text: str, found: Address) -> bool:
    """Whether there are zeros before a number, or an IPv4 address is written as IPv6."""
    return _ZERO_LED.search(text) is not None or (found.version == 6 and found.ipv4_mapped is not None)


def _plain(found: Address) -> str:
    mapped = found.ipv4_mapped if found.version == 6 else None
    return str(found if mapped is None else mapped)


def _network(found: Network) -> str:
    start, length = found.network_address, found.prefixlen
    mapped = start.ipv4_mapped if start.version == 6 else None
    return f"{start}/{length}" if mapped is None else f"{mapped}/{length - 96}"
