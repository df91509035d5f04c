"""What a demo says of itself at the end: each step with its time and result, as data."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class StepReport:
    """One step; `duration_ms` is wall time, `detail` one line for people, `figures` named numbers for machines."""

    name: str
    title: str
    status: str = "waiting"
    duration_ms: float = 0.0
    detail: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class DemoReport:
    """The whole run; `ok` only when every step succeeded."""

    steps: list[StepReport]
    duration_ms: float = 0.0

    @property
    def ok(self) -> bool:
        return all(step.status == "ok" for step in self.steps)

    def to_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "durationMs": round(self.duration_ms, 1),
            "steps": [
                {
                    "name": step.name,
                    "status": step.status,
                    "durationMs": round(step.duration_ms, 1),
                    "detail": step.detail,
                    **step.figures,
                }
                for step in self.steps
            ],
        }
