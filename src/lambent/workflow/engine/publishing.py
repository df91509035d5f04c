"""The status of a trigger object after a pass, and whether writing it would say anything new.

Pure: results and the present status in, the wanted status out. A status that differs from the present one in times
only is not written. A trigger kind without a status subresource gets no `observedGeneration` at all: each status write
raises the generation there, so the field would always be outdated.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lambent.workflow.engine.conditions import TIMES, conditions_of, kstatus, simple_condition, timed
from lambent.workflow.engine.outcomes import PermFail, is_error, name_of
from lambent.workflow.engine.patches import compact_json
from lambent.workflow.engine.step_run import RunResult

MAX_STATE_BYTES = 64 * 1024
_MAX_STEPS = 100
_TIMELESS = frozenset({*TIMES, "since", "attempts", "nextAt"})
# By step that is not done: `attempts` in a row and, when a time is set for the next one, `nextAt`.
Progress = Mapping[str, Mapping[str, Any]]


def wanted_status(
    result: RunResult,
    present: Mapping[str, Any],
    *,
    now: str,
    generation: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """`conditions`, `state`, `koreo` and, with a generation, `observedGeneration`; other members are not ours."""
    state, state_errors = _state(result, present)
    errors = [(label, step.outcome) for label, step in result.steps.items() if is_error(step.outcome)]
    koreo: dict[str, Any] = {
        "errors": ", ".join(f"{label}: {outcome.message}" for label, outcome in errors) or None,  # type: ignore[union-attr]  # errors have messages
        "locations": ", ".join(filter(None, (getattr(outcome, "location", "") for _, outcome in errors))) or None,
        "state_errors": state_errors or None,
    }
    if len(result.steps) <= _MAX_STEPS:
        koreo["steps"] = _steps(result, present, now, progress or {})
    status: dict[str, Any] = {
        "conditions": timed(conditions_of(result, generation=generation), _listed(present.get("conditions")), now=now),
        "state": state,
        "koreo": koreo,
    }
    if generation is not None:
        status["observedGeneration"] = generation
    return status


def selection_status(
    reason: str, message: str, present: Mapping[str, Any], *, now: str, generation: int | None = None
) -> dict[str, Any]:
    """The status when no workflow could be chosen; state and record stay as they are."""
    failure = PermFail(message)
    ready = simple_condition("Ready", "False", reason, message, generation=generation)
    wanted = [ready, *kstatus(failure, ready, generation=generation)]
    return _with_conditions(wanted, present, now=now, generation=generation)


def deletion_status(
    message: str, present: Mapping[str, Any], *, now: str, generation: int | None = None
) -> dict[str, Any]:
    """The status while resources are being deleted."""
    ready = simple_condition("Ready", "False", "Deleting", message, generation=generation)
    return _with_conditions([ready], present, now=now, generation=generation)


def _with_conditions(
    wanted: list[dict[str, Any]], present: Mapping[str, Any], *, now: str, generation: int | None
) -> dict[str, Any]:
    """Conditions of steps stay; only those given, and the two of kstatus, are replaced."""
    given = {item["type"] for item in wanted} | {"Reconciling", "Stalled"}
    before = _listed(present.get("conditions"))
    rest = [item for item in before if isinstance(item, Mapping) and item.get("type") not in given]
    status: dict[str, Any] = {"conditions": [*rest, *timed(wanted, _of_types(before, given), now=now)]}
    if generation is not None:
        status["observedGeneration"] = generation
    return status


def _of_types(conditions: list[Any], types: Iterable[str]) -> list[Any]:
    chosen = set(types)
    return [item for item in conditions if isinstance(item, Mapping) and item.get("type") in chosen]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _state(result: RunResult, present: Mapping[str, Any]) -> tuple[Any, str]:
    """The state to publish and what kept parts of it from being published."""
    failures = [f"{label}: {step.state_failure.message}" for label, step in result.steps.items() if step.state_failure]
    if len(compact_json(result.state).encode()) > MAX_STATE_BYTES:
        failures.append(f"the published state is larger than {MAX_STATE_BYTES // 1024} KiB; the previous one stays")
        return present.get("state"), ", ".join(failures)
    return result.state, ", ".join(failures)


def _steps(result: RunResult, present: Mapping[str, Any], now: str, progress: Progress) -> list[dict[str, Any]]:
    koreo = present.get("koreo")
    known = {
        item.get("label"): item
        for item in _listed(koreo.get("steps") if isinstance(koreo, Mapping) else None)
        if isinstance(item, Mapping)
    }
    found = []
    for label, step in result.steps.items():
        outcome = name_of(step.outcome)
        before = known.get(label, {})
        is_same = before.get("outcome") == outcome
        entry = {"label": label, "outcome": outcome, "since": before.get("since", now) if is_same else now}
        found.append({**entry, **progress.get(label, {})})
    return found


def status_patch(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """A merge patch from the present status to the wanted one; empty when nothing but times would change."""
    if all(key in present and _same(wanted[key], present[key]) for key in wanted):
        return {}
    return {key: _replacing(value, present.get(key)) for key, value in wanted.items()}


# Asked first, since asking for any Mapping takes ten times as long, and most members are none.
_SCALARS = (str, bool, int, float, type(None))


def timeless(value: Any) -> Any:
    """A status without its times."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Mapping):
        return {key: timeless(item) for key, item in value.items() if key not in _TIMELESS}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def _same(one: Any, other: Any) -> bool:
    """Equal apart from times; a null member equals an absent one, since a merge patch cannot store null."""
    if type(one) in _SCALARS:
        return type(one) is type(other) and bool(one == other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = {key for key in {*one, *other} if key not in _TIMELESS}
        return all(_same(one.get(key), other.get(key)) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def _replacing(wanted: Any, present: Any) -> Any:
    """The wanted value as a merge patch that also removes what the present one has too much."""
    if not isinstance(wanted, Mapping) or not isinstance(present, Mapping):
        return wanted
    patch = {key: _replacing(value, present.get(key)) for key, value in wanted.items()}
    patch.update((key, None) for key in present if key not in wanted)
    return patch
