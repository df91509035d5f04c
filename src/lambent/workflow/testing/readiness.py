"""What makes objects ready in a test or a forecast, where no controller does: an overlay per kind.

It is written as `converge.ready` of a WorkflowTest: a list of `{kind, overlay}`, where expressions see the object as
`resource`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambent.workflow.engine.expressions import Compiler, Failed, Overlay
from lambent.workflow.spec import Document, FieldPath
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


def readiness_in(tests: Iterable[Document], workflow: str) -> Iterator[tuple[Document, list[Mapping[str, Any]]]]:
    """The WorkflowTests of a workflow that say what makes objects ready."""
    for test in tests:
        if test.identity.kind == "WorkflowTest" and (test.spec.get("workflowRef") or {}).get("name") == workflow:
            ready = (test.spec.get("converge") or {}).get("ready")
            if ready:
                yield test, ready
