"""CEL rules of a schema (`x-kubernetes-validations`), compiled once into a tree that follows only nodes with rules.

A transition rule (one that names `oldSelf`) runs only where an old value correlates: members by name, map values by
key, items of keyed lists by their keys; with `optionalOldSelf` it always runs. Source: Kubernetes docs, "Validation
rules".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from lambent import cel
from lambent.cel import CelError
from lambent.cel.values import OptionalValue
from lambent.kube.schema.cel_values import Convert, converter
from lambent.kube.schema.names import with_plain_names
from lambent.kube.schema.problems import Problem
from lambent.kube.schema.ratcheting import ABSENT, is_same

_NAMES = frozenset({"self", "oldSelf"})
_NO_KEY = re.compile(r'no such key "([^"]*)" in ')
_MISSING: Any = ABSENT
# What the expression language says -> what kube-apiserver's does, where both say it without a value
_IN_KUBERNETES = {
    "the optional has no value": "optional.none() dereference",
    "max: the list is empty": "max called on empty list",
    "min: the list is empty": "min called on empty list",
    "the string does not spell an int": "type conversion error from 'string' to 'int'",
    "the string does not spell a uint": "type conversion error from 'string' to 'uint'",
    "the string does not spell a double": "type conversion error from 'string' to 'double'",
    "the string does not spell a bool": "type conversion error from 'string' to 'bool'",
    "double outside the range of int": "integer overflow",
    "the quantity is not a whole number": "cannot convert value to integer",
    "the bytes are not UTF-8": "invalid UTF-8 in bytes, cannot convert to string",
}
_TYPES = {"object": "object", "array": "array", "string": "string", "integer": "integer", "number": "number"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule; `at` is where a failure is reported, relative to the node."""

    text: str
    program: cel.Program
    message: str
    message_program: cel.Program | None
    reason: str
    at: str
    is_transition: bool
    optional_old: bool


@dataclass(slots=True)
class _Node:
    rules: list[Rule] = field(default_factory=list)
    members: "dict[str, _Node]" = field(default_factory=dict)
    values: "_Node | None" = None
    items: "_Node | None" = None
    keys: tuple[str, ...] = ()
    type: str = "object"
    convert: Convert | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.rules or self.members or self.values or self.items)


class Rules:
    """The rules of one schema."""

    def __init__(self, root: _Node) -> None:
        self._root = root

    def check(self, new: Any, old: Any | None, *, kept: list[Problem] | None = None) -> list[Problem]:
        """Every failed rule; `old` None on create. `kept` takes those that fail on a value that did not change."""
        found = list(_check(self._root, new, _MISSING if old is None else old, "", False))
        if kept is not None:
            kept += [problem for problem, is_kept in found if is_kept]
            return [problem for problem, is_kept in found if not is_kept]
        return [problem for problem, _ in found]


def compile_rules(schema: Mapping[str, Any]) -> Rules | None:
    """None when the schema has no rules; raises CelError for one that does not compile."""
    root = _compile(schema)
    return None if root.is_empty else Rules(root)


def _compile(schema: Mapping[str, Any]) -> _Node:
    kind = "" if schema.get("x-kubernetes-int-or-string") else schema.get("type") or "object"
    node = _Node(type=_TYPES.get(kind, kind))
    if schema.get("x-kubernetes-validations"):
        node.convert = converter(schema)
    node.rules = [_rule(declared) for declared in schema.get("x-kubernetes-validations") or ()]
    for name, child in (schema.get("properties") or {}).items():
        below = _compile(child)
        if not below.is_empty:
            node.members[name] = below
    node.values, node.items = _child(schema, "additionalProperties"), _child(schema, "items")
    if schema.get("x-kubernetes-list-type") == "map":
        node.keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    return node


def _child(schema: Mapping[str, Any], name: str) -> _Node | None:
    found = schema.get(name)
    node = _compile(found) if isinstance(found, Mapping) else None
    return None if node is None or node.is_empty else node


def expression_program(text: str) -> cel.Program:
    """A rule or message compiled; raises CelError."""
    return cel.compile(with_plain_names(text), names=_NAMES, profile="strict")


