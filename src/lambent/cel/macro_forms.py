"""How the generator writes macros.

A careful function, and the rarer macros everywhere, call a function of `loops` with lambdas for the bodies. In a fast
function `map` and `filter` become list comprehensions, `all` and `exists` Python's own over a generator expression.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from lambent.cel import access, loops, pytree
from lambent.cel.pytree import Expr
from lambent.cel.syntax import Index, Macro, Node, Select

if TYPE_CHECKING:
    from lambent.cel.codegen import Generator

_LOOPS: Final[dict[str, Callable[..., Any]]] = {
    "all": loops.every,
    "exists": loops.some,
    "exists_one": loops.exactly_one,
    "map": loops.mapped,
    "filter": loops.filtered,
    "transformList": loops.mapped,
    "transformMap": loops.mapped_values,
    "transformMapEntry": loops.mapped_entries,
    "sortBy": loops.sorted_by,
}
_TESTED: Final = frozenset(("map", "transformList", "transformMap", "transformMapEntry"))
_COMPREHENDED: Final = frozenset(("map", "filter", "all", "exists"))


def macro(generator: "Generator", node: Macro) -> Expr:
    """The Python expression for a macro."""
    if node.name == "has":
        return _has(generator, node)
    if node.name == "cel.bind":
        initial = generator.expr(node.args[0])
        return pytree.call_value(_body(generator, node, node.args[1]), initial)
    if node.target is None:
        raise AssertionError("every other macro has a receiver")
    target = generator.expr(node.target)
    if node.name == "optMap":
        return generator.op(node, loops.optional_map, target, _body(generator, node, node.args[0]))
    if node.name == "optFlatMap":
        return generator.op(node, loops.optional_flat_map, target, _body(generator, node, node.args[0]))
    if node.name == "reduce":
        items, initial = _items(generator, node, target, 1), generator.expr(node.args[0])
        return generator.op(node, loops.reduced, items, initial, _body(generator, node, node.args[1]))
    if not generator.careful and len(node.variables) == 1 and node.name in _COMPREHENDED:
        return generator.inside(node.variables, lambda fresh: _comprehension(generator, node, target, fresh[0]))
    return _loop(generator, node, target)


def _items(generator: "Generator", node: Macro, target: Expr, variables: int) -> Expr:
    each = loops.singles if variables == 1 else loops.pairs
    return generator.op(node, each, pytree.name("meter"), target)


def _loop(generator: "Generator", node: Macro, target: Expr) -> Expr:
    """A loop by a function of `loops`, with the bodies as lambdas."""
    bodies = [_body(generator, node, arg) for arg in node.args]
    if node.name in _TESTED and len(bodies) == 1:
        bodies.insert(0, pytree.constant(None))
    return generator.op(node, _LOOPS[node.name], _items(generator, node, target, len(node.variables)), *bodies)


def _body(generator: "Generator", node: Macro, body: Node) -> Expr:
    return generator.inside(node.variables, lambda fresh: pytree.lambda_of(fresh, generator.expr(body)))


def _comprehension(generator: "Generator", node: Macro, target: Expr, variable: str) -> Expr:
    """A one-variable loop as a comprehension of Python."""
    *tests, last = node.args
    items = pytree.call_value(pytree.attribute("meter", "over"), target)
    if node.name == "map":
        conditions = [generator.boolean(test) for test in tests]
        return pytree.comprehension(generator.expr(last), variable, items, conditions)
    if node.name == "filter":
        return pytree.comprehension(pytree.name(variable), variable, items, [generator.boolean(last)])
    search = generator.use(all if node.name == "all" else any)
    return pytree.call(search, pytree.comprehension(generator.boolean(last), variable, items, [], lazy=True))


def _has(generator: "Generator", node: Macro) -> Expr:
    operand = node.args[0]
    if not generator.koreo and type(operand) is Select:
        value = generator.expr(operand.operand)
        field = pytree.constant(operand.field)
        return generator.op(operand, access.has_field, value, field, *generator.path_text(operand.operand))
    keys: list[Expr] = []
    while isinstance(operand, Select | Index) and id(operand) not in generator.facts.variables:
        keys.append(pytree.constant(operand.field) if isinstance(operand, Select) else generator.expr(operand.key))
        operand = operand.operand
    return generator.op(node, access.has_path, generator.expr(operand), *reversed(keys))
