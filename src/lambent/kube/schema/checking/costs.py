"""What a rule may cost at worst, in kube-apiserver's units: about one for each operation, more where sizes count.

A text's or list's greatest size comes from the schema by the path that leads to it, or from what the rule makes of
others. A loop costs its body as often as its range can have elements. Only the greatest cost matters, but ranges are
kept from both ends, since a smaller part can make a larger result. Source: Kubernetes docs, "Resource use by validation
functions"; factors as its CEL library has them.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from lambent.kube.schema.checking.declared import Declared
from lambent.kube.schema.checking.tree import (
    ACCUMULATOR,
    Constant,
    Expr,
    Invocation,
    Listing,
    Loop,
    Mapping,
    Member,
    Name,
)
from lambent.kube.schema.checking.types import Kind, Type

MOST = 2**64 - 1
"""No bound is known."""
_OF_TEXT, _OF_PATTERN = 0.1, 0.25
_NEW_LIST, _NEW_MAP = 10, 30
_NAME_PATTERN = 128 * _OF_PATTERN
_SCALARS = ("bool", "double", "duration", "int", "timestamp", "uint")

Path = tuple[str, ...] | None


class Range(NamedTuple):
    """A size or a cost, from least to most."""

    least: int
    most: int

    def plus(self, other: "Range") -> "Range":
        return Range(_bounded(self.least + other.least), _bounded(self.most + other.most))

    def times(self, other: "Range") -> "Range":
        return Range(_bounded(self.least * other.least), _bounded(self.most * other.most))

    def by(self, factor: float) -> "Range":
        return Range(_scaled(self.least, factor), _scaled(self.most, factor))

    def either(self, other: "Range") -> "Range":
        return Range(min(self.least, other.least), max(self.most, other.most))


UNKNOWN, ONE, NOTHING = Range(0, MOST), Range(1, 1), Range(0, 0)


def fixed(size: int) -> Range:
    return Range(size, size)


def _bounded(value: int) -> int:
    return min(value, MOST)


def _scaled(value: int, factor: float) -> int:
    scaled = math.ceil(float(value) * factor)
    return min(scaled, MOST)


class Entries(NamedTuple):
    """The sizes of a container's keys (or indices) and values."""

    is_list: bool
    key: Range
    value: Range


Made = tuple[Range, Range | None]
"""What a call costs, and the size of what it makes where that is known."""


class _Local(NamedTuple):
    path: Path
    size: Range | None
    entries: Entries | None


class Node(NamedTuple):
    """A part of a rule as functions see it."""

    path: Path
    type: Type
    size: Range | None
    expr: Expr | None


def worst_cost(rule: Expr, root: Declared, final: Callable[[Type], Type]) -> int:
    """`rule` must have been checked; `root` is what its `self` is, `final` settles a type."""
    return _Coster(root, final).cost(rule).most


