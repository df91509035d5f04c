"""The schema of a version: what each keyword may say, on top of its being structural and its defaults holding."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lambent.kube.schema import Problem
from lambent.kube.schema.field_paths import FieldPathError, field_at
from lambent.kubeserver.definitions.default_values import default_problems
from lambent.kubeserver.definitions.internal import SCHEMA_FIELDS, go_schema
from lambent.kubeserver.definitions.lists import list_problems
from lambent.kubeserver.definitions.refusals import invalid
from lambent.kubeserver.definitions.rule_checks import Budget, Scope, root_scope
from lambent.kubeserver.definitions.structural import structural_problems, unreadable
from lambent.kubeserver.resources import ENVELOPE
from lambent.kubeserver.validation.errors import forbidden, required, unsupported

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_FORBIDDEN = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_AT_ROOT = (
    "Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum", "ExclusiveMinimum",
    "MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems", "UniqueItems", "MultipleOf", "Required", "Items",
    "Properties", "ExternalDocs", "Example", "XPreserveUnknownFields", "XValidations",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the schema a node stands: what is not allowed there, and whether old values correlate."""

    path: str
    no_defaults: str | None = None
    inside_meta: bool = False
    uncorrelated: str = ""
    is_root: bool = False


@dataclass(slots=True)
class _Found:
    of_schema: list[Problem] = field(default_factory=list)
    of_rules: list[Problem] = field(default_factory=list)


def schema_problems(schema: Any, path: str, *, has_status: bool) -> list[Problem]:
    """What is wrong with `openAPIV3Schema` at `path`."""
    if schema is None:
        return []
    at = f"{path}.openAPIV3Schema"
    out = list(_root_problems(schema, at)) if has_status else []
    if schema.get("nullable"):
        out.append(forbidden(f"{at}.nullable", "nullable cannot be true at the root"))
    why = unreadable(schema)
    found: list[Problem] = []
    if why is None:
        root = {**schema, "x-kubernetes-embedded-resource": True}
        found = structural_problems(schema, at) or list(default_problems(root, at))
    out += found
    budget = Budget() if why is None and not found else None
    said = _Walk(budget).node(schema, _Place(at, is_root=True), root_scope(schema) if budget else None)
    out += said.of_schema + said.of_rules
    if why is not None and not out:
        out.append(invalid(at, "", why))
    return out + (budget.problems(at) if budget else [])


def _root_problems(schema: Any, at: str) -> Iterator[Problem]:
    """With a status subresource the schema of the status is taken out, so the root may not judge the whole."""
    for go, (name, zero) in SCHEMA_FIELDS.items():
        if schema.get(name, zero) in (zero, [], {}) or name not in schema:
            continue
        if go == "Type" and schema["type"] != "object":
            text = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
            yield invalid(f"{at}.type", schema["type"], text)
            return
        if go not in _AT_ROOT:
            listed = f"[{' '.join(_AT_ROOT)}]"
            text = f"only {listed} fields are allowed at the root of the schema if the status subresource is enabled"
            yield invalid(at, go_schema(schema), text)
            return


