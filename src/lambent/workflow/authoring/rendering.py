"""`lambent render`: what one function makes of some inputs, stage by stage. The planner is the controller's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent.workflow.authoring.texts import outcome_data, outcome_text, redacted
from lambent.workflow.authoring.yaml_text import yaml_text
from lambent.workflow.engine import (
    Address,
    Catalog,
    Context,
    Ok,
    Outcome,
    Plan,
    ResourceFunction,
    ValueFunction,
    address,
    plan_for,
)
from lambent.workflow.engine.targets import Stage, stages_of
from lambent.workflow.spec.painting import Paint, plain

VERSION = 1


@dataclass(slots=True, eq=False)
class Rendered:
    """`plan` and `stages` exist for a ResourceFunction that got as far as a name for its object."""

    function: ResourceFunction | ValueFunction
    outcome: Outcome
    plan: Plan | None = None
    stages: list[Stage] = field(default_factory=list)

    @property
    def value(self) -> Any:
        return self.outcome.value if isinstance(self.outcome, Ok) else None


def render(
    function: ResourceFunction | ValueFunction,
    inputs: Mapping[str, Any],
    catalog: Catalog,
    live: Mapping[str, Any] | None = None,
) -> Rendered:
    """One evaluation; a ValueFunction with a live object is evaluated as an overlay on it."""
    if isinstance(function, ValueFunction):
        return Rendered(function, function.evaluate(inputs, live, has_resource=live is not None))
    found = address(function, inputs)
    if not isinstance(found, Address):
        return Rendered(function, found)
    context = Context(catalog)
    plan = plan_for(found, live, context)
    return Rendered(function, plan.outcome, plan, stages_of(found, context))


def render_data(rendered: Rendered, *, with_stages: bool) -> dict[str, Any]:
    """Version 1: {version, object, outcome, return, action, target, body, due_to, stages}."""
    data: dict[str, Any] = {
        "version": VERSION,
        "object": str(rendered.function.identity),
        "outcome": outcome_data(rendered.outcome),
        "return": rendered.value,
    }
    plan = rendered.plan
    if plan is not None:
        data["action"] = plan.action
        data["target"] = redacted(rendered.stages[-1].target) if rendered.stages else None
        data["body"] = redacted(plan.body) if plan.body is not None else None
        data["due_to"] = str(plan.diff) if plan.diff is not None else None
    if with_stages:
        data["stages"] = [{"name": stage.name, "target": redacted(stage.target)} for stage in rendered.stages]
    return data


def render_text(rendered: Rendered, *, with_stages: bool, paint: Paint = plain) -> str:
    """The outcome, what would be sent, the return; with stages, the target after each of them."""
    lines = [paint("strong", str(rendered.function.identity)), f"outcome: {outcome_text(rendered.outcome, paint)}"]
    location = getattr(rendered.outcome, "location", "")
    if location:
        lines.append(paint("dim", f"  at {location}"))
    plan = rendered.plan
    if plan is not None:
        lines.append(f"action:  {plan.action}" + (f" {plan.ref}" if plan.ref is not None else ""))
    shown = rendered.stages if with_stages else rendered.stages[-1:]
    for stage in shown:
        name = f"after {stage.name}" if with_stages else "target"
        lines += [paint("strong", f"--- {name}"), yaml_text(redacted(stage.target))]
    if plan is not None and plan.is_write and plan.body is not None:
        lines += [paint("strong", f"--- body of the {plan.action}"), yaml_text(redacted(plan.body))]
    if isinstance(rendered.outcome, Ok):
        lines += [paint("strong", "--- return"), yaml_text(rendered.value)]
    return "\n".join(lines)
