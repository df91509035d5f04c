"""The string formats kube-apiserver checks. An unknown format is no constraint; numbers' formats are not checked.

`k8s-short-name` and `k8s-long-name` are unknown too: kube-apiserver 1.34 lists them and does not find them. Source:
kube-openapi, strfmt default registry (names and meaning).
"""

import base64
import binascii
import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

_DATE_TIME = re.compile(
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]"
    r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$"
)
_GO_DURATION = re.compile(r"^[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^[-+]?0$")
_LOOSE_DURATION = re.compile(r"\d+\s*([A-Za-zµ]+)")
# Exact names; a unit that begins with a name of `_UNIT_BEGINS` counts too ("days", "hourly").
_UNITS = frozenset(("ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk", "sec", "min"))
_UNIT_BEGINS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_EMAIL = re.compile(r"^(.*<)?[^@\s<>()\[\],;:\"]+@[^@\s<>]+>?$")
_HOSTNAME = re.compile(r"^[^\W_](-?[^\W_]{0,62})?$|^([^\W_](([^\W_]|-){0,61}[^\W_])?\.)+[A-Za-z]{2,63}$")
_UUID = re.compile(r"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$")
_MAC = re.compile(
    r"^[0-9A-Fa-f]{2}(([:-])[0-9A-Fa-f]{2})(\2[0-9A-Fa-f]{2}){4}((\2[0-9A-Fa-f]{2}){2}|(\2[0-9A-Fa-f]{2}){14})?$"
    r"|^([0-9A-Fa-f]{4}\.){2}([0-9A-Fa-f]{4}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})$"
)
_HEX_COLOR = re.compile(r"^#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")
_RGB_COLOR = re.compile(r"^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$")
_OBJECT_ID = re.compile(r"^[0-9a-fA-F]{24}$")
_CREDIT_CARD = re.compile(r"^\d{13,19}$")
_ISBN10 = re.compile(r"^\d{9}[\dX]$")
_ISBN13 = re.compile(r"^\d{13}$")
_SSN = re.compile(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$")


def _accepts(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return check


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.match(text) is not None


def _uuid(version: int | None) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        return _UUID.match(text) is not None and version in (None, uuid.UUID(text).version)

    return check


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return (bool(parts.scheme) or text.startswith("/")) and " " not in parts.netloc


def _duration(text: str) -> bool:
    if _GO_DURATION.match(text):
        return True
    units = [unit.lower() for unit in _LOOSE_DURATION.findall(text)]
    return any(unit in _UNITS or unit.startswith(_UNIT_BEGINS) for unit in units)


def _ipv4(text: str) -> object:
    return ipaddress.IPv4Address(".".join(part.lstrip("0") or part[:1] for part in text.split(".")))


def _ipv6(text: str) -> object:
    if "%" in text:
        raise ValueError(text)
    return ipaddress.IPv6Address(text)


def _base64(text: str) -> bytes:
    if not text:
        raise ValueError(text)
    return base64.b64decode(text, validate=True)


def _cidr(text: str) -> object:
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_network(text, strict=False)


FORMATS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(_OBJECT_ID),
    "byte": _accepts(_base64),
    "cidr": _accepts(_cidr),
    "creditcard": _matches(_CREDIT_CARD),
    "date": _accepts(date.fromisoformat),
    "date-time": _matches(_DATE_TIME),
    "datetime": _matches(_DATE_TIME),
    "duration": _duration,
    "email": _matches(_EMAIL),
    "hexcolor": _matches(_HEX_COLOR),
    "hostname": _matches(_HOSTNAME),
    "ipv4": _accepts(_ipv4),
    "ipv6": _accepts(_ipv6),
    "isbn": lambda text: bool(_ISBN10.match(text) or _ISBN13.match(text)),
    "isbn10": _matches(_ISBN10),
    "isbn13": _matches(_ISBN13),
    "mac": _matches(_MAC),
    "password": lambda _: True,
    "rgbcolor": _matches(_RGB_COLOR),
    "ssn": _matches(_SSN),
    "uri": _uri,
    "uuid": _uuid(None),
    "uuid3": _uuid(3),
    "uuid4": _uuid(4),
    "uuid5": _uuid(5),
}