class _Coster:
    def __init__(self, root: Declared, final: Callable[[Type], Type]) -> None:
        self._root = root
        self._final = final
        self._paths: dict[int, Path] = {}
        self._locals: dict[str, list[_Local]] = {}
        self._sizes: dict[int, Range] = {}
        self._entries: dict[int, Entries] = {}

    def cost(self, node: Expr) -> Range:
        match node:
            case Constant():
                return NOTHING
            case Name():
                local = self._local(node.name)
                self._paths[id(node)] = local.path if local else (node.name,)
                return ONE
            case Member():
                return self._member(node)
            case Invocation():
                return self._invocation(node)
            case Listing():
                return self._listing(node)
            case Mapping():
                return self._mapping(node)
            case Loop():
                return self._binding(node) if node.is_binding else self._loop(node)
        raise AssertionError(type(node))

    # What is known of a node.

    def _type(self, node: Expr) -> Type:
        return self._final(node.type)

    def _local(self, name: str) -> _Local | None:
        stack = self._locals.get(name)
        return stack[-1] if stack else None

    def _path(self, node: Expr) -> Path:
        if isinstance(node, Name) and (local := self._local(node.name)):
            return local.path
        return self._paths.get(id(node))

    def _node(self, node: Expr) -> Node:
        path = self._path(node)
        if path and path[0] == ACCUMULATOR:
            path = None
        return Node(path, self._type(node), self._size(node), node)

    def _declared(self, path: Path) -> Range | None:
        """The size the schema gives what a path leads to."""
        if not path:
            return None
        found: Declared | None = self._root
        for step in path[1:]:
            if found is None:
                return None
            if step in ("@items", "@values"):
                found = found.element
            elif step == "@keys":
                found = found.key
            else:
                found = found.members.get(step)
        return None if found is None else Range(0, found.most)

    def _size(self, node: Expr) -> Range | None:
        if id(node) in self._sizes:
            return self._sizes[id(node)]
        if (own := _own_size(node)) is not None:
            return own
        if (known := self._declared(self._path(node))) is not None:
            self._sizes[id(node)] = known
            return known
        if _is_scalar(self._type(node)):
            return ONE
        local = self._local(node.name) if isinstance(node, Name) else None
        return local.size if local else None

    def _size_or_unknown(self, node: Expr) -> Range:
        return self._size(node) or UNKNOWN

    def estimate(self, node: Node) -> Range:
        return node.size or self._declared(node.path) or UNKNOWN

    def _entries_of(self, node: Expr) -> Entries | None:
        if id(node) in self._entries:
            return self._entries[id(node)]
        local = self._local(node.name) if isinstance(node, Name) else None
        return local.entries if local else None

    def _keep(self, node: Expr, size: Range | None, entries: Entries | None = None) -> None:
        if size is not None:
            self._sizes[id(node)] = size
        if entries is not None:
            self._entries[id(node)] = entries

    # Nodes.

    def _member(self, node: Member) -> Range:
        if node.is_name:
            self._paths[id(node)] = (node.field,)
            return ONE
        total = self.cost(node.operand)
        if node.is_test:
            return total
        if self._type(node.operand).kind in (Kind.MAP, Kind.STRUCT, Kind.PARAM):
            total = total.plus(ONE)
        self._paths[id(node)] = (*(self._path(node.operand) or ()), node.field)
        return total

    def _listing(self, node: Listing) -> Range:
        total = fixed(_NEW_LIST)
        value = Range(MOST if node.items else 0, 0)
        for item, _ in node.items:
            total = total.plus(self.cost(item))
            value = value.either(self._size_or_unknown(item))
        self._keep(node, None, Entries(True, ONE, value))
        return total

    def _mapping(self, node: Mapping) -> Range:
        total = fixed(_NEW_MAP)
        key = value = Range(MOST if node.entries else 0, 0)
        for one, held, _ in node.entries:
            total = total.plus(self.cost(one)).plus(self.cost(held))
            key, value = key.either(self._size_or_unknown(one)), value.either(self._size_or_unknown(held))
        self._keep(node, None, Entries(False, key, value))
        return total

    def _loop(self, node: Loop) -> Range:
        total = self.cost(node.range).plus(self.cost(node.start))
        local = _Local(self._path(node.start), self._size(node.start), self._entries_of(node.start))
        self._locals.setdefault(node.accumulator, []).append(local)
        for name, variable in self._variables(node):
            self._locals.setdefault(name, []).append(variable)
        condition, step = self.cost(node.condition), self.cost(node.step)
        for name in node.variables:
            self._locals[name].pop()
        total = total.plus(self.cost(node.result))
        self._locals[node.accumulator].pop()
        count = self._size_or_unknown(node.range)
        if isinstance(node.start, Constant):
            self._keep(node, self._size(node.start))
        elif isinstance(node.start, (Listing, Mapping)):
            self._keep(node, count, self._entries_of(node.step))
        return total.plus(count.times(step.plus(condition)))

    def _variables(self, node: Loop) -> list[tuple[str, _Local]]:
        over, entries = self._path(node.range) or (), self._entries_of(node.range)
        is_list = entries.is_list if entries else self._type(node.range).kind is Kind.LIST
        key = _Local((*over, "@indices" if is_list else "@keys"), entries and entries.key, None)
        value = _Local((*over, "@items" if is_list else "@values"), entries and entries.value, None)
        if len(node.variables) == 2:
            return list(zip(node.variables, (key, value), strict=True))
        return [(node.variables[0], value if is_list else key)]

    def _binding(self, node: Loop) -> Range:
        total = self.cost(node.range).plus(self.cost(node.start))
        local = _Local(self._path(node.start), self._size(node.start), self._entries_of(node.start))
        self._locals.setdefault(node.accumulator, []).append(local)
        total = total.plus(self.cost(node.result))
        self._locals[node.accumulator].pop()
        self._keep(node, self._size(node.result), self._entries_of(node.result))
        return total

    # Calls.

    def _invocation(self, node: Invocation) -> Range:
        if node.function == "dyn" and len(node.args) == 1:
            total = ONE.plus(self.cost(node.args[0]))
            self._keep(node, self._size(node.args[0]), self._entries_of(node.args[0]))
            return total
        costs = [self.cost(arg) for arg in node.args]
        args = [self._node(arg) for arg in node.args]
        if not node.forms:
            return NOTHING
        total, target = NOTHING, None
        if node.target is not None:
            total = self.cost(node.target)
            target = self._node(node.target)
        spent, size = Range(MOST, 0), None
        for form in node.forms:
            cost, made = self._form(node, form.id, target, args, costs)
            spent = spent.either(cost)
            if made is not None:
                size = made if size is None else size.either(made)
            if form.id in ("_[_]/0", "_[_]/1") and node.args:
                entries = self._entries_of(node.args[0])
                size = entries.value if entries else None
                step = "@items" if form.id == "_[_]/0" else "@values"
                self._paths[id(node)] = (*(self._path(node.args[0]) or ()), step)
            if size is None:
                size = self._size(node)
        self._keep(node, size)
        return total.plus(spent)

    def _form(self, node: Invocation, form: str, target: Node | None, args: list[Node], costs: list[Range]) -> Made:
        """The cost of one form with its arguments, and the size of what it makes where that is known."""
        given = NOTHING
        for cost in costs:
            given = given.plus(cost)
        found = self._library(node.function, form, target, args)
        if found is not None:
            return found[0].plus(given), found[1]
        if form in ("_&&_", "_||_"):
            return Range(costs[0].least, costs[0].plus(costs[1]).most), None
        if form == "_?_:_/0":
            one, other = (self._entries_of(arg) for arg in node.args[1:])
            self._keep(node, None, _common(one, other))
            size = (args[1].size or UNKNOWN).either(args[2].size or UNKNOWN)
            return costs[0].plus(costs[1].either(costs[2])), size
        if form in ("_+_/0", "_+_/6", "_+_/7"):
            size = (args[0].size or UNKNOWN).plus(args[1].size or UNKNOWN)
            self._keep(node, None, _common(*(self._entries_of(arg) for arg in node.args)))
            return (ONE if form == "_+_/6" else size.by(_OF_TEXT)).plus(given), size
        cost, made = _core(form, target, args)
        return cost.plus(given), made

    def _item(self, node: Node) -> Node | None:
        """Any item of a list."""
        if not node.type.params:
            return None
        return Node((*node.path, "@items") if node.path else None, node.type.params[0], None, None)

    def _library(self, function: str, form: str, target: Node | None, args: list[Node]) -> Made | None:
        """What one of Kubernetes' own functions costs and makes; None for others."""
        if function in _NOMINAL or form == "ip/1":
            return ONE, None
        if function in _BY_FIRST and args:
            size = self.estimate(args[0])
            return size.by(_BY_FIRST[function]), size if function == "url" else None
        if function in _OF_SETS:
            return self.estimate(args[0]).times(self.estimate(args[1])).by(_OF_SETS[function]).plus(ONE), None
        if function == "validate":
            return self.estimate(args[0]).by(_OF_TEXT).by(_NAME_PATTERN), None
        if function in ("containsIP", "containsCIDR"):
            return self._network(form, args[0]), None
        if function == "_==_" and args[0].type == args[1].type:
            return _equality(args[0].type, args[1])
        return None if target is None else self._of_target(function, target, args)

    def _of_target(self, function: str, target: Node, args: list[Node]) -> Made | None:
        if function in _OF_LISTS:
            return self._whole_list(target), None
        size = self.estimate(target)
        match function:
            case "lowerAscii" | "upperAscii" | "substring" | "trim":
                return size.by(_OF_TEXT), size
            case "replace":
                return size.by(2 * _OF_TEXT), _replaced(size, self.estimate(args[0]), self.estimate(args[1]))
            case "split":
                return size.by(2 * _OF_TEXT), Range(0, _limit(args, size.most))
            case "join":
                joined = self._joined(target, size, args)
                return joined.by(_OF_TEXT), joined
            case "find" | "findAll":
                patterns = self.estimate(args[0]).by(_OF_PATTERN)
                return size.plus(ONE).by(_OF_TEXT).times(patterns), Range(0, size.most)
        return None

    def _network(self, form: str, other: Node) -> Range:
        address = Range(4, 16)  # bytes of an address
        total = address.plus(address).by(_OF_TEXT)
        if form.startswith("containsCIDR"):
            total = total.plus(address.by(_OF_TEXT)).plus(ONE)
        return total.plus(self.estimate(other).by(_OF_TEXT)) if form.endswith("/0") else total

    def _whole_list(self, target: Node) -> Range:
        item = self._item(target)
        if item is None:  # indexOf of a text
            return self.estimate(target).by(_OF_TEXT)
        each = ONE
        if item.type.name in ("string", "bytes"):
            each = each.plus(self.estimate(item).by(_OF_TEXT))
        return self.estimate(target).times(each)

    def _joined(self, target: Node, count: Range, args: list[Node]) -> Range:
        item = self._item(target)
        size = count.times(self.estimate(item)) if item is not None else NOTHING
        if not args:
            return size
        between = Range(max(count.least - 1, 0), max(count.most - 1, 0))
        return size.plus(self.estimate(args[0]).times(between))


