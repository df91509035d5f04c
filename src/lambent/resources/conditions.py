"""Conditions of an ACK object, from what a pass found: spelling, order and stability are what other tools match on.

Terminal stands before Ready because a common health check walks the list and stops at the first verdict.
`lastTransitionTime` moves only with `status`. Two messages that differ only in the request id are the same, so a
failing call does not write at every try. Not here: when a verdict is reached (`converging`, `deleting`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Condition = dict[str, Any]

SYNCED_TEXT = "Resource synced successfully"
NOT_SYNCED_TEXT = "Resource not synced"
UNKNOWN_TEXT = "Unable to determine if desired resource state matches latest observed state"
EXISTS_TEXT = "Resource already exists"
REFERENCES_TEXT = "Reference resolution failed"
LATE_TEXT = "Late initialization successful"
DELAYED_TEXT = "Delayed Late Initialization"
_REQUEST_ID = re.compile(r"\s*\(?\bRequest ?I[Dd]: ?[\w/+=-]+\)?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a pass found. `synced` None means unknown. `situation` is a row of the requeue table.

    `references` is (status, reason) of ACK.ReferencesResolved, None without references. `quiet`: a passing trouble,
    told only if it lasts.
    """

    synced: bool | None
    situation: str
    message: str = ""
    reason: str = ""
    terminal: str = ""
    recoverable: str = ""
    references: tuple[str, str] | None = None
    late_initialized: bool | None = None
    advisories: tuple[tuple[str, str], ...] = ()
    quiet: bool = False


def conditions(old: Sequence[Mapping[str, Any]], verdict: Verdict, *, generation: int, now: str) -> list[Condition]:
    """The new list: ours in order, then conditions of others as they were."""
    known = {_key(item): item for item in old}
    ours = [_merged(known.get(_key(item)), item, generation=generation, now=now) for item in _wanted(verdict)]
    foreign = [dict(item) for item in old if item.get("type") not in _OURS]
    return ours + foreign


_OURS = frozenset(
    {
        "ACK.Terminal",
        "ACK.Recoverable",
        "ACK.ReferencesResolved",
        "ACK.LateInitialized",
        "ACK.Advisory",
        "ACK.ResourceSynced",
        "Ready",
    }
)


def _key(condition: Mapping[str, Any]) -> tuple[str, str]:
    """Advisories are told apart by reason, all others by type alone."""
    kind = str(condition.get("type"))
    return kind, str(condition.get("reason") or "") if kind == "ACK.Advisory" else ""


def _wanted(verdict: Verdict) -> list[Condition]:
    found: list[Condition] = []
    if verdict.terminal:
        found.append(_condition("ACK.Terminal", "True", verdict.reason, verdict.terminal))
    if verdict.recoverable:
        found.append(_condition("ACK.Recoverable", "True", "", verdict.recoverable))
    if verdict.references:
        status, reason = verdict.references
        message = "" if status == "True" else REFERENCES_TEXT
        found.append(_condition("ACK.ReferencesResolved", status, reason, message))
    if verdict.late_initialized is not None:
        late = verdict.late_initialized
        text = LATE_TEXT if late else DELAYED_TEXT
        found.append(_condition("ACK.LateInitialized", _text(late), text, LATE_TEXT if late else ""))
    found += [_condition("ACK.Advisory", "True", reason, message) for reason, message in verdict.advisories]
    found.append(_synced("ACK.ResourceSynced", verdict))
    found.append(_ready(verdict))
    return found


def _synced(kind: str, verdict: Verdict) -> Condition:
    if verdict.synced is None:
        return _condition(kind, "Unknown", verdict.reason or verdict.message, UNKNOWN_TEXT)
    default = SYNCED_TEXT if verdict.synced else NOT_SYNCED_TEXT
    return _condition(kind, _text(verdict.synced), "", verdict.message or default)


def _ready(verdict: Verdict) -> Condition:
    if verdict.terminal:
        return _condition("Ready", "False", "ACK.Terminal", verdict.terminal)
    if verdict.recoverable:
        return _condition("Ready", "False", "ACK.Recoverable", verdict.recoverable)
    return _synced("Ready", verdict)


def _text(value: bool) -> str:
    return "True" if value else "False"


def _condition(kind: str, status: str, reason: str, message: str) -> Condition:
    found: Condition = {"type": kind, "status": status}
    if reason:
        found["reason"] = reason
    if message:
        found["message"] = message
    return found


def _merged(old: Mapping[str, Any] | None, new: Condition, *, generation: int, now: str) -> Condition:
    same_status = old is not None and old.get("status") == new["status"]
    stamp = str(old.get("lastTransitionTime") or now) if old is not None and same_status else now
    merged = {**new, "lastTransitionTime": stamp, "observedGeneration": generation}
    if old is not None and same_status and _without_request_id(old) == _without_request_id(new):
        kept = {name: old[name] for name in ("reason", "message") if name in old}
        merged = {**merged, **kept}
    return merged


def _without_request_id(condition: Mapping[str, Any]) -> tuple[str, str]:
    texts = (str(condition.get(name) or "") for name in ("reason", "message"))
    reason, message = (_REQUEST_ID.sub("", text) for text in texts)
    return reason, message
