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

LIBRARIES: Final = (
    "conversions",
    "strings",
    "patterns",
    "lists",
    "maths",
    "times",
    "sets",
    "optionals",
    "encoders",
    "koreo",
    "formatting",
    "network",
)


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


_declared: list[Overload] = []


def function(name: str, signature: str, doc: str, *, profile: str | None = None) -> Callable[[_F], _F]:
    """Declare the decorated callable as one overload of `name`; decorators stack."""
    params, _, result = signature.partition("->")

    def declare(implementation: _F) -> _F:
        kinds = tuple(frozenset(param.split("|")) for param in params.split())
        _declared.append(Overload(name, kinds, result.strip(), implementation, signature, doc, profile))
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
    """Every declared overload of every library, in the order of declaration."""
    for library in LIBRARIES:
        import_module(f"lambent.cel.library.{library}")
    return tuple(_declared)


@lru_cache(maxsize=8)
def table(profile: str, extra: frozenset[str] = frozenset()) -> dict[str, Function]:
    """The functions of a profile by name; `extra` names functions of the koreo profile to have besides."""
    functions: dict[str, Function] = {}
    for overload in declarations():
        name, only = overload.name, overload.profile
        if only is None or only == profile or (only == "koreo" and name in extra):
            functions.setdefault(name, Function(name)).add(overload)
    return functions
