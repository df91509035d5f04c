"""What an object holds beside what a document wants: our own marks and field managers, and what the server writes.

A target that set any of it would be written for ever, since what is stored then is never what was wanted. Written
into a document, our marks are refused. In a value that an expression yields they are left out: a common way to pass
labels on is `metadata: =parent.metadata`, and the trigger it copies may itself be an object that a workflow manages.

Each function has a field manager of its own for each trigger. With one for all, two of them that apply to one object
would each remove what the other one set, for ever. The marks alone belong to whoever wrote last.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from lambent.workflow.engine.expressions import is_expression
from lambent.workflow.engine.patches import (
    APPLIED_BY_ANNOTATION,
    LAST_APPLIED_ANNOTATION,
    MANAGED_LABEL,
    RECORD_ANNOTATION,
)
from lambent.workflow.spec import Diagnostic, Document, FieldPath, path_text

OUR_ANNOTATIONS = frozenset({APPLIED_BY_ANNOTATION, LAST_APPLIED_ANNOTATION, RECORD_ANNOTATION})
OUR_LABELS = frozenset({MANAGED_LABEL})
_OUR_FINALIZERS = "lambent.dev/"
# The manager of all functions before each had its own.
COMMON_MANAGER = "lambent"
# Names of managers hold 128 bytes, those of functions 253.
_NAME_CHARACTERS = 100
# Source: Kubernetes API conventions, "Metadata": set by the system, read-only for clients.
SERVER_FIELDS = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    }
)
_MAPS = (("labels", OUR_LABELS), ("annotations", OUR_ANNOTATIONS))
_MARKS = frozenset(f".metadata.{field}.{name}" for field, ours in _MAPS for name in ours)


def field_manager(function: str, writer: str) -> str:
    """The field manager of a function, named so that people see whose it is; `writer` tells it from all others."""
    return f"{COMMON_MANAGER}:{function[:_NAME_CHARACTERS]}:{hashlib.sha256(writer.encode()).hexdigest()[:12]}"


def is_own_conflict(field: str, message: str, manager: str) -> bool:
    """Whether a conflict of an apply is with ourselves, or over a mark, which any of us may take from another.

    What we created or patched counts as another manager's. Source: Kubernetes, "Server-Side Apply", Conflicts.
    """
    return field in _MARKS or message.split('"')[1:2] in ([manager], [COMMON_MANAGER])


def check_marks(document: Document, target: Any, path: FieldPath) -> Iterator[Diagnostic]:
    """What a static target sets that it must not; `path` is the place of the target."""
    metadata = target.get("metadata") if isinstance(target, Mapping) else None
    if not isinstance(metadata, Mapping):
        return
    place = (*path, "metadata")
    for field, ours in _MAPS:
        given = metadata.get(field)
        if isinstance(given, Mapping):
            for name in sorted(ours & given.keys()):
                message = f'"{name}" is written by lambent and cannot be set'
                yield document.diagnose("own-mark", message, (*place, field, name), at_key=True, hint="leave it out")
        elif given is not None and not is_expression(given):
            where = path_text((*place, field))
            yield document.diagnose("wrong-type", f"{where} must be a map from text to text", (*place, field))
    for name in sorted(SERVER_FIELDS & metadata.keys()):
        message = f"metadata.{name} belongs to the server and is left out of the target"
        yield document.diagnose("server-field", message, (*place, name), severity="warning", at_key=True)


def misplaced(metadata: Mapping[str, Any]) -> str:
    """What keeps computed metadata from being written at all; empty when nothing does."""
    for field, _ in _MAPS:
        if not isinstance(metadata.get(field) or {}, Mapping):
            return f"metadata.{field} must be a map from text to text"
    return ""


def without_marks(metadata: dict[str, Any]) -> dict[str, Any]:
    """Computed metadata without what is not the document's to set; the same object when there is nothing to leave out.

    Null labels and annotations go too: with our own marks on it the object always has both.
    """
    kept = metadata
    if not SERVER_FIELDS.isdisjoint(kept):
        kept = {key: value for key, value in kept.items() if key not in SERVER_FIELDS}
    for field, ours in _MAPS:
        if field not in kept:
            continue
        given = kept[field]
        if not given:
            kept = {key: value for key, value in kept.items() if key != field}
        elif not ours.isdisjoint(given):
            kept = {**kept, field: {key: value for key, value in given.items() if key not in ours}}
    return _without_finalizers(kept)


def _without_finalizers(metadata: dict[str, Any]) -> dict[str, Any]:
    given = metadata.get("finalizers")
    if not isinstance(given, list):
        return metadata
    foreign = [name for name in given if not (isinstance(name, str) and name.startswith(_OUR_FINALIZERS))]
    if len(foreign) == len(given):
        return metadata
    rest = {key: value for key, value in metadata.items() if key != "finalizers"}
    return {**rest, "finalizers": foreign} if foreign else rest
