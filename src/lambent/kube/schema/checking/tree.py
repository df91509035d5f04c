"""A rule as the type checker sees it: operators are calls, macros are loops over an accumulator.

The syntax tree keeps macros whole, since they run faster that way; types and costs are defined on what they expand to.
Each node has the offset at which kube-apiserver reports it. Source: CEL specification, "Macros".
"""

from collections.abc import Callable

from lambent.cel import syntax
from lambent.kube.schema.checking.functions import Form
from lambent.kube.schema.checking.types import Type

ACCUMULATOR = "@result"
# No function of kube-apiserver's rules, although the language package knows them
_NOT_THERE = frozenset(("cel.bind", "sortBy", "reduce"))


class Expr:
    """Any node; `type` and, of a call, `forms` are set by the checker."""

    __slots__ = ("pos", "type")
    type: Type

    def __init__(self, pos: int) -> None:
        self.pos = pos


class Constant(Expr):
    __slots__ = ("value",)

    def __init__(self, pos: int, value: object) -> None:
        super().__init__(pos)
        self.value = value


class Name(Expr):
    __slots__ = ("name",)

    def __init__(self, pos: int, name: str) -> None:
        super().__init__(pos)
        self.name = name


class Member(Expr):
    """`operand.field`; `is_test` of `has(operand.field)`. The checker says whether the whole `is_name`, in parts."""

    __slots__ = ("field", "is_name", "is_test", "operand")

    def __init__(self, pos: int, operand: Expr, field: str, *, is_test: bool = False) -> None:
        super().__init__(pos)
        self.operand = operand
        self.field = field
        self.is_test = is_test
        self.is_name = False


class Broken(Expr):
    """A part that is no expression, and what is told of it."""

    __slots__ = ("text",)

    def __init__(self, pos: int, text: str) -> None:
        super().__init__(pos)
        self.text = text


class Invocation(Expr):
    __slots__ = ("args", "forms", "function", "target")
    forms: tuple[Form, ...]

    def __init__(self, pos: int, function: str, target: Expr | None, args: tuple[Expr, ...]) -> None:
        super().__init__(pos)
        self.function = function
        self.target = target
        self.args = args
        self.forms = ()


class Listing(Expr):
    """Items as (node, is optional)."""

    __slots__ = ("items",)

    def __init__(self, pos: int, items: tuple[tuple[Expr, bool], ...]) -> None:
        super().__init__(pos)
        self.items = items


class Mapping(Expr):
    """Entries as (key, value, is optional)."""

    __slots__ = ("entries",)

    def __init__(self, pos: int, entries: tuple[tuple[Expr, Expr, bool], ...]) -> None:
        super().__init__(pos)
        self.entries = entries


class Loop(Expr):
    """Over `range`, from `start`: while `condition` holds the accumulator becomes `step`; at the end, `result`."""

    __slots__ = ("accumulator", "condition", "range", "result", "start", "step", "variables")

    def __init__(
        self, pos: int, over: Expr, variables: tuple[str, ...], accumulator: str, start: Expr, parts: tuple[Expr, ...]
    ) -> None:
        super().__init__(pos)
        self.range = over
        self.variables = variables
        self.accumulator = accumulator
        self.start = start
        self.condition, self.step, self.result = parts

    @property
    def is_binding(self) -> bool:
        """Whether it only gives a value a name."""
        return isinstance(self.range, Listing) and not self.range.items and self.accumulator != ACCUMULATOR


def expanded(node: syntax.Node, text: str) -> Expr:
    """`text` is what the node was parsed from."""
    return _Expansion(text).expr(node)


