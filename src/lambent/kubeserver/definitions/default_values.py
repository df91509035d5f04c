"""Defaults of a schema: each must have no unknown member and hold what the schema asks of it, its rules too."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from lambent.cel import CelError
from lambent.kube.schema import Problem, compile_judgement, compile_schema
from lambent.kube.schema.embedded import embedded as embedded_nodes
from lambent.kube.schema.rules import Rules, compile_rules
from lambent.kubeserver.definitions import embedded
from lambent.kubeserver.definitions.refusals import invalid
from lambent.kubeserver.resources import ENVELOPE
from lambent.kubeserver.storage.records import go_numbers


def default_problems(schema: Any, path: str, *, inside_meta: bool = False) -> Iterator[Problem]:
    """Of the node and all declared below it; below `additionalProperties` there are none."""
    if schema.get("default") is not None and not inside_meta:
        default = go_numbers(orjson.loads(orjson.dumps(schema["default"], option=orjson.OPT_SORT_KEYS)))
        yield from _one(schema, default, f"{path}.default")
    if isinstance(schema.get("items"), dict):
        yield from default_problems(schema["items"], f"{path}.items", inside_meta=inside_meta)
    is_embedded = bool(schema.get("x-kubernetes-embedded-resource"))
    for name, child in (schema.get("properties") or {}).items():
        is_meta = (inside_meta and not is_embedded) or (is_embedded and name in ENVELOPE)
        yield from default_problems(child, f"{path}.properties[{name}]", inside_meta=is_meta)


def _one(schema: Any, default: Any, path: str) -> Iterator[Problem]:
    pruned = copy.deepcopy(default)
    node = embedded_nodes(schema)
    for _, obj in node.objects(pruned) if node is not None else ():
        obj.pop("metadata", None)  # which is read apart
    if compile_schema({**schema, "default": None}).admit(pruned).unknown:
        yield invalid(path, default, "must not have unknown fields")
    found = _of_embedded(schema, default) or _of_values(schema, default)
    if not found and (rules := _rules(schema)) is not None:
        found = rules.check(default, default) or rules.check(default, None)
    for one in found:
        step = "" if one.path.startswith(("[", ".")) else "."
        yield replace(one, path=path if one.path == "<nil>" else f"{path}{step}{one.path}")


def _of_values(schema: Any, default: Any) -> list[Problem]:
    """Lists that are sets or keyed are not held to it here, nor an int-or-string to its types."""
    if schema.get("x-kubernetes-int-or-string"):
        return []
    found = compile_judgement(schema)(default).errors
    told = [one for one in found if one.reason != "FieldValueDuplicate"]
    return [replace(one, path=f".{one.path}") if one.path.startswith("[") else one for one in told]


def _of_embedded(schema: Any, default: Any) -> list[Problem]:
    node = embedded_nodes(schema)
    return embedded.problems(node, copy.deepcopy(default), malformed=True) if node is not None else []


def _rules(schema: Any) -> Rules | None:
    try:
        return compile_rules(schema)
    except CelError:
        return None  # said of the rule itself
