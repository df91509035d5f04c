"""Which expressions of the tested functions no case has evaluated, and which files a test depends on."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from lambent.workflow.engine import PreparedTemplate, ResourceFunction, Unready, ValueFunction, Workflow
from lambent.workflow.engine.expressions import Bindings, Constant, Expression
from lambent.workflow.spec import Diagnostic, Document, path_text
from lambent.workflow.testing.runner import Loaded, nearest_catalog


class Place(NamedTuple):
    """An expression: where it stands, in which document, and its text on one line."""

    place: str
    object: str
    path: str
    text: str


class Coverage:
    """Watches the expressions of the functions that some tests are about, from now on.

    Expressions are told by number, so that what another process has seen can be added.
    """

    def __init__(self, loaded: Loaded, tests: Iterable[Document]) -> None:
        self.seen: set[int] = set()
        self._expressions: list[Expression] = []
        known: set[int] = set()
        for test in tests:
            for function in _functions_of(test, loaded):
                if id(function) not in known:
                    known.add(id(function))
                    self._watch(function)

    def _watch(self, function: ResourceFunction | ValueFunction) -> None:
        for expression in expressions_of(function):
            number = len(self._expressions)
            self._expressions.append(expression)
            expression.evaluate_program = self._noting(number, expression, expression.program.evaluate)

    def _noting(
        self, number: int, expression: Expression, evaluate: Callable[[Bindings], Any]
    ) -> Callable[[Bindings], Any]:
        """The first evaluation puts the plain function back, so that later ones cost nothing."""

        def first(bindings: Bindings) -> Any:
            self.seen.add(number)
            expression.evaluate_program = evaluate
            return evaluate(bindings)

        return first

    def add(self, seen: Iterable[int]) -> None:
        self.seen |= set(seen)

    def never(self) -> list[Place]:
        """Those not evaluated, in the order of the files."""
        left = [one for number, one in enumerate(self._expressions) if number not in self.seen]
        for expression in left:
            expression.evaluate_program = expression.program.evaluate
        return [_place(expression) for expression in left]

    @staticmethod
    def files_of(test: Document, loaded: Loaded) -> Iterator[str]:
        """The file of a test, and those of what it tests."""
        yield test.file
        reference = test.spec.get("workflowRef")
        if isinstance(reference, dict):
            found = loaded.catalog.resolve("Workflow", str(reference.get("name")), test.identity.namespace)
            if not isinstance(found, str):
                yield found.document.file
            if isinstance(found, Workflow):
                yield from _workflow_files(found, loaded, set())
        for function in _functions_of(test, loaded):
            yield function.document.file
            yield from _template_files(function, loaded)


def _workflow_files(workflow: Workflow, loaded: Loaded, known: set[str]) -> Iterator[str]:
    known.add(str(workflow.identity))
    for step in workflow.steps:
        for reference in step.references():
            found = loaded.catalog.resolve(reference.kind, reference.name, workflow.identity.namespace)
            if isinstance(found, str):
                continue
            yield found.document.file
            if isinstance(found, Workflow) and str(found.identity) not in known:
                yield from _workflow_files(found, loaded, known)


def _template_files(function: ResourceFunction | ValueFunction, loaded: Loaded) -> Iterator[str]:
    """A template named by an expression may be any."""
    if isinstance(function, ResourceFunction) and function.template_name is not None:
        name = function.template_name.value if isinstance(function.template_name, Constant) else None
        for template in loaded.catalog.of_kind("ResourceTemplate"):
            if isinstance(template, PreparedTemplate | Unready) and name in (None, template.identity.name):
                yield template.document.file


def _functions_of(test: Document, loaded: Loaded) -> Iterator[ResourceFunction | ValueFunction]:
    """The function that a test is about, and the overlay functions that it uses."""
    reference = test.spec.get("functionRef")
    if not isinstance(reference, dict):
        return
    catalog = nearest_catalog(test, loaded)
    found = catalog.resolve(str(reference.get("kind")), str(reference.get("name")), test.identity.namespace)
    if isinstance(found, ResourceFunction | ValueFunction):
        yield found
    if not isinstance(found, ResourceFunction):
        return
    for stage in found.overlays:
        target = catalog.overlay_function(stage.function, found.identity.namespace) if stage.function else ""
        if isinstance(target, ValueFunction):
            yield target


def expressions_of(prepared: Any) -> Iterator[Expression]:
    """Every expression below a prepared document, in the order of its fields."""
    if isinstance(prepared, Expression):
        yield prepared
    elif isinstance(prepared, tuple | list):
        for item in prepared:
            yield from expressions_of(item)
    elif is_dataclass(prepared) and not isinstance(prepared, Document | Diagnostic):
        for name in _members(type(prepared)):
            yield from expressions_of(getattr(prepared, name))


def _members(kind: Any) -> tuple[str, ...]:
    """Names of the fields of a class; kept, for there are few classes and many objects."""
    if kind not in _known_members:
        _known_members[kind] = tuple(member.name for member in fields(kind))
    return _known_members[kind]


_known_members: dict[Any, tuple[str, ...]] = {}


def _place(expression: Expression) -> Place:
    document = expression.document
    span = document.span(expression.path)
    where = document.place(expression.path, span) if document.node is not None else ""
    text = " ".join(expression.program.text.split())
    return Place(where, str(document.identity), path_text(expression.path), text)
