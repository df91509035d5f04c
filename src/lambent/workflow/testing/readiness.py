"""What makes objects ready in a test or a forecast, where no controller does: an overlay per kind.

It is written as `converge.ready` of a WorkflowTest: a list of `{kind, overlay}`, where expressions see the object as
`resource`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lambent.workflow.engine.expressions import Compiler, Failed, Overlay
from lambent.workflow.spec import Document, FieldPath, has_errors, validate
from lambent.workflow.spec.workflow_test_rules import object_problems
from lambent.workflow.testing.memory_api import place_of

Readiness = Mapping[str, Overlay]


def readiness_of(entries: Iterable[Mapping[str, Any]], compiler: Compiler, path: FieldPath = ()) -> dict[str, Overlay]:
    """The overlay of each kind; what is wrong with them stands in the compiler's diagnostics."""
    return {
        entry["kind"]: compiler.overlay(entry["overlay"], (*path, place, "overlay"), ("resource",))
        for place, entry in enumerate(entries)
    }


def changed(obj: Mapping[str, Any], overlay: Overlay) -> dict[str, Any]:
    """The object with an overlay laid over it, which must still be the same object. Raises `Failed`."""
    name = f"{obj['kind']} {obj['metadata']['name']}"
    found = whole(overlay.apply(obj, {"resource": obj}), name)
    if place_of(found) != place_of(obj):
        raise Failed(f"{name} cannot become another object", "")
    return found


def whole(obj: dict[str, Any], what: str) -> dict[str, Any]:
    """The object, when it still is one after a change. Raises `Failed`."""
    for path, message in object_problems(obj):
        raise Failed(f"{what} is no object any more: {'.'.join(map(str, path))} {message}", "")
    return obj


def stated_readiness(documents: Iterable[Document], workflow: str) -> tuple[dict[str, Overlay], list[str]]:
    """What the valid WorkflowTests of a workflow say about its objects (of a kind the first), and their names."""
    ready: dict[str, Overlay] = {}
    tests = []
    for document in documents:
        if document.identity.kind != "WorkflowTest" or has_errors(validate(document)):
            continue
        entries = (document.spec.get("converge") or {}).get("ready") or []
        compiler = Compiler(document)
        stated = readiness_of(entries, compiler, ("spec", "converge", "ready"))
        if document.spec["workflowRef"]["name"] == workflow and stated and not has_errors(compiler.diagnostics):
            ready = {**stated, **ready}
            tests.append(str(document.identity))
    return ready, tests
