"""A server's refusal as an outcome of the step: one table for create, patch, apply, delete and read alike."""

from lambent.workflow.engine.effects import Refused, TimedOut
from lambent.workflow.engine.outcomes import NotOk, PermFail, Retry
from lambent.workflow.engine.references import ResourceRef

# The reason of a refusal whose kind no API server serves (yet).
UNKNOWN_KIND = "UnknownKind"
_UNKNOWN_KIND_S = 30.0
_MIN_S = 1.0
_TIMEOUT_S = 30.0
_INVALID = frozenset({400, 413, 415, 422})
_DENIED = frozenset({401, 403})
_MAX_MESSAGE = 300


def outcome_of(answer: Refused | TimedOut, verb: str, ref: ResourceRef) -> NotOk:
    """400 and 422 will not change by waiting; everything else is tried again, with back-off.

    `verb` is the API's word (get, create, patch, apply, delete).
    """
    if isinstance(answer, TimedOut):
        return Retry("Timeout running step", _TIMEOUT_S, is_server_error=True)
    message = answer.message if len(answer.message) <= _MAX_MESSAGE else answer.message[: _MAX_MESSAGE - 3] + "..."
    if answer.code in _INVALID:
        return PermFail(f"Unable to {verb} {ref}: {message}")
    delay_s = max(_MIN_S, answer.retry_after_s or 0.0)
    if answer.reason == UNKNOWN_KIND:
        return Retry(message, _UNKNOWN_KIND_S)
    if answer.code in _DENIED:
        return Retry(f"Not allowed to {verb} {ref} ({ref.api_version}): {message}", delay_s, is_server_error=True)
    return Retry(f"Unable to {verb} {ref}: {message}", delay_s, is_server_error=True)
