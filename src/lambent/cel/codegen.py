"""Checked tree to Python function: the generator.

One tree has two functions. The **fast** one is optimistic: selections are plain subscripts, `&&` is `and`, a macro is
a comprehension, and nothing keeps track of where it is. If it raises, whatever it raises, the **careful** one is
generated and run instead: every operation goes through `guard`, which knows the place and names the kinds, and the
logic operators absorb errors as the language demands. Expressions have no side effects, so running again is sound, and
an evaluation without error pays nothing for positions, messages or absorption.

The fast form of an operation must therefore either give the right answer or raise. What Python would quietly accept
(`True == 1`, an index of -1, `"abc"[0]`) is left to the operators even there.
"""

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, Final

from lambent.cel import access, loops, macro_forms, operators, pytree
from lambent.cel.checker import Facts
from lambent.cel.errors import Fault, LimitFault
from lambent.cel.limits import TICK_ITEMS, TICK_ITEMS_WITH_CALLS, Meter
from lambent.cel.printer import unparse
from lambent.cel.pytree import Expr
from lambent.cel.registry import preparer_of
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
from lambent.cel.values import NAMED_TYPES

_PYTHON_ERRORS: Final = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
FAULTS: Final = (Fault, *_PYTHON_ERRORS, RecursionError, MemoryError)
"""What a fast function may raise when the careful one has to take over."""

Evaluate = Callable[[Any], Any]

_FOLDABLE: Final = frozenset((*operators.BINARY.values(), operators.negate))
_DIRECT: Final = frozenset((str, bytes, int, float, bool, type(None)))


def guard(pos: int, operation: Callable[..., Any], *args: Any) -> Any:
    """Run one operation of a careful function and give its fault a place."""
    try:
        return operation(*args)
    except (Fault, LimitFault) as fault:
        if fault.pos < 0:
            fault.pos = pos
        raise
    except RecursionError:
        unexpected = Fault("limit", "values nested too deeply")
    except MemoryError:
        unexpected = Fault("limit", "out of memory")
    except _PYTHON_ERRORS as error:
        unexpected = Fault("internal", f"unexpected {type(error).__name__}")
    unexpected.pos = pos
    raise unexpected


def lookup(bindings: Any, name: str) -> Any:
    """The value bound to a declared name."""
    try:
        return bindings[name]
    except KeyError:
        raise Fault("undeclared", f"'{name}' has no value here") from None


def failing(code: str, message: str) -> Any:
    """A static error left for the evaluation."""
    raise Fault(code, message)


