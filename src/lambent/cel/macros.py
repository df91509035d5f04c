"""Which calls are macros, and the shape of each.

A macro takes names and unevaluated expressions, so it is recognised while parsing: by its name, whether it has a
receiver, and its number of arguments. What a macro does is in `codegen` and `loops`; its scope follows from the
shape here: the variables come first, then `outer` arguments evaluated outside their scope, then the rest inside.
"""

from typing import Final, NamedTuple

from lambent.cel.errors import located
from lambent.cel.syntax import Ident, Index, Macro, Node, Select


class Shape(NamedTuple):
    """How the arguments of a macro divide: so many variables, so many outer, so many inner ones."""

    name: str
    variables: int
    outer: int
    inner: int


def _shape(name: str, variables: int, inner: int, outer: int = 0) -> Shape:
    return Shape(name, variables, outer, inner)


_RECEIVER: Final[dict[tuple[str, int], Shape]] = {
    ("all", 2): _shape("all", 1, 1),
    ("all", 3): _shape("all", 2, 1),
    ("exists", 2): _shape("exists", 1, 1),
    ("exists", 3): _shape("exists", 2, 1),
    ("exists_one", 2): _shape("exists_one", 1, 1),
    ("exists_one", 3): _shape("exists_one", 2, 1),
    ("existsOne", 2): _shape("exists_one", 1, 1),
    ("existsOne", 3): _shape("exists_one", 2, 1),
    ("map", 2): _shape("map", 1, 1),
    ("map", 3): _shape("map", 1, 2),
    ("filter", 2): _shape("filter", 1, 1),
    ("transformList", 3): _shape("transformList", 2, 1),
    ("transformList", 4): _shape("transformList", 2, 2),
    ("transformMap", 3): _shape("transformMap", 2, 1),
    ("transformMap", 4): _shape("transformMap", 2, 2),
    ("transformMapEntry", 3): _shape("transformMapEntry", 2, 1),
    ("transformMapEntry", 4): _shape("transformMapEntry", 2, 2),
    ("sortBy", 2): _shape("sortBy", 1, 1),
    ("optMap", 2): _shape("optMap", 1, 1),
    ("optFlatMap", 2): _shape("optFlatMap", 1, 1),
    ("reduce", 4): _shape("reduce", 2, 1, outer=1),
}
LOOPS: Final = frozenset(shape.name for shape in _RECEIVER.values()) - {"optMap", "optFlatMap"}
NAMES: Final = frozenset(name for name, _ in _RECEIVER) | {"has", "cel.bind"}
"""Every name a macro is written with."""


def expand(name: str, target: Node | None, args: tuple[Node, ...], pos: int, text: str) -> Macro | None:
    """The macro that a call is, or None for an ordinary call.

    Errors: `CelError` (syntax) where a variable is not a simple name, or `has` does not get a selection.
    """
    if target is None:
        if name == "has" and len(args) == 1:
            return _has(args[0], pos, text)
        if name == "reduce" and len(args) == 5:
            return expand(name, args[0], args[1:], pos, text)
        return None
    if name == "bind" and len(args) == 3 and type(target) is Ident and target.name == "cel":
        return _make(_shape("cel.bind", 1, 1, outer=1), None, args, pos, text)
    shape = _RECEIVER.get((name, len(args)))
    return None if shape is None else _make(shape, target, args, pos, text)


def _make(shape: Shape, target: Node | None, args: tuple[Node, ...], pos: int, text: str) -> Macro:
    variables: list[str] = []
    for arg in args[: shape.variables]:
        if type(arg) is not Ident or arg.absolute:
            raise located("syntax", f"'{shape.name}' needs a simple name as its variable", text, arg.pos)
        if arg.name in variables:
            raise located("syntax", f"'{shape.name}' names its variable '{arg.name}' twice", text, arg.pos)
        variables.append(arg.name)
    return Macro(pos, shape.name, target, tuple(variables), args[shape.variables :], shape.outer)


def _has(operand: Node, pos: int, text: str) -> Macro:
    if not isinstance(operand, Select | Index):
        raise located("syntax", "has() needs a selection such as has(a.b)", text, operand.pos)
    return Macro(pos, "has", None, (), (operand,), 1)
