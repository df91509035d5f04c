"""Small constructors for Python syntax trees.

The generator builds Python's own tree and hands it to `compile`, so no text of the user can ever become code: strings
and numbers go in as constants, names are chosen by the generator. `_ast` is the built-in module; `ast` itself would
cost milliseconds of import.
"""

import _ast
from typing import Any, Final

_PLACE: Final[dict[str, Any]] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
_LOAD: Final = _ast.Load()
_STORE: Final = _ast.Store()

Expr = _ast.expr
NOT_CONSTANT: Final = object()


def name(identifier: str) -> Expr:
    """A name to be read."""
    return _ast.Name(identifier, _LOAD, **_PLACE)


def constant(value: Any) -> Expr:
    """A constant of type str, bytes, int, float, bool or None."""
    return _ast.Constant(value, None, **_PLACE)


def constant_value(expression: Expr) -> Any:
    """The value of a constant, else `NOT_CONSTANT`."""
    return expression.value if type(expression) is _ast.Constant else NOT_CONSTANT


def call(function: str, *args: Expr) -> Expr:
    """`function(args)`."""
    return _ast.Call(name(function), list(args), [], **_PLACE)


def call_value(function: Expr, *args: Expr) -> Expr:
    """A call of a computed function."""
    return _ast.Call(function, list(args), [], **_PLACE)


def attribute(variable: str, identifier: str) -> Expr:
    """`variable.identifier`."""
    return _ast.Attribute(name(variable), identifier, _LOAD, **_PLACE)


def item(value: Expr, key: Expr) -> Expr:
    """`value[key]`."""
    return _ast.Subscript(value, key, _LOAD, **_PLACE)


def conditional(test: Expr, yes: Expr, no: Expr) -> Expr:
    """`yes if test else no`."""
    return _ast.IfExp(test, yes, no, **_PLACE)


def conjunction(sides: list[Expr]) -> Expr:
    """`a and b and ...`."""
    return _ast.BoolOp(_ast.And(), sides, **_PLACE)


def disjunction(sides: list[Expr]) -> Expr:
    """`a or b or ...`."""
    return _ast.BoolOp(_ast.Or(), sides, **_PLACE)


def negation(operand: Expr) -> Expr:
    """`not operand`."""
    return _ast.UnaryOp(_ast.Not(), operand, **_PLACE)


_COMPARE: Final[dict[str, type[_ast.cmpop]]] = {
    "==": _ast.Eq, "!=": _ast.NotEq, "<": _ast.Lt, "<=": _ast.LtE, ">": _ast.Gt, ">=": _ast.GtE,
    "is": _ast.Is, "is not": _ast.IsNot, "in": _ast.In,
}  # fmt: skip


def comparison(left: Expr, op: str, right: Expr) -> Expr:
    """`left op right` for a comparison of Python."""
    return _ast.Compare(left, [_COMPARE[op]()], [right], **_PLACE)


def list_of(items: list[Expr]) -> Expr:
    """`[items]`."""
    return _ast.List(items, _LOAD, **_PLACE)


def dict_of(keys: list[Expr], values: list[Expr]) -> Expr:
    """`{keys: values}`."""
    return _ast.Dict(list(keys), values, **_PLACE)


def lambda_of(parameters: list[str], body: Expr) -> Expr:
    """`lambda parameters: body`."""
    return _ast.Lambda(_parameters(parameters), body, **_PLACE)


def comprehension(body: Expr, variable: str, items: Expr, tests: list[Expr], *, lazy: bool = False) -> Expr:
    """`[body for variable in items if tests]`, or the generator expression if lazy."""
    clause = _ast.comprehension(_ast.Name(variable, _STORE, **_PLACE), items, tests, 0)
    kind = _ast.GeneratorExp if lazy else _ast.ListComp
    return kind(body, [clause], **_PLACE)


def assign(variable: str, value: Expr) -> _ast.stmt:
    """`variable = value`."""
    return _ast.Assign([_ast.Name(variable, _STORE, **_PLACE)], value, None, **_PLACE)


def give(value: Expr) -> _ast.stmt:
    """`return value`."""
    return _ast.Return(value, **_PLACE)


def guarded(body: list[_ast.stmt], caught: str, variable: str | None, handler: list[_ast.stmt]) -> _ast.stmt:
    """`try: body` with `except caught as variable: handler`."""
    clause = _ast.ExceptHandler(name(caught), variable, handler or [_ast.Pass(**_PLACE)], **_PLACE)
    return _ast.Try(body, [clause], [], [], **_PLACE)


def define(identifier: str, parameter: str, body: list[_ast.stmt], namespace: dict[str, Any]) -> Any:
    """The function `identifier(parameter)` with a body, compiled with `namespace` as its globals."""
    parts: dict[str, Any] = {"name": identifier, "args": _parameters([parameter]), "body": body, "decorator_list": []}
    if "type_params" in _ast.FunctionDef._fields:
        parts["type_params"] = []
    definition = _ast.FunctionDef(**parts, **_PLACE)
    code = compile(_ast.Module([definition], []), "<cel>", "exec", dont_inherit=True, optimize=1)
    namespace["__builtins__"] = {}
    exec(code, namespace)
    return namespace.pop(identifier)


def _parameters(names: list[str]) -> _ast.arguments:
    return _ast.arguments([], [_ast.arg(each, None, None, **_PLACE) for each in names], None, [], [], None, [])
