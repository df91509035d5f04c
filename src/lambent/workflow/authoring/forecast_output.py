"""A forecast for people and as data."""

from collections import Counter
from typing import Any

from lambent.workflow.authoring.forecast import Change, Forecast, ForecastPass
from lambent.workflow.authoring.texts import (
    MARKS,
    STYLES,
    changed_fields,
    one_line,
    outcome_data,
    redacted,
)
from lambent.workflow.authoring.yaml_text import yaml_text
from lambent.workflow.engine import DepSkip, Ok, ResourceRef, StepResult, name_of
from lambent.workflow.spec.painting import Paint, Style, plain

VERSION = 1
_ACTIONS: dict[str, tuple[str, Style]] = {
    "create": ("+", "good"),
    "patch": ("~", "warn"),
    "apply": ("~", "warn"),
    "delete": ("-", "bad"),
}


def where(ref: ResourceRef) -> str:
    """Kind/namespace/name."""
    return "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)


def plan_data(made: Forecast, notes: list[str] | None = None) -> dict[str, Any]:
    """Version 1: {version, workflow, parent, notes, difference, passes, orphans, state}; a pass is {outcome, steps,
    changes, became_ready}.
    """
    metadata = made.parent.get("metadata") or {}
    return {
        "version": VERSION,
        "workflow": str(made.workflow.identity),
        "parent": {
            "kind": made.parent.get("kind"),
            "namespace": metadata.get("namespace"),
            "name": metadata.get("name"),
        },
        "notes": notes or [],
        "difference": made.has_difference,
        "passes": [_pass_data(one) for one in made.passes],
        "orphans": {
            "policy": "delete" if made.workflow.deletes_orphans else "keep",
            "resources": [orphan.record() for orphan in made.orphans],
        },
        "state": made.passes[-1].result.state,
    }


def _pass_data(one: ForecastPass) -> dict[str, Any]:
    return {
        "outcome": outcome_data(one.result.outcome),
        "steps": [{"label": label, **outcome_data(step.outcome)} for label, step in one.result.steps.items()],
        "changes": [_change_data(change) for change in one.changes],
        "became_ready": [where(ref) for ref in one.became_ready],
    }


def _change_data(change: Change) -> dict[str, Any]:
    data: dict[str, Any] = {
        "step": change.step,
        "action": change.plan.action,
        "apiVersion": change.ref.api_version,
        "kind": change.ref.kind,
        "namespace": change.ref.namespace,
        "name": change.ref.name,
        "due_to": str(change.plan.diff) if change.plan.diff is not None else None,
    }
    if change.before is None:
        data["object"] = redacted(change.after)
    elif change.after is not None:
        data["diff"] = list(changed_fields(change.before, change.after))
    return data


def plan_text(made: Forecast, notes: list[str] | None = None, paint: Paint = plain) -> str:
    """Steps with their outcomes, each write with what it changes, orphans, and a count."""
    metadata = made.parent.get("metadata") or {}
    name = f"{made.parent.get('kind')}/{metadata.get('namespace')}/{metadata.get('name')}"
    lines = [paint("strong", f"{made.workflow.identity} for {name}")]
    lines += [paint("dim", f"note: {note}") for note in notes or ()]
    for index, one in enumerate(made.passes):
        if len(made.passes) > 1:
            lines += ["", paint("strong", f"pass {index + 1}")]
        lines += _pass_lines(one, paint)
        if one.became_ready:
            lines.append(paint("dim", f"  then ready: {', '.join(where(ref) for ref in one.became_ready)}"))
    if made.orphans:
        verb = "would be deleted" if made.workflow.deletes_orphans else "are kept (orphans: keep)"
        lines += ["", f"orphans, which {verb}:", *(f"  - {where(orphan)}" for orphan in made.orphans)]
    return "\n".join([*lines, "", _count(made)])


def _pass_lines(one: ForecastPass, paint: Paint) -> list[str]:
    width = max((len(label) for label in one.result.steps), default=0)
    lines = []
    for label, step in one.result.steps.items():
        name = name_of(step.outcome)
        lines.append(f"  {paint(STYLES[name], MARKS[name])} {label.ljust(width)}  {name}{_said(step, one)}".rstrip())
        for change in one.changes:
            if change.step == label:
                lines += _change_lines(change, paint)
    return lines


def _said(step: StepResult, one: ForecastPass) -> str:
    """The message of an outcome; a step that waits for others names them, since their messages stand above."""
    if isinstance(step.outcome, Ok):
        return ""
    if isinstance(step.outcome, DepSkip):
        labels = [dependency.label for dependency in step.step.dependencies]
        waiting = [label for label in labels if not isinstance(one.result.steps[label].outcome, Ok)]
        if waiting:
            return f"  waits for {', '.join(waiting)}"
    return f"  {step.outcome.message}"


def _change_lines(change: Change, paint: Paint) -> list[str]:
    sign, style = _ACTIONS[change.plan.action]
    lines = [paint(style, f"      {sign} {change.plan.action} {where(change.ref)}")]
    if change.after is None:
        return lines
    if change.before is None:
        shown = {key: value for key, value in redacted(change.after).items() if key not in ("apiVersion", "kind")}
        return lines + [paint(style, line) for line in yaml_text(shown, 10).splitlines()]
    for entry in changed_fields(change.before, change.after):
        before = one_line(entry["before"]) if "before" in entry else "(absent)"
        after = one_line(entry["after"]) if "after" in entry else "(removed)"
        lines.append(f"          {entry['path']}: {paint('bad', before)} -> {paint('good', after)}")
    return lines


def _count(made: Forecast) -> str:
    counts = Counter(change.plan.action for change in made.changes)
    parts = [
        f"{counts['create']} to create",
        f"{counts['patch'] + counts['apply']} to change",
        f"{counts['delete'] + (len(made.orphans) if made.workflow.deletes_orphans else 0)} to delete",
    ]
    outcome = made.passes[-1].result.outcome
    waits = "" if isinstance(outcome, Ok) else f"; then {name_of(outcome)}: {outcome.message}"
    return (", ".join(parts) if made.has_difference else "nothing to write") + waits
