"""From an AWS error to what is told of it: which condition, when it is due, and when to try again.

Table of chapter "Errors" of the specification; patience comes from the requeue table. Pure.
"""

from dataclasses import dataclass

from lambent.aws.errors import AwsError
from lambent.resources.conditions import NOT_SYNCED_TEXT, Verdict
from lambent.resources.declaration import Kind
from lambent.resources.failures import Failure, classify, told

_SITUATION = {
    Failure.NOT_FOUND: "transient",
    Failure.THROTTLED: "throttled",
    Failure.TRANSIENT: "transient",
    Failure.CONFLICT: "conflict",
    Failure.DENIED: "denied",
    Failure.EXISTS: "terminal",
    Failure.INVALID: "terminal",
    Failure.DEPENDENT: "dependent",
    Failure.QUOTA: "quota",
    Failure.UNKNOWN: "transient",
}
_QUIET_TRIES = {Failure.THROTTLED: 5, Failure.TRANSIENT: 2, Failure.NOT_FOUND: 2}
_CONFLICT_PATIENCE_S = 30.0  # two writers of one resource are done with each other by then


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error with the field that was being written, if any, and whether it came while observing."""

    error: AwsError
    field: str = ""
    observing: bool = False


def situation_of(kind: Kind, trouble: Trouble) -> str:
    """The row of the requeue table."""
    waiting = kind.hooks.not_yet(trouble.error)
    return waiting[0] if waiting else _SITUATION[classify(trouble.error)]


def verdict_of(kind: Kind, trouble: Trouble, *, tries: int, lasted_s: float) -> Verdict:
    """What the conditions say after this many tries over this time."""
    situation = situation_of(kind, trouble)
    waiting = kind.hooks.not_yet(trouble.error)
    if waiting:
        return Verdict(False, situation, waiting[1])
    failure = classify(trouble.error)
    text = kind.hooks.explain(trouble.error) or told(trouble.error)
    if trouble.field:
        text = kind.error_text.format(field=trouble.field, error=text)
    if situation == "terminal":
        return Verdict(False, situation, NOT_SYNCED_TEXT, terminal=text)
    if tries <= _QUIET_TRIES.get(failure, 0):
        return Verdict(False, situation, text, quiet=True)
    if failure is Failure.CONFLICT and lasted_s < _CONFLICT_PATIENCE_S:
        return Verdict(False, situation, text)
    synced = None if trouble.observing else False
    return Verdict(synced, situation, text, reason=text if synced is None else "", recoverable=text)
