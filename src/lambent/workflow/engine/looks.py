"""What a step saw of its object and came to, so that a later state of the object can be judged without a pass.

A pass follows from its trigger, the definitions and the objects of its steps. Where only one object has changed, and
every step that looks at it would come to the very same wait, so would the pass, and need not run. Only waits are
judged: what a step that is Ok gives to others is not kept for that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambent.workflow.engine.blockers import why_waiting
from lambent.workflow.engine.outcomes import Outcome, Retry, is_error
from lambent.workflow.engine.planner import Plan, plan_for
from lambent.workflow.engine.references import Place, ResourceRef
from lambent.workflow.engine.targets import Address, Context


@dataclass(slots=True, eq=False)
class Look:
    """`outcome` is what the object, as it was seen last, comes to without a write; None when that is not known."""

    found: Address
    context: Context
    uid: str | None = None
    outcome: Outcome | None = None

    @property
    def ref(self) -> ResourceRef:
        return self.found.ref

    @property
    def is_wait(self) -> bool:
        return self.outcome is not None and is_error(self.outcome)

    def is_same(self, live: Mapping[str, Any]) -> bool:
        """Whether the step would come to the same wait for this state of the object."""
        if not self.is_wait or _uid(live) != self.uid:
            return False
        return _come_to(plan_for(self.found, live, self.context), live) == self.outcome


def look_at(found: Address, live: Mapping[str, Any] | None, context: Context, plan: Plan | None = None) -> Look:
    """Of an object as it is now; `plan` is what was planned for it, if it was."""
    if live is None:
        return Look(found, context)
    return Look(found, context, _uid(live), _come_to(plan or plan_for(found, live, context), live))


def explained(outcome: Outcome, live: Mapping[str, Any] | None) -> Outcome:
    """A wait gains the resource's own words."""
    if not isinstance(outcome, Retry):
        return outcome
    return replace(outcome, message=outcome.message + why_waiting(live))


def _come_to(plan: Plan, live: Mapping[str, Any]) -> Outcome | None:
    return None if plan.is_write else explained(plan.outcome, live)


def judged(looks: Iterable[Look]) -> dict[Place, list[Look]]:
    """The looks by place, for places of which each step that looked can judge a later state."""
    found: dict[Place, list[Look]] = {}
    for look in looks:
        found.setdefault(look.ref.place, []).append(look)
    return {place: here for place, here in found.items() if all(look.is_wait for look in here)}


def _uid(live: Mapping[str, Any]) -> str | None:
    uid = (live.get("metadata") or {}).get("uid")
    return uid if isinstance(uid, str) else None
