"""The values of the language that Python has no type for, and the names of all types.

Everything JSON knows is the plain Python value: `dict`, `list`, `str`, `int`, `float`, `bool`, `None`, and `bytes`.
Added are `UInt` (an `int`, so that 1 == 1u holds and both find the same map key), `Timestamp` and `Duration` (whole
nanoseconds), `OptionalValue`, `CelType`, and `BoolKey`, which stands for a boolean map key where the same map also
has 0 or 1: Python would take `True` and `1` for one key, CEL does not.

Not here: operations on values (`operators`) and functions (`library`).
"""

from typing import Any, Final

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
UINT_MAX: Final = 2**64 - 1


class UInt(int):
    """An unsigned 64-bit integer; the range is checked by the operation that makes one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


class _Instant:
    """A whole number of nanoseconds with the order of numbers, comparable to its own class only."""

    __slots__ = ("nanos",)

    def __init__(self, nanos: int) -> None:
        self.nanos: Final = nanos

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.nanos == self.nanos

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.nanos))

    def __lt__(self, other: "_Instant") -> bool:
        return self.nanos < other.nanos

    def __le__(self, other: "_Instant") -> bool:
        return self.nanos <= other.nanos

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.nanos})"


class Timestamp(_Instant):
    """A point of time: nanoseconds since 1970-01-01T00:00:00Z, years 1 to 9999."""

    __slots__ = ()


class Duration(_Instant):
    """A span of time in nanoseconds, within 64 bits."""

    __slots__ = ()


class OptionalValue:
    """A value or its absence; selecting from an optional gives an optional again."""

    __slots__ = ("present", "value")

    def __init__(self, value: Any = None, *, present: bool = True) -> None:
        self.value: Final = value
        self.present: Final = present

    def __repr__(self) -> str:
        return "optional.of(...)" if self.present else "optional.none()"


NONE: Final = OptionalValue(present=False)


class CelType:
    """A type as a value: what `type(x)` gives and what names such as `int` denote."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CelType) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"CelType({self.name!r})"


class BoolKey:
    """A boolean map key that stays apart from 0 and 1; finds, and is found by, the plain boolean."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value: Final = value

    def __eq__(self, other: object) -> bool:
        return other is self.value or (type(other) is BoolKey and other.value is self.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


TRUE_KEY: Final = BoolKey(True)
FALSE_KEY: Final = BoolKey(False)

_KINDS: Final[dict[type, str]] = {
    str: "string",
    int: "int",
    bool: "bool",
    dict: "map",
    list: "list",
    float: "double",
    type(None): "null",
    UInt: "uint",
    bytes: "bytes",
    Timestamp: "timestamp",
    Duration: "duration",
    OptionalValue: "optional",
    CelType: "type",
    BoolKey: "bool",
}

TYPE_NAMES: Final[dict[str, str]] = {
    "null": "null_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "optional": "optional_type",
    "ip": "net.IP",
    "cidr": "net.CIDR",
}
"""Kind -> name of its type in the language, where they differ."""


def register_kind(python_type: type, kind: str) -> None:
    """Teach the engine a further Python type; used by libraries that bring their own values."""
    _KINDS[python_type] = kind


def kind_of_type(python_type: type) -> str:
    """The kind of values of a Python type; subclasses count as their nearest known ancestor, others as `unknown`."""
    kind = _KINDS.get(python_type)
    if kind is None:
        kind = next((_KINDS[ancestor] for ancestor in python_type.__mro__ if ancestor in _KINDS), "unknown")
        _KINDS[python_type] = kind
    return kind


def kind_of(value: object) -> str:
    """The kind of a value: string, int, uint, double, bool, null, bytes, list, map, timestamp, duration, ..."""
    return _KINDS.get(type(value)) or kind_of_type(type(value))


def type_of(value: object) -> CelType:
    """The value's type as a value of the language."""
    kind = kind_of(value)
    return CelType(TYPE_NAMES.get(kind, kind))


NAMED_TYPES: Final[dict[str, CelType]] = {
    name: CelType(name)
    for name in (
        *("bool", "int", "uint", "double", "string", "bytes", "list", "map", "type", "null_type", "optional_type"),
        *("net.IP", "net.CIDR", "google.protobuf.Timestamp", "google.protobuf.Duration"),
    )
}
"""Identifiers that denote a type, unless a variable of that name is declared."""

MISSING: Final = object()
"""What `find` gives for a key that is not there."""


def find(mapping: dict[Any, Any], key: Any) -> Any:
    """The value under a key, `MISSING` if there is none; booleans are apart from 0 and 1."""
    kind = type(key)
    if kind is str:
        return mapping.get(key, MISSING)
    if kind is bool:
        return mapping.get(TRUE_KEY if key else FALSE_KEY, MISSING)
    if kind is BoolKey:
        return mapping.get(key, MISSING)
    if isinstance(key, int | float):
        if (key == 0 or key == 1) and any(own is (key == 1) for own in mapping):
            return MISSING
        return mapping.get(key, MISSING)
    return mapping.get(key, MISSING) if isinstance(key, str) else MISSING
