"""Small wrong changes of a module, one at a time: what a test suite has to notice.

`mutants_of` walks the tree of a source text and yields a changed text per change: comparisons and conditions turned
round, constants moved, results and branches dropped. A docstring, an annotation and a base class are no behaviour and
stay. A mutant is named by its function, the text before and the text after, so that a list of names outlives edits
elsewhere in the file.
"""

import ast
import copy
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_CALLS = {"all": "any", "any": "all", "min": "max", "max": "min"}
_MAX_NAME = 70


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` is unique within the module; `source` is the whole changed text."""

    name: str
    line: int
    source: str


def mutants_of(source: str, functions: Collection[str] = ()) -> Iterator[Mutant]:
    """Every mutant of a text, or only of these functions (`name` or `Class.name`)."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for where, node in _behaviour(tree, ""):
        if functions and where not in functions:
            continue
        for changed in _changes(node):
            before, after = _text(node), _text(changed)
            name = f"{where or 'module'}: {before} -> {after}"
            seen[name] += 1
            numbered = name if seen[name] == 1 else f"{name} #{seen[name]}"
            yield Mutant(numbered, getattr(node, "lineno", 0), _replaced(tree, node, changed))


def _behaviour(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST]]:
    """Nodes that do something, each with the function that it stands in."""
    for child in ast.iter_child_nodes(node):
        if _is_silent(node, child):
            continue
        inner = where
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{where}.{child.name}" if where else child.name
        yield inner, child
        yield from _behaviour(child, inner)


def _is_silent(parent: ast.AST, child: ast.AST) -> bool:
    """Annotations, decorators, base classes, docstrings and imports."""
    if isinstance(parent, ast.AnnAssign | ast.arg) and child is parent.annotation:
        return True
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and (
        child is parent.returns or child in parent.decorator_list
    ):
        return True
    if isinstance(parent, ast.ClassDef) and (child in parent.bases or child in parent.decorator_list):
        return True
    is_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
    return is_text or isinstance(child, ast.Import | ast.ImportFrom)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            yield ast.Compare(node.left, [_COMPARISONS[type(op)]()], node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield ast.BinOp(node.left, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), node.right)
        case ast.Constant():
            yield from _constants(node)
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield ast.Call(ast.Name(_CALLS[name], ast.Load()), node.args, node.keywords)
        case ast.If() | ast.IfExp() | ast.While():
            yield from _conditions(node)
        case ast.Return(value=ast.expr()):
            yield from [] if _is_none(node.value) else [ast.Return(ast.Constant(None))]
        case ast.Continue() | ast.Break() | ast.Delete() | ast.Raise():
            yield ast.Pass()
        case ast.Expr(value=ast.Yield() | ast.YieldFrom() | ast.Call()):
            # A generator without any yield would be another thing altogether, so the value goes and the yield stays.
            yield ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())) if not isinstance(node.value, ast.Call) else _NONE)
        case ast.comprehension(ifs=[_, *_]):
            yield ast.comprehension(node.target, node.iter, [], node.is_async)


_NONE = ast.Constant(None)


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int() | float():
            yield ast.Constant(node.value + 1)
        case str():
            yield ast.Constant(node.value + "~")
        case _:
            return


def _conditions(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    """Always and never; a comparison inside is turned round besides."""
    for value in (True, False) if not isinstance(node, ast.While) else (False,):
        changed = copy.copy(node)
        changed.test = ast.Constant(value)
        yield changed


def _text(node: ast.AST) -> str:
    """The first line of a node, shortened."""
    if isinstance(node, ast.comprehension):
        node = ast.GeneratorExp(ast.Constant(...), [node])
    first = ast.unparse(ast.fix_missing_locations(node)).splitlines()[0]
    return first if len(first) <= _MAX_NAME else first[: _MAX_NAME - 1] + "…"


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._old:
            return self._new
        # Copies, because the tree serves every mutant.
        return self.generic_visit(copy.copy(node))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(node, name, [self.visit(item) if isinstance(item, ast.AST) else item for item in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node


def _replaced(tree: ast.Module, old: ast.AST, new: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(_Replace(old, new).visit(tree)))
