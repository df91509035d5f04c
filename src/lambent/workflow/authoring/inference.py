"""`lambent crds --infer`: a CRD for the trigger kind of a workflow, from what its expressions read of `parent.spec`.

A field is required when an expression fails without it. Its type is that of the values which FunctionTests give to the
input it goes into; a field of which nothing is known accepts anything. Meant as a beginning that a person completes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent import cel
from lambent.errors import UsageError
from lambent.workflow.authoring.rbac import plural_of
from lambent.workflow.engine import Step, Workflow
from lambent.workflow.engine.expressions import Expression, MapTemplate, Overlay, Template, expressions_in
from lambent.workflow.engine.workflows import Switch
from lambent.workflow.testing import Loaded

_ROOT = ("parent", "spec")
_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}
_ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}


@dataclass(slots=True)
class _Field:
    """`types` are those of known values."""

    members: "dict[str, _Field]" = field(default_factory=dict)
    required: bool = False
    types: set[str] = field(default_factory=set)

    def at(self, path: tuple[str, ...]) -> "_Field":
        found = self
        for part in path:
            found = found.members.setdefault(part, _Field())
        return found


def infer_crd(workflow: Workflow, loaded: Loaded) -> dict[str, Any]:
    """A complete CustomResourceDefinition. Raises `UsageError` for a workflow without a trigger kind."""
    trigger = workflow.trigger
    if trigger is None:
        raise UsageError(f"{workflow.identity} has no crdRef, so it has no trigger kind")
    singular = trigger.kind.lower()
    plural = plural_of(trigger.kind)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{trigger.group}"},
        "spec": {
            "group": trigger.group,
            "scope": "Namespaced",
            "names": {
                "kind": trigger.kind,
                "listKind": f"{trigger.kind}List",
                "plural": plural,
                "singular": singular,
            },
            "versions": [_version(trigger.version, _schema(_spec_of(workflow, loaded)))],
        },
    }


def _version(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    ready = '.status.conditions[?(@.type=="Ready")]'
    return {
        "name": name,
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "required": ["spec"],
                "properties": {"spec": {"type": "object", **spec}, "status": {"type": "object", **_ANYTHING}},
            }
        },
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": "Ready", "type": "string", "jsonPath": f"{ready}.status"},
            {"name": "Reason", "type": "string", "jsonPath": f"{ready}.reason"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ],
    }


def _schema(found: _Field) -> dict[str, Any]:
    if found.members:
        schema: dict[str, Any] = {"type": "object"}
        required = sorted(name for name, member in found.members.items() if member.required)
        if required:
            schema["required"] = required
        schema["properties"] = {name: _schema(member) for name, member in sorted(found.members.items())}
        return schema
    if len(found.types) != 1:
        return dict(_ANYTHING)
    (type_,) = found.types
    if type_ == "array":
        return {"type": "array", "items": dict(_ANYTHING)}
    return {"type": type_, **(_ANYTHING if type_ == "object" else {})}


def _spec_of(workflow: Workflow, loaded: Loaded) -> _Field:
    root = _Field()
    for step in workflow.steps:
        for expression in _expressions(step):
            for path in expression.program.references:
                below = _below(path)
                if below:
                    root.at(below)
            for path in expression.program.references - expression.program.guarded:
                is_always = step.skip_if is None or expression in expressions_in(step.skip_if)
                _require(root, _below(path), is_always=is_always)
        _note_types(root, workflow, step, loaded)
    # What an expression tests for before it reads it is optional.
    for step in workflow.steps:
        for expression in _expressions(step):
            for path in expression.program.guarded:
                below = _below(path)
                if below:
                    root.at(below).required = False
    return root


def _below(path: tuple[str, ...]) -> tuple[str, ...]:
    """The part under `parent.spec` up to a computed step; empty for other paths."""
    if path[:2] != _ROOT:
        return ()
    found: list[str] = []
    for part in path[2:]:
        if part is cel.WILDCARD:
            break
        found.append(part)
    return tuple(found)


def _require(root: _Field, below: tuple[str, ...], *, is_always: bool) -> None:
    for end in range(1, len(below) + 1):
        root.at(below[:end]).required |= is_always


def _expressions(step: Step) -> Iterator[Expression]:
    given: list[Template | Overlay | None] = [step.inputs, step.skip_if, step.state]
    given.append(step.for_each.item_in if step.for_each is not None else None)
    given.append(step.logic.switch_on if isinstance(step.logic, Switch) else None)
    for template in given:
        if template is not None:
            yield from expressions_in(template)


def _note_types(root: _Field, workflow: Workflow, step: Step, loaded: Loaded) -> None:
    if step.for_each is not None:
        path = _plain_path(step.for_each.item_in)
        if path:
            root.at(path).types.add("array")
    if not isinstance(step.inputs, MapTemplate):
        return
    samples = list(_samples(workflow, step, loaded))
    for name, template in step.inputs.items:
        path = _plain_path(template)
        if path:
            values = (given[name] for given in samples if given.get(name) is not None)
            root.at(path).types |= {_TYPES[type(value)] for value in values if type(value) in _TYPES}


def _plain_path(template: Template) -> tuple[str, ...]:
    """The path under `parent.spec` that an expression is, without anything around it."""
    if not isinstance(template, Expression) or len(template.program.references) != 1:
        return ()
    (path,) = template.program.references
    is_whole = "".join(template.program.text.split()) == ".".join(path)
    return _below(path) if is_whole else ()


def _samples(workflow: Workflow, step: Step, loaded: Loaded) -> Iterator[Mapping[str, Any]]:
    """Inputs that FunctionTests give to the functions of a step."""
    names = {(reference.kind, reference.name) for reference in step.references()}
    for document in loaded.documents:
        reference = document.spec.get("functionRef")
        if document.identity.kind != "FunctionTest" or not isinstance(reference, Mapping):
            continue
        if (reference.get("kind"), reference.get("name")) in names:
            given = document.spec.get("inputs")
            yield given if isinstance(given, Mapping) else {}