class _Expansion:
    def __init__(self, text: str) -> None:
        self.text = text

    def expr(self, node: syntax.Node) -> Expr:
        if isinstance(node, syntax.Literal):
            return Constant(node.pos, node.value)
        if isinstance(node, syntax.Ident):
            return Name(node.pos + 1, f".{node.name}") if node.absolute else Name(node.pos, node.name)
        if isinstance(node, syntax.Message):
            return Name(node.pos, node.name)
        if isinstance(node, syntax.ListLiteral):
            return Listing(node.pos, tuple((self.expr(one), optional) for one, optional in node.items))
        if isinstance(node, syntax.MapLiteral):
            entries = tuple((self.expr(key), self.expr(value), optional) for key, value, optional in node.entries)
            return Mapping(node.pos, entries)
        return self._macro(node) if isinstance(node, syntax.Macro) else self._operation(node)

    def _operation(self, node: syntax.Node) -> Expr:
        match node:
            case syntax.Select():
                operand = self.expr(node.operand)
                if node.optional:
                    return Invocation(node.pos, "_?._", None, (operand, Constant(node.pos, node.field)))
                return Member(node.pos, operand, node.field)
            case syntax.Index():
                function = "_[?_]" if node.optional else "_[_]"
                return Invocation(node.pos, function, None, (self.expr(node.operand), self.expr(node.key)))
            case syntax.Call():
                return self._call(node)
            case syntax.Unary():
                return Invocation(node.pos, f"{node.op}_", None, (self.expr(node.operand),))
            case syntax.Binary():
                return self._binary(node)
            case syntax.Ternary():
                parts = (self.expr(node.condition), self.expr(node.yes), self.expr(node.no))
                return Invocation(node.pos, "_?_:_", None, parts)
        raise AssertionError(type(node))

    def _binary(self, node: syntax.Binary) -> Expr:
        first, *_ = chain = syntax.left_chain(node)
        out = self.expr(first.left)
        for one in chain:
            function = "@in" if one.op == "in" else f"_{one.op}_"
            out = Invocation(one.pos, function, None, (out, self.expr(one.right)))
        return out

    def _call(self, node: syntax.Call) -> Expr:
        target = None if node.target is None else self.expr(node.target)
        return Invocation(self._parenthesis(node.pos), node.function, target, tuple(map(self.expr, node.args)))

    def _parenthesis(self, pos: int) -> int:
        """A call is reported at its parenthesis."""
        at = self.text.find("(", pos)
        return pos if at < 0 else at

    def _macro(self, node: syntax.Macro) -> Expr:
        pos = self._parenthesis(node.pos)
        args = tuple(map(self.expr, node.args))
        if node.name == "has":
            return self._has(args[0], pos)
        written = self.text[node.pos : pos].strip()
        is_there = node.name not in _NOT_THERE and (written != "existsOne" or len(node.variables) == 2)
        if node.target is None or not is_there:
            return self._plain_call(node, written, pos, args)
        target = self.expr(node.target)
        if node.name in ("optMap", "optFlatMap"):
            return _optional(pos, node, target, args[0])
        return _LOOPS[node.name](pos, target, node.variables, args)

    def _plain_call(self, node: syntax.Macro, written: str, pos: int, args: tuple[Expr, ...]) -> Expr:
        """A macro that rules do not have is a call like any other, and its variables are names."""
        target = None if node.target is None else self.expr(node.target)
        if node.name == "cel.bind":
            target = Name(self.text.rfind("cel", 0, node.pos), "cel")
        at, names = pos, []
        for one in node.variables:
            at = self.text.find(one, at)
            names.append(Name(at, one))
        return Invocation(pos, written, target, (*names, *args))

    def _has(self, operand: Expr, pos: int) -> Expr:
        if isinstance(operand, Member):
            return Member(pos, operand.operand, operand.field, is_test=True)
        return Broken(operand.pos, "invalid argument to has() macro")


def _call(pos: int, function: str, *args: Expr) -> Expr:
    return Invocation(pos, function, None, args)


def _loop(pos: int, over: Expr, names: tuple[str, ...], start: Expr, *parts: Expr) -> Expr:
    return Loop(pos, over, names, ACCUMULATOR, start, parts)


