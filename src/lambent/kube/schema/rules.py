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

_NAMES = frozenset({"self", "oldSelf"})
_NO_KEY = re.compile(r'no such key "([^"]*)" in ')
_MISSING: Any = object()
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

    def check(self, new: Any, old: Any | None) -> list[Problem]:
        """Every failed rule; `old` None on create."""
        return list(_check(self._root, new, _MISSING if old is None else old, ""))


def compile_rules(schema: Mapping[str, Any]) -> Rules | None:
    """None when the schema has no rules; raises CelError for one that does not compile."""
    root = _compile(schema)
    return None if root.is_empty else Rules(root)


def rule_problems(schema: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """What is wrong with the rules of a schema itself."""
    for index, declared in enumerate(schema.get("x-kubernetes-validations") or ()):
        yield from _written_problems(declared, schema, f"{path}.x-kubernetes-validations[{index}]")
        for name in ("rule", "messageExpression"):
            try:
                if declared.get(name):
                    _program(declared[name])
            except CelError as error:
                where = f"{path}.x-kubernetes-validations[{index}].{name}"
                prefix = "" if name == "rule" else "messageExpression "
                text = f"Invalid value: {_shown(declared)}: {prefix}compilation failed: {error}"
                yield Problem(where, "FieldValueInvalid", text)
    for name, child in (schema.get("properties") or {}).items():
        yield from rule_problems(child, f"{path}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping):
            yield from rule_problems(schema[name], f"{path}.{name}")


_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")


def _shown(declared: Mapping[str, Any]) -> str:
    """A rule as kube-apiserver repeats it."""
    names = (("Rule", ""), ("Message", ""), ("MessageExpression", ""), ("Reason", None), ("FieldPath", ""))
    found = {name: declared.get(name[0].lower() + name[1:], absent) for name, absent in names}
    return orjson.dumps({**found, "OptionalOldSelf": declared.get("optionalOldSelf")}).decode()


def _written_problems(declared: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """What is wrong with a rule beside its expressions."""
    rule, message, reason = str(declared.get("rule") or ""), declared.get("message"), declared.get("reason")
    if not rule.strip():
        yield Problem(f"{path}.rule", "FieldValueRequired", "Required value: rule is not specified")
        return
    if isinstance(message, str) and message and not message.strip():
        text = f"Invalid value: {orjson.dumps(message).decode()}: must be non-empty if specified"
        yield Problem(f"{path}.message", "FieldValueInvalid", text)
    elif isinstance(message, str) and "\n" in message:
        text = f"Invalid value: {orjson.dumps(message).decode()}: must not contain line breaks"
        yield Problem(f"{path}.message", "FieldValueInvalid", text)
    elif "\n" in rule.strip() and not message and not declared.get("messageExpression"):
        text = "Required value: message must be specified if rule contains line breaks"
        yield Problem(f"{path}.message", "FieldValueRequired", text)
    if reason is not None and reason not in _REASONS:
        listed = ", ".join(f'"{one}"' for one in _REASONS)
        text = f"Unsupported value: {orjson.dumps(reason).decode()}: supported values: {listed}"
        yield Problem(f"{path}.reason", "FieldValueNotSupported", text)
    where = declared.get("fieldPath")
    if where and not _is_member(schema, str(where)):
        text = f"Invalid value: {orjson.dumps(where).decode()}: must be a valid path"
        yield Problem(f"{path}.fieldPath", "FieldValueInvalid", text)
    if declared.get("optionalOldSelf") is not None and "oldSelf" not in rule:
        text = "Invalid value: true: may not be set if oldSelf is not used in rule"
        yield Problem(f"{path}.optionalOldSelf", "FieldValueInvalid", text)


def _is_member(schema: Mapping[str, Any], path: str) -> bool:
    """Whether a dotted path names a declared member; quoted steps are taken on trust."""
    if "[" in path:
        return path.startswith((".", "["))
    if not path.startswith("."):
        return False
    for part in path[1:].split("."):
        found = (schema.get("properties") or {}).get(part)
        found = schema.get("additionalProperties") if found is None else found
        if not isinstance(found, Mapping):
            return False
        schema = found
    return True


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


def _program(text: str) -> cel.Program:
    return cel.compile(with_plain_names(text), names=_NAMES, profile="strict")


def _rule(declared: Mapping[str, Any]) -> Rule:
    program = _program(declared["rule"])
    expression = declared.get("messageExpression")
    return Rule(
        text=declared["rule"],
        program=program,
        message=declared.get("message", ""),
        message_program=_program(expression) if expression else None,
        reason=declared.get("reason") or "FieldValueInvalid",
        at=declared.get("fieldPath", ""),
        is_transition=any(reference[0] == "oldSelf" for reference in program.references),
        optional_old=bool(declared.get("optionalOldSelf")),
    )


def _check(node: _Node, value: Any, old: Any, path: str) -> Iterator[Problem]:
    if value is None:
        return
    seen, seen_old = value, old
    if node.convert is not None:
        seen, seen_old = node.convert(value), old if old is _MISSING else node.convert(old)
    for rule in node.rules:
        problem = _run(rule, seen, seen_old, path, node.type)
        if problem is not None:
            yield problem
    if isinstance(value, dict):
        yield from _check_members(node, value, old if isinstance(old, dict) else {}, path)
    elif isinstance(value, list) and node.items is not None:
        before = _by_keys(old, node.keys) if node.keys and isinstance(old, list) else {}
        for index, item in enumerate(value):
            earlier = before.get(_key(item, node.keys), _MISSING) if node.keys else _MISSING
            yield from _check(node.items, item, earlier, f"{path}[{index}]")


def _check_members(node: _Node, value: dict[str, Any], old: dict[str, Any], path: str) -> Iterator[Problem]:
    for name, below in node.members.items():
        if name in value:
            yield from _check(below, value[name], old.get(name, _MISSING), f"{path}.{name}")
    if node.values is not None:
        for name, member in value.items():
            yield from _check(node.values, member, old.get(name, _MISSING), f"{path}[{name}]")


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
        why = f"no such key: {missing[1]}" if missing else error.message
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
            return made
    return rule.message or f"failed rule: {rule.text}"
