"""Compiling an expression and what comes of it.

`compile` is the door of the package: text in, an immutable `Program` out, remembered by text, names and profile. The
program's `evaluate` is the generated function itself.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

from lambent.cel.checker import Checker, Facts
from lambent.cel.codegen import Generator
from lambent.cel.errors import CelError, Fault, LimitFault, located
from lambent.cel.parser import parse
from lambent.cel.references import Path, references
from lambent.cel.registry import table
from lambent.cel.syntax import Node

Profile = Literal["koreo", "strict"]
CACHED_PROGRAMS: Final = 4096
"""Bounded so that generated expressions cannot fill memory; far above the expressions of a large installation."""


class Program:
    """A compiled expression; immutable and safe to use from several threads.

    evaluate:   `evaluate(bindings) -> value`; `bindings` maps the declared names to native values, which are never
                changed; results may share structure with them and must not be changed either. Errors: `CelError`.
    references: the paths it reads, see `lambent.cel.references`
    guarded:    those among them that it only tests for
    kind:       the kind of the result as far as known, else `dyn`
    lints:      remarks on what is legal and probably not meant
    """

    __slots__ = (
        "_careful",
        "_facts",
        "evaluate",
        "guarded",
        "kind",
        "lints",
        "names",
        "profile",
        "references",
        "text",
        "tree",
    )

    evaluate: Callable[[Mapping[str, Any]], Any]
    references: frozenset[Path]
    guarded: frozenset[Path]

    def __init__(self, text: str, tree: Node, facts: Facts, names: frozenset[str], profile: Profile) -> None:
        self.text: Final = text
        self.tree: Final = tree
        self.names: Final = names
        self.profile: Final = profile
        self.kind: Final = facts.kind(tree)
        self.lints: Final = tuple(facts.lints)
        self.references, self.guarded = references(tree, names)
        self._facts: Final = facts
        self._careful: Callable[[Any], Any] | None = None
        generator = Generator(facts, koreo=profile == "koreo", careful=False)
        self.evaluate = generator.fast(tree, self.evaluate_carefully, self._overrun)

    def __repr__(self) -> str:
        return f"Program({self.text[:60]!r})"

    def evaluate_carefully(self, bindings: Mapping[str, Any]) -> Any:
        """As `evaluate`, by the slow function that locates errors and lets `&&` and `||` absorb them."""
        try:
            careful = self._careful
            if careful is None:
                generator = Generator(self._facts, koreo=self.profile == "koreo", careful=True)
                careful = self._careful = generator.slow(self.tree)
            return careful(bindings)
        except Fault as fault:
            error = located(fault.code, fault.message, self.text, fault.pos)
        except LimitFault as fault:
            error = located("limit", fault.message, self.text, fault.pos)
        except RecursionError:
            error = located("limit", "evaluation nested too deeply", self.text, 0)
        raise error

    def _overrun(self, limit: LimitFault) -> Any:
        """The end of an evaluation that passed a limit; running again to find the place would cost as much again."""
        raise located("limit", limit.message, self.text, 0) from None


def compile_expression(
    text: str,
    *,
    names: Iterable[str],
    profile: Profile = "koreo",
    functions: Iterable[str] = (),
    container: str = "",
    checked: bool = True,
) -> Program:
    """The program for an expression (without Koreo's leading `=`).

    names:     the variables it may use; any other name is an error here
    profile:   `koreo` (lenient `has`, escapes as written in patterns, Koreo's functions) or `strict` (the CEL
               specification with its extensions)
    functions: names of Koreo functions that the strict profile is to have besides
    container: namespace in which names are looked up first (CEL specification, "Name Resolution")
    checked:   False leaves errors of names and types to the evaluation
    Errors: `CelError`. Source: CEL specification; Koreo's differences as listed in the documentation.
    """
    return _compiled(text, frozenset(names), profile, frozenset(functions), container, checked)


@lru_cache(maxsize=CACHED_PROGRAMS)
def _compiled(
    text: str, names: frozenset[str], profile: Profile, extra: frozenset[str], container: str, checked: bool
) -> Program:
    koreo = profile == "koreo"
    checker = Checker(
        text,
        names=names,
        functions=table(profile, extra),
        koreo=koreo,
        enabled=extra,
        container=container,
        checked=checked,
    )
    try:
        tree = parse(text, koreo=koreo)
        return Program(text, tree, checker.check(tree), names, profile)
    except (RecursionError, MemoryError, SyntaxError):
        error = CelError("limit", "the expression is too complex")
    raise error
