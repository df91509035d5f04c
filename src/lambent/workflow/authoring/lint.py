"""What is wrong or doubtful in a whole set of files, beyond each document: `lambent validate`.

Errors: a FunctionTest without its function. Warnings: functions and templates that nothing uses, and objects that
stand twice. A template named by an expression may be any, so then none counts as unused.
"""

from collections.abc import Iterator

from lambent.workflow.engine import Catalog, PreparedTemplate, ResourceFunction, ValueFunction, Workflow
from lambent.workflow.engine.expressions import Constant
from lambent.workflow.engine.workflows import LogicRef
from lambent.workflow.spec import Diagnostic, Document, Identity, in_order, kind_of, nearest
from lambent.workflow.testing import Loaded

_USABLE = (ValueFunction, ResourceFunction, PreparedTemplate)


def all_diagnostics(loaded: Loaded) -> list[Diagnostic]:
    """Everything that can be said of these files, in order."""
    found = [*loaded.diagnostics, *_untested_references(loaded), *_duplicates(loaded)]
    if any(True for _ in loaded.catalog.of_kind("Workflow")):
        found += unused(loaded.catalog)
    return in_order(found)


def _untested_references(loaded: Loaded) -> Iterator[Diagnostic]:
    for document in loaded.documents:
        reference = document.spec.get("functionRef")
        if document.identity.kind != "FunctionTest" or not isinstance(reference, dict):
            continue
        kind, name = reference.get("kind"), reference.get("name")
        if not isinstance(kind, str) or not isinstance(name, str):
            continue
        target = loaded.catalog.resolve(kind, name, document.identity.namespace)
        own_file = any(d.file == document.file and d.identity[::2] == (kind, name) for d in loaded.documents)
        if isinstance(target, str) and not own_file:
            known = [prepared.identity.name for prepared in loaded.catalog.of_kind(kind)]
            path = ("spec", "functionRef", "name")
            yield document.diagnose("missing-reference", target, path, hint=nearest(name, known))


def _duplicates(loaded: Loaded) -> Iterator[Diagnostic]:
    seen: dict[Identity, Document] = {}
    for document in loaded.documents:
        if kind_of(document.value) is None or not document.identity.name:
            continue
        first = seen.setdefault(document.identity, document)
        if first is not document:
            message = f"{document.identity} stands in {first.file}:{first.first_line} already; the later one is used"
            yield document.diagnose("duplicate-object", message, ("metadata", "name"), severity="warning")


def used_by(catalog: Catalog) -> set[Identity]:
    """Identities that workflows reach, in any depth, by step, overlay or template name."""
    used: set[Identity] = set()
    for workflow in catalog.of_kind("Workflow"):
        if isinstance(workflow, Workflow):
            for step in workflow.steps:
                for reference in step.references():
                    _reach(catalog, reference, workflow.identity.namespace, used)
    return used


def _reach(catalog: Catalog, reference: LogicRef, namespace: str, used: set[Identity]) -> None:
    found = catalog.resolve(reference.kind, reference.name, namespace)
    if isinstance(found, str) or found.identity in used:
        return
    used.add(found.identity)
    if not isinstance(found, ResourceFunction):
        return
    for stage in found.overlays:
        if stage.function:
            _reach(catalog, LogicRef("ValueFunction", stage.function), found.identity.namespace, used)
    if isinstance(found.template_name, Constant):
        _reach(catalog, LogicRef("ResourceTemplate", str(found.template_name.value)), found.identity.namespace, used)
    elif found.template_name is not None:
        used |= {template.identity for template in catalog.of_kind("ResourceTemplate")}


def unused(catalog: Catalog) -> Iterator[Diagnostic]:
    """A warning for each function and template that no workflow uses."""
    used = used_by(catalog)
    for prepared in catalog.all():
        if isinstance(prepared, _USABLE) and prepared.identity not in used:
            message = f"no workflow uses {prepared.identity}"
            path = ("metadata", "name")
            yield prepared.document.diagnose("unused", message, path, severity="warning")
