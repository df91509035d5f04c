"""The type of every part of a rule, and what is wrong with it, in the words of kube-apiserver's CEL library.

`Checker.check` sets `type` on each node, and on a call the forms it may be. One wrong part has type `!error!`, which
fits everywhere, so that one mistake is told once. Source: CEL specification, "Type checking".
"""

from collections.abc import Mapping as Table
from typing import NamedTuple

from lambent.kube.schema.checking import types
from lambent.kube.schema.checking.functions import Form, functions
from lambent.kube.schema.checking.tree import (
    Broken,
    Constant,
    Expr,
    Invocation,
    Listing,
    Loop,
    Mapping,
    Member,
    Name,
)
from lambent.kube.schema.checking.types import BOOL, DYN, ERROR, INT, Bindings, Kind, Type

Fields = Table[str, Table[str, Type]]
"""Of each object type, by its name, the types of its members."""

_CONSTANTS: dict[type, Type] = {
    bool: BOOL,
    int: INT,
    float: types.DOUBLE,
    str: types.STRING,
    bytes: types.BYTES,
    type(None): types.NULL,
}
_TYPE_NAMES = ("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint", "optional_type")
_DOTTED_TYPES = (
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "kubernetes.URL",
    "kubernetes.Quantity",
    "kubernetes.Semver",
    "kubernetes.NamedFormat",
    "net.IP",
    "net.CIDR",
)


class Mistake(NamedTuple):
    """What is wrong, at an offset of the text."""

    pos: int
    text: str


