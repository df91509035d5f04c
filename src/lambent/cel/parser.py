"""Tokens to syntax tree: a Pratt parser.

Each binary operator has a binding power; `_expression(power)` reads a prefix and then everything that binds tighter
than `power`. Member access binds tightest, the conditional weakest and to the right. Nesting is limited, so that no
text can exhaust the stack of this parser or of Python's compiler.
"""

from typing import Final

from lambent.cel import macros
from lambent.cel.errors import CelError, located
from lambent.cel.lexer import tokens
from lambent.cel.literals import BadLiteral, number_value, string_value
from lambent.cel.syntax import (
    Binary,
    Call,
    Ident,
    Index,
    ListLiteral,
    Literal,
    MapLiteral,
    Message,
    Node,
    Select,
    Ternary,
    Unary,
)

MAX_DEPTH: Final = 250
"""Nested parentheses, brackets and operators. CEL's specification asks for 12 to 32. What Python's thousand frames do
not suffice for, lists of lists of lists beyond 200, is refused as too complex."""

MAX_CHAIN: Final = 400
"""Operators of one chain such as `a + b + c`: the tree leans to the left, and every pass walks that side in a loop."""

MAX_LINKS: Final = 100
"""Selections of one chain such as `a.b.c`."""

_POWER: Final[dict[str, int]] = {
    "||": 2, "&&": 3,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
RESERVED: Final = frozenset(
    (
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"),
        *("package", "namespace", "return", "var", "void", "while"),
    )
)


def parse(text: str, *, koreo: bool = True) -> Node:
    """The syntax tree of an expression; `koreo` keeps unknown escapes in strings.

    Errors: `CelError` with code `syntax`.
    """
    parser = _Parser(text, koreo)
    tree = parser.expression(0)
    parser.expect("end", "the end of the expression")
    return tree


class _Parser:
    def __init__(self, text: str, koreo: bool) -> None:
        self.text = text
        self.koreo = koreo
        self.kinds, self.texts, self.starts = tokens(text)
        self.at = 0
        self.depth = 0

    def error(self, message: str, pos: int) -> CelError:
        return located("syntax", message, self.text, pos)

    def unexpected(self, wanted: str) -> CelError:
        found = "the end" if self.kinds[self.at] == "end" else f"'{self.texts[self.at][:20]}'"
        return self.error(f"expected {wanted}, found {found}", self.starts[self.at])

    def expect(self, kind: str, what: str) -> str:
        """The text of the next token, which must be of a kind."""
        at = self.at
        if self.kinds[at] != kind:
            raise self.unexpected(what)
        self.at = at + 1
        return self.texts[at]

    def accept(self, kind: str) -> bool:
        if self.kinds[self.at] == kind:
            self.at += 1
            return True
        return False

    def expression(self, power: int) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH + 1:  # the whole expression is one
            raise self.error(f"nested more than {MAX_DEPTH} levels deep", self.starts[self.at])
        left = self._operators(self._unary(), power)
        if power == 0 and self.kinds[self.at] == "?":
            left = self._conditional(left)
        self.depth -= 1
        return left

    def _operators(self, left: Node, power: int) -> Node:
        chain = 0
        while True:
            op = self.kinds[self.at]
            if op == "name":
                op = self.texts[self.at]
            binding = _POWER.get(op, 0)
            if binding <= power:
                return left
            pos = self.starts[self.at]
            chain += 1
            if chain > MAX_CHAIN:
                raise self.error(f"more than {MAX_CHAIN} operators in a row", pos)
            self.at += 1
            left = Binary(pos, op, left, self.expression(binding))

    def _conditional(self, condition: Node) -> Node:
        """A chain of conditionals, read in a loop so that a long `a ? x : b ? y : z` does not nest the parser."""
        arms: list[tuple[int, Node, Node]] = []
        while self.kinds[self.at] == "?":
            pos = self.starts[self.at]
            self.at += 1
            yes = self.expression(0)
            self.expect(":", "':' of the conditional")
            arms.append((pos, condition, yes))
            condition = self._operators(self._unary(), 0)
            if len(arms) > MAX_DEPTH:
                raise self.error(f"more than {MAX_DEPTH} conditionals in a row", pos)
        tree = condition
        for pos, test, yes in reversed(arms):
            tree = Ternary(pos, test, yes, tree)
        return tree

    def _unary(self) -> Node:
        kind = self.kinds[self.at]
        if kind != "!" and kind != "-":
            return self._members(self._primary())
        signs: list[tuple[int, str]] = []
        while (kind := self.kinds[self.at]) in ("!", "-"):
            if kind == "-" and self.kinds[self.at + 1] == "number":
                break
            if len(signs) >= MAX_DEPTH:
                raise self.error(f"more than {MAX_DEPTH} signs in a row", self.starts[self.at])
            signs.append((self.starts[self.at], kind))
            self.at += 1
        node = self._members(self._primary())
        for pos, sign in reversed(signs):
            node = Unary(pos, sign, node)
        return node

    def _members(self, node: Node) -> Node:
        links = 0
        while True:
            kind = self.kinds[self.at]
            if kind == ".":
                node = self._member(node)
            elif kind == "[":
                pos = self.starts[self.at]
                self.at += 1
                optional = self.accept("?")
                key = self.expression(0)
                self.expect("]", "']'")
                node = Index(pos, node, key, optional)
            elif kind == "{" and (name := qualified_name(node)) is not None:
                node = self._message(name, node.pos)
            else:
                return node
            links += 1
            if links > MAX_LINKS:
                raise self.error(f"more than {MAX_LINKS} selections in a row", self.starts[self.at])

    def _member(self, node: Node) -> Node:
        dot = self.starts[self.at]
        self.at += 1
        optional = self.accept("?")
        at = self.at
        if self.accept("field"):
            return Select(dot, node, self.texts[at][1:-1], optional)
        name = self.expect("name", "a field name after '.'")
        if optional or self.kinds[self.at] != "(":
            return Select(dot, node, name, optional)
        return self._call(name, self.starts[at], node)

    def _call(self, name: str, pos: int, target: Node | None) -> Node:
        self.at += 1
        args = self._arguments()
        return macros.expand(name, target, args, pos, self.text) or Call(pos, name, target, args)

    def _arguments(self) -> tuple[Node, ...]:
        args: list[Node] = []
        if self.accept(")"):
            return ()
        while True:
            args.append(self.expression(0))
            if not self.accept(","):
                self.expect(")", "',' or ')'")
                return tuple(args)

    def _primary(self) -> Node:
        at = self.at
        kind = self.kinds[at]
        pos = self.starts[at]
        self.at = at + 1
        if kind == "name":
            return self._name(self.texts[at], pos)
        if kind == "string":
            return Literal(pos, self._string(self.texts[at], pos))
        if kind == "number":
            return self._number(self.texts[at], pos, negative=False)
        if kind == "(":
            inner = self.expression(0)
            self.expect(")", "')'")
            return inner
        if kind == "[":
            return self._list(pos)
        if kind == "{":
            return self._map(pos)
        if kind == "-":
            return self._number(self.expect("number", "a number"), pos, negative=True)
        if kind == ".":
            return Ident(pos, self.expect("name", "a name after '.'"), True)
        self.at = at
        raise self.unexpected("a value")

    def _name(self, name: str, pos: int) -> Node:
        if name in _CONSTANTS:
            return Literal(pos, _CONSTANTS[name])
        if name in RESERVED or name == "in":
            raise self.error(f"'{name}' is a reserved word", pos)
        if self.kinds[self.at] == "(":
            return self._call(name, pos, None)
        return Ident(pos, name)

    def _string(self, token: str, pos: int) -> str | bytes:
        try:
            return string_value(token, keep_unknown=self.koreo)
        except BadLiteral as bad:
            raise self.error(bad.message, pos + bad.offset) from None

    def _number(self, digits: str, pos: int, *, negative: bool) -> Node:
        try:
            return Literal(pos, number_value(digits, negative=negative))
        except BadLiteral as bad:
            raise self.error(bad.message, pos) from None

    def _list(self, pos: int) -> Node:
        items: list[tuple[Node, bool]] = []
        while not self.accept("]"):
            optional = self.accept("?")
            items.append((self.expression(0), optional))
            if not self.accept(","):
                self.expect("]", "',' or ']'")
                break
        return ListLiteral(pos, tuple(items))

    def _map(self, pos: int) -> Node:
        entries: list[tuple[Node, Node, bool]] = []
        while not self.accept("}"):
            optional = self.accept("?")
            key = self.expression(0)
            self.expect(":", "':' after the key")
            entries.append((key, self.expression(0), optional))
            if not self.accept(","):
                self.expect("}", "',' or '}'")
                break
        return MapLiteral(pos, tuple(entries))

    def _message(self, name: str, pos: int) -> Node:
        self.at += 1
        entries: list[tuple[str, Node, bool]] = []
        while not self.accept("}"):
            optional = self.accept("?")
            quoted = self.texts[self.at][1:-1]
            field = quoted if self.accept("field") else self.expect("name", "a field name")
            self.expect(":", "':' after the field")
            entries.append((field, self.expression(0), optional))
            if not self.accept(","):
                self.expect("}", "',' or '}'")
                break
        return Message(pos, name, tuple(entries))


def qualified_name(node: Node) -> str | None:
    """The dotted name a chain of identifiers spells, with its leading dot if absolute; None for anything else."""
    fields: list[str] = []
    while type(node) is Select and not node.optional:
        fields.append(node.field)
        node = node.operand
    if type(node) is not Ident:
        return None
    fields.append("." + node.name if node.absolute else node.name)
    return ".".join(reversed(fields))
