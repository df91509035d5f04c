"""What a resource function wants to be there: resource or template, then the overlays, under a forced identity.

Identity is forced again after every stage, whatever a stage says. What comes out is plain JSON with directives, and
without fields that are not the document's to set (`marks`). Not here: comparison with what is live, and bodies of
writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lambent.workflow.engine.expressions import Failed, Overlay, field_place
from lambent.workflow.engine.functions import OverlayStep, PreparedTemplate, ResourceFunction, Unready, ValueFunction
from lambent.workflow.engine.json_values import plain
from lambent.workflow.engine.marks import misplaced, without_marks
from lambent.workflow.engine.outcomes import NotOk, Ok, PermFail, Retry
from lambent.workflow.engine.references import Owner, ResourceRef

# Koreo's default wait where a document gives none.
WAIT_S = 30.0


class Lookup(Protocol):
    """Finds what a function refers to by name, as seen from a namespace; a string says why there is none."""

    def template(self, name: str, namespace: str) -> PreparedTemplate | Unready | str: ...

    def overlay_function(self, name: str, namespace: str) -> ValueFunction | Unready | str: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a plan may depend on beside function, inputs and live object.

    With `looks_on` a step that wrote and would wait at the next look, too, tells that wait instead of its write.
    """

    lookup: Lookup
    owner: Owner | None = None
    looks_on: bool = False


@dataclass(slots=True, eq=False)
class Address:
    """A resource function with its inputs, and the object that it manages for them."""

    function: ResourceFunction
    bindings: dict[str, Any]
    ref: ResourceRef

    @property
    def place(self) -> str:
        """The function, for outcomes that no expression caused."""
        return str(self.function.identity)


class Stopped(Exception):
    """Ends the building of a target with an outcome; never leaves this package."""

    def __init__(self, outcome: NotOk) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(slots=True, eq=False)
class Stage:
    """The target after one stage, for `render`."""

    name: str
    target: dict[str, Any] = field(default_factory=dict)


def build_target(found: Address, context: Context, stages: list[Stage] | None = None) -> dict[str, Any]:
    """The wanted object with directives. Raises `Failed`, or ends the plan through `Stopped`."""
    function = found.function
    if function.resource is not None:
        target = _forced(function.resource.apply({}, found.bindings), found.ref)
    else:
        target = _forced(_template(found, context).template, found.ref)
    if stages is not None:
        stages.append(Stage("template" if function.resource is None else "resource", target))
    for index, overlay in enumerate(function.overlays):
        bindings = staged(found, target, context)
        skipped = overlay.skip_if.evaluate(bindings)
        if not isinstance(skipped, bool):
            where = field_place(function.document, ("spec", "overlays", index, "skipIf"))
            raise Stopped(PermFail(f"skipIf must yield a bool, not {type(skipped).__name__}", where))
        if not skipped:
            target = _forced(_overlaid(found, overlay, target, bindings, context), found.ref)
        if stages is not None:
            stages.append(Stage(f"overlays[{index}]", target))
    return _finished(found, target)


def created(found: Address, target: dict[str, Any], context: Context) -> dict[str, Any]:
    """The target with the create-only overlay. Raises as `build_target`."""
    overlay = found.function.create_overlay
    if overlay is None:
        return target
    return _finished(found, _forced(overlay.apply(target, staged(found, target, context)), found.ref))


def standing(found: Address, target: dict[str, Any]) -> dict[str, Any]:
    """The target for an object that exists: create-only fields are neither compared nor written again."""
    overlay = found.function.create_overlay
    return target if overlay is None else _forced(without_leaves(target, overlay), found.ref)


def without_leaves(value: Mapping[str, Any], overlay: Overlay) -> dict[str, Any]:
    """The value without what an overlay sets, and without maps that this leaves empty."""
    kept = dict(value)
    for key, item in overlay.items:
        if key not in kept:
            continue
        if isinstance(item, Overlay) and isinstance(kept[key], Mapping):
            kept[key] = without_leaves(kept[key], item)
            if kept[key]:
                continue
        del kept[key]
    return kept


def stages_of(found: Address, context: Context) -> list[Stage]:
    """The target after each stage, as far as it can be built; the plan says what stopped it."""
    stages: list[Stage] = []
    try:
        build_target(found, context, stages)
    except (Failed, Stopped):
        return stages
    return stages


def staged(found: Address, target: dict[str, Any], context: Context) -> dict[str, Any]:
    """What overlays see: the target so far as `resource`, and the template's context."""
    bindings = {**found.bindings, "resource": target}
    if found.function.template_name is not None:
        bindings["template"] = {"context": _template(found, context).context}
    return bindings


def _finished(found: Address, target: dict[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = plain(target, found.place)
    metadata = wanted["metadata"]
    problem = misplaced(metadata)
    if problem:
        raise Stopped(PermFail(problem))
    kept = without_marks(metadata)
    return wanted if kept is metadata else {**wanted, "metadata": kept}


def _overlaid(
    found: Address, overlay: OverlayStep, target: dict[str, Any], bindings: dict[str, Any], context: Context
) -> dict[str, Any]:
    if overlay.overlay is not None:
        return overlay.overlay.apply(target, bindings)
    function = context.lookup.overlay_function(overlay.function, found.function.identity.namespace)
    if isinstance(function, str):
        raise Stopped(Retry(function, 15.0))
    if isinstance(function, Unready):
        raise Stopped(Retry(function.reason, 180.0))
    outcome = function.evaluate(overlay.inputs.evaluate(bindings), target, has_resource=True)
    if not isinstance(outcome, Ok):
        raise Stopped(outcome)
    laid: dict[str, Any] = outcome.value
    return laid


def _template(found: Address, context: Context) -> PreparedTemplate:
    assert found.function.template_name is not None
    name = found.function.template_name.evaluate(found.bindings)
    if not isinstance(name, str) or not name:
        raise Stopped(PermFail("resourceTemplateRef.name must yield a non-empty string"))
    template = context.lookup.template(name, found.function.identity.namespace)
    if isinstance(template, PreparedTemplate):
        return template
    raise Stopped(Retry(template if isinstance(template, str) else template.reason, WAIT_S))


def _forced(target: Mapping[str, Any], ref: ResourceRef) -> dict[str, Any]:
    """Identity is the function's, whatever a stage says."""
    given = target.get("metadata")
    metadata = dict(given) if isinstance(given, dict) else {}
    metadata["name"] = ref.name
    if ref.namespace:
        metadata["namespace"] = ref.namespace
    else:
        metadata.pop("namespace", None)
    forced = {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata}
    forced.update((key, value) for key, value in target.items() if key not in forced)
    return forced
