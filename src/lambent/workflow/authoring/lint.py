"""What is wrong or doubtful in a whole set of files, beyond each document: `lambent validate`.

Errors: a FunctionTest without its function. Warnings: functions and templates that nothing uses, and objects that
stand twice. A template named by an expression may be any, so then none counts as unused.
"""

from collections.abc import Iterator
from typing import Any

from lambent.workflow.engine import (
    Catalog,
    Prepared,
    PreparedTemplate,
    ResourceFunction,
    Unready,
    ValueFunction,
    Workflow,
)
from lambent.workflow.engine.expressions import Constant, Expression
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
    """Identities that workflows reach, in any depth, by step, overlay or template name.

    A document with errors uses what its text names; an ambiguous name uses all that have it.
    """
    used: set[Identity] = set()
    for workflow in catalog.of_kind("Workflow"):
        for reference in _references(workflow):
            _reach(catalog, reference, workflow.identity.namespace, used)
    return used


def _references(prepared: Prepared) -> Iterator[LogicRef]:
    """What a document names."""
    if isinstance(prepared, Workflow):
        for step in prepared.steps:
            yield from step.references()
    elif isinstance(prepared, ResourceFunction):
        for stage in prepared.overlays:
            if stage.function:
                yield LogicRef("ValueFunction", stage.function)
        if isinstance(prepared.template_name, Constant):
            yield LogicRef("ResourceTemplate", str(prepared.template_name.value))
    elif isinstance(prepared, Unready):
        yield from _named(prepared.document.spec)


def _named(value: Any) -> Iterator[LogicRef]:
    """Every pair of kind and name anywhere in a document that could not be prepared."""
    if isinstance(value, dict):
        kind, name = value.get("kind"), value.get("name")
        if isinstance(kind, str) and isinstance(name, str):
            yield LogicRef(kind, name)
        for item in value.values():
            yield from _named(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)


def _reach(catalog: Catalog, reference: LogicRef, namespace: str, used: set[Identity]) -> None:
    found = catalog.resolve(reference.kind, reference.name, namespace)
    if isinstance(found, str):
        same = (p.identity for p in catalog.of_kind(reference.kind) if p.identity.name == reference.name)
        used.update(same)
        return
    if found.identity in used:
        return
    used.add(found.identity)
    for below in _references(found):
        _reach(catalog, below, found.identity.namespace, used)
    names_template = isinstance(found, ResourceFunction) and isinstance(found.template_name, Expression)
    if names_template or isinstance(found, Unready):
        used |= {template.identity for template in catalog.of_kind("ResourceTemplate")}


def unused(catalog: Catalog) -> Iterator[Diagnostic]:
    """A warning for each function and template that no workflow uses."""
    used = used_by(catalog)
    for prepared in catalog.all():
        if isinstance(prepared, _USABLE) and prepared.identity not in used:
            message = f"no workflow uses {prepared.identity}"
            path = ("metadata", "name")
            yield prepared.document.diagnose("unused", message, path, severity="warning")
