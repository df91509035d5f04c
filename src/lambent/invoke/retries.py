"""When an event that did not succeed is tried again, as pure functions.

| what happened | counts as attempt | again after |
|---|---|---|
| function error, timeout, exit | yes, at most `max_retry_attempts` more | 1 min, then 2 min |
| throttled, or a part of ours failed | no | 1 s, doubling to 5 min, with jitter |
| age over `max_event_age_s` | - | never |

Source: AWS Lambda developer guide, "Error handling for asynchronous invocation".
"""

from typing import Literal

RETRY_BASE_S = 60.0
_BACKOFF_FIRST_S = 1.0
_BACKOFF_MOST_S = 300.0

Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]


def retry_delay_s(attempts: int, max_retry_attempts: int, *, base_s: float = RETRY_BASE_S) -> float | None:
    """Seconds until the next attempt after `attempts` function errors; None when they are used up."""
    return base_s * attempts if attempts <= max_retry_attempts else None


def deferral_delay_s(deferrals: int, jitter: float) -> float:
    """`jitter` in [0, 1): the delay is between half and the whole of its step."""
    step: float = min(_BACKOFF_MOST_S, _BACKOFF_FIRST_S * 2.0 ** min(deferrals, 16))
    return step * (0.5 + jitter / 2)


def is_too_old(age_s: float, max_event_age_s: float) -> bool:
    return age_s >= max_event_age_s
