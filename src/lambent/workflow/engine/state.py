"""What a workflow publishes in `status.state`: the state maps of its steps, merged in step order."""

from collections.abc import Iterable, Mapping
from typing import Any

from lambent.workflow.engine.outcomes import Ok
from lambent.workflow.engine.patches import union
from lambent.workflow.engine.step_run import StepResult


def merged_state(
    results: Iterable[StepResult], previous: Mapping[str, Any] | None = None, *, deep: bool = False
) -> dict[str, Any]:
    """Keys that a step declares and cannot give now keep their previous value; keys no longer declared vanish."""
    merged: dict[str, Any] = {}
    before = previous or {}
    for result in results:
        if isinstance(result.outcome, Ok) and result.state is not None:
            merged = union(merged, result.state) if deep else {**merged, **result.state}
        else:
            merged.update((key, before[key]) for key in result.step.state_keys if key in before)
    return merged
