"""What a CustomResourceDefinition must be before it is served. Source: Kubernetes docs, "Custom Resources"."""

import re
from typing import Any

from lambent.kube.schema import Problem
from lambent.kube.schema.constraints import pattern_error
from lambent.kube.schema.formats import FORMATS
from lambent.kube.schema.rules import rule_problems
from lambent.kubeserver.draft import Draft

_LABEL = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_NUMBER_FORMATS = ("int32", "int64", "float", "double", "int-or-string")
_COLUMN_TYPES = ("integer", "number", "string", "boolean", "date")


def _required(path: str) -> Problem:
    return Problem(path, "FieldValueRequired", "Required value")


def _forbidden(path: str, text: str) -> Problem:
    return Problem(path, "FieldValueForbidden", f"Forbidden: {text}")


def _invalid(path: str, value: Any, text: str) -> Problem:
    return Problem(path, "FieldValueInvalid", f'Invalid value: "{value}": {text}')


def defaults(draft: Draft) -> None:
    """Names a definition may leave out; a new one starts without conditions, its finalizer comes with its deletion."""
    spec: Any = draft.new.get("spec")
    if not isinstance(spec, dict):
        return
    names = spec.get("names")
    if isinstance(names, dict) and isinstance(names.get("kind"), str):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})
    if draft.is_create:
        stored = [one.get("name") for one in spec.get("versions") or () if isinstance(one, dict) and one.get("storage")]
        draft.new["status"] = {
            "conditions": [],
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": [name for name in stored if name],
        }


def problems(draft: Draft) -> list[Problem]:
    spec: Any = draft.new.get("spec") or {}
    names, group = spec.get("names") or {}, spec.get("group") or ""
    out: list[Problem] = []
    if draft.new["metadata"].get("name") != f"{names.get('plural')}.{group}":
        text = 'must be spec.names.plural+"."+spec.group'
        out.append(_invalid("metadata.name", draft.new["metadata"].get("name"), text))
    if "." not in group:
        out.append(_invalid("spec.group", group, "should be a domain with at least one dot"))
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        text = f'Unsupported value: "{spec.get("scope")}": supported values: "Cluster", "Namespaced"'
        out.append(Problem("spec.scope", "FieldValueNotSupported", text))
    if (spec.get("conversion") or {}).get("strategy") == "Webhook":
        out.append(_forbidden("spec.conversion.strategy", "conversion webhooks are not supported by this server"))
    out += _name_problems(names)
    unknown: set[str] = set()
    out += _version_problems(spec.get("versions") or [], unknown)
    draft.call.warnings += [f'unrecognized format "{name}"' for name in sorted(unknown)]
    return out + _immutable(draft, spec)


def _name_problems(names: dict[str, Any]) -> list[Problem]:
    out = []
    for field in ("plural", "singular"):
        value = names.get(field) or ""
        if not _LABEL.match(value):
            out.append(
                _invalid(
                    f"spec.names.{field}",
                    value,
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-'",
                )
            )
    for field in ("kind", "listKind"):
        if not names.get(field):
            out.append(_required(f"spec.names.{field}"))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        out.append(_invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same"))
    return out


def _version_problems(versions: list[dict[str, Any]], unknown: set[str]) -> list[Problem]:
    """`unknown` collects the formats nobody checks."""
    out: list[Problem] = []
    if sum(bool(version.get("storage")) for version in versions) != 1:
        out.append(
            Problem(
                "spec.versions",
                "FieldValueInvalid",
                "Invalid value: must have exactly one version marked as storage version",
            )
        )
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in versions]
    shared = len(versions) > 0 and all(schema == schemas[0] for schema in schemas)
    for index, (version, schema) in enumerate(zip(versions, schemas, strict=True)):
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        if schema is None:
            out.append(_required(path))
        elif not shared or index == 0:
            where = "spec.validation.openAPIV3Schema" if shared else path
            found = structural_problems(schema, where, is_root=True)
            out += found or rule_problems(schema, where)
            if not found:
                unknown |= _unknown_formats(schema)
        for number, column in enumerate(version.get("additionalPrinterColumns") or ()):
            out += _column_problems(column, f"spec.versions[{index}].additionalPrinterColumns[{number}]")
    return out


