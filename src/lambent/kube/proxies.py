"""The proxy that the environment names for a server, by the rules of Go's clients, kubectl among them.

`HTTPS_PROXY` or `HTTP_PROXY`, by the scheme of the server; `NO_PROXY` lists, with commas between, what is reached
directly: an address, a network (10.0.0.0/8), a name with all below it, `.name` or `*.name` for those below it alone,
each but a network with a port if one is meant; `*` for everything. The same names in small letters come second. This
machine itself is always reached directly.

Source: golang.org/x/net/http/httpproxy. Not here: `proxy-url` of a kubeconfig, which goes before.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from lambent.errors import UsageError

_PORTS = {"http": 80, "https": 443}
_HOST_AND_PORT = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([^:\[\]]*)")
_Address = IPv4Address | IPv6Address


def environment_proxy(server: str, environ: Mapping[str, str]) -> str | None:
    """URL of the proxy, or None for a direct connection. Raises `UsageError` when it is of a kind we do not speak."""
    url = urlsplit(server)
    name = f"{url.scheme.upper()}_PROXY"
    proxy = _of(environ, name)
    if not proxy or url.scheme not in _PORTS:
        return None
    host = (url.hostname or "").lower()
    port = str(url.port or _PORTS[url.scheme])
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return None
    if any(_covers(entry.strip().lower(), host, port, address) for entry in _of(environ, "NO_PROXY").split(",")):
        return None
    return checked_proxy(proxy if "://" in proxy else f"http://{proxy}", name)


def checked_proxy(url: str, source: str) -> str:
    if not url.lower().startswith(("http://", "https://")):
        raise UsageError(f"{source} must be http:// or https://; SOCKS proxies are not supported")
    return url


def _of(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.lower()) or ""


def _covers(entry: str, host: str, port: str, address: _Address | None) -> bool:
    """Whether an entry of NO_PROXY means this server."""
    if entry == "*":
        return True
    if "/" in entry:
        return address is not None and _is_in(address, entry)
    parts = _HOST_AND_PORT.fullmatch(entry)
    wanted, wanted_port = (parts[1] or parts[2], parts[3]) if parts else (entry, "")
    if not wanted or wanted_port not in ("", port):
        return False
    if address is not None:
        return address == _address(wanted)
    if wanted.startswith("*."):
        wanted = wanted[1:]
    return host.endswith(wanted) if wanted.startswith(".") else host == wanted or host.endswith(f".{wanted}")


def _is_in(address: _Address, network: str) -> bool:
    try:
        # Go reads no masks written as addresses.
        return network.rpartition("/")[2].isdigit() and address in ip_network(network, strict=False)
    except ValueError:
        return False


def _address(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
