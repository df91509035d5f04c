"""What functions a rule may call, by the types of their arguments.

Each line of `_TABLE` is a function and its forms; a form that begins with a dot has a receiver, its first type. The id
of a form is `name/number`: `costs` tells them apart by it where it must. Letters A and B are any type. Source: CEL
specification, "Standard Definitions"; Kubernetes docs, "CEL libraries", as of 1.33, which is what kube-apiserver 1.34
allows in new rules.
"""

import re
from dataclasses import dataclass
from functools import cache

from lambent.kube.schema.checking import types
from lambent.kube.schema.checking.types import Kind, Type

_TABLE = """
_?_:_: bool A A -> A
!_: bool -> bool
@not_strictly_false: bool -> bool
_==_: A A -> bool
_!=_: A A -> bool
_+_: bytes bytes -> bytes; double double -> double; duration duration -> duration; duration timestamp -> timestamp; timestamp duration -> timestamp; int int -> int; list(A) list(A) -> list(A); string string -> string; uint uint -> uint
_-_: double double -> double; duration duration -> duration; int int -> int; timestamp duration -> timestamp; timestamp timestamp -> duration; uint uint -> uint
_*_: double double -> double; int int -> int; uint uint -> uint
_/_: double double -> double; int int -> int; uint uint -> uint
_%_: int int -> int; uint uint -> uint
-_: double -> double; int -> int
@in: A list(A) -> bool; A map(A,B) -> bool
_[_]: list(A) int -> A; map(A,B) A -> B; optional(list(A)) int -> optional(A); optional(map(A,B)) A -> optional(B)
_[?_]: list(A) int -> optional(A); optional(list(A)) int -> optional(A); map(A,B) A -> optional(B); optional(map(A,B)) A -> optional(B)
size: bytes -> int; .bytes -> int; list(A) -> int; .list(A) -> int; map(A,B) -> int; .map(A,B) -> int; string -> int; .string -> int
type: A -> type(A)
bool: bool -> bool; string -> bool
bytes: bytes -> bytes; string -> bytes
double: double -> double; int -> double; string -> double; uint -> double
duration: duration -> duration; int -> duration; string -> duration
dyn: A -> dyn
int: int -> int; double -> int; duration -> int; string -> int; timestamp -> int; uint -> int
string: string -> string; bool -> string; bytes -> string; double -> string; duration -> string; int -> string; timestamp -> string; uint -> string; ip -> string; cidr -> string
timestamp: timestamp -> timestamp; int -> timestamp; string -> timestamp
uint: uint -> uint; double -> uint; int -> uint; string -> uint
contains: .string string -> bool
endsWith: .string string -> bool
startsWith: .string string -> bool
matches: string string -> bool; .string string -> bool
getFullYear: .timestamp -> int; .timestamp string -> int
getMonth: .timestamp -> int; .timestamp string -> int
getDayOfYear: .timestamp -> int; .timestamp string -> int
getDayOfMonth: .timestamp -> int; .timestamp string -> int
getDate: .timestamp -> int; .timestamp string -> int
getDayOfWeek: .timestamp -> int; .timestamp string -> int
getHours: .timestamp -> int; .timestamp string -> int; .duration -> int
getMinutes: .timestamp -> int; .timestamp string -> int; .duration -> int
getSeconds: .timestamp -> int; .timestamp string -> int; .duration -> int
getMilliseconds: .timestamp -> int; .timestamp string -> int; .duration -> int
optional.of: A -> optional(A)
optional.ofNonZeroValue: A -> optional(A)
optional.none: -> optional(A)
value: .optional(A) -> A
hasValue: .optional(A) -> bool
or: .optional(A) optional(A) -> optional(A)
orValue: .optional(A) A -> A
optional.unwrap: list(optional(A)) -> list(A)
unwrapOpt: .list(optional(A)) -> list(A)
charAt: .string int -> string
indexOf: .string string -> int; .string string int -> int; .list(A) A -> int
lastIndexOf: .string string -> int; .string string int -> int; .list(A) A -> int
lowerAscii: .string -> string
upperAscii: .string -> string
replace: .string string string -> string; .string string string int -> string
split: .string string -> list(string); .string string int -> list(string)
substring: .string int -> string; .string int int -> string
trim: .string -> string
format: .string list(dyn) -> string
strings.quote: string -> string
join: .list(string) -> string; .list(string) string -> string
sets.contains: list(A) list(A) -> bool
sets.equivalent: list(A) list(A) -> bool
sets.intersects: list(A) list(A) -> bool
url: string -> url
isURL: string -> bool
getScheme: .url -> string
getHost: .url -> string
getHostname: .url -> string
getPort: .url -> string
getEscapedPath: .url -> string
getQuery: .url -> map(string,list(string))
find: .string string -> string
findAll: .string string -> list(string); .string string int -> list(string)
quantity: string -> quantity
isQuantity: string -> bool
sign: quantity -> int
isGreaterThan: .quantity quantity -> bool; .semver semver -> bool
isLessThan: .quantity quantity -> bool; .semver semver -> bool
compareTo: .quantity quantity -> int; .semver semver -> int
asApproximateFloat: .quantity -> double
asInteger: .quantity -> int
isInteger: .quantity -> bool
add: .quantity quantity -> quantity; .quantity int -> quantity
sub: .quantity quantity -> quantity; .quantity int -> quantity
ip: string -> ip; .cidr -> ip
isIP: string -> bool
ip.isCanonical: string -> bool
family: .ip -> int
isUnspecified: .ip -> bool
isLoopback: .ip -> bool
isLinkLocalMulticast: .ip -> bool
isLinkLocalUnicast: .ip -> bool
isGlobalUnicast: .ip -> bool
cidr: string -> cidr
isCIDR: string -> bool
containsIP: .cidr string -> bool; .cidr ip -> bool
containsCIDR: .cidr string -> bool; .cidr cidr -> bool
prefixLength: .cidr -> int
masked: .cidr -> cidr
format.named: string -> optional(format)
validate: .format string -> optional(list(string))
semver: string -> semver; string bool -> semver
isSemver: string -> bool; string bool -> bool
major: .semver -> int
minor: .semver -> int
patch: .semver -> int
cel.@mapInsert: map(A,B) map(A,B) -> map(A,B); map(A,B) A B -> map(A,B)
"""  # noqa: E501  # one function a line
_COMPARED = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
_NUMBERS = ("int", "uint", "double")
_SUMMED = (*_NUMBERS, "duration")
_NAMED_FORMATS = (
    "dns1123Label dns1123Subdomain dns1035Label qualifiedName dns1123LabelPrefix dns1123SubdomainPrefix "
    "dns1035LabelPrefix labelValue uri uuid byte date datetime"
)
_OWN: dict[str, Type] = {
    "url": types.struct("kubernetes.URL"),
    "quantity": types.struct("kubernetes.Quantity"),
    "semver": types.struct("kubernetes.Semver"),
    "format": types.struct("kubernetes.NamedFormat"),
    "ip": Type("net.IP", Kind.OPAQUE),
    "cidr": Type("net.CIDR", Kind.OPAQUE),
    "dyn": types.DYN,
}
_TOKEN = re.compile(r"[\w.]+|[(),]")


