"""Formats of a schema that nobody checks: they are kept, with a warning."""

from typing import Any

from lambent.kube.schema.formats import FORMATS


def unknown_formats(spec: Any) -> list[str]:
    """In the order of the versions, each as often as kube-apiserver would warn of it."""
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in spec.get("versions") or ()]
    if schemas and all(schema == schemas[0] for schema in schemas):
        schemas = schemas[:1]
    return list(dict.fromkeys(name for schema in schemas if schema for name in _below(schema)))


def _below(schema: Any) -> list[str]:
    own = schema.get("format")
    out = [own] if own and schema.get("type") == "string" and own.replace("-", "") not in _KNOWN else []
    children: list[Any] = [schema.get("items"), *(schema.get("properties") or {}).values()]
    for name in ("allOf", "anyOf", "oneOf"):
        children += schema.get(name) or ()
    children += [schema.get("not"), schema.get("additionalProperties")]
    for child in children:
        if isinstance(child, dict):
            out += _below(child)
    return out


_KNOWN = frozenset(name.replace("-", "") for name in FORMATS)
