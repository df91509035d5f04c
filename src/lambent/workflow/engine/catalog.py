"""Every prepared document, and the resolution of references between them.

Identity is kind, namespace and name. A bare name is looked for in the referrer's namespace, then in the library
namespaces in order, then (when allowed) as the only object of that kind and name anywhere; several candidates are an
error that lists them, never a silent choice.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lambent.workflow.engine.functions import (
    PreparedTemplate,
    ResourceFunction,
    Unready,
    ValueFunction,
    prepare_resource_function,
    prepare_template,
    prepare_value_function,
)
from lambent.workflow.engine.workflows import Workflow, prepare_workflow
from lambent.workflow.spec import Diagnostic, Document, Identity, has_errors, kind_of, validate

Prepared = Workflow | ResourceFunction | ValueFunction | PreparedTemplate | Unready
Logic = Workflow | ResourceFunction | ValueFunction | Unready
_INACTIVE = frozenset({"f", "false", "0"})
_PREPARE: dict[str, Callable[[Document], Any]] = {
    "Workflow": prepare_workflow,
    "ValueFunction": prepare_value_function,
    "ResourceFunction": prepare_resource_function,
    "ResourceTemplate": prepare_template,
}


def prepare(document: Document) -> Prepared | None:
    """A document with its expressions compiled; None for kinds that need none. Never raises."""
    kind = kind_of(document.value)
    if kind is None or kind.kind not in _PREPARE:
        return None
    prepared: Prepared = _PREPARE[kind.kind](document)
    if isinstance(prepared, Unready):
        prepared.diagnostics += _hidden(prepared, _PREPARE[kind.kind])
    return prepared


_IDENTIFYING = (("apiVersion",), ("kind",))


def _hidden(unready: Unready, prepare_again: Callable[[Document], Any]) -> list[Diagnostic]:
    """What stands behind the errors of a structure: those of the rest, if it is sound without the fields at fault."""
    known = unready.diagnostics
    if not has_errors(validate(unready.document)):
        return []
    value = unready.document.value
    for found in known:
        if found.is_error and found.keys[:1] in _IDENTIFYING:
            return []  # without it nothing says what the rest has to be
        if found.is_error:
            value = _without(value, found.keys)
    rest = replace(unready.document, value=value)
    if has_errors(validate(rest)):
        return []
    return [found for found in prepare_again(rest).diagnostics if found not in known]


def _without(value: Any, keys: tuple[str | int, ...]) -> Any:
    """The value without the member at a path, copied only along it; elements of lists stay, or others would move."""
    if isinstance(value, dict) and keys and keys[0] in value:
        rest = {key: item for key, item in value.items() if key != keys[0]}
        return rest if len(keys) == 1 else {**rest, keys[0]: _without(value[keys[0]], keys[1:])}
    if isinstance(value, list) and len(keys) > 1:
        return [_without(item, keys[1:]) if index == keys[0] else item for index, item in enumerate(value)]
    return value


@dataclass(slots=True, eq=False)
class Catalog:
    """A set of prepared documents; `libraries` are namespaces searched after the referrer's own."""

    libraries: tuple[str, ...] = ()
    allow_anywhere: bool = True
    _found: dict[Identity, Prepared] = field(default_factory=dict)
    _by_name: dict[tuple[str, str], dict[str, Prepared]] = field(default_factory=dict)

    def put(self, document: Document) -> Prepared | None:
        """Prepares and adds a document (replacing one of the same identity); None for other kinds. Never raises."""
        prepared = prepare(document)
        if prepared is not None:
            self.add(prepared)
        return prepared

    def add(self, prepared: Prepared) -> None:
        """Adds what is prepared already. An inactive object is not resolvable."""
        self.remove(prepared.identity)
        if is_active(prepared.document):
            identity = prepared.identity
            self._found[identity] = prepared
            self._by_name.setdefault((identity.kind, identity.name), {})[identity.namespace] = prepared

    def remove(self, identity: Identity) -> None:
        if self._found.pop(identity, None) is not None:
            rest = self._by_name[identity.kind, identity.name]
            del rest[identity.namespace]
            if not rest:
                del self._by_name[identity.kind, identity.name]

    def copy(self) -> "Catalog":
        """An independent set of the same prepared documents."""
        by_name = {key: dict(places) for key, places in self._by_name.items()}
        return Catalog(self.libraries, self.allow_anywhere, dict(self._found), by_name)

    def get(self, identity: Identity) -> Prepared | None:
        return self._found.get(identity)

    def all(self) -> Iterator[Prepared]:
        return iter(self._found.values())

    def of_kind(self, kind: str) -> Iterator[Prepared]:
        return (prepared for identity, prepared in self._found.items() if identity.kind == kind)

    def resolve(self, kind: str, name: str, namespace: str) -> Prepared | str:
        """What a bare name means to a referrer in a namespace, or why it means nothing."""
        candidates = self._by_name.get((kind, name))
        if not candidates:
            return f"{kind} {name} not found"
        for place in (namespace, *self.libraries):
            if place in candidates:
                return candidates[place]
        if self.allow_anywhere and len(candidates) == 1:
            return next(iter(candidates.values()))
        places = ", ".join(sorted(f"{place or '(none)'}/{name}" for place in candidates))
        return f"{kind} {name} is ambiguous or out of reach from namespace {namespace or '(none)'}: {places}"

    def logic(self, kind: str, name: str, namespace: str) -> Logic | str:
        """A function or a workflow."""
        found = self.resolve(kind, name, namespace)
        return f"{name} is a template" if isinstance(found, PreparedTemplate) else found

    def template(self, name: str, namespace: str) -> PreparedTemplate | Unready | str:
        found = self.resolve("ResourceTemplate", name, namespace)
        return found if isinstance(found, PreparedTemplate | Unready | str) else f"{name} is not a template"

    def overlay_function(self, name: str, namespace: str) -> ValueFunction | Unready | str:
        found = self.resolve("ValueFunction", name, namespace)
        return found if isinstance(found, ValueFunction | Unready | str) else f"{name} is not a value function"


def is_active(document: Document) -> bool:
    """Label `koreo.dev/active`, true by default."""
    metadata = document.value.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    value = labels.get("koreo.dev/active") if isinstance(labels, dict) else None
    return str(value).lower() not in _INACTIVE


def load_catalog(documents: Iterable[Document], *, libraries: tuple[str, ...] = ()) -> Catalog:
    """A catalog of everything in a set of documents."""
    catalog = Catalog(libraries)
    for document in documents:
        catalog.put(document)
    return catalog
