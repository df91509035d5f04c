"""One resource function inside a pass: read, plan, write, as a generator of effects.

A conflict is read and planned again at once, three times; then it is a Retry like any other. What a cache shows is
enough to find that nothing is to be done; before a write the server itself is asked, and the plan made again.
Everything a plan needs comes from the planner; nothing here compares or merges.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from lambent.workflow.engine.effects import Answer, Effect, Found, Read, Refused, TimedOut, Write
from lambent.workflow.engine.functions import ResourceFunction
from lambent.workflow.engine.looks import Look, explained, look_at
from lambent.workflow.engine.outcomes import Outcome, Retry, is_error
from lambent.workflow.engine.planner import Plan, address, plan_for
from lambent.workflow.engine.references import ResourceRef
from lambent.workflow.engine.refusals import outcome_of
from lambent.workflow.engine.targets import Address, Context

_ATTEMPTS = 4
_CONFLICT = 409
_NOT_FOUND = 404


@dataclass(slots=True, eq=False)
class Ran:
    """What running some logic came to; `managed` is a ref, a list of them, a map by label, or None when unknown.

    `looks` has one for each object that was looked at.
    """

    outcome: Outcome
    managed: Any = None
    looks: tuple[Look, ...] = ()


class _Seen(NamedTuple):
    """An object and what to do about it."""

    object: dict[str, Any] | None
    plan: Plan


Running = Generator[Effect, Answer, Ran]


def run_resource(function: ResourceFunction, inputs: Any, context: Context, *, step: str, timeout_s: float) -> Running:
    """At most one write that succeeds."""
    found = address(function, inputs)
    if not isinstance(found, Address):
        return Ran(found)
    ref = known = found.ref
    for attempt in range(_ATTEMPTS):
        read = Read(step, ref, timeout_s, is_live=attempt > 0, may_be_absent=function.api.deletes)
        seen = yield from _look(found, context, read)
        if not isinstance(seen, _Seen):
            return Ran(outcome_of(seen, "get", ref), known, (Look(found, context),))
        plan, known = seen.plan, _identified(ref, seen.object)
        if not plan.is_write:
            looks = (look_at(found, seen.object, context, plan),)
            return Ran(explained(plan.outcome, seen.object), known, looks)
        written = yield Write(step, ref, plan, timeout_s)
        outcome = _after_write(written, plan, ref, function)
        if outcome is not None:
            made = written.object if isinstance(written, Found) else None
            look = look_at(found, made, context)
            known = _identified(ref, made) if made is not None else known
            if context.looks_on and look.outcome is not None and is_error(look.outcome):
                outcome = look.outcome
            return Ran(outcome, known, (look,))
    message = f"{ref} keeps changing while it is written"
    return Ran(Retry(message, 1.0, is_server_error=True), known, (Look(found, context),))


def _look(found: Address, context: Context, read: Read) -> Generator[Effect, Answer, _Seen | Refused | TimedOut]:
    answer = yield read
    if not isinstance(answer, Found):
        return answer
    plan = plan_for(found, answer.object, context)
    if plan.is_write and answer.is_cached:
        return (yield from _look(found, context, replace(read, is_live=True)))
    return _Seen(answer.object, plan)


def _identified(ref: ResourceRef, obj: dict[str, Any] | None) -> ResourceRef:
    """The ref with the uid of the object, which is empty when there is none."""
    return replace(ref, uid=((obj or {}).get("metadata") or {}).get("uid") or "")


def _after_write(answer: Answer, plan: Plan, ref: ResourceRef, function: ResourceFunction) -> Outcome | None:
    """The outcome, or None to read and plan again."""
    if isinstance(answer, Found):
        return plan.outcome
    if isinstance(answer, Refused):
        if answer.code == _CONFLICT and plan.action == "create" and answer.reason != "Conflict":
            return Retry("Waiting on competing creation", function.create_delay_s)
        # The conflict of an apply is over a field of another manager, which reading again does not end.
        if answer.code == _CONFLICT and plan.action != "apply":
            return None
        if answer.code == _NOT_FOUND and plan.action == "delete":
            return plan.outcome
        if answer.code == _NOT_FOUND and plan.action in ("patch", "apply"):
            return None
    return outcome_of(answer, plan.action, ref)
