"""The CustomResourceDefinitions of the workflow kinds, generated from the validator's tables.

Structural schemas with defaults, limits and rules (`x-kubernetes-validations`) for the groups of fields of which one
must be present. What a schema cannot say (expressions, references) the controller says in the object's status.
"""

from typing import Any, cast

from lambent.kube.types import KubeObject
from lambent.workflow.spec import KINDS
from lambent.workflow.spec.fields import Field, Kind

# Raised when a schema changes; a cluster whose Koreo CRDs lack the annotation belongs to another controller.
CRD_VERSION = "1"
VERSION_ANNOTATION = "lambent.dev/crd-version"
# A real API server bounds the cost of rules by these sizes when a table gives none.
_MAX_ITEMS = 100
_NUMBERS = {"minimum": "minimum", "maximum": "maximum", "max_length": "maxLength", "min_items": "minItems"}


def crds() -> list[KubeObject]:
    """One complete CustomResourceDefinition per kind."""
    return [_definition(kind) for kind in KINDS.values()]


def _definition(kind: Kind) -> KubeObject:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}", "annotations": {VERSION_ANNOTATION: CRD_VERSION}},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.kind.lower(),
                **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
            },
            "versions": [_version(kind)],
        },
    }
    return cast(KubeObject, definition)


def _version(kind: Kind) -> dict[str, Any]:
    columns = [
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Reason", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].reason'},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    root = {
        "type": "object",
        "description": kind.doc,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": schema_of(kind.spec),
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    return {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": root},
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    }


def schema_of(table: Field) -> dict[str, Any]:
    """The structural schema of one field."""
    schema: dict[str, Any] = {"type": table.type}
    if table.doc:
        schema["description"] = table.doc
    if table.default is not None:
        schema["default"] = table.default
    for name, keyword in _NUMBERS.items():
        if getattr(table, name) is not None:
            schema[keyword] = getattr(table, name)
    if table.enum:
        schema["enum"] = list(table.enum)
    if table.pattern:
        schema["pattern"] = table.pattern
    if table.type == "string" and table.required and table.expression != "must" and not table.enum:
        schema["minLength"] = 1
    if table.expression == "must":
        schema["pattern"] = "^="
    if table.type == "array" and table.items is not None:
        schema["items"] = schema_of(table.items)
        schema["maxItems"] = table.max_items or _MAX_ITEMS
    if table.type == "object":
        schema.update(_object(table))
    return schema


def _object(table: Field) -> dict[str, Any]:
    limits = {"minProperties": table.min_properties, "maxProperties": table.max_properties}
    found: dict[str, Any] = {key: value for key, value in limits.items() if value is not None}
    if table.fields is None:
        return {**found, "x-kubernetes-preserve-unknown-fields": True}
    if table.fields:
        found["properties"] = {name: schema_of(member) for name, member in table.fields.items()}
    required = [name for name, member in table.fields.items() if member.required]
    if required:
        found["required"] = required
    rules = [_one_of(group) for group in table.exactly_one]
    if table.at_least_one:
        found["anyOf"] = [{"required": [name]} for name in table.at_least_one]
    if rules:
        found["x-kubernetes-validations"] = rules
    return found


def _one_of(group: tuple[str, ...]) -> dict[str, str]:
    """No name of a group is a reserved word of the rule language, so none needs escaping."""
    terms = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in group)
    return {"rule": f"{terms} == 1", "message": f"exactly one of {', '.join(group)} is required"}
