"""Prepared functions: documents whose expressions are compiled, and the evaluation of value functions.

Preparing never raises: a document that cannot be used becomes `Unready` with its diagnostics. What a function refers
to by name (overlay functions, templates) is looked up while it runs, so that a change elsewhere needs no new
preparation.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent.workflow.engine.directives import check_directives
from lambent.workflow.engine.expressions import (
    Compiler,
    Constant,
    Failed,
    Overlay,
    Template,
    expressions_in,
)
from lambent.workflow.engine.marks import check_marks
from lambent.workflow.engine.outcomes import Ok, Outcome, PermFail
from lambent.workflow.engine.predicates import Predicate, check, compile_predicates
from lambent.workflow.spec import Diagnostic, Document, FieldPath, Identity, has_errors, validate


@dataclass(frozen=True, slots=True)
class Needs:
    """Inputs that a function reads and those it cannot do without; incomplete if it passes `inputs` on as a whole."""

    read: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    is_complete: bool = True


@dataclass(slots=True, eq=False)
class Unready:
    """A document with errors; it cannot be used, and its users say why."""

    identity: Identity
    document: Document
    diagnostics: list[Diagnostic]

    @property
    def reason(self) -> str:
        errors = [diagnostic for diagnostic in self.diagnostics if diagnostic.is_error]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return f"{self.identity} is not valid: {errors[0].message if errors else 'unknown reason'}{more}"


@dataclass(slots=True, eq=False)
class PreparedTemplate:
    """A ResourceTemplate."""

    identity: Identity
    document: Document
    template: dict[str, Any]
    context: dict[str, Any]
    diagnostics: list[Diagnostic] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Locals:
    """Locals in the order in which they can be computed."""

    items: tuple[tuple[str, Template], ...]

    def evaluate(self, bindings: Mapping[str, Any]) -> dict[str, Any]:
        """Raises `Failed`."""
        if not self.items:
            return {}
        values: dict[str, Any] = {}
        scope = {**bindings, "locals": values}
        for name, template in self.items:
            values[name] = template.evaluate(scope)
        return values


@dataclass(slots=True, eq=False)
class ValueFunction:
    """A ValueFunction; `needs` says which inputs it reads."""

    identity: Identity
    document: Document
    preconditions: tuple[Predicate, ...]
    locals: Locals
    result: Overlay | None
    needs: "Needs"
    diagnostics: list[Diagnostic]

    def evaluate(self, inputs: Any, resource: Any = None, *, has_resource: bool = False) -> Outcome:
        """The outcome; with a resource, the return is laid over it. Without one `resource` is empty, as in Koreo."""
        base = resource if has_resource else {}
        bindings: dict[str, Any] = {"inputs": inputs, "resource": base}
        stopped = check(self.preconditions, bindings)
        if stopped is not None:
            return stopped
        if self.result is None:
            return Ok(resource if has_resource else None)
        try:
            bindings["locals"] = self.locals.evaluate(bindings)
            return Ok(self.result.apply(base, bindings))
        except Failed as failure:
            return PermFail(failure.message, failure.location)


@dataclass(slots=True, eq=False)
class OverlayStep:
    """One entry of `overlays`: an inline overlay, or a value function by name with its inputs."""

    overlay: Overlay | None
    function: str
    inputs: Template
    skip_if: Template


@dataclass(slots=True, eq=False)
class ApiConfig:
    """The object that a resource function manages."""

    api_version: str
    kind: str
    name: Template
    namespace: Template
    is_namespaced: bool
    plural: str
    is_owned: bool
    is_readonly: bool
    deletes: bool


@dataclass(slots=True, eq=False)
class ResourceFunction:
    """`update` is patch, recreate, never or apply; `delete` is abandon, destroy or empty (the default)."""

    identity: Identity
    document: Document
    preconditions: tuple[Predicate, ...]
    locals: Locals
    api: ApiConfig
    resource: Overlay | None
    template_name: Template | None
    overlays: tuple[OverlayStep, ...]
    create_enabled: bool
    create_delay_s: float
    create_overlay: Overlay | None
    update: str
    update_delay_s: float
    force_apply: bool
    delete: str
    postconditions: tuple[Predicate, ...]
    result: Overlay | None
    needs: "Needs"
    diagnostics: list[Diagnostic]


Function = ValueFunction | ResourceFunction


def prepare_template(document: Document) -> PreparedTemplate | Unready:
    diagnostics = validate(document)
    if not has_errors(diagnostics):
        diagnostics += check_static(document, ("spec", "template"))
    if has_errors(diagnostics):
        return Unready(document.identity, document, diagnostics)
    spec = document.spec
    return PreparedTemplate(document.identity, document, spec["template"], spec.get("context") or {}, diagnostics)


def prepare_value_function(document: Document) -> ValueFunction | Unready:
    diagnostics = validate(document)
    if has_errors(diagnostics):
        return Unready(document.identity, document, diagnostics)
    spec, compiler = document.spec, Compiler(document)
    # `resource` holds something only when the function is used as an overlay; which use it is shows at run time.
    conditions = ("inputs", "resource")
    predicates = compile_predicates(compiler, spec.get("preconditions") or (), ("spec", "preconditions"), conditions)
    values = compile_locals(compiler, spec.get("locals"), ("inputs", "resource", "locals"))
    returned = _overlay(compiler, spec.get("return"), ("spec", "return"), ("inputs", "locals", "resource"))
    used = [p.assertion for p in predicates] + [p.message for p in predicates] + [t for _, t in values.items]
    found = diagnostics + compiler.diagnostics
    if has_errors(found):
        return Unready(document.identity, document, found)
    needs = needed_inputs([*used, *([returned] if returned else [])])
    return ValueFunction(document.identity, document, predicates, values, returned, needs, found)


def prepare_resource_function(document: Document) -> ResourceFunction | Unready:
    diagnostics = validate(document)
    if has_errors(diagnostics):
        return Unready(document.identity, document, diagnostics)
    compiler = Compiler(document)
    function = _resource_function(document, compiler)
    compiler.diagnostics += check_static(document, ("spec", "resource"))
    for index in range(len(document.spec.get("overlays") or ())):
        compiler.diagnostics += check_static(document, ("spec", "overlays", index, "overlay"), is_part=True)
    compiler.diagnostics += check_static(document, ("spec", "create", "overlay"), is_part=True)
    found = diagnostics + compiler.diagnostics
    if has_errors(found):
        return Unready(document.identity, document, found)
    function.diagnostics = found
    return function


def check_static(document: Document, path: FieldPath, *, is_part: bool = False) -> Iterator[Diagnostic]:
    """What the literal text of a target, or of a part laid over one, sets or asks for wrongly."""
    value: Any = document.value
    for step in path:
        value = value[step] if isinstance(step, int) else (value or {}).get(step)
    yield from check_directives(document, value, path, is_part=is_part)
    yield from check_marks(document, value, path)


def _resource_function(document: Document, compiler: Compiler) -> ResourceFunction:
    spec = document.spec
    create, (update, options) = spec.get("create") or {}, _choice(spec.get("update"), "patch")
    template = spec.get("resourceTemplateRef")
    early = ("inputs", "locals")
    staged = (*early, "resource", "template") if template else (*early, "resource")
    name_path = ("spec", "resourceTemplateRef", "name")
    function = ResourceFunction(
        identity=document.identity,
        document=document,
        preconditions=compile_predicates(
            compiler, spec.get("preconditions") or (), ("spec", "preconditions"), ("inputs",)
        ),
        locals=compile_locals(compiler, spec.get("locals"), early),
        api=_api_config(compiler, spec["apiConfig"], early),
        resource=None if template else compiler.overlay(spec["resource"], ("spec", "resource"), early),
        template_name=compiler.expression(template["name"], name_path, early) if template else None,
        overlays=_overlays(compiler, spec.get("overlays") or (), staged),
        create_enabled=create.get("enabled", True),
        create_delay_s=float(create.get("delay", 30)),
        create_overlay=_overlay(compiler, create.get("overlay"), ("spec", "create", "overlay"), staged),
        update=update,
        update_delay_s=float(options.get("delay", 30)),
        force_apply=bool(options.get("force")),
        delete=_choice(spec.get("delete"), "")[0],
        postconditions=compile_predicates(
            compiler, spec.get("postconditions") or (), ("spec", "postconditions"), (*early, "resource")
        ),
        result=_overlay(compiler, spec.get("return"), ("spec", "return"), (*early, "resource")),
        needs=Needs(),
        diagnostics=[],
    )
    function.needs = needed_inputs(_all_templates(function))
    return function


def _all_templates(function: ResourceFunction) -> list[Template | Overlay]:
    found: list[Template | Overlay] = [template for _, template in function.locals.items]
    for predicate in (*function.preconditions, *function.postconditions):
        found += [predicate.assertion, predicate.message]
    for stage in function.overlays:
        found += [stage.inputs, stage.skip_if, *([stage.overlay] if stage.overlay else [])]
    optional = (function.resource, function.template_name, function.create_overlay, function.result)
    found += [item for item in optional if item is not None]
    return [*found, function.api.name, function.api.namespace]


def _api_config(compiler: Compiler, api: Mapping[str, Any], names: Collection[str]) -> ApiConfig:
    path = ("spec", "apiConfig")
    is_namespaced = api.get("namespaced", True)
    return ApiConfig(
        api["apiVersion"],
        api["kind"],
        compiler.expression(api["name"], (*path, "name"), names),
        compiler.expression(api["namespace"], (*path, "namespace"), names) if is_namespaced else Constant(""),
        is_namespaced,
        api.get("plural") or "",
        api.get("owned", True),
        api.get("readonly", False),
        api.get("deleteIfExists", False),
    )


def _overlays(
    compiler: Compiler, items: Iterable[Mapping[str, Any]], names: Collection[str]
) -> tuple[OverlayStep, ...]:
    found = []
    for index, item in enumerate(items):
        path = ("spec", "overlays", index)
        reference = item.get("overlayRef")
        found.append(
            OverlayStep(
                None if reference else compiler.overlay(item["overlay"], (*path, "overlay"), names),
                reference["name"] if reference else "",
                compiler.template(item.get("inputs") or {}, (*path, "inputs"), names),
                compiler.expression(item["skipIf"], (*path, "skipIf"), names)
                if item.get("skipIf")
                else Constant(False),
            )
        )
    return tuple(found)


def _overlay(
    compiler: Compiler, value: Mapping[str, Any] | None, path: tuple[str, ...], names: Collection[str]
) -> Overlay | None:
    """An empty map counts as absent."""
    return compiler.overlay(value, path, names) if value else None


def _choice(value: Mapping[str, Any] | None, default: str) -> tuple[str, Mapping[str, Any]]:
    for name, options in (value or {}).items():
        if options is not None:
            return name, options
    return default, {}


def compile_locals(compiler: Compiler, value: Mapping[str, Any] | None, names: Collection[str]) -> Locals:
    """Locals sorted so that each comes after those it reads; a cycle is a diagnostic."""
    path = ("spec", "locals")
    scope = names if "locals" in names else (*names, "locals")
    compiled = {key: compiler.template(item, (*path, key), scope) for key, item in (value or {}).items()}
    reads = {
        key: {part for part in _members(template, "locals", all_names=compiled) if part in compiled}
        for key, template in compiled.items()
    }
    ordered: list[str] = []
    waiting = list(compiled)
    while waiting:
        ready = [key for key in waiting if reads[key] <= set(ordered)]
        if not ready:
            message = f"locals refer to each other in a circle: {', '.join(waiting)}"
            compiler.diagnostics.append(
                compiler.document.diagnose("locals-cycle", message, (*path, waiting[0]), at_key=True)
            )
            break
        ordered += ready
        waiting = [key for key in waiting if key not in ready]
    return Locals(tuple((key, compiled[key]) for key in ordered))


def _members(template: Template | Overlay, root: str, *, all_names: Collection[str]) -> set[str]:
    """Members of a bound name that a value reads; all of them when that cannot be told."""
    found: set[str] = set()
    for expression in expressions_in(template):
        for member in expression.members_of(root):
            found |= {member} if member != "*" else set(all_names)
    return found


def needed_inputs(templates: Iterable[Template | Overlay]) -> Needs:
    """Which inputs expressions read, and without which they fail."""
    read: set[str] = set()
    required: set[str] = set()
    optional: set[str] = set()
    for template in templates:
        for expression in expressions_in(template):
            read |= expression.members_of("inputs")
            required |= expression.must_have("inputs")
            optional |= expression.tested("inputs")
    return Needs(frozenset(read - {"*"}), frozenset(required - optional), "*" not in read)
