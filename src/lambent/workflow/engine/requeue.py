"""When to look again after a pass: the shortest delay of any step, with back-off for server errors.

Each step counts for itself, so that a step whose server fails does not lengthen the waits of its siblings.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lambent.workflow.engine.outcomes import Outcome, PermFail, Retry, name_of
from lambent.workflow.engine.step_run import RunResult
from lambent.workflow.engine.workflows import BackOff

# Given a delay and the share of its jitter.
Spread = Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step that did not succeed, and how often in a row.

    `count` are passes with this outcome, `failures` those with a server error; `after_s` is when the next one is due,
    None for a step that only a change (or the resync) runs again.
    """

    outcome: str
    count: int = 1
    failures: int = 0
    after_s: float | None = None


Attempts = Mapping[str, Attempt]


def _exact(delay_s: float, share: float) -> float:
    return delay_s


def next_attempts(result: RunResult, before: Attempts, *, spread: Spread = _exact) -> dict[str, Attempt]:
    """By label; steps that are Ok or skipped have none. `spread` adds the jitter to a back-off."""
    return {
        label: _next(step.outcome, before.get(label), step.step.back_off, spread)
        for label, step in result.steps.items()
        if isinstance(step.outcome, Retry | PermFail)
    }


def _next(outcome: Outcome, before: Attempt | None, back_off: BackOff, spread: Spread) -> Attempt:
    name = name_of(outcome)
    count = before.count + 1 if before is not None and before.outcome == name else 1
    if not isinstance(outcome, Retry):
        return Attempt(name, count)
    if not outcome.is_server_error:
        return Attempt(name, count, 0, outcome.delay_s)
    failures = before.failures + 1 if before is not None else 1
    delay_s = spread(max(back_off.delay(failures - 1), outcome.delay_s), back_off.jitter)
    return Attempt(name, count, failures, delay_s)


def requeue_s(attempts: Iterable[Attempt]) -> float | None:
    """Seconds until the next pass at the latest; None when only a change or the resync brings one."""
    return min((attempt.after_s for attempt in attempts if attempt.after_s is not None), default=None)
