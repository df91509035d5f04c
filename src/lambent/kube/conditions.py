"""Conditions by kstatus' rules, as pure functions: what a controller writes and what a reader makes of it.

| outcome | Ready | Reconciling | Stalled |
|---|---|---|---|
| Done | True | absent | absent |
| Wait, Retry | False, or True while old state is served | True, reason | absent |
| Fail | False | absent | True, reason |

`Reconciling` and `Stalled` are present only while true. `lastTransitionTime` moves only with `status`. Conditions of
other types (ACK's, Koreo's) pass through. If the result equals what is stored, nothing is written.
Source: kubernetes-sigs/cli-utils, "kstatus"; Kubernetes API conventions, "Typical status properties".
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NotRequired, Required, TypedDict, cast

from lambent.clock import rfc3339
from lambent.kube.outcome import Done, Fail, Outcome, Retry, Wait
from lambent.kube.types import KubeObject

READY, RECONCILING, STALLED = "Ready", "Reconciling", "Stalled"
Health = Literal["Current", "InProgress", "Failed", "Terminating", "Unknown"]

_REASON = re.compile(r"^([A-Z][A-Za-z0-9]*): (.*)$", re.DOTALL)
_MAX_MESSAGE_CHARS = 32768
_DEFAULT_REASON = {Done: "Ready", Wait: "Progressing", Retry: "Retrying", Fail: "Failed"}


class Condition(TypedDict):
    """metav1.Condition."""

    type: Required[str]
    status: Required[Literal["True", "False", "Unknown"]]
    reason: str
    message: str
    lastTransitionTime: str
    observedGeneration: NotRequired[int]


def condition(
    type_: str,
    status: bool | None,
    *,
    reason: str,
    message: str = "",
    generation: int | None = None,
    now: datetime,
) -> Condition:
    """A new condition; `status` None is Unknown."""
    word: Literal["True", "False", "Unknown"] = "Unknown" if status is None else "True" if status else "False"
    made: Condition = {
        "type": type_,
        "status": word,
        "reason": reason,
        "message": message[:_MAX_MESSAGE_CHARS],
        "lastTransitionTime": rfc3339(now),
    }
    if generation is not None:
        made["observedGeneration"] = generation
    return made


def set_condition(old: Iterable[Mapping[str, Any]], new: Condition) -> list[Condition]:
    """`old` with `new` in the place of its type; keeps the transition time if the status stays."""
    found = cast(list[Condition], [dict(one) for one in old])
    for index, one in enumerate(found):
        if one["type"] == new["type"]:
            same = one.get("status") == new["status"] and one.get("lastTransitionTime")
            found[index] = {**new, "lastTransitionTime": one["lastTransitionTime"]} if same else new
            return found
    return [*found, new]


def without_condition(old: Iterable[Mapping[str, Any]], type_: str) -> list[Condition]:
    return cast(list[Condition], [dict(one) for one in old if one["type"] != type_])


def set_conditions(
    old: Iterable[Mapping[str, Any]],
    outcome: Outcome,
    *,
    generation: int | None = None,
    now: datetime,
    reason: str = "",
    message: str = "",
    serves_old: bool = False,
) -> list[Condition]:
    """The conditions after a run with this outcome.

    Reason and message come from the arguments, else from the outcome's `why` ("Reason: message" or a message alone).
    `serves_old`: a Ready that was True stays so while the new state is being reached.
    """
    default_reason, default_message = split_why(outcome)
    reason, message = reason or default_reason, message or default_message
    old = list(old)
    was_ready = any(one["type"] == READY and one.get("status") == "True" for one in old)
    is_ready = isinstance(outcome, Done) or (serves_old and was_ready and not isinstance(outcome, Fail))

    def one(type_: str, status: bool) -> Condition:
        return condition(type_, status, reason=reason, message=message, generation=generation, now=now)

    new = set_condition(old, one(READY, is_ready))
    for type_, is_present in (
        (RECONCILING, isinstance(outcome, (Wait, Retry))),
        (STALLED, isinstance(outcome, Fail)),
    ):
        new = set_condition(new, one(type_, True)) if is_present else without_condition(new, type_)
    return new


def split_why(outcome: Outcome) -> tuple[str, str]:
    """(reason, message) of an outcome."""
    why = getattr(outcome, "why", "")
    if found := _REASON.match(why):
        return found[1], found[2]
    return _DEFAULT_REASON[type(outcome)], why


def get_condition(obj: KubeObject, type_: str) -> Condition | None:
    """The condition of that type in `status.conditions`."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((cast(Condition, one) for one in conditions if one.get("type") == type_), None)


def is_true(obj: KubeObject, type_: str) -> bool:
    """The condition is True and speaks of the present spec."""
    found = get_condition(obj, type_)
    return found is not None and found.get("status") == "True" and not _is_outdated(obj, found)


def _is_outdated(obj: KubeObject, found: Condition) -> bool:
    observed = found.get("observedGeneration")
    return observed is not None and observed != obj["metadata"].get("generation", observed)


def health(obj: KubeObject) -> Health:
    """kstatus of any object that follows the convention."""
    status = obj.get("status") or {}
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and observed != obj["metadata"].get("generation", observed):
        return "InProgress"
    if is_true(obj, STALLED):
        return "Failed"
    if is_true(obj, RECONCILING):
        return "InProgress"
    ready = get_condition(obj, READY)
    if ready is None:
        return "Current" if status else "Unknown"
    return "Current" if is_true(obj, READY) else "InProgress"