@dataclass(frozen=True, slots=True)
class Form:
    """One way to call a function; of a member form the first argument is the receiver."""

    id: str
    is_member: bool
    args: tuple[Type, ...]
    result: Type


@cache
def functions() -> dict[str, tuple[Form, ...]]:
    """Every function by name, its forms in the order in which they are tried."""
    table = {name: _forms(name, written) for name, _, written in map(_parted, _TABLE.strip().splitlines())}
    for sign in ("_<_", "_<=_", "_>_", "_>=_"):
        pairs = [(one, one) for one in _COMPARED]
        pairs += [(one, other) for one in _NUMBERS for other in _NUMBERS if one != other]
        table[sign] = _forms(sign, "; ".join(f"{one} {other} -> bool" for one, other in pairs))
    for name, result in (("isSorted", "bool"), ("max", ""), ("min", "")):
        table[name] = _forms(name, "; ".join(f".list({one}) -> {result or one}" for one in _COMPARED))
    table["sum"] = _forms("sum", "; ".join(f".list({one}) -> {one}" for one in _SUMMED))
    for name in _NAMED_FORMATS.split():
        table[f"format.{name}"] = _forms(f"format.{name}", "-> format")
    return table


def _parted(line: str) -> tuple[str, str, str]:
    """The function and its forms; `_?_:_` has a colon of its own."""
    return ("_?_:_", ":", line[6:]) if line.startswith("_?_:_") else line.partition(": ")


def _forms(name: str, written: str) -> tuple[Form, ...]:
    out = []
    for index, form in enumerate(written.strip().split("; ")):
        args, _, result = form.partition("->")
        is_member = args.strip().startswith(".")
        given = tuple(_type(one) for one in args.strip().removeprefix(".").split())
        out.append(Form(f"{name}/{index}", is_member, given, _type(result.strip())))
    return tuple(out)


@cache
def _type(text: str) -> Type:
    tokens = _TOKEN.findall(text)
    found, rest = _read(tokens)
    if rest:
        raise ValueError(text)
    return found


def _read(tokens: list[str]) -> tuple[Type, list[str]]:
    name, rest = tokens[0], tokens[1:]
    params: list[Type] = []
    if rest and rest[0] == "(":
        while rest[0] in "(,":
            one, rest = _read(rest[1:])
            params.append(one)
        rest = rest[1:]
    return _made(name, tuple(params)), rest


def _made(name: str, params: tuple[Type, ...]) -> Type:
    if name in ("list", "map"):
        return Type(name, Kind.LIST if name == "list" else Kind.MAP, params)
    if name == "optional":
        return types.optional(*params)
    if name == "type":
        return Type("type", Kind.TYPE, params)
    if name in ("A", "B"):
        return Type(name, Kind.PARAM)
    return _OWN.get(name) or Type(name)
