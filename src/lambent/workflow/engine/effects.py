"""What a workflow pass asks of the world, and what the world may answer.

A pass performs no I/O: it hands out effects and is fed answers. The controller carries them out concurrently, tests do
so one by one; the pass cannot tell which.
"""

from dataclasses import dataclass
from typing import Any

from lambent.workflow.engine.planner import Plan
from lambent.workflow.engine.references import ResourceRef


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Get the object; `step` is the label of the step of the outermost workflow, whose time limit is `timeout_s`.

    Unless it `is_live`, the answer may come from a cache; that there is no object only where it `may_be_absent`.
    """

    step: str
    ref: ResourceRef
    timeout_s: float
    is_live: bool = False
    may_be_absent: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """Carry out a plan; its action is one that writes."""

    step: str
    ref: ResourceRef
    plan: Plan
    timeout_s: float


Effect = Read | Write


@dataclass(frozen=True, slots=True)
class Found:
    """The object as it is now; None when there is none (also: after a delete, or a write whose answer is not kept).

    What `is_cached` may be older than the server's state, and never leads to a write.
    """

    object: dict[str, Any] | None
    is_cached: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The server said no, or nothing (code 0). `reason` is the Status' reason."""

    code: int
    message: str
    reason: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The step's time is over."""


Answer = Found | Refused | TimedOut