def _unknown_formats(schema: dict[str, Any]) -> set[str]:
    children = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    below = [_unknown_formats(child) for child in children if isinstance(child, dict)]
    own = schema.get("format")
    is_known = own in FORMATS or own in _NUMBER_FORMATS
    return set().union(*below, {own} if isinstance(own, str) and own and not is_known else set())


def _column_problems(column: dict[str, Any], path: str) -> list[Problem]:
    out = []
    if column.get("type") not in _COLUMN_TYPES:
        out.append(_invalid(f"{path}.type", column.get("type"), f"must be one of {','.join(_COLUMN_TYPES)}"))
    if not str(column.get("jsonPath", "")).startswith("."):
        out.append(_invalid(f"{path}.jsonPath", column.get("jsonPath"), "must be a simple json path starting with ."))
    return out


def structural_problems(schema: Any, path: str, *, is_root: bool = False) -> list[Problem]:
    """Whether a schema is structural: every node typed, nothing that cannot be pruned by."""
    out: list[Problem] = []
    if not isinstance(schema, dict):
        return [_invalid(path, schema, "must be a schema")]
    kind = schema.get("type")
    loose = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if is_root and kind != "object":
        text = 'Invalid value: "{}": must be object at the root'.format(kind or "")
        out.append(
            Problem(
                f"{path}.type",
                "FieldValueInvalid" if kind else "FieldValueRequired",
                text if kind else "Required value: must not be empty at the root",
            )
        )
    elif not kind and not loose:
        out.append(
            Problem(
                f"{path}.type", "FieldValueRequired", "Required value: must not be empty for specified object fields"
            )
        )
    if schema.get("uniqueItems"):
        out.append(
            _forbidden(
                f"{path}.uniqueItems",
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            )
        )
    if schema.get("properties") and schema.get("additionalProperties"):
        out.append(
            _forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
        )
    if (pattern := schema.get("pattern")) and (why := pattern_error(pattern)):
        out.append(_invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {why}"))
    if kind == "array" and not schema.get("items"):
        out.append(Problem(f"{path}.items", "FieldValueRequired", "Required value: must be specified"))
    out += _list_problems(schema, path)
    for name, child in (schema.get("properties") or {}).items():
        out += structural_problems(child, f"{path}.properties[{name}]")
    if schema.get("items") is not None:
        out += structural_problems(schema["items"], f"{path}.items")
    if not isinstance(schema.get("additionalProperties"), (bool, type(None))):
        out += structural_problems(schema["additionalProperties"], f"{path}.additionalProperties")
    return out


def _list_problems(schema: dict[str, Any], path: str) -> list[Problem]:
    if schema.get("x-kubernetes-list-type") != "map":
        return []
    keys = schema.get("x-kubernetes-list-map-keys") or []
    if not keys:
        return [
            Problem(
                f"{path}.x-kubernetes-list-map-keys",
                "FieldValueRequired",
                "Required value: must not be empty if x-kubernetes-list-type is map",
            )
        ]
    items = schema.get("items") or {}
    if not isinstance(items, dict):
        return []  # said of `items` itself
    out = []
    for index, key in enumerate(keys):
        member = (items.get("properties") or {}).get(key)
        if member is None:
            out.append(
                _invalid(
                    f"{path}.x-kubernetes-list-map-keys[{index}]", key, "entries must all be names of item properties"
                )
            )
        elif key not in (items.get("required") or ()) and "default" not in member:
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            where = f"{path}.items.properties[{key}].default"
            out.append(Problem(where, "FieldValueRequired", f"Required value: {text}"))
    return out


def _immutable(draft: Draft, spec: dict[str, Any]) -> list[Problem]:
    if draft.old is None:
        return []
    old: Any = draft.old.get("spec") or {}
    out = []
    for path in ("group", "scope", "names.kind", "names.plural"):
        before, after = _dig(old, path), _dig(spec, path)
        if before != after:
            out.append(_invalid(f"spec.{path}", after, "field is immutable"))
    return out


def _dig(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
