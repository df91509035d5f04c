"""The register of functions: name, signatures, documentation and implementation in one place.

Library modules declare with `@function("startsWith", "string string -> bool", "...")`. A signature lists parameter
kinds, `dyn` for any and `int|double` for a choice, then the kind of the result. Everything else is made from the
declarations: the checker's table, dispatch at run time, and the documentation (`declarations`).

Dispatch is by the Python types of the arguments, remembered per combination, so that an implementation may assume its
declared kinds and needs no checks of its own.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, NamedTuple, TypeVar

from lambent.cel.errors import Fault
from lambent.cel.values import kind_of, kind_of_type

Implementation = Callable[..., Any]
_F = TypeVar("_F", bound=Implementation)

LIBRARIES: Final = {
    "conversions": "dyn type size duration timestamp uint map list bytes string double int bool",
    "strings": "startsWith endsWith contains charAt indexOf lastIndexOf lowerAscii upperAscii replace split substring "
    "trim join reverse strings.quote",
    "patterns": "matches find findAll",
    "lists": "contains keys values flatten slice first last reverse lists.range distinct sort min max sum isSorted "
    "indexOf lastIndexOf",
    "maths": "math.greatest math.least math.ceil math.floor math.round math.trunc math.abs math.sign math.sqrt "
    "math.isNaN math.isInf math.isFinite math.bitAnd math.bitOr math.bitXor math.bitNot math.bitShiftLeft "
    "math.bitShiftRight",
    "times": "timestamp int string duration getHours getMinutes getSeconds getMilliseconds getFullYear getMonth "
    "getDate getDayOfMonth getDayOfWeek getDayOfYear",
    "sets": "sets.contains sets.equivalent sets.intersects",
    "optionals": "optional.of optional.none optional.ofNonZeroValue hasValue value orValue or unwrapOpt "
    "optional.unwrap",
    "encoders": "base64.encode base64.decode b64encode b64decode",
    "koreo": "to_ref kindless_ref group_ref self_ref config_connect_ready overlay toLower lower toUpper upper strip "
    "lstrip rstrip split_first split_last split_index to_json from_json",
    "formatting": "format",
    "network": "ip isIP ip.isCanonical family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast "
    "isGlobalUnicast cidr isCIDR containsIP containsCIDR masked prefixLength string",
    "kubernetes": "quantity isQuantity sign isInteger asInteger asApproximateFloat add sub compareTo isGreaterThan "
    "isLessThan url isURL getScheme getHost getHostname getPort getEscapedPath getQuery",
    "semver": "semver isSemver major minor patch compareTo isGreaterThan isLessThan",
    "named_formats": "format.named validate format.dns1123Label format.dns1123Subdomain format.dns1035Label "
    "format.qualifiedName format.dns1123LabelPrefix format.dns1123SubdomainPrefix format.dns1035LabelPrefix "
    "format.labelValue format.uri format.uuid format.byte format.date format.datetime",
}
"""Library -> the names it declares. An expression imports only the libraries of the names it uses, which is a good
part of the time to the first value; a test holds this list to the declarations."""


class Overload(NamedTuple):
    """One signature of a function. `profile` is None where every profile has it."""

    name: str
    params: tuple[frozenset[str], ...]
    result: str
    implementation: Implementation
    signature: str
    doc: str
    profile: str | None

    def accepts(self, kinds: Iterable[str]) -> bool:
        """Whether arguments of these kinds fit; `dyn` may turn out to fit."""
        return all(
            kind == "dyn" or "dyn" in param or kind in param for kind, param in zip(kinds, self.params, strict=True)
        )


_declared: dict[str, list[Overload]] = {}


def function(name: str, signature: str, doc: str, *, profile: str | None = None) -> Callable[[_F], _F]:
    """Declare the decorated callable as one overload of `name`; decorators stack."""
    params, _, result = signature.partition("->")

    def declare(implementation: _F) -> _F:
        kinds = tuple(frozenset(param.split("|")) for param in params.split())
        overload = Overload(name, kinds, result.strip(), implementation, signature, doc, profile)
        _declared.setdefault(name, []).append(overload)
        return implementation

    return declare


Preparer = Callable[[str, bool], Callable[..., Any]]
_prepared: dict[str, tuple[int, Preparer]] = {}


def prepared(name: str, *, argument: int) -> Callable[[Preparer], Preparer]:
    """Declare how a call of `name` whose argument at that place is a constant string is prepared when compiling.

    The decorated callable gets the constant and whether the profile is koreo, and gives what is to be called with the
    other arguments; a `Fault` it raises becomes a compile error.
    """

    def declare(preparer: Preparer) -> Preparer:
        _prepared[name] = (argument, preparer)
        return preparer

    return declare


def preparer_of(name: str) -> tuple[int, Preparer] | None:
    """The place of the constant argument and the preparer of a function, if it has one."""
    return _prepared.get(name)


class Function:
    """All overloads of one name in one profile; `dispatch(*args)` calls the one that fits."""

    __slots__ = ("_by_types", "arities", "name", "overloads")

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.overloads: Final[list[Overload]] = []
        self.arities: Final[set[int]] = set()
        self._by_types: Final[dict[tuple[type, ...], Implementation]] = {}

    def add(self, overload: Overload) -> None:
        """Take a further overload."""
        self.overloads.append(overload)
        self.arities.add(len(overload.params))

    def add_missing(self, overload: Overload) -> None:
        """Take a further overload unless there is one for the same parameters."""
        if all(each.params != overload.params for each in self.overloads):
            self.add(overload)

    def fitting(self, kinds: tuple[str, ...]) -> list[Overload]:
        """The overloads that arguments of these kinds may meet."""
        return [each for each in self.overloads if len(each.params) == len(kinds) and each.accepts(kinds)]

    def dispatch(self, *args: Any) -> Any:
        """Call the overload for the arguments; `Fault` (overload) if there is none."""
        implementation = self._by_types.get(tuple(map(type, args)))
        if implementation is None:
            implementation = self._resolve(args)
        return implementation(*args)

    def _resolve(self, args: tuple[Any, ...]) -> Implementation:
        kinds = tuple(kind_of(arg) for arg in args)
        fitting = self.fitting(kinds)
        if not fitting:
            raise Fault("overload", f"no such overload: {self.name}({', '.join(kinds)})")
        types = tuple(map(type, args))
        if len(self._by_types) < 256 and all(kind_of_type(each) != "unknown" for each in types):
            self._by_types[types] = fitting[0].implementation
        return fitting[0].implementation


@lru_cache(maxsize=1)
def declarations() -> tuple[Overload, ...]:
    """Every declared overload of every library, by library."""
    for library in LIBRARIES:
        import_module(f"lambent.cel.library.{library}")
    return tuple(overload for overloads in _declared.values() for overload in overloads)


class Table:
    """The functions of a profile, found by name.

    `extra` names functions of the koreo profile to have besides; an overload for profile `enabled` is the form that
    such a function takes then.
    """

    __slots__ = ("_extra", "_found", "_profile")

    def __init__(self, profile: str, extra: frozenset[str]) -> None:
        self._profile: Final = profile
        self._extra: Final = extra
        self._found: Final[dict[str, Function | None]] = {}

    def get(self, name: str) -> Function | None:
        """The function of that name, if the profile has it."""
        if name not in self._found:
            self._found[name] = self._assemble(name)
        return self._found[name]

    def names(self) -> list[str]:
        """All names of the profile."""
        everything = {name for names in LIBRARIES.values() for name in names.split()}
        return sorted(name for name in everything if self.get(name) is not None)

    def _assemble(self, name: str) -> Function | None:
        for library in _libraries_of().get(name, ()):
            import_module(f"lambent.cel.library.{library}")
        function = Function(name)
        declared = _declared.get(name, [])
        for overload in declared:
            if overload.profile is None or overload.profile == self._profile:
                function.add(overload)
        for wanted in ("enabled", "koreo") if name in self._extra else ():
            for overload in declared:
                if overload.profile == wanted:
                    function.add_missing(overload)
        return function if function.overloads else None


@lru_cache(maxsize=1)
def _libraries_of() -> dict[str, list[str]]:
    """Name -> the libraries that declare it."""
    found: dict[str, list[str]] = {}
    for library, names in LIBRARIES.items():
        for name in names.split():
            found.setdefault(name, []).append(library)
    return found


@lru_cache(maxsize=8)
def table(profile: str, extra: frozenset[str] = frozenset()) -> Table:
    """The functions of a profile, see `Table`."""
    return Table(profile, extra)
