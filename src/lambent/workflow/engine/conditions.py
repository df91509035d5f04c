"""Outcomes as conditions on the trigger object, in Koreo's words with kstatus' conditions beside them.

    Ok       True     Ready     <name> ready.
    Skip     Unknown  Skip      Skipping <name>: <msg>
    DepSkip  Unknown  DepSkip   <name> awaiting dependencies to be ready (<msg>)
    Retry    False    Wait      Awaiting <name> to be ready (<msg>).
    PermFail False    Failure   Unrecoverable error reconciling <name>. (<msg>).

A condition of ours is known by its members `location` and `lastUpdateTime`, so that one whose step has gone can be
dropped and foreign ones are kept. `lastTransitionTime` changes only with the status.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lambent.workflow.engine.outcomes import DepSkip, Ok, Outcome, PermFail, Retry, Skip
from lambent.workflow.engine.step_run import RunResult

TIMES = ("lastTransitionTime", "lastUpdateTime")
_MAX_MESSAGE = 4096


def condition_of(
    type_: str, outcome: Outcome, name: str, *, location: str = "", generation: int | None = None
) -> dict[str, Any]:
    """A condition without its times."""
    match outcome:
        case Ok():
            status, reason, message = "True", "Ready", f"{name} ready."
        case Skip():
            status, reason, message = "Unknown", "Skip", f"Skipping {name}: {outcome.message}"
        case DepSkip():
            status, reason = "Unknown", "DepSkip"
            message = f"{name} awaiting dependencies to be ready ({outcome.message})"
        case Retry():
            status, reason, message = "False", "Wait", f"Awaiting {name} to be ready ({outcome.message})."
        case PermFail():
            status, reason = "False", "Failure"
            message = f"Unrecoverable error reconciling {name}. ({outcome.message})."
    where = location if isinstance(outcome, Ok) else outcome.location or location
    return simple_condition(type_, status, reason, message, location=where, generation=generation)


def simple_condition(
    type_: str, status: str, reason: str, message: str, *, location: str = "", generation: int | None = None
) -> dict[str, Any]:
    """A condition in our form, without its times."""
    condition: dict[str, Any] = {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message[:_MAX_MESSAGE],
        "location": location[:_MAX_MESSAGE],
    }
    if generation is not None:
        condition["observedGeneration"] = generation
    return condition


def conditions_of(result: RunResult, *, generation: int | None = None) -> list[dict[str, Any]]:
    """One per step that declares one, then Ready, then Reconciling or Stalled while true; without times."""
    found = {}
    for label, step_result in result.steps.items():
        declared = step_result.step.condition
        if declared is not None:
            place = f"{result.workflow.identity}:{label}"
            found[declared.type] = condition_of(
                declared.type, step_result.outcome, declared.name, location=place, generation=generation
            )
    ready = condition_of("Ready", result.outcome, result.workflow.ready_name, generation=generation)
    found.pop("Ready", None)
    return [*found.values(), ready, *kstatus(result.outcome, ready, generation=generation)]


def kstatus(outcome: Outcome, ready: Mapping[str, Any], *, generation: int | None) -> list[dict[str, Any]]:
    """Reconciling for Retry and DepSkip, Stalled for PermFail. Source: kubernetes-sigs/cli-utils, "kstatus"."""
    type_ = {Retry: "Reconciling", DepSkip: "Reconciling", PermFail: "Stalled"}.get(type(outcome))
    if type_ is None:
        return []
    return [
        simple_condition(
            type_, "True", ready["reason"], ready["message"], location=ready["location"], generation=generation
        )
    ]


def timed(wanted: Iterable[Mapping[str, Any]], previous: Iterable[Any], *, now: str) -> list[dict[str, Any]]:
    """The whole list for the status: foreign conditions, then ours with their times carried over where they hold."""
    before = [item for item in previous if isinstance(item, Mapping) and isinstance(item.get("type"), str)]
    ours = {item["type"]: item for item in before}
    new = [_with_times(item, ours.get(item["type"]), now) for item in wanted]
    types = {item["type"] for item in new}
    foreign = [dict(item) for item in before if item["type"] not in types and not _is_ours(item)]
    return [*foreign, *new]


def _is_ours(condition: Mapping[str, Any]) -> bool:
    return "location" in condition and "lastUpdateTime" in condition


def _with_times(wanted: Mapping[str, Any], before: Mapping[str, Any] | None, now: str) -> dict[str, Any]:
    if before is None:
        return {**wanted, "lastTransitionTime": now, "lastUpdateTime": now}
    same_status = before.get("status") == wanted["status"]
    moved = before.get("lastTransitionTime", now) if same_status else now
    is_same = all(before.get(key) == value for key, value in wanted.items())
    return {
        **wanted,
        "lastTransitionTime": moved,
        "lastUpdateTime": before.get("lastUpdateTime", now) if is_same else now,
    }
