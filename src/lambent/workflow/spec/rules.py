"""Rules that span several fields of one document; run only when its structure is sound."""

from collections.abc import Iterator
from typing import Any

from lambent.workflow.spec.diagnostics import Diagnostic
from lambent.workflow.spec.documents import Document
from lambent.workflow.spec.durations import seconds
from lambent.workflow.spec.fields import Kind
from lambent.workflow.spec.positions import FieldPath, path_text
from lambent.workflow.spec.workflow_test_rules import workflow_test

# A shorter time-out would end every step, a longer one holds a worker that others wait for.
_SHORTEST_S, _LONGEST_S = 0.1, 600.0


def cross_field(document: Document, kind: Kind) -> list[Diagnostic]:
    """Rules of one kind beyond its table."""
    rules = {"Workflow": _workflow, "ResourceFunction": _resource_function, "ResourceTemplate": _template}
    rules |= {"FunctionTest": _function_test, "WorkflowTest": workflow_test}
    rule = rules.get(kind.kind)
    return list(rule(document)) if rule is not None else []


def _workflow(document: Document) -> Iterator[Diagnostic]:
    steps: list[dict[str, Any]] = document.spec["steps"]
    yield from _timeouts(document)
    seen: dict[str, int] = {}
    conditions: dict[str, int] = {}
    for index, step in enumerate(steps):
        path = ("spec", "steps", index)
        label = step["label"]
        if label in seen:
            for place in (seen[label], index):
                yield document.diagnose(
                    "duplicate-label", f'step label "{label}" is used twice', ("spec", "steps", place, "label")
                )
        if label[0].isdigit():
            message = f'step label "{label}" begins with a digit and can only be reached as steps["{label}"]'
            yield document.diagnose("label-digit", message, (*path, "label"), severity="warning")
        yield from _dependencies(document, step, index, seen)
        seen.setdefault(label, index)
        yield from _switch(document, step, index)
        yield from _condition(document, step, index, conditions)


def _timeouts(document: Document) -> Iterator[Diagnostic]:
    given: dict[FieldPath, Any] = {
        ("timeouts", name): text for name, text in (document.spec.get("timeouts") or {}).items()
    }
    given |= {("steps", index, "timeout"): step.get("timeout") for index, step in enumerate(document.spec["steps"])}
    for path, text in given.items():
        if text is not None and not _SHORTEST_S <= seconds(text) <= _LONGEST_S:
            where = ("spec", *path)
            message = f"{path_text(where)} must be from {_SHORTEST_S:g} s to {_LONGEST_S:g} s"
            yield document.diagnose("out-of-range", message, where)


def _dependencies(
    document: Document, step: dict[str, Any], index: int, earlier: dict[str, int]
) -> Iterator[Diagnostic]:
    for place, dependency in enumerate(step.get("dependsOn") or ()):
        if dependency["label"] not in earlier:
            message = f'"{dependency["label"]}" is not an earlier step'
            path = ("spec", "steps", index, "dependsOn", place, "label")
            yield document.diagnose("unknown-step", message, path)


def _switch(document: Document, step: dict[str, Any], index: int) -> Iterator[Diagnostic]:
    cases: list[dict[str, Any]] = (step.get("refSwitch") or {}).get("cases") or []
    seen: set[str] = set()
    defaults = 0
    for place, case in enumerate(cases):
        path = ("spec", "steps", index, "refSwitch", "cases", place)
        if case["case"] in seen:
            yield document.diagnose("duplicate-case", f'case "{case["case"]}" stands twice', (*path, "case"))
        seen.add(case["case"])
        defaults += bool(case.get("default"))
        if case.get("default") and defaults == 2:
            yield document.diagnose("several-defaults", "only one case may be the default", (*path, "default"))


def _condition(document: Document, step: dict[str, Any], index: int, seen: dict[str, int]) -> Iterator[Diagnostic]:
    condition = step.get("condition")
    if not condition:
        return
    name, path = condition["type"], ("spec", "steps", index, "condition", "type")
    if condition["name"].startswith("="):
        message = "a condition's name is text, not an expression"
        yield document.diagnose("expression-not-allowed", message, (*path[:-1], "name"))
    if name in ("Ready", "Reconciling", "Stalled"):
        message = f'"{name}" is the workflow\'s own condition'
        yield document.diagnose("condition-reserved", message, path, severity="warning")
    if name in seen:
        message = f'condition type "{name}" is used by several steps'
        yield document.diagnose("condition-duplicate", message, path, severity="warning")
    seen.setdefault(name, index)


def _resource_function(document: Document) -> Iterator[Diagnostic]:
    api = document.spec["apiConfig"]
    if api.get("namespaced", True) and not api.get("namespace"):
        message = "apiConfig.namespace is required for a namespaced kind"
        yield document.diagnose("missing-field", message, ("spec", "apiConfig"), at_key=True)
    for index, overlay in enumerate(document.spec.get("overlays") or ()):
        if overlay.get("inputs") is not None and overlay.get("overlayRef") is None:
            path = ("spec", "overlays", index, "inputs")
            yield document.diagnose("contradictory-fields", "inputs belong to an overlayRef", path, at_key=True)


def _template(document: Document) -> Iterator[Diagnostic]:
    template = document.spec["template"]
    for name in ("apiVersion", "kind"):
        if not isinstance(template.get(name), str) or not template[name]:
            message = f"spec.template.{name} is required"
            yield document.diagnose("missing-field", message, ("spec", "template"), at_key=True)


def _function_test(document: Document) -> Iterator[Diagnostic]:
    if document.spec["functionRef"]["kind"] == "ResourceFunction":
        return
    for index, case in enumerate(document.spec.get("testCases") or ()):
        for name in ("expectResource", "expectDelete"):
            if case.get(name) is not None:
                path = ("spec", "testCases", index, name)
                yield document.diagnose("contradictory-fields", f"{name} needs a ResourceFunction", path, at_key=True)