class _Walk:
    """Judges each node and all below it; rules are compiled only where the schema around them is in order."""

    def __init__(self, budget: Budget | None) -> None:
        self._budget = budget

    def node(self, schema: Any, place: _Place, scope: Scope | None) -> _Found:
        out = _Found(list(_keywords(schema, place)))
        for step, child, inner, below in self._children(schema, place, scope):
            found = self.node(child, replace(inner, path=place.path + step, is_root=False), below)
            out.of_schema += found.of_schema
            out.of_rules += found.of_rules
        if schema.get("x-kubernetes-preserve-unknown-fields") is False:
            path = f"{place.path}.x-kubernetes-preserve-unknown-fields"
            out.of_schema.append(invalid(path, False, "must be true or undefined"))
        out.of_schema += list_problems(schema, place.path)
        for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
            out.of_schema += _rule_keywords(rule, schema, f"{place.path}.x-kubernetes-validations[{index}]")
        if scope is not None and self._budget is not None and not out.of_schema:
            out.of_rules += self._budget.judge(schema, scope, place.path, uncorrelated=place.uncorrelated)
        return out

    def _children(self, schema: Any, place: _Place, scope: Scope | None) -> Iterator[tuple[str, Any, _Place, Any]]:
        others = schema.get("additionalProperties")
        if isinstance(others, dict):
            inner = place
            if place.inside_meta:
                inner = replace(place, no_defaults="inside additionalProperties applying to object metadata")
            yield ".additionalProperties", others, inner, scope and scope.below(others)
        for name, child in (schema.get("properties") or {}).items():
            yield f".properties[{name}]", child, _inside(schema, name, place), scope and scope.below(child)
        for junctor in ("allOf", "oneOf", "anyOf"):
            for index, child in enumerate(schema.get(junctor) or ()):
                yield f".{junctor}[{index}]", child, place, None
        if schema.get("not") is not None:
            yield ".not", schema["not"], place, None
        for name, child in (schema.get("definitions") or {}).items():
            yield f".definitions[{name}]", child, place, None
        items = schema.get("items")
        if schema.get("x-kubernetes-list-type") != "map":
            place = _uncorrelated(place)
        if isinstance(items, dict):
            yield ".items", items, place, scope and scope.below(items)
        for index, child in enumerate(items if isinstance(items, list) else ()):
            yield f".items[{index}]", child, place, None


def _inside(schema: Any, name: str, place: _Place) -> _Place:
    inner = place
    if (place.is_root or schema.get("x-kubernetes-embedded-resource")) and name in ENVELOPE:
        inner = replace(inner, inside_meta=True)
        if place.is_root:
            inner = replace(inner, no_defaults=f"in top-level {name}")
    return inner


def _uncorrelated(place: _Place) -> _Place:
    """The outermost place whose parts have no old value of their own."""
    return place if place.uncorrelated else replace(place, uncorrelated=place.path)


def _keywords(schema: Any, place: _Place) -> Iterator[Problem]:
    path, kind = place.path, schema.get("type")
    if kind and kind not in _TYPES:
        yield unsupported(f"{path}.type", kind, _TYPES)
    if schema.get("default") is not None and place.no_defaults is not None:
        yield forbidden(f"{path}.default", f"must not be set {place.no_defaults}")
    for name in _FORBIDDEN:
        if schema.get(name) is not None:
            yield forbidden(f"{path}.{name}", f"{name} is not supported")
    if kind == "null":
        yield forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list) and schema["items"]:
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if place.inside_meta and schema.get("x-kubernetes-embedded-resource"):
        yield forbidden(f"{path}.x-kubernetes-embedded-resource", "must not be used inside of resource meta")
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", text)
    others = schema.get("additionalProperties")
    if schema.get("properties") and others is not None and others is not True:
        text = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{path}.additionalProperties", text)


def _rule_keywords(rule: Any, schema: Any, path: str) -> Iterator[Problem]:
    """What is wrong with a rule beside its expressions."""
    text, message = str(rule.get("rule") or "").strip(), str(rule.get("message") or "")
    if not text:
        yield required(f"{path}.rule", "rule is not specified")
    elif message and not message.strip():
        yield invalid(f"{path}.message", message, "must be non-empty if specified")
    elif _has_lines(message.strip()):
        yield invalid(f"{path}.message", message, "must not contain line breaks")
    elif _has_lines(text) and not message.strip():
        yield required(f"{path}.message", "message must be specified if rule contains line breaks")
    expression = rule.get("messageExpression")
    if expression and not expression.strip():
        yield required(f"{path}.messageExpression", "messageExpression must be non-empty if specified")
    if rule.get("reason") is not None and rule["reason"] not in _REASONS:
        yield unsupported(f"{path}.reason", rule["reason"], _REASONS)
    where = rule.get("fieldPath") or ""
    if where and not where.strip():
        yield invalid(f"{path}.fieldPath", where, "must be non-empty if specified")
    if _has_lines(where):
        yield invalid(f"{path}.fieldPath", where, "must not contain line breaks")
    if where and not _leads_somewhere(where, schema):
        yield invalid(f"{path}.fieldPath", where, "must be a valid path")


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


def _leads_somewhere(where: str, schema: Any) -> bool:
    try:
        field_at(where, schema)
    except FieldPathError:
        return False
    return True
