"""Tokens to syntax tree: a Pratt parser.

Each binary operator has a binding power; `_expression(power)` reads a prefix and then everything that binds tighter
than `power`. Member access binds tightest, the conditional weakest and to the right. Nesting is limited, so that no
text can exhaust the stack of this parser or of Python's compiler.
"""

from typing import Final

from lambent.cel import macros
from lambent.cel.errors import CelError, located
from lambent.cel.lexer import Token, tokens
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

MAX_DEPTH: Final = 150
"""Nested parentheses, brackets and operators; the specification asks for at least 12 to 32."""

MAX_CHAIN: Final = 400
"""Operators of one chain such as `a + b + c`, which nest to the left in the tree."""

_POWER: Final[dict[str, int]] = {
    "||": 2, "&&": 3,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_UNARY_POWER: Final = 7
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
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    def error(self, message: str, pos: int) -> CelError:
        return located("syntax", message, self.text, pos)

    def expect(self, kind: str, what: str) -> Token:
        token = self.tokens[self.at]
        if token.kind != kind:
            found = "the end" if token.kind == "end" else f"'{token.text[:20]}'"
            raise self.error(f"expected {what}, found {found}", token.pos)
        self.at += 1
        return token

    def accept(self, kind: str) -> bool:
        if self.tokens[self.at].kind == kind:
            self.at += 1
            return True
        return False

    def expression(self, power: int) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} levels deep", self.tokens[self.at].pos)
        left = self._operators(self._unary(), power)
        if power == 0 and self.tokens[self.at].kind == "?":
            left = self._conditional(left)
        self.depth -= 1
        return left

    def _operators(self, left: Node, power: int) -> Node:
        chain = 0
        while True:
            token = self.tokens[self.at]
            op = token.text if token.kind == "name" else token.kind
            binding = _POWER.get(op, 0)
            if binding <= power:
                return left
            chain += 1
            if chain > MAX_CHAIN:
                raise self.error(f"more than {MAX_CHAIN} operators in a row", token.pos)
            self.at += 1
            left = Binary(token.pos, op, left, self.expression(binding))

    def _conditional(self, condition: Node) -> Node:
        """A chain of conditionals, read in a loop so that a long `a ? x : b ? y : z` does not nest the parser."""
        arms: list[tuple[int, Node, Node]] = []
        while self.tokens[self.at].kind == "?":
            pos = self.tokens[self.at].pos
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
        signs: list[Token] = []
        while (token := self.tokens[self.at]).kind in ("!", "-"):
            if token.kind == "-" and self.tokens[self.at + 1].kind == "number":
                break
            if len(signs) >= MAX_DEPTH:
                raise self.error(f"more than {MAX_DEPTH} signs in a row", token.pos)
            signs.append(token)
            self.at += 1
        node = self._members(self._primary())
        for sign in reversed(signs):
            node = Unary(sign.pos, sign.kind, node)
        return node

    def _members(self, node: Node) -> Node:
        links = 0
        while True:
            token = self.tokens[self.at]
            if token.kind == ".":
                node = self._member(node)
            elif token.kind == "[":
                self.at += 1
                optional = self.accept("?")
                key = self.expression(0)
                self.expect("]", "']'")
                node = Index(token.pos, node, key, optional)
            elif token.kind == "{" and (name := qualified_name(node)) is not None:
                node = self._message(name, node.pos)
            else:
                return node
            links += 1
            if links > MAX_CHAIN:
                raise self.error(f"more than {MAX_CHAIN} selections in a row", token.pos)

    def _member(self, node: Node) -> Node:
        dot = self.expect(".", "'.'")
        optional = self.accept("?")
        token = self.tokens[self.at]
        if token.kind == "field":
            self.at += 1
            return Select(dot.pos, node, token.text[1:-1], optional)
        token = self.expect("name", "a field name after '.'")
        if optional or self.tokens[self.at].kind != "(":
            return Select(dot.pos, node, token.text, optional)
        return self._call(token, node)

    def _call(self, name: Token, target: Node | None) -> Node:
        self.expect("(", "'('")
        args = self._arguments(")")
        return macros.expand(name.text, target, args, name.pos, self.text) or Call(name.pos, name.text, target, args)

    def _arguments(self, closing: str) -> tuple[Node, ...]:
        args: list[Node] = []
        if self.accept(closing):
            return ()
        while True:
            args.append(self.expression(0))
            if not self.accept(","):
                self.expect(closing, f"',' or '{closing}'")
                return tuple(args)

    def _primary(self) -> Node:
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "name":
            return self._name(token)
        if token.kind == "string":
            return Literal(token.pos, self._string(token))
        if token.kind == "number" or (token.kind == "-" and self.tokens[self.at].kind == "number"):
            return self._number(token)
        if token.kind == "(":
            inner = self.expression(0)
            self.expect(")", "')'")
            return inner
        if token.kind == "[":
            return self._list(token.pos)
        if token.kind == "{":
            return self._map(token.pos)
        if token.kind == ".":
            name = self.expect("name", "a name after '.'")
            return Ident(token.pos, name.text, True)
        self.at -= 1
        found = "the end" if token.kind == "end" else f"'{token.text[:20]}'"
        raise self.error(f"expected a value, found {found}", token.pos)

    def _name(self, token: Token) -> Node:
        if token.text in _CONSTANTS:
            return Literal(token.pos, _CONSTANTS[token.text])
        if token.text in RESERVED or token.text == "in":
            raise self.error(f"'{token.text}' is a reserved word", token.pos)
        if self.tokens[self.at].kind == "(":
            return self._call(token, None)
        return Ident(token.pos, token.text)

    def _string(self, token: Token) -> str | bytes:
        try:
            return string_value(token.text, keep_unknown=self.koreo)
        except BadLiteral as bad:
            raise self.error(bad.message, token.pos + bad.offset) from None

    def _number(self, token: Token) -> Node:
        digits = token
        if token.kind == "-":
            digits = self.expect("number", "a number")
        try:
            return Literal(token.pos, number_value(digits.text, negative=token.kind == "-"))
        except BadLiteral as bad:
            raise self.error(bad.message, token.pos) from None

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
        self.expect("{", "'{'")
        entries: list[tuple[str, Node, bool]] = []
        while not self.accept("}"):
            optional = self.accept("?")
            token = self.tokens[self.at]
            field = token.text[1:-1] if self.accept("field") else self.expect("name", "a field name").text
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
