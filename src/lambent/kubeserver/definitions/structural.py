"""Whether a schema is structural: every node has a type, and below a junctor nothing is declared, only judged.

Two walks: the invariants of each node, and completeness (what a junctor judges must be declared outside of it).
Source: Kubernetes docs, "Specifying a structural schema".
"""

from collections.abc import Iterator
from typing import Any

from lambent.kube.schema import Problem
from lambent.kube.schema.go_patterns import pattern_error
from lambent.kubeserver.definitions.refusals import invalid
from lambent.kubeserver.validation.errors import forbidden, required

_JUNCTORS = ("anyOf", "allOf", "oneOf")
_EITHER = [{"type": "integer"}, {"type": "string"}]
_UNTYPED = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_SWITCHES = ("preserve-unknown-fields", "embedded-resource", "int-or-string")
# Members that may not stand below a junctor, and what they have to be there
_DECLARING = {
    **dict.fromkeys(("type", "title", "description"), "empty"),
    **dict.fromkeys(("x-kubernetes-list-map-keys", "x-kubernetes-validations"), "empty"),
    **dict.fromkeys(("additionalProperties", "default"), "undefined"),
    **dict.fromkeys(("x-kubernetes-list-type", "x-kubernetes-map-type"), "undefined"),
    **dict.fromkeys((f"x-kubernetes-{one}" for one in _SWITCHES), "false"),
    "nullable": "false",
}
# Not kept in a structural schema, so nothing may be said of them there
_UNSUPPORTED = ("id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions")
_IGNORED = ("externalDocs", "example")


def unreadable(schema: Any) -> str | None:
    """Why a schema cannot be taken as a structural one at all: the first such keyword found."""
    for name in _UNSUPPORTED:
        if schema.get(name) is not None:
            return f"OpenAPIV3Schema '{'schema' if name == '$schema' else name}' is not supported"
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
    if isinstance(schema.get("items"), list) and schema["items"]:
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    return next((why for _, child in children(schema) if (why := unreadable(child))), None)


