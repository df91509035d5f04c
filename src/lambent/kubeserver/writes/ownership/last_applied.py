"""From client-side to server-side apply: kubectl's `last-applied-configuration` annotation.

An apply by the manager `kubectl` may take fields whose present value is the one its client-side apply wrote, and keeps
the annotation in step with what it applies, so that going back works too. Source: Kubernetes docs, "Server-Side Apply:
upgrading from client-side apply".
"""

from typing import Any

import orjson

from lambent.kubeserver.writes.ownership import fieldsets
from lambent.kubeserver.writes.ownership.fieldsets import Fields
from lambent.kubeserver.writes.ownership.shapes import Shape
from lambent.kubeserver.writes.ownership.values import compare, fields_of

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl"
_LIMIT_BYTES = 256 * 1024


def takeable(shape: Shape, live: Any) -> Fields:
    """Fields of the annotation's object that the live object still has as they were applied."""
    text = (live["metadata"].get("annotations") or {}).get(ANNOTATION)
    if not text:
        return {}
    try:
        applied = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(applied, dict) or not isinstance(applied.get("metadata", {}), dict):
        return {}
    changed = compare(shape, applied, live)
    differing = fieldsets.union(changed.modified, changed.removed)
    return fieldsets.difference(fields_of(shape, applied), differing)


def refresh(obj: Any, config: Any) -> None:
    """Writes what was applied into the annotation, where there is one."""
    annotations = obj["metadata"].get("annotations")
    if not isinstance(annotations, dict) or ANNOTATION not in annotations:
        return
    meta = {key: value for key, value in config["metadata"].items() if key != "managedFields"}
    if isinstance(meta.get("annotations"), dict):
        meta["annotations"] = {key: value for key, value in meta["annotations"].items() if key != ANNOTATION}
    text = orjson.dumps({**config, "metadata": meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    if len(text) <= _LIMIT_BYTES:
        obj["metadata"]["annotations"] = {**annotations, ANNOTATION: text}