def _rule(declared: Mapping[str, Any]) -> Rule:
    program = expression_program(declared["rule"])
    expression = declared.get("messageExpression")
    return Rule(
        text=declared["rule"],
        program=program,
        message=declared.get("message", "").strip(),
        message_program=expression_program(expression) if expression else None,
        reason=declared.get("reason") or "FieldValueInvalid",
        at=declared.get("fieldPath", ""),
        is_transition=any(reference[0] == "oldSelf" for reference in program.references),
        optional_old=bool(declared.get("optionalOldSelf")),
    )


def _check(node: _Node, value: Any, old: Any, path: str, around: bool) -> Iterator[tuple[Problem, bool]]:
    """Each failed rule, and whether it fails on what did not change; `around` says so of what has no old value."""
    if value is None:
        return
    seen, seen_old = value, old
    if node.convert is not None:
        seen, seen_old = node.convert(value), old if old is _MISSING else node.convert(old)
    for rule in node.rules:
        problem = _run(rule, seen, seen_old, path, node.type)
        if problem is not None:
            is_kept = around if old is _MISSING else is_same(value, old)
            yield problem, is_kept and not rule.is_transition
    if isinstance(value, dict):
        yield from _check_members(node, value, old if isinstance(old, dict) else {}, path)
    elif isinstance(value, list) and node.items is not None:
        before = _by_keys(old, node.keys) if node.keys and isinstance(old, list) else {}
        around = old is not _MISSING and not node.keys and is_same(value, old)
        for index, item in enumerate(value):
            earlier = before.get(_key(item, node.keys), _MISSING) if node.keys else _MISSING
            yield from _check(node.items, item, earlier, f"{path}[{index}]", around)


def _check_members(
    node: _Node, value: dict[str, Any], old: dict[str, Any], path: str
) -> Iterator[tuple[Problem, bool]]:
    for name, below in node.members.items():
        if name in value:
            yield from _check(below, value[name], old.get(name, _MISSING), f"{path}.{name}", False)
    if node.values is not None:
        for name, member in value.items():
            yield from _check(node.values, member, old.get(name, _MISSING), f"{path}[{name}]", False)


def _key(item: Any, keys: tuple[str, ...]) -> bytes:
    found = [item.get(key) for key in keys] if isinstance(item, dict) else item
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS)


def _by_keys(items: list[Any], keys: tuple[str, ...]) -> dict[bytes, Any]:
    return {_key(item, keys): item for item in items}


def _run(rule: Rule, value: Any, old: Any, path: str, kind: str) -> Problem | None:
    if rule.is_transition and old is _MISSING and not rule.optional_old:
        return None
    earlier = (OptionalValue(present=False) if old is _MISSING else OptionalValue(old)) if rule.optional_old else old
    names = {"self": value} if old is _MISSING and not rule.optional_old else {"self": value, "oldSelf": earlier}
    where = (path + rule.at).removeprefix(".") or "<nil>"
    try:
        if rule.program.evaluate(names) is True:
            return None
    except CelError as error:
        missing = _NO_KEY.match(error.message)
        why = f"no such key: {missing[1]}" if missing else _IN_KUBERNETES.get(error.message, error.message)
        text = f'Invalid value: "{kind}": {why} evaluating rule: {rule.message or rule.text}'
        return Problem(path.removeprefix(".") or "<nil>", "FieldValueInvalid", text)
    return Problem(where, rule.reason, _text(rule, names, kind))


def _text(rule: Rule, names: dict[str, Any], kind: str) -> str:
    message = _message(rule, names)
    match rule.reason:
        case "FieldValueForbidden":
            return f"Forbidden: {message}"
        case "FieldValueRequired":
            return f"Required value: {message}"
        case "FieldValueDuplicate":
            return f'Duplicate value: "{kind}"'
        case _:
            return f'Invalid value: "{kind}": {message}'


def _message(rule: Rule, names: dict[str, Any]) -> str:
    """The expression's text, unless it fails or is blank or spans lines; then the fixed one, then the rule."""
    if rule.message_program is not None:
        try:
            made = rule.message_program.evaluate(names)
        except CelError:
            made = ""
        if isinstance(made, str) and made.strip() and "\n" not in made:
            return made.strip()
    return rule.message or f"failed rule: {rule.text}"
