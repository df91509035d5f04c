"""What the free-form parts of a WorkflowTest must hold: objects that can be found, outcomes to compare with."""

from collections.abc import Iterator, Mapping
from typing import Any

from lambent.workflow.spec.diagnostics import Diagnostic
from lambent.workflow.spec.documents import Document
from lambent.workflow.spec.positions import FieldPath, path_text

_OUTCOMES = ("ok", "skip", "depSkip", "retry", "permFail")


def workflow_test(document: Document) -> Iterator[Diagnostic]:
    """Everything wrong with the parent, the objects and the expectations of a test whose table is fulfilled."""
    spec = document.spec
    yield from _object(document, spec["parent"], ("spec", "parent"))
    for index, obj in enumerate(spec.get("resources") or ()):
        yield from _object(document, obj, ("spec", "resources", index))
    for index, case in enumerate(spec.get("passes") or ()):
        expect, path = case.get("expect") or {}, ("spec", "passes", index, "expect")
        for place, obj in enumerate(expect.get("resources") or ()):
            yield from _object(document, obj, (*path, "resources", place))
        for label, wanted in (expect.get("steps") or {}).items():
            yield from _step(document, wanted, (*path, "steps", label))
        for type_, wanted in (expect.get("conditions") or {}).items():
            yield from _condition(document, wanted, (*path, "conditions", type_))


def object_problems(obj: Any) -> Iterator[tuple[FieldPath, str]]:
    """What keeps a value from being an object of a cluster: fields that must be text, maps that must be maps."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping):
        yield ("metadata",), "must be an object"
        return
    for holder, name, path in ((obj, "apiVersion", ()), (obj, "kind", ()), (metadata, "name", ("metadata",))):
        if not isinstance(holder.get(name), str) or not holder[name]:
            yield (*path, name), "must be a text that is not empty"
    for name in ("namespace", "uid"):
        if metadata.get(name) is not None and not isinstance(metadata[name], str):
            yield ("metadata", name), "must be a text"
    for name in ("labels", "annotations"):
        if not isinstance(metadata.get(name) or {}, Mapping):
            yield ("metadata", name), "must be an object"
    for name in ("ownerReferences", "finalizers"):
        if not isinstance(metadata.get(name) or [], list):
            yield ("metadata", name), "must be a list"
    if not isinstance(obj.get("status") or {}, Mapping):
        yield ("status",), "must be an object"


def _object(document: Document, obj: Mapping[str, Any], path: FieldPath) -> Iterator[Diagnostic]:
    for below, message in object_problems(obj):
        where = (*path, *below)
        yield document.diagnose("bad-object", f"{path_text(where)} {message}", where)


def _step(document: Document, wanted: Any, path: FieldPath) -> Iterator[Diagnostic]:
    if isinstance(wanted, Mapping) and set(wanted) == {"return"}:
        return
    named = [name for name in wanted if wanted[name] is not None] if isinstance(wanted, Mapping) else []
    body = wanted[named[0]] if len(named) == 1 and named[0] in _OUTCOMES else None
    message, delay = (body.get("message") or "", body.get("delay") or 0) if isinstance(body, Mapping) else (None, None)
    if not isinstance(message, str) or not isinstance(delay, int | float):
        choices = ", ".join((*_OUTCOMES, "return"))
        yield document.diagnose("bad-expectation", f"{path_text(path)} needs exactly one of {choices}", path)


def _condition(document: Document, wanted: Any, path: FieldPath) -> Iterator[Diagnostic]:
    if not isinstance(wanted, Mapping):
        yield document.diagnose("bad-expectation", f"{path_text(path)} must be an object", path)
        return
    for name, value in wanted.items():
        if value is not None and not isinstance(value, str):
            yield document.diagnose("bad-expectation", f"{path_text((*path, name))} must be a text", (*path, name))
