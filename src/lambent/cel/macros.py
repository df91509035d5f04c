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


FORMS: Final[dict[str, str]] = {
    "has(a.b)": "Whether the field exists; false in the koreo profile as soon as a step before it is missing or null.",
    "list.all(x, test)": "Whether the test holds for every item, or every key of a map.",
    "list.exists(x, test)": "Whether the test holds for an item, or a key of a map.",
    "list.exists_one(x, test)": "Whether the test holds for exactly one item or key.",
    "list.map(x, value)": "The list of the values made from each item or key.",
    "list.map(x, test, value)": "The same, of those items for which the test holds.",
    "list.filter(x, test)": "The items or keys for which the test holds.",
    "list.all(i, v, test)": "As with one variable, with index and item or key and value; so `exists`, `exists_one`.",
    "list.transformList(i, v, value)": "The list made from index and item, or key and value; a test may precede.",
    "map.transformMap(k, v, value)": "The map with the same keys and new values; a test may precede the value.",
    "map.transformMapEntry(k, v, entry)": "The map of all entries that are made; a test may precede the entry.",
    "list.sortBy(x, key)": "The items in the order of their keys.",
    "list.reduce(acc, x, initial, value)": "The value made from accumulator and item over all items; koreo profile.",
    "cel.bind(x, value, expression)": "The expression with a name for a value.",
    "optional.optMap(x, value)": "The optional of what is made from its value; empty stays empty.",
    "optional.optFlatMap(x, optional)": "What is made from its value, itself an optional; empty stays empty.",
}
"""How each macro is written, and what it does; for documentation."""


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
