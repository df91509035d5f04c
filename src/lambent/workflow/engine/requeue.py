"""When to look again after a pass: the shortest delay of any step, with back-off for server errors."""

from collections.abc import Callable

from lambent.workflow.engine.outcomes import Retry
from lambent.workflow.engine.step_run import RunResult


def has_server_error(result: RunResult) -> bool:
    outcomes = (step.outcome for step in result.steps.values())
    return any(isinstance(outcome, Retry) and outcome.is_server_error for outcome in outcomes)


def requeue_s(
    result: RunResult, failures: int, *, spread: Callable[[float, float], float] = lambda delay, share: delay
) -> float | None:
    """Seconds until the next pass at the latest; None when only a change or the resync brings one.

    `failures` counts passes in a row with a server error, this one included; `spread` adds the jitter to a back-off.
    """
    delays = []
    for step_result in result.steps.values():
        outcome = step_result.outcome
        if isinstance(outcome, Retry) and outcome.is_server_error:
            back_off = step_result.step.back_off
            delays.append(spread(max(back_off.delay(max(failures - 1, 0)), outcome.delay_s), back_off.jitter))
        elif isinstance(outcome, Retry):
            delays.append(outcome.delay_s)
    return min(delays) if delays else None
