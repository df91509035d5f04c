"""Syntax tree to expression text, such that `parse(unparse(tree)) == tree`."""

from collections.abc import Callable
from typing import Any, Final

from lambent.cel.syntax import (
    Binary,
    Call,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Macro,
    MapLiteral,
    Message,
    Node,
    Select,
    Ternary,
    Unary,
    left_chain,
)
from lambent.cel.values import UInt

_POWER: Final = {
    "||": 2, "&&": 3,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_CONDITIONAL: Final = 1
_UNARY: Final = 7
_MEMBER: Final = 8
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def unparse(node: Node, limit: int | None = None) -> str:
    """The text of a tree, cut at `limit` characters with an ellipsis."""
    text = _text(node, 0)
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def _text(node: Node, power: int) -> str:
    """The text of a node, in parentheses if it binds weaker than its place demands."""
    own, text = _FORMS[type(node)](node)
    return f"({text})" if own < power else text


def _literal(node: Literal) -> tuple[int, str]:
    value = node.value
    if value is None or isinstance(value, bool):
        return _MEMBER, {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _MEMBER, '"' + "".join(_ESCAPES.get(char) or _printable(char) for char in value) + '"'
    if isinstance(value, bytes):
        return _MEMBER, 'b"' + "".join(f"\\x{byte:02x}" for byte in value) + '"'
    if isinstance(value, UInt):
        return _MEMBER, f"{int(value)}u"
    if isinstance(value, float):
        text = repr(value)
        return _number_power(text), "1e999" if text == "inf" else "-1e999" if text == "-inf" else text
    return _number_power(repr(value)), repr(value)


def _number_power(text: str) -> int:
    """A negative number in front of a selection would be read as one literal either way, so it needs no parentheses."""
    return _UNARY if text.startswith("-") else _MEMBER


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    return f"\\U{ord(char):08x}"


def _ident(node: Ident) -> tuple[int, str]:
    return _MEMBER, f".{node.name}" if node.absolute else node.name


def _select(node: Select) -> tuple[int, str]:
    plain = node.field.isascii() and node.field.isidentifier()
    return _MEMBER, f"{_text(node.operand, _MEMBER)}.{'?' * node.optional}{node.field if plain else f'`{node.field}`'}"


def _index(node: Index) -> tuple[int, str]:
    return _MEMBER, f"{_text(node.operand, _MEMBER)}[{'?' * node.optional}{_text(node.key, 0)}]"


def _call(node: Call) -> tuple[int, str]:
    target = "" if node.target is None else f"{_text(node.target, _MEMBER)}."
    return _MEMBER, f"{target}{node.function}({_joined(node.args)})"


def _unary(node: Unary) -> tuple[int, str]:
    operand = _text(node.operand, _UNARY)
    # A minus before a digit would be read as part of the number.
    return _UNARY, f"{node.op}({operand})" if node.op == "-" and operand[
        :1
    ] in "-.0123456789" else f"{node.op}{operand}"


def _binary(node: Binary) -> tuple[int, str]:
    first, *rest = left_chain(node)
    power = _POWER[first.op]
    text = f"{_text(first.left, power)} {first.op} {_text(first.right, power + 1)}"
    for each in rest:
        left = text if power >= _POWER[each.op] else f"({text})"
        power = _POWER[each.op]
        text = f"{left} {each.op} {_text(each.right, power + 1)}"
    return power, text


def _ternary(node: Ternary) -> tuple[int, str]:
    return _CONDITIONAL, f"{_text(node.condition, 2)} ? {_text(node.yes, 2)} : {_text(node.no, _CONDITIONAL)}"


def _list(node: ListLiteral) -> tuple[int, str]:
    return _MEMBER, "[" + ", ".join("?" * optional + _text(item, 0) for item, optional in node.items) + "]"


def _map(node: MapLiteral) -> tuple[int, str]:
    entries = (f"{'?' * optional}{_text(key, 2)}: {_text(value, 0)}" for key, value, optional in node.entries)
    return _MEMBER, "{" + ", ".join(entries) + "}"


def _message(node: Message) -> tuple[int, str]:
    entries = (f"{'?' * optional}`{field}`: {_text(value, 0)}" for field, value, optional in node.entries)
    return _MEMBER, f"{node.name}{{{', '.join(entries)}}}"


def _macro(node: Macro) -> tuple[int, str]:
    target = "" if node.target is None else f"{_text(node.target, _MEMBER)}."
    args = ", ".join([*node.variables, *(_text(arg, 0) for arg in node.args)])
    return _MEMBER, f"{target}{node.name}({args})"


def _joined(nodes: tuple[Node, ...]) -> str:
    return ", ".join(_text(node, 0) for node in nodes)


_FORMS: Final[dict[type, Callable[[Any], tuple[int, str]]]] = {
    Literal: _literal,
    Ident: _ident,
    Select: _select,
    Index: _index,
    Call: _call,
    Unary: _unary,
    Binary: _binary,
    Ternary: _ternary,
    ListLiteral: _list,
    MapLiteral: _map,
    Message: _message,
    Macro: _macro,
}
