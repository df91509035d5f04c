"""The syntax tree of an expression.

Nodes are plain objects with slots: a tree of ten thousand nodes must be cheap, and so must the import of this module.
`pos` is the offset in the text and takes no part in equality, so that `parse(unparse(tree)) == tree`. Macros stay
visible as `Macro` nodes instead of being expanded; the generator has a form for each.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Final


class Node:
    """Any node; `fields` names its parts in source order."""

    __slots__ = ("pos",)
    fields: ClassVar[tuple[str, ...]] = ()
    pos: int

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.fields)

    __hash__ = None  # type: ignore[assignment]  # compared by structure, so never a key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(repr(getattr(self, name)) for name in self.fields)})"


class Literal(Node):
    """A constant: null, bool, int, uint, double, string or bytes."""

    __slots__ = ("value",)
    fields = ("value",)

    def __init__(self, pos: int, value: Any) -> None:
        self.pos = pos
        self.value: Final = value

    def __eq__(self, other: object) -> bool:
        return type(other) is Literal and type(other.value) is type(self.value) and other.value == self.value

    __hash__ = None


class Ident(Node):
    """A name; `absolute` if written with a leading dot."""

    __slots__ = ("absolute", "name")
    fields = ("name", "absolute")

    def __init__(self, pos: int, name: str, absolute: bool = False) -> None:
        self.pos = pos
        self.name: Final = name
        self.absolute: Final = absolute


class Select(Node):
    """`operand.field` or `operand.?field`."""

    __slots__ = ("field", "operand", "optional")
    fields = ("operand", "field", "optional")

    def __init__(self, pos: int, operand: Node, field: str, optional: bool = False) -> None:
        self.pos = pos
        self.operand: Final = operand
        self.field: Final = field
        self.optional: Final = optional


class Index(Node):
    """`operand[key]` or `operand[?key]`."""

    __slots__ = ("key", "operand", "optional")
    fields = ("operand", "key", "optional")

    def __init__(self, pos: int, operand: Node, key: Node, optional: bool = False) -> None:
        self.pos = pos
        self.operand: Final = operand
        self.key: Final = key
        self.optional: Final = optional


class Call(Node):
    """`function(args)` or, with a target, `target.function(args)`."""

    __slots__ = ("args", "function", "target")
    fields = ("function", "target", "args")

    def __init__(self, pos: int, function: str, target: Node | None, args: tuple[Node, ...]) -> None:
        self.pos = pos
        self.function: Final = function
        self.target: Final = target
        self.args: Final = args


class Unary(Node):
    """`!x` or `-x`."""

    __slots__ = ("op", "operand")
    fields = ("op", "operand")

    def __init__(self, pos: int, op: str, operand: Node) -> None:
        self.pos = pos
        self.op: Final = op
        self.operand: Final = operand


class Binary(Node):
    """`left op right`, including `&&`, `||` and `in`; `pos` is that of the operator."""

    __slots__ = ("left", "op", "right")
    fields = ("op", "left", "right")

    def __init__(self, pos: int, op: str, left: Node, right: Node) -> None:
        self.pos = pos
        self.op: Final = op
        self.left: Final = left
        self.right: Final = right


class Ternary(Node):
    """`condition ? yes : no`."""

    __slots__ = ("condition", "no", "yes")
    fields = ("condition", "yes", "no")

    def __init__(self, pos: int, condition: Node, yes: Node, no: Node) -> None:
        self.pos = pos
        self.condition: Final = condition
        self.yes: Final = yes
        self.no: Final = no


class ListLiteral(Node):
    """`[a, ?b]`: items as (node, is optional)."""

    __slots__ = ("items",)
    fields = ("items",)

    def __init__(self, pos: int, items: tuple[tuple[Node, bool], ...]) -> None:
        self.pos = pos
        self.items: Final = items


class MapLiteral(Node):
    """`{k: v, ?o: w}`: entries as (key, value, is optional)."""

    __slots__ = ("entries",)
    fields = ("entries",)

    def __init__(self, pos: int, entries: tuple[tuple[Node, Node, bool], ...]) -> None:
        self.pos = pos
        self.entries: Final = entries


class Message(Node):
    """`some.Type{field: value}`: parsed for the sake of a good error, since there are no message types here."""

    __slots__ = ("entries", "name")
    fields = ("name", "entries")

    def __init__(self, pos: int, name: str, entries: tuple[tuple[str, Node, bool], ...]) -> None:
        self.pos = pos
        self.name: Final = name
        self.entries: Final = entries


class Macro(Node):
    """A macro call: `target.name(variables..., args...)`.

    `outer` says how many of the args are evaluated outside the scope of the variables (`cel.bind` and `reduce`
    have one: the initial value).
    """

    __slots__ = ("args", "name", "outer", "target", "variables")
    fields = ("name", "target", "variables", "args")

    def __init__(
        self, pos: int, name: str, target: Node | None, variables: tuple[str, ...], args: tuple[Node, ...], outer: int
    ) -> None:
        self.pos = pos
        self.name: Final = name
        self.target: Final = target
        self.variables: Final = variables
        self.args: Final = args
        self.outer: Final = outer


def left_chain(node: Binary) -> list[Binary]:
    """The operations of `a + b + c`, innermost (leftmost) first; trees lean far to the left but not to the right."""
    chain = [node]
    while type(left := chain[-1].left) is Binary:
        chain.append(left)
    chain.reverse()
    return chain


def children(node: Node) -> Iterator[Node]:
    """The direct sub-expressions of a node, in source order."""
    for name in node.fields:
        part = getattr(node, name)
        if isinstance(part, Node):
            yield part
        elif isinstance(part, tuple):
            yield from _nodes_in(part)


def _nodes_in(parts: tuple[Any, ...]) -> Iterator[Node]:
    for part in parts:
        if isinstance(part, Node):
            yield part
        elif isinstance(part, tuple):
            yield from _nodes_in(part)
