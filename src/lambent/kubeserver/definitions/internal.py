"""The form in which kube-apiserver judges a definition: what all versions share stands once, at the top of the spec.

That is why a refusal names `spec.validation.openAPIV3Schema` for a schema written in `spec.versions[0]`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SHARED = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One schema, set of subresources, columns or selectable fields, and the path refusals name."""

    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class Internal:
    """`shared` are the parts all versions have in common; `versions` keep the rest."""

    shared: Mapping[str, Any]
    versions: tuple[dict[str, Any], ...]
    has_versions: bool = True

    def parts(self, name: str) -> list[Part]:
        """Every place of a part, those of versions first; absent ones are left out."""
        own = [
            Part(f"spec.versions[{index}].{name}", version[name])
            for index, version in enumerate(self.versions)
            if version.get(name) is not None
        ]
        top = self.shared.get(name)
        return own if top is None else [*own, Part(f"spec.{_SHARED[name]}", top)]

    def go_versions(self) -> list[dict[str, Any]] | None:
        """The versions as a refusal of `spec.versions` repeats them."""
        return [_go_version(version) for version in self.versions] if self.has_versions else None


def internal(spec: Mapping[str, Any]) -> Internal:
    """Moves what is the same in all versions to the top."""
    versions = [dict(version) for version in spec.get("versions") or ()]
    shared = {
        name: versions[0].get(name)
        for name in _SHARED
        if versions and all(version.get(name) == versions[0].get(name) for version in versions)
    }
    for version in versions:
        for name in shared:
            version.pop(name, None)
    return Internal(shared, tuple(versions), spec.get("versions") is not None)


def _go_version(version: Mapping[str, Any]) -> dict[str, Any]:
    schema = version.get("schema")
    return {
        "Name": version.get("name", ""),
        "Served": bool(version.get("served")),
        "Storage": bool(version.get("storage")),
        "Deprecated": bool(version.get("deprecated")),
        "DeprecationWarning": version.get("deprecationWarning"),
        "Schema": None if schema is None else {"OpenAPIV3Schema": go_schema(schema.get("openAPIV3Schema"))},
        "Subresources": _go_subresources(version.get("subresources")),
        "AdditionalPrinterColumns": _go_columns(version.get("additionalPrinterColumns")),
        "SelectableFields": [{"JSONPath": one.get("jsonPath", "")} for one in version.get("selectableFields") or ()]
        or None,
    }


def _go_subresources(found: Any) -> Any:
    if found is None:
        return None
    scale = found.get("scale")
    return {
        "Status": found.get("status"),
        "Scale": scale
        and {
            "SpecReplicasPath": scale.get("specReplicasPath", ""),
            "StatusReplicasPath": scale.get("statusReplicasPath", ""),
            "LabelSelectorPath": scale.get("labelSelectorPath"),
        },
    }


def _go_columns(found: Any) -> Any:
    names = {"Name": "name", "Type": "type", "Format": "format", "Description": "description"}
    return [
        {go: one.get(name, "") for go, name in names.items()}
        | {"Priority": one.get("priority", 0), "JSONPath": one.get("jsonPath", "")}
        for one in found or ()
    ] or None


# Go field -> (member, zero value), in the order of the type
SCHEMA_FIELDS: dict[str, tuple[str, Any]] = {
    "ID": ("id", ""),
    "Schema": ("$schema", ""),
    "Ref": ("$ref", None),
    "Description": ("description", ""),
    "Type": ("type", ""),
    "Nullable": ("nullable", False),
    "Format": ("format", ""),
    "Title": ("title", ""),
    "Default": ("default", None),
    "Maximum": ("maximum", None),
    "ExclusiveMaximum": ("exclusiveMaximum", False),
    "Minimum": ("minimum", None),
    "ExclusiveMinimum": ("exclusiveMinimum", False),
    "MaxLength": ("maxLength", None),
    "MinLength": ("minLength", None),
    "Pattern": ("pattern", ""),
    "MaxItems": ("maxItems", None),
    "MinItems": ("minItems", None),
    "UniqueItems": ("uniqueItems", False),
    "MultipleOf": ("multipleOf", None),
    "Enum": ("enum", None),
    "MaxProperties": ("maxProperties", None),
    "MinProperties": ("minProperties", None),
    "Required": ("required", None),
    "Items": ("items", None),
    "AllOf": ("allOf", None),
    "OneOf": ("oneOf", None),
    "AnyOf": ("anyOf", None),
    "Not": ("not", None),
    "Properties": ("properties", None),
    "AdditionalProperties": ("additionalProperties", None),
    "PatternProperties": ("patternProperties", None),
    "Dependencies": ("dependencies", None),
    "AdditionalItems": ("additionalItems", None),
    "Definitions": ("definitions", None),
    "ExternalDocs": ("externalDocs", None),
    "Example": ("example", None),
    "XPreserveUnknownFields": ("x-kubernetes-preserve-unknown-fields", None),
    "XEmbeddedResource": ("x-kubernetes-embedded-resource", False),
    "XIntOrString": ("x-kubernetes-int-or-string", False),
    "XListMapKeys": ("x-kubernetes-list-map-keys", None),
    "XListType": ("x-kubernetes-list-type", None),
    "XMapType": ("x-kubernetes-map-type", None),
    "XValidations": ("x-kubernetes-validations", None),
}
_LISTS, _MAPS = ("allOf", "oneOf", "anyOf"), ("properties", "patternProperties", "definitions")


def go_schema(schema: Any) -> Any:
    """A schema as a refusal repeats it."""
    if schema is None:
        return None
    return {go: _go_member(name, schema.get(name, zero)) for go, (name, zero) in SCHEMA_FIELDS.items()}


def _go_member(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "items":
        return go_items(value)
    if name in ("additionalProperties", "additionalItems"):
        is_schema = isinstance(value, dict)
        return {"Allows": is_schema or value, "Schema": go_schema(value) if is_schema else None}
    if name == "not":
        return go_schema(value)
    if name in _LISTS:
        return [go_schema(one) for one in value]
    if name in _MAPS:
        return {key: go_schema(value[key]) for key in sorted(value)}
    if name == "x-kubernetes-validations":
        return [go_rule(one) for one in value]
    if name == "externalDocs":
        return {"Description": value.get("description", ""), "URL": value.get("url", "")}
    return value


def go_items(value: Any) -> dict[str, Any]:
    """One schema for all items, or one for each place."""
    many = [go_schema(one) for one in value] if isinstance(value, list) else None
    return {"Schema": None if many else go_schema(value), "JSONSchemas": many}


def go_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A validation rule as a refusal repeats it."""
    return {
        "Rule": rule.get("rule", ""),
        "Message": rule.get("message", ""),
        "MessageExpression": rule.get("messageExpression", ""),
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath", ""),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
