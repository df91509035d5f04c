"""One rule against what its schema declares: `judge` gives its mistakes, or its type and its worst cost."""

from collections.abc import Iterator
from dataclasses import dataclass

from lambent.cel.errors import CelError, Fault
from lambent.cel.parser import parse
from lambent.kube.schema.checking import types
from lambent.kube.schema.checking.checker import Checker, Mistake
from lambent.kube.schema.checking.costs import worst_cost
from lambent.kube.schema.checking.declared import Declared
from lambent.kube.schema.checking.syntax_errors import syntax_mistakes
from lambent.kube.schema.checking.tree import Constant, Expr, Invocation, Listing, Loop, Mapping, Member, expanded
from lambent.kube.schema.checking.types import Type

_MOST_MISTAKES = 100


@dataclass(frozen=True, slots=True)
class Judged:
    """`issues` is the text of what does not compile, "" when all is well; then the rest is known."""

    issues: str = ""
    type: Type = types.ERROR
    uses_old: bool = False
    cost: int = 0


def judge(text: str, root: Declared, *, optional_old: bool = False) -> Judged:
    """`root` must have named object types."""
    try:
        tree = expanded(parse(text, koreo=False), text)
    except CelError as error:
        return Judged(_shown(text, syntax_mistakes(text, error)))
    old = types.optional(root.type) if optional_old else root.type
    checker = Checker({"self": root.type, "oldSelf": old}, dict(root.structs()))
    found = checker.check(tree)
    mistakes = checker.mistakes or [*_wrong_constants(tree), *_mixed(tree, checker)]
    if mistakes:
        return Judged(_shown(text, mistakes))
    cost = worst_cost(tree, root, checker.final)
    return Judged("", found, "oldSelf" in checker.used, cost)


def _shown(text: str, mistakes: list[Mistake]) -> str:
    """Each with its line of the text, and a mark below the place."""
    ordered = sorted(mistakes, key=lambda one: one.pos)
    shown = [_one(text, one) for one in ordered[:_MOST_MISTAKES]]
    if len(ordered) > _MOST_MISTAKES:
        shown.append(f"{len(ordered) - _MOST_MISTAKES} more errors were truncated")
    return "\n".join(shown)


def _one(text: str, mistake: Mistake) -> str:
    line, start = text.count("\n", 0, mistake.pos) + 1, text.rfind("\n", 0, mistake.pos) + 1
    column, shown = mistake.pos - start, text[start:].partition("\n")[0].replace("\t", " ")
    before = "".join("." if sign.isascii() else "．" for sign in shown[:column])
    mark = "^" if shown[column : column + 1].isascii() else "＾"
    return f"ERROR: <input>:{line}:{column + 1}: {mistake.text}\n | {shown}\n | {before}{mark}"


def _wrong_constants(node: Expr) -> Iterator[Mistake]:
    """Patterns, durations and timestamps that are written out must be right."""
    if isinstance(node, Invocation):
        literal = node.args[0 if node.target is not None or node.function != "matches" else 1 :][:1]
        if node.function in _CHECKED and literal and isinstance(literal[0], Constant):
            value = literal[0].value
            if isinstance(value, str) and not _is_right(node.function, value):
                yield Mistake(literal[0].pos, f"invalid {node.function} argument")
    for child in _children(node):
        yield from _wrong_constants(child)


def _mixed(node: Expr, checker: Checker) -> Iterator[Mistake]:
    """Lists and maps whose members are of more than one type, dyn being one of its own."""
    groups: list[list[tuple[Expr, bool]]] = []
    if isinstance(node, Listing):
        groups = [list(node.items)]
    elif isinstance(node, Mapping):
        groups = [[(key, False) for key, _, _ in node.entries], [(one, opt) for _, one, opt in node.entries]]
    for group in groups:
        found = [
            (one, types.unwrapped(checker.final(one.type))[0] if opt else checker.final(one.type)) for one, opt in group
        ]
        other = next((pair for pair in found if pair[1] != found[0][1]), None)
        if other is not None:
            yield Mistake(other[0].pos, f"expected type '{found[0][1]}' but found '{other[1]}'")
    for child in _children(node):
        yield from _mixed(child, checker)


_CHECKED = frozenset(("matches", "duration", "timestamp"))


def _is_right(function: str, value: str) -> bool:
    if function == "matches":
        from lambent.kube.schema.go_patterns import pattern_error

        return pattern_error(value) is None
    from lambent.cel.library.times import duration_from_string, timestamp_from_string

    try:
        (duration_from_string if function == "duration" else timestamp_from_string)(value)
    except (Fault, ValueError):
        return False
    return True


def _children(node: Expr) -> tuple[Expr, ...]:
    match node:
        case Member():
            return (node.operand,)
        case Invocation():
            return (*((node.target,) if node.target is not None else ()), *node.args)
        case Listing():
            return tuple(item for item, _ in node.items)
        case Mapping():
            return tuple(part for entry in node.entries for part in entry[:2])
        case Loop():
            return (node.range, node.start, node.condition, node.step, node.result)
    return ()
