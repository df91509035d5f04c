"""The static pass: what each name denotes, which function each call is, and light types.

A kind is inferred for every node (`dyn` where it depends on input). Undeclared names, unknown functions, wrong
numbers of arguments and operands whose kinds are known and fit no overload are errors here, with a position. Unchecked
(`checked=False`) they are recorded instead and fail when evaluated, so that `x || true` may still be true.

Not here: element types of lists and maps, and any knowledge of what the inputs look like.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from lambent.cel import macros
from lambent.cel.errors import Fault, located
from lambent.cel.parser import qualified_name
from lambent.cel.registry import Function, Table, preparer_of
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
    children,
    left_chain,
)
from lambent.cel.values import NAMED_TYPES, kind_of

_NUMBERS: Final = frozenset(("int", "uint", "double"))
_ORDERED: Final = _NUMBERS | {"bool", "string", "bytes", "timestamp", "duration"}
_ADDABLE: Final = _NUMBERS | {"string", "bytes", "list", "duration"}
_TIMES: Final = {
    ("+", "timestamp", "duration"): "timestamp",
    ("+", "duration", "timestamp"): "timestamp",
    ("-", "timestamp", "duration"): "timestamp",
    ("-", "timestamp", "timestamp"): "duration",
    ("-", "duration", "duration"): "duration",
}
_SAME: Final = {"+": _ADDABLE, "-": _NUMBERS, "*": _NUMBERS, "/": _NUMBERS, "%": frozenset(("int", "uint"))}
_NAMESPACES: Final = frozenset(("math.", "strings.", "sets.", "lists.", "base64.", "optional.", "cel.", "ip."))
_RESULTS: Final = {
    "has": "bool",
    "all": "bool",
    "exists": "bool",
    "exists_one": "bool",
    "map": "list",
    "filter": "list",
    "transformList": "list",
    "sortBy": "list",
    "transformMap": "map",
    "transformMapEntry": "map",
    "optMap": "optional",
}


class Lint(NamedTuple):
    """A remark on an expression that is legal: a code, what it says, and the 1-based place."""

    code: str
    message: str
    line: int
    col: int


class Facts:
    """What the pass found out, by the identity of nodes."""

    def __init__(self) -> None:
        self.kinds: dict[int, str] = {}
        self.variables: dict[int, str] = {}
        self.functions: dict[int, Function] = {}
        self.namespaced: set[int] = set()
        self.faults: dict[int, tuple[str, str]] = {}
        self.prepared: dict[int, Callable[..., object]] = {}
        self.lints: list[Lint] = []
        self.loops = False

    def kind(self, node: Node) -> str:
        """The inferred kind of a node."""
        return self.kinds.get(id(node), "dyn")


class Checker:
    """One pass over one tree; `check()` fills `facts`."""

    def __init__(
        self,
        text: str,
        *,
        names: frozenset[str],
        functions: Table,
        koreo: bool,
        enabled: frozenset[str] = frozenset(),
        container: str = "",
        checked: bool = True,
    ) -> None:
        self.text = text
        self.names = names
        self.functions = functions
        self.koreo = koreo
        self.enabled = enabled
        self.checked = checked
        self.facts = Facts()
        self._dotted = bool(container) or any("." in name for name in names)
        parts = container.split(".") if container else []
        self._prefixes = [".".join(parts[:end]) + "." for end in range(len(parts), 0, -1)] + [""]
        self._locals: list[str] = []

    def check(self, tree: Node) -> Facts:
        """Check the whole tree. Errors: `CelError` (undeclared, function, arity, type)."""
        self._visit(tree)
        return self.facts

    def _visit(self, node: Node) -> str:
        kind = _VISITORS[type(node)](self, node)
        self.facts.kinds[id(node)] = kind
        return kind

    def _wrong(self, node: Node, code: str, message: str, names: tuple[str, ...] = ()) -> None:
        """Report a static error, or remember it for the evaluation."""
        if self.checked:
            raise located(code, message, self.text, node.pos, names=names)
        self.facts.faults[id(node)] = (code, message)

    # --- names

    def variable(self, node: Node) -> str | None:
        """The declared name that a node spells, through the container; None if it spells none."""
        name = qualified_name(node) if self._dotted else (node.name if type(node) is Ident else None)
        if name is None:
            return None
        if name.startswith("."):
            return name[1:] if name[1:] in self.names else None
        if type(node) is Ident and node.absolute:
            return name if name in self.names else None
        if name.split(".", 1)[0] in self._locals:
            return None
        return next((prefix + name for prefix in self._prefixes if prefix + name in self.names), None)

    def ident(self, node: Ident) -> str:
        if node.name in self._locals and not node.absolute:
            return "dyn"
        declared = self.variable(node)
        if declared is not None:
            self.facts.variables[id(node)] = declared
            return "dyn"
        if node.name in NAMED_TYPES:
            return "type"
        self._undeclared(node)
        return "dyn"

    def _undeclared(self, node: Ident) -> None:
        known = sorted(self.names | set(self._locals))
        close = nearest(node.name, known)
        hint = f"; did you mean '{close}'?" if close else f"; known here: {', '.join(known[:8])}" if known else ""
        self._wrong(node, "undeclared", f"undeclared name '{node.name[:60]}'{hint[:200]}", (node.name,))

    def select(self, node: Select) -> str:
        if self._dotted and (declared := self.variable(node)) is not None:
            self.facts.variables[id(node)] = declared
            return "dyn"
        name = qualified_name(node)
        if name in NAMED_TYPES and name.split(".", 1)[0] not in self.names:
            return "type"
        operand = self._visit(node.operand)
        if operand not in ("dyn", "map", "optional"):
            self._wrong(node, "type", f'cannot select "{node.field[:60]}" from {operand}')
        return "optional" if node.optional or operand == "optional" else "dyn"

    def index(self, node: Index) -> str:
        operand, key = self._visit(node.operand), self._visit(node.key)
        if operand not in ("dyn", "map", "list", "optional"):
            self._wrong(node, "type", f"cannot index {operand}")
        elif operand == "list" and key not in ("dyn", "int", "uint", "double"):
            self._wrong(node, "type", f"a list cannot be indexed with {key}")
        return "optional" if node.optional or operand == "optional" else "dyn"

    # --- operators

    def literal(self, node: Literal) -> str:
        return kind_of(node.value)

    def unary(self, node: Unary) -> str:
        operand = self._visit(node.operand)
        allowed = ("bool",) if node.op == "!" else ("int", "double")
        if operand != "dyn" and operand not in allowed:
            self._wrong(node, "type", f"no such overload: {node.op}{operand}")
        return "bool" if node.op == "!" else operand

    def binary(self, node: Binary) -> str:
        chain = left_chain(node)
        kind = self._visit(chain[0].left)
        for each in chain:
            kind = self.facts.kinds[id(each)] = self._operation(each, kind, self._visit(each.right))
        return kind

    def _operation(self, node: Binary, left: str, right: str) -> str:
        op = node.op
        if op in ("&&", "||"):
            wrong = next((kind for kind in (left, right) if kind not in ("dyn", "bool")), None)
            if wrong and self.checked:
                self._wrong(node, "type", f"'{op}' needs bool, found {wrong}")
            return "bool"
        if op in ("==", "!="):
            return "bool"
        if "dyn" in (left, right):
            return "bool" if op in ("<", "<=", ">", ">=", "in") else "dyn"
        result = _result(op, left, right)
        if result is None:
            self._wrong(node, "type", f"no such overload: {left} {op} {right}")
        return result or "dyn"

    def ternary(self, node: Ternary) -> str:
        condition = self._visit(node.condition)
        if condition not in ("dyn", "bool") and self.checked:
            self._wrong(node, "type", f"a condition must be bool, found {condition}")
        yes, no = self._visit(node.yes), self._visit(node.no)
        return yes if yes == no else "dyn"

    def list_literal(self, node: ListLiteral) -> str:
        for item, _ in node.items:
            self._visit(item)
        return "list"

    def map_literal(self, node: MapLiteral) -> str:
        seen: list[Node] = []
        strings: set[str] = set()
        for key, value, optional in node.entries:
            kind = self._visit(key)
            self._visit(value)
            if kind not in ("dyn", "string", "int", "uint", "bool"):
                self._wrong(key, "type", f"a map key cannot be {kind}")
            if type(key) is Literal and not optional:
                repeated = key.value in strings if kind == "string" else key in seen
                if repeated:
                    self._wrong(key, "key", "a map has the same key twice")
                if kind == "string":
                    strings.add(key.value)
                elif len(seen) < 100:
                    seen.append(key)
        return "map"

    def message(self, node: Message) -> str:
        for child in children(node):
            self._visit(child)
        self._wrong(node, "type", f"there is no message type '{node.name[:60]}'; write a map: {{...}}")
        return "dyn"

    # --- calls

    def call(self, node: Call) -> str:
        function = self._namespaced(node) or self.functions.get(node.function)
        if function is None:
            self._unknown(node)
            return "dyn"
        spaced = id(node) in self.facts.namespaced
        args = node.args if node.target is None or spaced else (node.target, *node.args)
        if len(args) not in function.arities:
            wanted = " or ".join(str(number) for number in sorted(function.arities))
            noun = "argument" if wanted == "1" else "arguments"
            self._wrong(node, "arity", f"{function.name}() takes {wanted} {noun}, the receiver included")
            return "dyn"
        self.facts.functions[id(node)] = function
        kinds = tuple([self._visit(arg) for arg in args])
        fitting = function.fitting(kinds)
        if not fitting:
            self._wrong(node, "type", f"no such overload: {function.name}({', '.join(kinds)})")
            return "dyn"
        self._prepare(node, function, args)
        results = {overload.result for overload in fitting}
        return results.pop() if len(results) == 1 else "dyn"

    def _prepare(self, node: Call, function: Function, args: tuple[Node, ...]) -> None:
        """Do now what a constant argument allows to do once, such as compiling a pattern."""
        found = preparer_of(function.name)
        if found is None:
            return
        place, preparer = found
        constant = args[place]
        if type(constant) is Literal and isinstance(constant.value, str):
            if "\b" in constant.value:
                self._remark(constant, "backspace", 'this pattern has a backspace; a word boundary is written "\\\\b"')
            try:
                self.facts.prepared[id(node)] = preparer(constant.value, self.koreo)
            except Fault as fault:
                self._wrong(constant, fault.code, fault.message)

    def _remark(self, node: Node, code: str, message: str) -> None:
        place = located(code, message, self.text, node.pos)
        self.facts.lints.append(Lint(code, message, place.line, place.col))

    def _namespaced(self, node: Call) -> Function | None:
        """The function `math.abs` where the target is the name of a namespace and not of a variable."""
        space = qualified_name(node.target) if node.target is not None else None
        if space is None or node.target is None:
            return None
        function = self.functions.get(f"{space}.{node.function}")
        if function is None or space.split(".", 1)[0] in self._locals or self.variable(node.target) is not None:
            return None
        self.facts.namespaced.add(id(node))
        return function

    def _unknown(self, node: Call) -> None:
        if node.function in macros.NAMES:
            self._wrong(node, "arity", f"wrong number of arguments, or no receiver, for the macro '{node.function}'")
            return
        name = node.function
        space = qualified_name(node.target) if node.target is not None else None
        if space is not None and f"{space}." in _NAMESPACES:
            name = f"{space}.{name}"
        close = nearest(name, [*self.functions.names(), *macros.NAMES])
        hint = f"; did you mean '{close}'?" if close else ""
        self._wrong(node, "function", f"unknown function '{name[:60]}'{hint}")

    def macro(self, node: Macro) -> str:
        if node.name == "has":
            return self._has(node)
        if node.name == "reduce" and not self.koreo and "reduce" not in self.enabled:
            self._wrong(node, "function", "unknown function 'reduce'")
        if node.target is not None:
            self._visit(node.target)
        self.facts.loops = self.facts.loops or node.name in macros.LOOPS
        kinds = [self._visit(arg) for arg in node.args[: node.outer]]
        self._locals.extend(node.variables)
        kinds += [self._visit(arg) for arg in node.args[node.outer :]]
        del self._locals[len(self._locals) - len(node.variables) :]
        if node.name == "cel.bind":
            return kinds[-1]
        return _RESULTS.get(node.name, "dyn")

    def _has(self, node: Macro) -> str:
        operand = node.args[0]
        if type(operand) is not Select and not self.koreo:
            self._wrong(node, "type", "has() needs a selection such as has(a.b)")
        self._visit(operand)
        return "bool"


def nearest(name: str, known: list[str]) -> str | None:
    """The known name most like a wrong one, if any is like it."""
    from difflib import get_close_matches

    close = get_close_matches(name[:60], known, 1)
    return close[0] if close else None


def _result(op: str, left: str, right: str) -> str | None:
    """The kind of an operation on known kinds, None if it is not defined."""
    if op in ("<", "<=", ">", ">="):
        numbers = left in _NUMBERS and right in _NUMBERS
        return "bool" if numbers or (left == right and left in _ORDERED) else None
    if op == "in":
        return "bool" if right in ("list", "map") else None
    if left == right and left in _SAME[op]:
        return left
    return _TIMES.get((op, left, right))


_VISITORS: Final[dict[type, Callable[..., str]]] = {
    Literal: Checker.literal,
    Ident: Checker.ident,
    Select: Checker.select,
    Index: Checker.index,
    Call: Checker.call,
    Unary: Checker.unary,
    Binary: Checker.binary,
    Ternary: Checker.ternary,
    ListLiteral: Checker.list_literal,
    MapLiteral: Checker.map_literal,
    Message: Checker.message,
    Macro: Checker.macro,
}
