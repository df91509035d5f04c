"""What can be said of documents only together: references that lead nowhere, circles, inputs that do not fit.

A workflow with such errors still runs, as far as it can: steps that do not depend on what is missing are not held up.
"""

from collections.abc import Iterator

from lambent.workflow.engine.catalog import Catalog, Prepared
from lambent.workflow.engine.expressions import Constant, MapTemplate, Template, expressions_in
from lambent.workflow.engine.functions import ResourceFunction, Unready, ValueFunction
from lambent.workflow.engine.workflows import LogicRef, Step, Switch, Workflow
from lambent.workflow.spec import Diagnostic, FieldPath, Identity, nearest

MISSING_REFERENCE = "missing-reference"


def check(catalog: Catalog) -> list[Diagnostic]:
    """Everything wrong between the documents of a catalog."""
    both = (*catalog.of_kind("Workflow"), *catalog.of_kind("ResourceFunction"))
    return [diagnostic for prepared in both for diagnostic in check_one(prepared, catalog)]


def check_one(prepared: Prepared, catalog: Catalog) -> list[Diagnostic]:
    """What is wrong between one document and the others."""
    if isinstance(prepared, Workflow):
        return check_workflow(prepared, catalog)
    return check_overlays(prepared, catalog) if isinstance(prepared, ResourceFunction) else []


def check_workflow(workflow: Workflow, catalog: Catalog) -> list[Diagnostic]:
    """Every missing or invalid reference, a circle of sub-workflows, and inputs that do not fit."""
    found: list[Diagnostic] = []
    for step in workflow.steps:
        for place, reference in _places(step):
            found += _reference(workflow, step, place, reference, catalog)
        found += _unread(workflow, step, catalog)
    cycle = _cycle(workflow, catalog, (workflow.identity,))
    if cycle:
        names = " -> ".join(str(identity) for identity in cycle)
        found.append(workflow.document.diagnose("workflow-cycle", f"sub-workflows run in a circle: {names}"))
    return found


def _places(step: Step) -> Iterator[tuple[FieldPath, LogicRef]]:
    path: FieldPath = ("spec", "steps", step.index)
    if isinstance(step.logic, LogicRef):
        yield (*path, "ref", "name"), step.logic
    else:
        for index, reference in enumerate(step.logic.cases.values()):
            yield (*path, "refSwitch", "cases", index, "name"), reference


def _reference(
    workflow: Workflow, step: Step, place: FieldPath, reference: LogicRef, catalog: Catalog
) -> Iterator[Diagnostic]:
    document = workflow.document
    found = catalog.resolve(reference.kind, reference.name, workflow.identity.namespace)
    if isinstance(found, str):
        known = [prepared.identity.name for prepared in catalog.of_kind(reference.kind)]
        yield document.diagnose(MISSING_REFERENCE, found, place, hint=nearest(reference.name, known))
    elif isinstance(found, Unready):
        is_optional = not isinstance(step.logic, LogicRef)
        yield document.diagnose(
            "unready-reference", found.reason, place, severity="warning" if is_optional else "error"
        )
    elif isinstance(found, ValueFunction | ResourceFunction):
        extra = {step.for_each.input_key} if step.for_each is not None else set()
        given = _keys(step.inputs)
        if given is not None:
            yield from _inputs(workflow, step, found, given | extra)


def _inputs(
    workflow: Workflow, step: Step, function: ValueFunction | ResourceFunction, given: set[str]
) -> Iterator[Diagnostic]:
    document, path = workflow.document, ("spec", "steps", step.index, "inputs")
    for name in sorted(function.needs.required - given):
        message = f'{function.identity} reads input "{name}", which the step does not give'
        hint = nearest(name, given - function.needs.read)
        yield document.diagnose("missing-input", message, path, severity="warning", at_key=True, hint=hint)


def _unread(workflow: Workflow, step: Step, catalog: Catalog) -> Iterator[Diagnostic]:
    """Inputs that no function of a step reads, nor its switch or state: functions of a switch share one interface."""
    given = _keys(step.inputs) or set()
    own = [step.logic.switch_on] if isinstance(step.logic, Switch) else []
    readers = [
        expression for part in (*own, *([step.state] if step.state else [])) for expression in expressions_in(part)
    ]
    read = {name for expression in readers for name in expression.members_of("inputs")}
    names = []
    for ref in step.references():
        function = catalog.resolve(ref.kind, ref.name, workflow.identity.namespace)
        if not isinstance(function, ValueFunction | ResourceFunction) or not function.needs.is_complete:
            return
        read |= function.needs.read
        names.append(str(function.identity))
    for name in sorted(given - read) if "*" not in read else ():
        if not name.startswith("_"):
            verb = "does not read" if len(names) == 1 else "do not read"
            message = f'{" and ".join(dict.fromkeys(names))} {verb} input "{name}"'
            path = ("spec", "steps", step.index, "inputs", name)
            hint = nearest(name, read - given)
            yield workflow.document.diagnose(
                "unexpected-input", message, path, severity="warning", at_key=True, hint=hint
            )


def _keys(template: Template) -> set[str] | None:
    """The keys of a map as far as they can be known."""
    if isinstance(template, MapTemplate):
        return {key for key, _ in template.items}
    if isinstance(template, Constant) and isinstance(template.value, dict):
        return set(template.value)
    return None


def check_overlays(function: ResourceFunction, catalog: Catalog) -> list[Diagnostic]:
    """Overlay functions and templates that a resource function names."""
    found: list[Diagnostic] = []
    document, namespace = function.document, function.identity.namespace
    for index, stage in enumerate(function.overlays):
        if not stage.function:
            continue
        path: FieldPath = ("spec", "overlays", index)
        target = catalog.overlay_function(stage.function, namespace)
        if not isinstance(target, ValueFunction):
            why = target if isinstance(target, str) else target.reason
            found.append(document.diagnose(MISSING_REFERENCE, why, (*path, "overlayRef", "name")))
            continue
        given = _keys(stage.inputs)
        for name in sorted(target.needs.required - (given or set())) if given is not None else ():
            message = f'{target.identity} reads input "{name}", which the overlay does not give'
            found.append(document.diagnose("missing-input", message, path))
    if isinstance(function.template_name, Constant):
        template = catalog.template(function.template_name.value, namespace)
        if isinstance(template, str | Unready):
            why = template if isinstance(template, str) else template.reason
            path = ("spec", "resourceTemplateRef", "name")
            found.append(document.diagnose(MISSING_REFERENCE, why, path))
    return found


def _cycle(workflow: Workflow, catalog: Catalog, trail: tuple[Identity, ...]) -> tuple[Identity, ...]:
    """The path of a circle that leads back to the first workflow of the trail; empty when there is none."""
    for step in workflow.steps:
        for reference in step.references():
            if reference.kind != "Workflow":
                continue
            found = catalog.resolve("Workflow", reference.name, workflow.identity.namespace)
            if not isinstance(found, Workflow):
                continue
            if found.identity == trail[0]:
                return (*trail, found.identity)
            if found.identity not in trail:
                cycle = _cycle(found, catalog, (*trail, found.identity))
                if cycle:
                    return cycle
    return ()
