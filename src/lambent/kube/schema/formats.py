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
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import regex

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(z|[+-]\d\d:\d\d)", re.ASCII)
_GO_DURATION = re.compile(r"^[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^[-+]?0$")
_LOOSE_DURATION = re.compile(r"\d+\s*([A-Za-zµ]+)")
# Exact names; a unit that begins with a name of `_UNIT_BEGINS` counts too ("days", "hourly").
_UNITS = frozenset(("ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk", "sec", "min"))
_UNIT_BEGINS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_EMAIL = re.compile(r'^(.*<)?([^@\s<>()\[\],;:"]+|"[^"]+")@[^@\s<>]+>?$')
_UUID = re.compile(r"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$")
_MAC = re.compile(
    r"^[0-9A-Fa-f]{2}(([:-])[0-9A-Fa-f]{2})(\2[0-9A-Fa-f]{2}){4}((\2[0-9A-Fa-f]{2}){2}|(\2[0-9A-Fa-f]{2}){14})?$"
    r"|^([0-9A-Fa-f]{4}\.){2}([0-9A-Fa-f]{4}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})$"
    r"|^([0-9A-Fa-f]{12}|[0-9A-Fa-f]{16}|[0-9A-Fa-f]{40})$"
)
_HEX_COLOR = re.compile(r"^#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$")
_RGB = r"\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*"
_RGB_COLOR = re.compile(rf"^rgb\({_RGB},{_RGB},{_RGB}\)$", re.ASCII)
_OBJECT_ID = re.compile(r"^[0-9a-fA-F]{24}$")
_CREDIT_CARD = re.compile(
    r"4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}"
    r"|(?:2131|1800|35\d{3})\d{11}"
)
_ISBN10 = re.compile(r"[0-9]{9}[0-9X]")
_ISBN13 = re.compile(r"[0-9]{13}")
_SSN = re.compile(r"^\d{3}[- ]\d{2}[- ]\d{4}$")
_SEPARATORS = re.compile(r"[\s-]+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LONGEST_HOST, _LONGEST_LABEL = 255, 63


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
    """An absolute URI or path, as it stands in a request."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    is_opaque = parts.scheme and not text[len(parts.scheme) + 1 :].startswith("/")
    if not is_opaque and _BAD_ESCAPE.search(text):
        return False
    return text == "*" or ((bool(parts.scheme) or text.startswith("/")) and " " not in parts.netloc)


def _duration(text: str) -> bool:
    if _GO_DURATION.match(text):
        return True
    units = [unit.lower() for unit in _LOOSE_DURATION.findall(text)]
    return any(unit in _UNITS or unit.startswith(_UNIT_BEGINS) for unit in units)


def _ipv4(text: str) -> object:
    """Four numbers, or an IPv6 address that ends in them."""
    if ":" in text and "." in text:
        return _ipv6(text)
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


def _date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _accepts(date.fromisoformat)(text)


def _date_time(text: str) -> bool:
    day, _, time = text.lower().partition("t")
    return _date(day) and _TIME.fullmatch(time) is not None


def _hostname(text: str) -> bool:
    if len(text.encode()) > _LONGEST_HOST or any(len(part.encode()) > _LONGEST_LABEL for part in text.split(".")):
        return False
    return _hostname_pattern().fullmatch(text) is not None


@cache
def _hostname_pattern() -> "regex.Pattern[str]":
    """Letters and signs of any script."""
    # Here, as it takes a while to import, and a server starts without such a text.
    import regex

    sign, inner = r"[a-zA-Z0-9\p{S}\p{L}]", r"[a-zA-Z0-9\-\p{S}\p{L}]"
    return regex.compile(rf"{sign}(-?{sign}{{0,62}})?|({sign}({inner}{{0,61}}{sign})?\.)+[a-zA-Z\p{{L}}]{{2,63}}")


def _credit_card(text: str) -> bool:
    """By the issuers' patterns, and Luhn's sum."""
    digits = re.sub(r"[^0-9]+", "", text)
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return _CREDIT_CARD.fullmatch(digits) is not None and sum(sum(divmod(one, 10)) for one in doubled) % 10 == 0


def _isbn10(text: str) -> bool:
    digits = _SEPARATORS.sub("", text)
    if not _ISBN10.fullmatch(digits):
        return False
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum(index * value for index, value in enumerate(values, 1)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = _SEPARATORS.sub("", text)
    if not _ISBN13.fullmatch(digits):
        return False
    return sum(int(digit) * (1 + index % 2 * 2) for index, digit in enumerate(digits)) % 10 == 0


FORMATS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(_OBJECT_ID),
    "byte": _accepts(_base64),
    "cidr": _accepts(_cidr),
    "creditcard": _credit_card,
    "date": _date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": _duration,
    "email": _matches(_EMAIL),
    "hexcolor": _matches(_HEX_COLOR),
    "hostname": _hostname,
    "ipv4": _accepts(_ipv4),
    "ipv6": _accepts(_ipv6),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
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
