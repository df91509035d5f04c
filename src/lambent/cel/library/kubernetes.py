"""Functions that Kubernetes adds for validation rules: URLs and resource quantities.

Source: Kubernetes documentation, "Common Expression Language in Kubernetes". A quantity is kept as an exact fraction;
its suffixes are those of `resource.Quantity` (n, u, m, k, M, G, T, P, E, Ki ... Ei, and decimal exponents).
"""

from typing import TYPE_CHECKING, Any, Final

from lambent.cel.errors import Fault
from lambent.cel.operators import int64
from lambent.cel.registry import function
from lambent.cel.values import register_kind

if TYPE_CHECKING:
    from fractions import Fraction

_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


class Quantity:
    """An amount of a resource."""

    __slots__ = ("amount",)

    def __init__(self, amount: "Fraction") -> None:
        self.amount: Final = amount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and other.amount == self.amount

    def __hash__(self) -> int:
        return hash(self.amount)


class Url:
    """A URL in its parts."""

    __slots__ = ("parts",)

    def __init__(self, parts: Any) -> None:
        self.parts: Final = parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Url) and other.parts == self.parts

    def __hash__(self) -> int:
        return hash(self.parts)


register_kind(Quantity, "quantity")
register_kind(Url, "url")


@function("quantity", "string -> quantity", "The quantity that the string spells, such as `500m` or `1Gi`.")
def quantity(text: str) -> Quantity:
    import re
    from fractions import Fraction

    match = re.fullmatch(
        r"([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?)(?:[eE]([+-]?\d{1,3}))?", text, re.ASCII
    )
    if match is None or len(text) > 64 or (match[2] and match[3]):
        raise Fault(
            "conversion",
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        )
    amount = Fraction(match[1])
    if match[2] in _BINARY:
        return Quantity(amount * Fraction(1024) ** _BINARY[match[2]])
    return Quantity(amount * Fraction(10) ** (_DECIMAL[match[2]] + int(match[3] or 0)))


@function("isQuantity", "string -> bool", "Whether the string spells a quantity.")
def is_quantity(text: str) -> bool:
    try:
        quantity(text)
    except Fault:
        return False
    return True


@function("sign", "quantity -> int", "-1, 0 or 1.")
def sign(value: Quantity) -> int:
    return (value.amount > 0) - (value.amount < 0)


@function("isInteger", "quantity -> bool", "Whether the quantity is a whole number within 64 bits.")
def is_integer(value: Quantity) -> bool:
    return value.amount.denominator == 1 and -(2**63) <= value.amount < 2**63


@function("asInteger", "quantity -> int", "The quantity as a whole number; an error if it is none.")
def as_integer(value: Quantity) -> int:
    if value.amount.denominator != 1:
        raise Fault("conversion", "the quantity is not a whole number")
    return int64(value.amount.numerator)


@function("asApproximateFloat", "quantity -> double", "The nearest double.")
def as_float(value: Quantity) -> float:
    return float(value.amount)


@function("add", "quantity quantity -> quantity", "The sum.")
def add(a: Quantity, b: Quantity) -> Quantity:
    return Quantity(a.amount + b.amount)


@function("add", "quantity int -> quantity", "The sum.")
def add_int(a: Quantity, b: int) -> Quantity:
    return Quantity(a.amount + b)


@function("sub", "quantity quantity -> quantity", "The difference.")
def subtract(a: Quantity, b: Quantity) -> Quantity:
    return Quantity(a.amount - b.amount)


@function("sub", "quantity int -> quantity", "The difference.")
def subtract_int(a: Quantity, b: int) -> Quantity:
    return Quantity(a.amount - b)


@function("compareTo", "quantity quantity -> int", "-1, 0 or 1 as the first is less, equal or greater.")
def compare(a: Quantity, b: Quantity) -> int:
    return (a.amount > b.amount) - (a.amount < b.amount)


@function("isGreaterThan", "quantity quantity -> bool", "Whether the first is greater.")
def is_greater(a: Quantity, b: Quantity) -> bool:
    return a.amount > b.amount


@function("isLessThan", "quantity quantity -> bool", "Whether the first is less.")
def is_less(a: Quantity, b: Quantity) -> bool:
    return a.amount < b.amount


@function("url", "string -> url", "The absolute URL or absolute path that the string spells.")
def url(text: str) -> Url:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise Fault("conversion", "the string is not a URL") from None
    if not (parts.scheme or text.startswith("/")) or any(char <= " " or char == "\x7f" for char in text):
        raise Fault("conversion", "the string is not an absolute URL")
    return Url(parts)


@function("isURL", "string -> bool", "Whether the string spells an absolute URL or path.")
def is_url(text: str) -> bool:
    try:
        url(text)
    except Fault:
        return False
    return True


@function("getScheme", "url -> string", "The scheme.")
def scheme(value: Url) -> str:
    return str(value.parts.scheme)


@function("getHost", "url -> string", "Host and port as written, without user and password.")
def host(value: Url) -> str:
    return str(value.parts.netloc).rpartition("@")[2]


@function("getHostname", "url -> string", "The host, without port and brackets.")
def hostname(value: Url) -> str:
    written = host(value)
    return written[1 : written.find("]")] if written.startswith("[") else written.partition(":")[0]


@function("getPort", "url -> string", "The port as written.")
def port(value: Url) -> str:
    return host(value).rpartition("]")[2].partition(":")[2]


@function("getEscapedPath", "url -> string", "The path, percent signs kept.")
def path(value: Url) -> str:
    from urllib.parse import quote

    return quote(value.parts.path, safe="/%:@!$&'()*+,;=~-._")


@function("getQuery", "url -> map", "The query: for each name the list of its values.")
def query(value: Url) -> dict[str, list[str]]:
    from urllib.parse import parse_qs

    return parse_qs(value.parts.query, keep_blank_values=True, max_num_fields=1000)
