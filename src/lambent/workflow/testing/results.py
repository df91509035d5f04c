"""What a test came to: its cases in order, and of each that failed why, where, and what would have passed."""

from dataclasses import dataclass, field
from typing import Any, Literal

from lambent.workflow.spec import Identity
from lambent.workflow.testing.expectations import Mismatch

Status = Literal["passed", "failed", "skipped"]


@dataclass(slots=True)
class CaseResult:
    """`place` is where the case stands; `reason` and `differences` say why it failed, `notes` what else came.

    `actual` has, by the name of an expectation below `path` in the document, the value that would have been met: for
    `lambent test --update`. It is empty where no value would help.
    """

    label: str
    status: Status
    place: str = ""
    outcome: str = ""
    message: str = ""
    reason: str = ""
    location: str = ""
    differences: tuple[Mismatch, ...] = ()
    notes: tuple[str, ...] = ()
    is_after_failure: bool = False
    duration_us: float = 0.0
    path: tuple[str | int, ...] = ()
    actual: dict[str, Any] = field(default_factory=dict)

    def explain(self) -> str:
        """Why the case failed, over several lines."""
        lines = [self.reason] if self.reason else []
        lines += [f"  {difference}" for difference in self.differences]
        lines += [f"  {note}" for note in self.notes]
        if self.location:
            lines.append(f"  at {self.location}")
        return "\n".join(lines)


@dataclass(slots=True)
class TestResult:
    """The cases of one document; `problems` are diagnostics that kept it from running."""

    identity: Identity
    file: str
    line: int
    cases: list[CaseResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_passed(self) -> bool:
        return not self.problems and all(case.status != "failed" for case in self.cases)


TestResult.__test__ = False  # type: ignore[attr-defined]  # a result, not a class of pytest