def _every(pos: int, over: Expr, names: tuple[str, ...], args: tuple[Expr, ...]) -> Expr:
    accumulated = Name(pos, ACCUMULATOR)
    condition = _call(pos, "@not_strictly_false", accumulated)
    return _loop(
        pos, over, names, Constant(pos, True), condition, _call(pos, "_&&_", accumulated, args[0]), accumulated
    )


def _some(pos: int, over: Expr, names: tuple[str, ...], args: tuple[Expr, ...]) -> Expr:
    accumulated = Name(pos, ACCUMULATOR)
    condition = _call(pos, "@not_strictly_false", _call(pos, "!_", accumulated))
    step = _call(pos, "_||_", accumulated, args[0])
    return _loop(pos, over, names, Constant(pos, False), condition, step, accumulated)


def _one(pos: int, over: Expr, names: tuple[str, ...], args: tuple[Expr, ...]) -> Expr:
    accumulated, one = Name(pos, ACCUMULATOR), Constant(pos, 1)
    step = _call(pos, "_?_:_", args[0], _call(pos, "_+_", accumulated, one), accumulated)
    return _loop(pos, over, names, Constant(pos, 0), Constant(pos, True), step, _call(pos, "_==_", accumulated, one))


def _collected(pos: int, over: Expr, names: tuple[str, ...], tests: tuple[Expr, ...], value: Expr) -> Expr:
    accumulated = Name(pos, ACCUMULATOR)
    step = _call(pos, "_+_", accumulated, Listing(pos, ((value, False),)))
    if tests:
        step = _call(pos, "_?_:_", tests[0], step, accumulated)
    return _loop(pos, over, names, Listing(pos, ()), Constant(pos, True), step, accumulated)


def _mapped(pos: int, over: Expr, names: tuple[str, ...], args: tuple[Expr, ...]) -> Expr:
    return _collected(pos, over, names, args[:-1], args[-1])


def _filtered(pos: int, over: Expr, names: tuple[str, ...], args: tuple[Expr, ...]) -> Expr:
    return _collected(pos, over, names, args, Name(pos, names[0]))


def _inserted(pos: int, over: Expr, names: tuple[str, ...], tests: tuple[Expr, ...], *added: Expr) -> Expr:
    accumulated = Name(pos, ACCUMULATOR)
    step = _call(pos, "cel.@mapInsert", accumulated, *added)
    if tests:
        step = _call(pos, "_?_:_", tests[0], step, accumulated)
    return _loop(pos, over, names, Mapping(pos, ()), Constant(pos, True), step, accumulated)


def _values(pos: int, over: Expr, names: tuple[str, ...], args: tuple[Expr, ...]) -> Expr:
    return _inserted(pos, over, names, args[:-1], Name(pos, names[0]), args[-1])


def _entries(pos: int, over: Expr, names: tuple[str, ...], args: tuple[Expr, ...]) -> Expr:
    return _inserted(pos, over, names, args[:-1], args[-1])


def _optional(pos: int, node: syntax.Macro, target: Expr, body: Expr) -> Expr:
    """Of an optional's value, if there is one."""
    name = node.variables[0]
    held = Invocation(pos, "value", target, ())
    bound: Expr = Loop(pos, Listing(pos, ()), ("#unused",), name, held, (Constant(pos, False), Name(pos, name), body))
    if node.name == "optMap":
        bound = _call(pos, "optional.of", bound)
    has = Invocation(pos, "hasValue", target, ())
    return _call(pos, "_?_:_", has, bound, _call(pos, "optional.none"))


_LOOPS: dict[str, Callable[[int, Expr, tuple[str, ...], tuple[Expr, ...]], Expr]] = {
    "all": _every,
    "exists": _some,
    "exists_one": _one,
    "map": _mapped,
    "filter": _filtered,
    "transformList": _mapped,
    "transformMap": _values,
    "transformMapEntry": _entries,
}
