"""Bodies of writes: what is sent, what is remembered of it, what has to go.

The body of a patch is a JSON merge patch of the whole target, plus null for each field that was in the last-applied
body, is absent from the target, is still live and is not set by the create-only overlay. The last body is kept on the
object in the annotation `koreo.dev/last-applied-configuration`; when that is missing or corrupt it counts as empty.
Who wrote it stands beside it: two functions, or two triggers, may each write some fields of one object, and what the
other one set is nobody's to remove.
"""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from lambent.workflow.engine.comparison import DIRECTIVES
from lambent.workflow.engine.references import Owner

LAST_APPLIED_ANNOTATION = "koreo.dev/last-applied-configuration"
RECORD_ANNOTATION = "koreo.dev/managed-resources"
APPLIED_BY_ANNOTATION = "lambent.dev/applied-by"
MANAGED_LABEL = "lambent.dev/managed"
_FOR = " for "


def compact_json(value: Any) -> str:
    """Compact, insertion-ordered JSON text."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # Integers beyond 64 bits, which Python's own encoder can write.
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def without_directives(value: Any) -> Any:
    """The value with every compare directive left out, at every level; shares what has none."""
    if isinstance(value, Mapping):
        return {key: without_directives(item) for key, item in value.items() if key not in DIRECTIVES}
    if isinstance(value, list):
        return [without_directives(item) for item in value]
    return value


def _annotation(live: Mapping[str, Any], name: str) -> str:
    metadata = live.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    text = annotations.get(name) if isinstance(annotations, Mapping) else None
    return text if isinstance(text, str) else ""


def applied_by(live: Mapping[str, Any]) -> str:
    """Which function, for which trigger, made the last write; empty when the object does not say."""
    return _annotation(live, APPLIED_BY_ANNOTATION)


def writer_for(function: str, owner: Owner | None) -> str:
    """What `applied_by` tells: the function, by its place, and the trigger if there is one."""
    return function if owner is None else f"{function}{_FOR}{owner}"


def written_for(live: Mapping[str, Any]) -> str:
    """The trigger for which the last write was made, as `str` of an `Owner`; empty when the object does not say."""
    return applied_by(live).rpartition(_FOR)[2] if _FOR in applied_by(live) else ""


def last_applied(live: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the last write, from the object's annotation."""
    text = _annotation(live, LAST_APPLIED_ANNOTATION)
    try:
        value = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def removed_fields(applied: Any, target: Any, live: Any) -> dict[str, Any]:
    """A merge patch of nulls for fields that were applied, are no longer wanted and are still live."""
    gone: dict[str, Any] = {}
    if not (isinstance(applied, Mapping) and isinstance(target, Mapping) and isinstance(live, Mapping)):
        return gone
    for key, before in applied.items():
        if live.get(key) is None:
            continue
        if key not in target:
            gone[key] = None
        elif type(before) is not str and (below := removed_fields(before, target[key], live[key])):
            gone[key] = below
    return gone


def first_path(gone: Mapping[str, Any]) -> str:
    """The first field that a map of nulls names."""
    parts: list[str] = []
    node: Any = gone
    while isinstance(node, Mapping) and node:
        key = next(iter(node))
        parts.append(key)
        node = node[key]
    return ".".join(parts)


def merge(base: Any, patch: Any) -> Any:
    """JSON merge patch. Source: RFC 7386. The base is not changed."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(base) if isinstance(base, Mapping) else {}
    for key, item in patch.items():
        if item is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), item)
    return result


def without_nulls(value: Any) -> Any:
    """The value without map members that are null, as a server stores a new object."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both maps, the second winning, nulls kept: two merge patches as one."""
    result = dict(one)
    for key, item in other.items():
        before = result.get(key)
        result[key] = union(before, item) if isinstance(before, Mapping) and isinstance(item, Mapping) else item
    return result


def stamped(body: Mapping[str, Any], writer: str = "") -> dict[str, Any]:
    """The body with our label and, in annotations, a record of itself and of its writer (if there is one)."""
    metadata = dict(body.get("metadata") or {})
    labels = metadata.get("labels")
    metadata["labels"] = {**(labels if isinstance(labels, Mapping) else {}), MANAGED_LABEL: "true"}
    annotations = metadata.get("annotations")
    annotations = dict(annotations) if isinstance(annotations, Mapping) else {}
    annotations[LAST_APPLIED_ANNOTATION] = compact_json(body)
    if writer:
        annotations[APPLIED_BY_ANNOTATION] = writer
    metadata["annotations"] = annotations
    return {**body, "metadata": metadata}
