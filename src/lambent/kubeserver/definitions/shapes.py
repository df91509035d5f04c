"""Whether the members of a schema have the types of Go's struct JSONSchemaProps, said as Go's decoder says it.

The rest of this folder may then take each member for what it is. Not here: which values are allowed.
"""

from typing import Any

from lambent.kubeserver.status import bad_request
from lambent.kubeserver.validation.errors import go_kind

_TEXTS = ("id", "$schema", "$ref", "description", "type", "format", "title", "pattern")
_MARKS = ("x-kubernetes-list-type", "x-kubernetes-map-type")
_NUMBERS = ("maximum", "minimum", "multipleOf")
_COUNTS = ("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties")
_FLAGS = ("nullable", "exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "x-kubernetes-preserve-unknown-fields")
_SWITCHES = ("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string")
_TEXT_LISTS = ("required", "x-kubernetes-list-map-keys")
_MAPS = ("properties", "patternProperties", "definitions")
_LISTS = ("allOf", "oneOf", "anyOf")
_PROPS = "v1.JSONSchemaProps"
_WANTED: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys((*_TEXTS, *_MARKS), ((str,), "string")),
    **dict.fromkeys(_NUMBERS, ((int, float), "float64")),
    **dict.fromkeys(_COUNTS, ((int,), "int64")),
    **dict.fromkeys((*_FLAGS, *_SWITCHES), ((bool,), "bool")),
    **dict.fromkeys(_TEXT_LISTS, ((list,), "[]string")),
    **dict.fromkeys(_MAPS, ((dict,), f"map[string]{_PROPS}")),
    **dict.fromkeys(_LISTS, ((list,), f"[]{_PROPS}")),
    "enum": ((list,), "[]v1.JSON"),
    "not": ((dict,), _PROPS),
    "externalDocs": ((dict,), "v1.ExternalDocumentation"),
    "x-kubernetes-validations": ((list,), "v1.ValidationRules"),
}
_OF_RULES: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("rule", "message", "messageExpression", "reason", "fieldPath"), ((str,), "string")),
    "optionalOldSelf": ((bool,), "bool"),
}


def refuse_mistyped(schema: Any, path: str, *, is_inner: bool = False) -> None:
    """Raises 400 for the first member that Go could not read.

    `is_inner` is of what a type reads by a method of its own, within which Go's decoder tells no further path.
    """
    _want(schema, (dict,), _PROPS, path)
    for name, value in (schema or {}).items():
        at = path if is_inner else f"{path}.{name}"
        if value is not None and name in _WANTED:
            _want(value, *_WANTED[name], at)
            _below(name, value, at, is_inner=is_inner)
        elif name in ("items", "additionalProperties", "additionalItems"):
            _schemas_or(name, value, at)


def _below(name: str, value: Any, at: str, *, is_inner: bool) -> None:
    if name in _TEXT_LISTS:
        for one in value:
            _want(one, (str,), "string", at)
    elif name == "not":
        refuse_mistyped(value, at, is_inner=is_inner)
    elif name == "externalDocs":
        for member in ("description", "url"):
            _want(value.get(member), (str,), "string", at if is_inner else f"{at}.{member}")
    elif name in _MAPS or name in _LISTS:
        for one in value.values() if name in _MAPS else value:
            refuse_mistyped(one, at, is_inner=is_inner)
    elif name == "x-kubernetes-validations":
        for rule in value:
            _want(rule, (dict,), "v1.ValidationRule", at)
            for member, given in (rule or {}).items():
                if member in _OF_RULES:
                    _want(given, *_OF_RULES[member], at if is_inner else f"{at}.{member}")


def _schemas_or(name: str, value: Any, at: str) -> None:
    """A schema, or instead of it a list of them (`items`) or a bool (the others)."""
    if name == "items" and isinstance(value, list):
        for one in value:
            refuse_mistyped(one, at, is_inner=True)
    elif name == "items" or not isinstance(value, bool):
        refuse_mistyped(value, at, is_inner=True)


def _want(value: Any, kinds: tuple[type, ...], named: str, at: str) -> None:
    if value is None or type(value) in kinds or (named == "int64" and type(value) is float and value.is_integer()):
        return
    kind = "CustomResourceDefinition"
    why = f"json: cannot unmarshal {go_kind(value)} into Go struct field JSONSchemaProps{at} of type {named}"
    raise bad_request(f'{kind} in version "v1" cannot be handled as a {kind}: {why}')