class Checker:
    def __init__(self, names: Table[str, Type], fields: Fields) -> None:
        self.mistakes: list[Mistake] = []
        self.used: set[str] = set()  # variables of the rule, not of its loops
        self._fields = fields
        self._bindings = Bindings()
        self._scopes: list[dict[str, Type]] = [dict(names)]

    def check(self, node: Expr) -> Type:
        """The type of the whole; every part is checked, whatever is wrong before it."""
        self._visit(node)
        return self.final(node.type)

    def final(self, found: Type) -> Type:
        return self._bindings.resolved(found, to_dyn=True)

    def _wrong(self, pos: int, text: str) -> Type:
        self.mistakes.append(Mistake(pos, text))
        return ERROR

    def _visit(self, node: Expr) -> Type:
        match node:
            case Constant():
                found = _CONSTANTS.get(type(node.value), types.UINT)
            case Name():
                found = self._name(node)
            case Member():
                found = self._selection(node)
            case Invocation():
                found = self._invocation(node)
            case Listing():
                found = self._listing(node)
            case Mapping():
                found = self._mapping(node)
            case Loop():
                found = self._loop(node)
            case Broken():
                found = self._wrong(node.pos, node.text)
            case _:
                raise AssertionError(type(node))
        node.type = found
        return found

    # Names and members.

    def _lookup(self, name: str) -> Type | None:
        for index in range(len(self._scopes) - 1, -1, -1):
            if name in self._scopes[index]:
                if index == 0:
                    self.used.add(name)
                return self._scopes[index][name]
        if name.startswith("."):
            return self._scopes[0].get(name[1:])
        if name in _TYPE_NAMES or name in _DOTTED_TYPES:
            return Type("type", Kind.TYPE, (Type(name),))
        return None

    def _name(self, node: Name) -> Type:
        found = self._lookup(node.name)
        if found is None:
            return self._wrong(node.pos, f"undeclared reference to '{node.name}' (in container '')")
        return found

    def _selection(self, node: Member) -> Type:
        dotted = None if node.is_test else _dotted(node)
        if dotted is not None and (found := self._lookup(dotted)) is not None:
            node.is_name = True
            return found
        found = self._field(node.pos, node.operand, node.field, optional=False)
        return BOOL if node.is_test else self._bindings.resolved(found)

    def _field(self, pos: int, operand: Expr, field: str, *, optional: bool) -> Type:
        self._visit(operand)
        inner, was_optional = types.unwrapped(self._bindings.resolved(operand.type))
        found = DYN
        if inner.kind is Kind.MAP:
            found = inner.params[1]
        elif inner.kind is Kind.STRUCT:
            members = self._fields.get(inner.name, {})
            known = members.get(field, members.get(f"__{field}__"))
            found = self._wrong(pos, f"undefined field '{field}'") if known is None else known
        elif inner.kind is Kind.PARAM:
            self._bindings.assign([DYN], [inner])
        elif inner.kind not in (Kind.DYN, Kind.ERROR):
            self._wrong(pos, f"type '{inner}' does not support field selection")
        return types.optional(found) if was_optional or optional else found

    # Calls.

    def _invocation(self, node: Invocation) -> Type:
        if node.function == "_?._":
            operand, field = node.args
            field.type = types.STRING
            node.forms = (Form("_?._/0", False, (), DYN),)
            found = self._field(node.pos, operand, str(getattr(field, "value", "")), optional=True)
            return self._bindings.resolved(found)
        for arg in node.args:
            self._visit(arg)
        if node.target is not None:
            dotted = _dotted(node.target)
            if dotted is not None and f"{dotted}.{node.function}" in functions():
                node.function, node.target = f"{dotted}.{node.function}", None
            else:
                self._visit(node.target)
        return self._resolved(node)

    def _resolved(self, node: Invocation) -> Type:
        if node.function in ("_&&_", "_||_"):
            return self._logical(node)
        forms = functions().get(node.function)
        if forms is None:
            return self._wrong(node.pos, f"undeclared reference to '{node.function}' (in container '')")
        given = [arg.type for arg in (node.target, *node.args) if arg is not None]
        result: Type | None = None
        for form in forms:
            if form.is_member != (node.target is not None):
                continue
            wanted, made = self._instance(form)
            if self._bindings.assign(given, wanted):
                node.forms += (form,)
                made = self._bindings.resolved(made)
                result = made if result is None or result == made or result.is_dyn else DYN
        if result is None:
            return self._wrong(node.pos, self._mismatch(node, given))
        return result

    def _instance(self, form: Form) -> tuple[list[Type], Type]:
        """A form with type parameters of its own."""
        fresh: dict[str, Type] = {}

        def own(found: Type) -> Type:
            if found.kind is Kind.PARAM:
                return (
                    fresh.setdefault(found.name, self._bindings.fresh())
                    if found.name not in fresh
                    else fresh[found.name]
                )
            return Type(found.name, found.kind, tuple(map(own, found.params))) if found.params else found

        return [own(one) for one in form.args], own(form.result)

    def _mismatch(self, node: Invocation, given: list[Type]) -> str:
        shown = [str(self.final(one)) for one in given]
        applied = f"{shown[0]}.({', '.join(shown[1:])})" if node.target is not None else f"({', '.join(shown)})"
        return f"found no matching overload for '{node.function}' applied to '{applied}'"

    def _logical(self, node: Invocation) -> Type:
        node.forms = (Form(node.function, False, (BOOL, BOOL), BOOL),)
        found = BOOL
        for arg in node.args:
            if not self._bindings.assign([arg.type], [BOOL]):
                found = self._unexpected(arg, BOOL, arg.type)
        return found

    def _unexpected(self, node: Expr, wanted: Type, found: Type) -> Type:
        return self._wrong(node.pos, f"expected type '{wanted}' but found '{found}'")

    # Literals and loops.

    def _listing(self, node: Listing) -> Type:
        joined: Type | None = None
        for item, is_optional in node.items:
            joined = self._joined(item, joined, self._held(item, self._visit(item), is_optional=is_optional))
        return types.list_of(self._bindings.fresh() if joined is None else joined)

    def _mapping(self, node: Mapping) -> Type:
        key: Type | None = None
        value: Type | None = None
        for one, held, is_optional in node.entries:
            key = self._joined(one, key, self._visit(one))
            value = self._joined(held, value, self._held(held, self._visit(held), is_optional=is_optional))
        if key is None or value is None:
            return types.map_of(self._bindings.fresh(), self._bindings.fresh())
        return types.map_of(key, value)

    def _held(self, node: Expr, found: Type, *, is_optional: bool) -> Type:
        """What an optional item holds."""
        if not is_optional:
            return found
        inner, was_optional = types.unwrapped(found)
        if not was_optional and not inner.is_dyn:
            self._unexpected(node, types.optional(inner), inner)
        return inner

    def _joined(self, node: Expr, before: Type | None, found: Type) -> Type:
        if before is None:
            return found
        if self._bindings.assign([before], [found]):
            return types.most_general(before, found)
        return self._unexpected(node, before, found)

    def _loop(self, node: Loop) -> Type:
        self._visit(node.range)
        start = self._visit(node.start)
        self._scopes.append({node.accumulator: start})
        self._scopes.append(dict(zip(node.variables, self._each(node), strict=True)))
        self._visit(node.condition)
        self._expect(node.condition, BOOL)
        self._visit(node.step)
        self._expect(node.step, start)
        self._scopes.pop()
        result = self._visit(node.result)
        self._scopes.pop()
        return self._bindings.resolved(result)

    def _expect(self, node: Expr, wanted: Type) -> None:
        if not self._bindings.assign([wanted], [node.type]):
            self._unexpected(node, wanted, node.type)

    def _each(self, node: Loop) -> tuple[Type, ...]:
        """The types of a loop's variables."""
        over = self._bindings.resolved(node.range.type)
        pair = len(node.variables) == 2
        if over.kind is Kind.LIST:
            return (INT, over.params[0]) if pair else over.params
        if over.kind is Kind.MAP:
            return over.params if pair else over.params[:1]
        if over.kind in (Kind.DYN, Kind.ERROR, Kind.PARAM):
            self._bindings.assign([DYN], [over])
            return (DYN,) * len(node.variables)
        text = f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)"
        return (self._wrong(node.range.pos, text),) * len(node.variables)


def _dotted(node: Expr) -> str | None:
    """The qualified name that a chain of selections spells."""
    names: list[str] = []
    while isinstance(node, Member) and not node.is_test:
        names.append(node.field)
        node = node.operand
    return ".".join(reversed([*names, node.name])) if isinstance(node, Name) else None
