"""What the server makes of a definition before it judges it: members left out are filled, empty ones are not kept.

kube-apiserver keeps a definition as Go structs: a text that is empty or a bool that is false is not written again.
"""

from typing import Any

from lambent.kubeserver.definitions.internal import SCHEMA_FIELDS
from lambent.kubeserver.definitions.shapes import refuse_mistyped
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.status import ApiError

_UNWRITTEN = tuple(name for name, zero in SCHEMA_FIELDS.values() if zero is not None)
_CONTAINERS = ("properties", "patternProperties", "definitions", "required", "enum", "allOf", "anyOf", "oneOf",
               "x-kubernetes-validations", "x-kubernetes-list-map-keys")  # fmt: skip
"""Maps and lists that are not written when they are empty."""
_WEBHOOK_PORT = 443


def defaults(draft: Draft) -> None:
    """Names a definition may leave out; a new one starts without conditions, its finalizer comes with its deletion."""
    spec: Any = draft.new.get("spec")
    if spec is None and draft.is_create:
        spec = draft.new["spec"] = {}  # every definition has one
    if not isinstance(spec, dict):
        return
    names = spec.get("names")
    if isinstance(names, dict) and names.get("kind"):
        names["singular"] = names.get("singular") or names["kind"].lower()
        names["listKind"] = names.get("listKind") or f"{names['kind']}List"
    if spec.get("conversion") is None:
        spec["conversion"] = {"strategy": "None"}
    _fill_port(spec["conversion"])
    _drop(spec, ("preserveUnknownFields",))
    if None in (spec.get("versions") or ()):  # a null is the empty struct
        spec["versions"] = [{} if one is None else one for one in spec["versions"]]
    try:
        for version in spec.get("versions") or ():
            _tidy_version(version)
    except ApiError:
        draft.call.warnings.clear()  # of a body that cannot be read nothing else is told
        raise
    _fill_status(draft, spec)


def _fill_port(conversion: Any) -> None:
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if isinstance(service, dict):
        service.setdefault("port", _WEBHOOK_PORT)


def _tidy_version(version: Any) -> None:
    version.setdefault("served", False)
    version.setdefault("storage", False)
    _drop(version, ("deprecated",))
    for column in version.get("additionalPrinterColumns") or ():
        _drop(column, ("format", "description", "priority"))
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    refuse_mistyped(schema, ".spec.versions.schema.openAPIV3Schema")
    if schema is not None:
        _tidy_schema(schema)


def _tidy_schema(schema: Any) -> None:
    if not isinstance(schema, dict):
        return
    _drop(schema, _UNWRITTEN)
    for name in [name for name, value in schema.items() if value is None or (name in _CONTAINERS and not value)]:
        del schema[name]
    for rule in schema.get("x-kubernetes-validations") or ():
        _drop(rule, ("message", "messageExpression", "fieldPath"))
    for name in ("properties", "patternProperties", "definitions"):
        for child in (schema.get(name) or {}).values():
            _tidy_schema(child)
    for name in ("allOf", "anyOf", "oneOf"):
        for child in schema.get(name) or ():
            _tidy_schema(child)
    for name in ("items", "not", "additionalProperties"):
        found = schema.get(name)
        for child in found if isinstance(found, list) else (found,):
            _tidy_schema(child)


def _drop(found: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name in found and not found[name]:
            del found[name]


def _fill_status(draft: Draft, spec: Any) -> None:
    """A new definition has a status of the server's own; a new storage version joins those that were stored."""
    stored = [one["name"] for one in spec.get("versions") or () if one.get("storage") and one.get("name")][:1]
    obj: Any = draft.new
    if draft.is_create:
        names = {"plural": "", "kind": ""}
        obj["status"] = {"conditions": None, "acceptedNames": names, "storedVersions": stored or None}
    elif draft.subresource != "status":
        status = obj.setdefault("status", {})
        before = status.get("storedVersions") or []
        status["storedVersions"] = [*before, *(name for name in stored if name not in before)]