def children(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every schema directly below, with the step that leads to it."""
    if isinstance(schema.get("items"), dict):
        yield ".items", schema["items"]
    for name, child in (schema.get("properties") or {}).items():
        yield f".properties[{name}]", child
    if isinstance(schema.get("additionalProperties"), dict):
        yield ".additionalProperties", schema["additionalProperties"]
    yield from _judged(schema)


def _judged(schema: Any) -> Iterator[tuple[str, Any]]:
    for junctor in _JUNCTORS:
        for index, child in enumerate(schema.get(junctor) or ()):
            yield f".{junctor}[{index}]", child
    if schema.get("not") is not None:
        yield ".not", schema["not"]


def structural_problems(schema: Any, path: str) -> list[Problem]:
    """In the order of their texts, as kube-apiserver sorts them."""
    return sorted((*_node(schema, "root", path), *_completeness(schema, schema, path, path)), key=str)


def _node(schema: Any, level: str, path: str) -> Iterator[Problem]:
    kind = schema.get("type") or ""
    if kind == "array" and not isinstance(schema.get("items"), dict):
        yield required(f"{path}.items", "must be specified")
    if level == "root" and schema.get("additionalProperties") is not None:
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    for step, child in children(schema):
        if step.startswith((".items", ".properties[", ".additionalProperties")):
            yield from _node(child, "item" if step == ".items" else "field", path + step)
    yield from _extensions(schema, path)
    yield from _junctors(schema, level, path)
    yield from _type(schema, kind, level, path)
    if level == "root" or schema.get("x-kubernetes-embedded-resource"):
        yield from _envelope(schema, path)
    if level == "root" and "metadata" in (schema.get("properties") or {}):
        yield from _root_metadata(schema["properties"]["metadata"], f"{path}.properties[metadata]")


def _extensions(schema: Any, path: str) -> Iterator[Problem]:
    preserves, is_embedded = _is(schema, "preserve-unknown-fields"), _is(schema, "embedded-resource")
    if _is(schema, "int-or-string"):
        text = "must be false if x-kubernetes-int-or-string is true"
        if preserves:
            yield invalid(f"{path}.x-kubernetes-preserve-unknown-fields", True, text)
        if is_embedded:
            yield invalid(f"{path}.x-kubernetes-embedded-resource", True, text)
    if is_embedded and schema.get("additionalProperties") is not None:
        text = "must not be used if x-kubernetes-embedded-resource is set"
        yield forbidden(f"{path}.additionalProperties", text)
    if is_embedded and not preserves and not schema.get("properties"):
        text = "must not be empty if x-kubernetes-embedded-resource is true without"
        yield required(f"{path}.properties", f"{text} x-kubernetes-preserve-unknown-fields")


def _is(schema: Any, extension: str) -> bool:
    return bool(schema.get(f"x-kubernetes-{extension}"))


def _type(schema: Any, kind: str, level: str, path: str) -> Iterator[Problem]:
    if _is(schema, "embedded-resource") and kind != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        yield invalid(f"{path}.type", kind, text) if kind else required(f"{path}.type", text)
    elif not kind and not _is(schema, "int-or-string") and not _is(schema, "preserve-unknown-fields"):
        yield required(f"{path}.type", _UNTYPED[level])
    if level == "root" and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")


def _envelope(schema: Any, path: str) -> Iterator[Problem]:
    properties = schema.get("properties") or {}
    for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        found = properties.get(name)
        if found is not None and found.get("type") != wanted:
            yield invalid(f"{path}.properties[{name}].type", found.get("type") or "", f"must be {wanted}")


def _root_metadata(metadata: Any, path: str) -> Iterator[Problem]:
    """Only name and generateName may be judged there."""
    said = {name: value for name, value in metadata.items() if name not in (*_IGNORED, "type", "default")}
    if set(said.get("properties") or ()) <= {"name", "generateName"}:
        said.pop("properties", None)
    if said:
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden(path, text)


def _junctors(schema: Any, level: str, path: str) -> Iterator[Problem]:
    """What is judged of a node's value, below junctors and by its pattern."""
    either = schema.get("anyOf") == _EITHER
    first = (schema.get("allOf") or [{}])[0]
    yield from _judgement(schema, level, path, skip_any=either, skip_first=first.get("anyOf") == _EITHER)


def _judgement(schema: Any, level: str, path: str, *, skip_any: bool, skip_first: bool) -> Iterator[Problem]:
    for step, child in _judged(schema):
        if not (skip_any and step.startswith(".anyOf")):
            skip = skip_first and step == ".allOf[0]"
            yield from _nested(child, level, path + step, skip_any=skip)
    if (pattern := schema.get("pattern")) and (why := pattern_error(pattern)):
        yield invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {why}")


def _nested(schema: Any, level: str, path: str, *, skip_any: bool = False) -> Iterator[Problem]:
    yield from _judgement(schema, level, path, skip_any=skip_any, skip_first=False)
    if isinstance(schema.get("items"), dict):
        yield from _nested(schema["items"], level, f"{path}.items")
    for name, child in (schema.get("properties") or {}).items():
        yield from _nested(child, "field", f"{path}.properties[{name}]")
    for name, wanted in _DECLARING.items():
        if schema.get(name) not in (None, False):
            yield forbidden(f"{path}.{name}", f"must be {wanted} to be structural")
    if "metadata" in (schema.get("properties") or {}):
        yield forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _completeness(judged: Any, declared: Any, path: str, where: str) -> Iterator[Problem]:
    """What is judged at `where` must be declared at `path`."""
    if declared is None:
        yield required(path, f"because it is defined in {where}")
        return
    for step, child in _judged(judged):
        yield from _complete_below(child, declared, path, where + step)


def _complete_below(judged: Any, declared: Any, path: str, where: str) -> Iterator[Problem]:
    if declared is None:
        yield required(path, f"because it is defined in {where}")
        return
    yield from _completeness(judged, declared, path, where)
    if isinstance(judged.get("items"), dict):
        items = declared.get("items")
        yield from _complete_below(judged["items"], items, f"{path}.items", f"{where}.items")
    for name, child in (judged.get("properties") or {}).items():
        step = f".properties[{name}]"
        found = (declared.get("properties") or {}).get(name)
        yield from _complete_below(child, found, path + step, where + step)