class Generator:
    """Generates one function for one checked tree."""

    def __init__(self, facts: Facts, *, koreo: bool, careful: bool) -> None:
        self.facts = facts
        self.koreo = koreo
        self.careful = careful
        self.namespace: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._scope: dict[str, str] = {}
        self._roots: dict[str, str] = {}
        self._variables = 0

    def fast(self, tree: Node, retry: Evaluate, overrun: Callable[[LimitFault], Any]) -> Evaluate:
        """The optimistic function; `retry(bindings)` is its way out."""
        value = self.expr(tree)
        body = [pytree.assign(local, pytree.item(pytree.name("bindings"), pytree.constant(root)))
                for root, local in self._roots.items()]  # fmt: skip
        if self.facts.loops:
            body.append(self._meter())
        body.append(pytree.give(value))
        limited = pytree.guarded(body, self.use(FAULTS), None, [])
        ended = pytree.give(pytree.call(self.use(overrun), pytree.name("limit")))
        whole = pytree.guarded([limited], self.use(LimitFault), "limit", [ended])
        again = pytree.give(pytree.call(self.use(retry), pytree.name("bindings")))
        return self._define([whole, again])

    def slow(self, tree: Node) -> Evaluate:
        """The careful function; it raises `Fault` and `LimitFault` with a position."""
        value = self.expr(tree)
        body = [self._meter()] if self.facts.loops else []
        return self._define([*body, pytree.give(value)])

    def _meter(self) -> Any:
        tick = TICK_ITEMS_WITH_CALLS if self.facts.functions else TICK_ITEMS
        return pytree.assign("meter", pytree.call(self.use(Meter), pytree.constant(tick)))

    def _define(self, body: list[Any]) -> Evaluate:
        function: Evaluate = pytree.define("evaluate", "bindings", body, self.namespace)
        return function

    # --- naming

    def use(self, thing: Any) -> str:
        """The name under which generated code reaches a Python object."""
        name = self._names.get(id(thing))
        if name is None:
            name = self._names[id(thing)] = f"g{len(self._names)}"
            self.namespace[name] = thing
        return name

    def op(self, node: Node, operation: Callable[..., Any], *args: Expr) -> Expr:
        """An operation, guarded with the node's place in a careful function."""
        if self.careful:
            return pytree.call(self.use(guard), pytree.constant(node.pos), pytree.name(self.use(operation)), *args)
        return self._folded(operation, args) or pytree.call(self.use(operation), *args)

    @staticmethod
    def _folded(operation: Callable[..., Any], args: tuple[Expr, ...]) -> Expr | None:
        """The result of an operator on constants, if it has one that is a constant too."""
        if operation not in _FOLDABLE:
            return None
        values = [pytree.constant_value(arg) for arg in args]
        if any(value is pytree.NOT_CONSTANT for value in values):
            return None
        try:
            result = operation(*values)
        except (Fault, LimitFault):
            return None
        return pytree.constant(result) if type(result) in _DIRECT else None

    def expr(self, node: Node) -> Expr:
        """The Python expression for a node."""
        fault = self.facts.faults.get(id(node))
        if fault is not None:
            return self._failing(node, fault)
        return _FORMS[type(node)](self, node)

    def boolean(self, node: Node) -> Expr:
        """A node that must be a boolean, checked unless it is known to be one."""
        return self._checked(node, self.expr(node))

    def _checked(self, node: Node, value: Expr) -> Expr:
        return value if self.facts.kind(node) == "bool" else self.op(node, operators.boolean, value)

    def _failing(self, node: Node, fault: tuple[str, str]) -> Expr:
        return self.op(node, failing, pytree.constant(fault[0]), pytree.constant(fault[1]))

    def path_text(self, node: Node) -> tuple[Expr, ...]:
        """The operand's text, for messages of a careful function."""
        return (pytree.constant(unparse(node, limit=60)),) if self.careful else ()

    # --- names and selections

    def literal(self, node: Literal) -> Expr:
        if type(node.value) in _DIRECT:
            return pytree.constant(node.value)
        return pytree.name(self.use(node.value))

    def ident(self, node: Ident) -> Expr:
        variable = self.facts.variables.get(id(node))
        if variable is not None:
            return self._root(node, variable)
        if not node.absolute and node.name in self._scope:
            return pytree.name(self._scope[node.name])
        return pytree.name(self.use(NAMED_TYPES[node.name]))

    def _root(self, node: Node, variable: str) -> Expr:
        if self.careful:
            return self.op(node, lookup, pytree.name("bindings"), pytree.constant(variable))
        return pytree.name(self._roots.setdefault(variable, f"n{len(self._roots)}"))

    def select(self, node: Select) -> Expr:
        variable = self.facts.variables.get(id(node))
        if variable is not None:
            return self._root(node, variable)
        if id(node.operand) not in self.facts.kinds:
            return pytree.name(self.use(NAMED_TYPES[unparse(node).lstrip(".")]))
        operand = self.expr(node.operand)
        field = pytree.constant(node.field)
        if self.facts.kind(node) == "optional":
            return self._optional(node, operand, field)
        if self.careful:
            return self.op(node, access.select, operand, field, *self.path_text(node.operand))
        return pytree.item(operand, field)

    def index(self, node: Index) -> Expr:
        operand, key = self.expr(node.operand), self.expr(node.key)
        if self.facts.kind(node) == "optional":
            return self._optional(node, operand, key)
        if not self.careful and self.facts.kind(node.key) == "string":
            return pytree.item(operand, key)
        return self.op(node, access.index, operand, key, *self.path_text(node.operand))

    def _optional(self, node: Select | Index, operand: Expr, key: Expr) -> Expr:
        choose = access.select_lenient if self.koreo else access.select_optional
        return self.op(node, choose, operand, key, *self.path_text(node.operand))

    # --- operators

    def unary(self, node: Unary) -> Expr:
        if node.op == "-":
            return self.op(node, operators.negate, self.expr(node.operand))
        return pytree.negation(self.boolean(node.operand))

    def binary(self, node: Binary) -> Expr:
        """A whole chain of operators from its left end, runs of `&&` or `||` as one operation."""
        chain = left_chain(node)
        value = self.expr(chain[0].left)
        sides: list[Expr] = []
        for each, following in zip_longest(chain, chain[1:]):
            fault = self.facts.faults.get(id(each))
            if fault is not None:
                value = self._failing(each, fault)
            elif each.op in ("&&", "||"):
                sides = [*(sides or [self._checked(each.left, value)]), self.boolean(each.right)]
                if following is None or following.op != each.op:
                    value, sides = self._logic(each, sides), []
            elif not self.careful and each.op in ("==", "!="):
                value = self._equality(each, value)
            else:
                value = self.op(each, operators.BINARY[each.op], value, self.expr(each.right))
        return value

    def _logic(self, node: Binary, sides: list[Expr]) -> Expr:
        conjunction = node.op == "&&"
        if self.careful:
            bodies = [pytree.lambda_of([], side) for side in sides]
            return self.op(node, loops.both if conjunction else loops.either, *bodies)
        return pytree.conjunction(sides) if conjunction else pytree.disjunction(sides)

    def _equality(self, node: Binary, left: Expr) -> Expr:
        """Python's own comparison where one side is a constant for which it is exact."""
        constants = [side for side in (node.left, node.right) if type(side) is Literal]
        right = self.expr(node.right)
        if len(constants) == 1:
            constant = constants[0].value
            if type(constant) is str:
                return pytree.comparison(left, node.op, right)
            if constant is None or type(constant) is bool:
                return pytree.comparison(left, "is" if node.op == "==" else "is not", right)
        return self.op(node, operators.BINARY[node.op], left, right)

    def ternary(self, node: Ternary) -> Expr:
        return pytree.conditional(self.boolean(node.condition), self.expr(node.yes), self.expr(node.no))

    # --- literals of lists and maps

    def list_literal(self, node: ListLiteral) -> Expr:
        if not any(optional for _, optional in node.items):
            return pytree.list_of([self.expr(item) for item, _ in node.items])
        parts = [part for item, optional in node.items for part in (self.expr(item), pytree.constant(optional))]
        return self.op(node, access.make_list, *parts)

    def map_literal(self, node: MapLiteral) -> Expr:
        plain = all(type(key) is Literal and type(key.value) is str and not opt for key, _, opt in node.entries)
        if plain and not any(id(key) in self.facts.faults for key, _, _ in node.entries):
            keys = [self.expr(key) for key, _, _ in node.entries]
            return pytree.dict_of(keys, [self.expr(value) for _, value, _ in node.entries])
        parts: list[Expr] = []
        for key, value, optional in node.entries:
            parts += (self.expr(key), self.expr(value), pytree.constant(optional))
        return self.op(node, access.make_map, *parts)

    # --- calls and macros

    def call(self, node: Call) -> Expr:
        function = self.facts.functions[id(node)]
        spaced = node.target is None or id(node) in self.facts.namespaced
        nodes = node.args if spaced or node.target is None else (node.target, *node.args)
        ready = self.facts.prepared.get(id(node))
        if ready is not None:
            return self.op(node, ready, *(self.expr(arg) for arg in self._variable_arguments(function.name, nodes)))
        args = [self.expr(arg) for arg in nodes]
        kinds = tuple(self.facts.kind(arg) for arg in nodes)
        fitting = function.fitting(kinds)
        if len(fitting) == 1 and all(
            "dyn" in param or (kind != "dyn" and kind in param)
            for kind, param in zip(kinds, fitting[0].params, strict=True)
        ):
            return self.op(node, fitting[0].implementation, *args)
        return self.op(node, function.dispatch, *args)

    @staticmethod
    def _variable_arguments(name: str, nodes: tuple[Node, ...]) -> list[Node]:
        """The arguments that a prepared call still takes."""
        found = preparer_of(name)
        return [node for at, node in enumerate(nodes) if found is None or at != found[0]]

    def macro(self, node: Macro) -> Expr:
        return macro_forms.macro(self, node)

    def inside(self, variables: tuple[str, ...], make: Callable[[list[str]], Expr]) -> Expr:
        """What `make` gives with the variables of a macro in scope, under the fresh Python names handed to it."""
        outer = self._scope
        fresh = [f"v{self._variables + at}" for at in range(len(variables))]
        self._variables += len(variables)
        self._scope = {**outer, **dict(zip(variables, fresh, strict=True))}
        made = make(fresh)
        self._scope = outer
        return made

    def message(self, node: Message) -> Expr:
        raise AssertionError(f"the checker refuses messages: {node.name}")


_FORMS: Final[dict[type, Callable[..., Expr]]] = {
    Literal: Generator.literal,
    Ident: Generator.ident,
    Select: Generator.select,
    Index: Generator.index,
    Call: Generator.call,
    Unary: Generator.unary,
    Binary: Generator.binary,
    Ternary: Generator.ternary,
    ListLiteral: Generator.list_literal,
    MapLiteral: Generator.map_literal,
    Message: Generator.message,
    Macro: Generator.macro,
}
