"""CEL's types as the checker has them: a name, what kind of type it is, and its parameters."""

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    SCALAR = auto()
    LIST = auto()
    MAP = auto()
    STRUCT = auto()  # an object of the schema, or one of Kubernetes' own values
    OPAQUE = auto()  # optional_type, addresses
    PARAM = auto()
    TYPE = auto()
    DYN = auto()
    NULL = auto()
    ERROR = auto()


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    kind: Kind = Kind.SCALAR
    params: tuple["Type", ...] = ()

    def __str__(self) -> str:
        if self.kind is Kind.ERROR:
            return "!error!"
        return f"{self.name}({', '.join(map(str, self.params))})" if self.params else self.name

    @property
    def is_dyn(self) -> bool:
        return self.kind is Kind.DYN

    @property
    def is_optional(self) -> bool:
        return self.name == "optional_type"


BOOL, INT, UINT, DOUBLE, STRING, BYTES = map(Type, ("bool", "int", "uint", "double", "string", "bytes"))
TIMESTAMP, DURATION = Type("timestamp"), Type("duration")
DYN, NULL, ERROR = Type("dyn", Kind.DYN), Type("null", Kind.NULL), Type("!error!", Kind.ERROR)


def list_of(item: Type) -> Type:
    return Type("list", Kind.LIST, (item,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", Kind.MAP, (key, value))


def optional(inner: Type) -> Type:
    return Type("optional_type", Kind.OPAQUE, (inner,))


def struct(name: str) -> Type:
    return Type(name, Kind.STRUCT)


def unwrapped(found: Type) -> tuple[Type, bool]:
    """What an optional holds, and whether it was one."""
    return (found.params[0], True) if found.is_optional else (found, False)


class Bindings:
    """Which type each type parameter stands for so far. Source: Hindley-Milner unification, with dyn."""

    def __init__(self) -> None:
        self._bound: dict[str, Type] = {}
        self._count = 0

    def fresh(self) -> Type:
        self._count += 1
        return Type(f"_var{self._count - 1}", Kind.PARAM)

    def assign(self, given: list[Type], wanted: list[Type]) -> bool:
        """Whether each given type may stand where another is wanted; what follows for parameters is kept if so."""
        before = dict(self._bound)
        if len(given) == len(wanted) and all(map(self._fits, given, wanted)):
            return True
        self._bound = before
        return False

    def resolved(self, found: Type, *, to_dyn: bool = False) -> Type:
        """With parameters replaced by what they stand for; `to_dyn` makes free ones dyn."""
        if found.kind is Kind.PARAM:
            bound = self._bound.get(found.name)
            if bound is not None:
                return self.resolved(bound, to_dyn=to_dyn)
            return DYN if to_dyn else found
        if not found.params:
            return found
        return Type(found.name, found.kind, tuple(self.resolved(one, to_dyn=to_dyn) for one in found.params))

    def _fits(self, one: Type, other: Type) -> bool:
        if other.kind is Kind.PARAM:
            valid, is_bound = self._binds(one, other)
            if valid or is_bound:
                return valid
        if one.kind is Kind.PARAM:
            return self._binds(other, one)[0]
        loose = (Kind.DYN, Kind.ERROR)
        if one.kind in loose or other.kind in loose:
            return True
        if Kind.NULL in (one.kind, other.kind):
            return _is_nullable(other if one.kind is Kind.NULL else one)
        if one.kind is Kind.TYPE:
            return other.kind is Kind.TYPE
        same = one.kind is other.kind and one.name == other.name and len(one.params) == len(other.params)
        return same and all(map(self._fits, one.params, other.params))

    def _binds(self, found: Type, param: Type) -> tuple[bool, bool]:
        """Whether `found` may stand for a parameter, and whether that stood for something before."""
        if found == param:
            return True, True
        bound = self._bound.get(param.name)
        if bound is None:
            if self._occurs(param, found):
                return False, False
            self._bound[param.name] = found
            return True, False
        if found == bound:
            return True, True
        if not self._fits(found, bound):
            return False, True
        wider = most_general(found, bound)
        if not self._occurs(param, wider):
            self._bound[param.name] = wider
        return True, True

    def _occurs(self, param: Type, within: Type) -> bool:
        if within.kind is Kind.PARAM:
            bound = self._bound.get(within.name)
            return within == param or (bound is not None and self._occurs(param, bound))
        return any(self._occurs(param, one) for one in within.params)


def _is_nullable(found: Type) -> bool:
    return found.kind in (Kind.OPAQUE, Kind.STRUCT, Kind.NULL) or found in (TIMESTAMP, DURATION)


def most_general(one: Type, other: Type) -> Type:
    """Of two types that fit each other."""
    return one if _covers(one, other) else other


def _covers(one: Type, other: Type) -> bool:
    if one.kind in (Kind.DYN, Kind.PARAM):
        return True
    if other.kind in (Kind.DYN, Kind.PARAM) or one.kind is not other.kind:
        return False
    if one.kind is Kind.TYPE:
        return True
    return (
        one.name == other.name and len(one.params) == len(other.params) and all(map(_covers, one.params, other.params))
    )