_NOMINAL = frozenset(
    (
        "masked", "prefixLength", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast",
        "isLinkLocalUnicast", "isGlobalUnicast", "format.named", "sign", "asInteger", "isInteger",
        "asApproximateFloat", "isGreaterThan", "isLessThan", "compareTo", "add", "sub", "major", "minor", "patch",
        "getScheme", "getHostname", "getHost", "getPort", "getEscapedPath", "getQuery",
    )
)  # fmt: skip
_BY_FIRST = {
    **dict.fromkeys(("url", "cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver"), _OF_TEXT),
    "ip.isCanonical": 2 * _OF_TEXT,
}
_OF_SETS = {"sets.contains": 1.0, "sets.intersects": 1.0, "sets.equivalent": 2.0}
_OF_LISTS = frozenset(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"))
_FIXED_EQUALITY = frozenset(("net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"))
_LONGEST_FORMAT = 64
# Forms that compare texts or bytes: of each comparison the fifth and sixth
_ORDERED = frozenset(f"{sign}/{index}" for sign in ("_<_", "_<=_", "_>_", "_>=_") for index in (4, 5))


def _core(form: str, target: Node | None, args: list[Node]) -> Made:
    """The cost of one of CEL's own functions, and the size of what it makes."""
    sizes = [arg.size or UNKNOWN for arg in args]
    subject = (target.size or UNKNOWN) if target is not None else UNKNOWN
    if form == "format/0":
        return subject.by(_OF_TEXT), None
    if form == "bytes/1":
        return sizes[0].by(_OF_TEXT), Range(sizes[0].least, _bounded(sizes[0].most * 4))
    if form == "string/2":
        return sizes[0].by(_OF_TEXT), Range(sizes[0].least // 4, sizes[0].most)
    if form == "strings.quote/0":
        return sizes[0].by(_OF_TEXT), Range(sizes[0].least + 2, _bounded(sizes[0].most * 2 + 2))
    if form in ("startsWith/0", "endsWith/0"):
        return sizes[0].by(_OF_TEXT), None
    if form == "@in/0":
        return sizes[1].by(1), None
    if form == "matches/1":
        return subject.plus(ONE).by(_OF_TEXT).times(sizes[0].by(_OF_PATTERN)), None
    if form == "contains/0":
        return subject.by(_OF_TEXT).times(sizes[0].by(_OF_TEXT)), None
    if form in _ORDERED or form in ("_==_/0", "_!=_/0"):
        most = min(sizes[0].most, sizes[1].most)
        return Range(1 if most > 0 else 0, most).by(_OF_TEXT), None
    return ONE, None


def _own_size(node: Expr) -> Range | None:
    """The size a literal shows."""
    if isinstance(node, Constant):
        return fixed(len(node.value)) if isinstance(node.value, (str, bytes)) else ONE
    if isinstance(node, Listing):
        return fixed(len(node.items))
    return fixed(len(node.entries)) if isinstance(node, Mapping) else None


def _is_scalar(found: Type) -> bool:
    return found.name in _SCALARS or (found.is_optional and _is_scalar(found.params[0]))


def _common(one: Entries | None, other: Entries | None) -> Entries | None:
    if one is None or other is None:
        return None
    return Entries(one.is_list, one.key.either(other.key), one.value.either(other.value))


def _equality(found: Type, right: Node) -> Made | None:
    """Of two values of one of Kubernetes' own types."""
    if found.name in _FIXED_EQUALITY:
        return ONE, None
    if found.name == "kubernetes.NamedFormat":
        return Range(1, _LONGEST_FORMAT).by(_OF_TEXT), None
    if found.name == "kubernetes.URL":
        return Range(1, right.size.most if right.size else 1).by(_OF_TEXT), None
    return None


def _replaced(size: Range, old: Range, new: Range) -> Range:
    """How long a text can be in which something was replaced; replacing nothing puts something beside each sign."""
    most_count, most_kept = 0, 0
    if old.least == 0:
        most_count, most_kept = min(size.most + 1, MOST), size.most
    elif new.most <= old.least:
        most_kept = size.most
    else:
        most_count = math.ceil(size.most / old.least)
    least_count, least_kept = 0, 0
    if old.most == 0:
        least_count, least_kept = size.least + 1, size.least
    elif old.most <= new.least:
        least_kept = size.least
    else:
        least_count = math.ceil(size.least / old.most)
    return Range(least_count, most_count).times(new).plus(Range(least_kept, most_kept))


def _limit(args: list[Node], otherwise: int) -> int:
    if len(args) > 1 and isinstance(args[1].expr, Constant) and type(args[1].expr.value) is int:
        return args[1].expr.value % 2**64
    return otherwise
