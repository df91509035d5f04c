"""One pass over a living object: observe, create if absent, write the differences, judge.

The order matters for crashes: the finalizer is there before the first call that creates, creation is sent only after
an observation that found nothing, and what is found without a recorded ARN is touched only with proof that it is ours.
So a pass that is cut anywhere is simply run again. Not here: deletion (`deleting`), the writing of the status
(`engine`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambent.aws.errors import AwsError
from lambent.resources import planning, schema
from lambent.resources.adoption import ADOPTED, Adoption, adoption_of, identified, nested, spec_fill
from lambent.resources.conditions import EXISTS_TEXT, Verdict
from lambent.resources.declaration import Answer, Call, Change, Kind, Observed, Step, Subject
from lambent.resources.failures import Failure, classify
from lambent.resources.objects import Held
from lambent.resources.observing import observe
from lambent.resources.ownership import is_ours
from lambent.resources.verdicts import Trouble

_ROUNDS = 6  # code, configuration and follow-ups take three; more means that AWS does not keep what it is given
_VISIBLE_WITHIN_S = 10.0  # services are eventually consistent: a fresh resource may be absent for some seconds
_ADOPT_HINT = 'annotate services.k8s.aws/adoption-policy: "adopt-or-create" to take it over'


@dataclass(slots=True)
class Found:
    """What a pass knows at its end. `trouble` instead of a verdict when AWS refused something."""

    subject: Subject
    verdict: Verdict | None = None
    trouble: Trouble | None = None
    observed: Observed | None = None
    remembered: dict[str, Any] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()
    created: bool = False
    written: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Converger:
    """`stopped`: the Terminal verdict that this very spec has met before; then nothing is written. `may_repeat`: a
    change that AWS took and failed to carry out is due to be sent once more.
    """

    kind: Kind
    call: Call
    held: Held
    stopped: Verdict | None = None
    may_repeat: bool = False

    async def run(self, subject: Subject) -> Found:
        found = Found(subject, declared=planning.declared_paths(self.kind, subject))
        try:
            await self._run(found)
        except _Refused as refusal:
            found.trouble = refusal.trouble
        return found

    async def _run(self, found: Found) -> None:
        adoption = adoption_of(found.subject)
        found.subject = identified(self.kind, found.subject, adoption.fields or {})
        found.observed = await self._observe(found.subject, everything=bool(adoption.policy))
        if adoption.is_read_only and not adoption.policy:
            self._only_look(found)
        elif found.observed is None:
            await self._absent(found, adoption)
        elif adoption.policy:
            await self._adopt(found, found.observed)
            await self._look_or_converge(found, adoption)
        elif await self._is_ours(found.subject, found.observed):
            await self._converge(found)
        else:
            await self._leave_alone(found)

    async def _look_or_converge(self, found: Found, adoption: Adoption) -> None:
        if adoption.is_read_only:
            self._only_look(found)
        else:
            await self._converge(found)

    def _only_look(self, found: Found) -> None:
        """Read-only: nothing is written; a difference is told."""
        if found.observed is None:
            found.verdict = Verdict(False, "transient", recoverable="read-only resource not found")
            return
        desired = self._desired(found.subject, found.observed)
        paths = [
            item.path
            for item in planning.diff(self.kind, desired, found.observed)
            if item.path != self.kind.tag_field and found.subject.value(item.path) is not None
        ]
        told = (("ReadOnlyDifference", f"AWS holds another value of {', '.join(paths)}"),) if paths else ()
        found.verdict = Verdict(True, "synced", advisories=told)

    async def _absent(self, found: Found, adoption: Adoption) -> None:
        if adoption.policy == "adopt" or adoption.is_read_only:
            found.verdict = Verdict(False, "transient", recoverable="adopted resource not found")
        elif await self._create(found):
            await self._converge(found)

    async def _adopt(self, found: Found, observed: Observed) -> None:
        """Finalizer, mark and fills in one patch; the pass goes on with the filled spec."""
        fill = spec_fill(self.kind, found.subject, observed)
        await self.held.adopt({ADOPTED: "true"}, fill)
        spec = {**schema.normal(self.kind.spec, self.held.obj.get("spec") or {}), **_resolved(self.kind, found.subject)}
        found.subject = replace(found.subject, obj=self.held.obj, spec=spec)
        found.declared = planning.declared_paths(self.kind, found.subject)

    async def _observe(self, subject: Subject, **how: Any) -> Observed | None:
        """`how` as `observe` takes it."""
        try:
            return await observe(self.kind, self.call, subject, **how)
        except AwsError as error:
            raise _Refused(Trouble(error, observing=True)) from error

    async def _is_ours(self, subject: Subject, observed: Observed) -> bool:
        if not self.held.has_finalizer:
            return False
        try:
            return await is_ours(self.kind, self.call, subject, observed)
        except AwsError as error:
            raise _Refused(Trouble(error, observing=True)) from error

    async def _leave_alone(self, found: Found) -> None:
        await self.held.remove_finalizer()
        found.observed = None
        found.verdict = Verdict(False, "terminal", reason=_ADOPT_HINT, terminal=EXISTS_TEXT)

    async def _create(self, found: Found) -> bool:
        """False when the pass ends here: stopped, or the name belongs to somebody else."""
        if self.stopped is not None:
            found.verdict = self.stopped
            return False
        await self.held.claim()
        step = self.kind.create(found.subject, planning.desire(self.kind, found.subject))
        try:
            made = await self._do(step, found)
        except _Refused as refusal:
            if classify(refusal.trouble.error) is not Failure.EXISTS:
                raise
            return await self._judge_existing(found, refusal)
        found.created = True
        found.observed = await self._until_visible(found.subject, made)
        return True

    async def _judge_existing(self, found: Found, refusal: "_Refused") -> bool:
        """Creation met an existing resource: ours after a lost answer, or another's."""
        found.observed = await self._observe(found.subject)
        if found.observed is None:
            raise refusal
        if await self._is_ours(found.subject, found.observed):
            return True
        await self._leave_alone(found)
        return False

    async def _until_visible(self, subject: Subject, made: Answer) -> Observed:
        wait_s, left_s = 0.2, _VISIBLE_WITHIN_S
        while True:
            observed = await self._observe(subject, made=made)
            if observed is not None:
                return observed
            if left_s <= 0:
                error = AwsError("NotFound", "created, but not visible yet", status=404, operation="create")
                raise _Refused(Trouble(error, observing=True))
            await asyncio.sleep(wait_s)
            left_s, wait_s = left_s - wait_s, wait_s * 2

    async def _converge(self, found: Found) -> None:
        last: tuple[Step, ...] = ()
        for _ in range(_ROUNDS):
            assert found.observed is not None
            settling = self.kind.hooks.settling(found.observed)
            if settling is not None and settling.state == "waiting":
                found.verdict = Verdict(False, "settling", settling.message)
                return
            desired = self._desired(found.subject, found.observed)
            differences = planning.diff(self.kind, desired, found.observed)
            steps = planning.plan(
                self.kind, found.subject, desired=desired, observed=found.observed, differences=differences
            )
            found.settled = self._settled(found, {item.path for item in differences})
            if not steps and settling is not None and self.may_repeat and not last:
                steps = self._again(found, desired, found.observed)
            run = planning.legal_now(steps)
            if not run or _alike(run, last) or self.stopped is not None:
                found.verdict = self._judge(found, [item.path for item in differences], has_steps=bool(run))
                await self._fill(found)
                return
            await self._execute(run, found, planning.kept(self.kind, found.observed, [d.path for d in differences]))
            last = run
        found.verdict = Verdict(False, "unsynced", "AWS does not keep what it is given: see the events of the object")

    async def _fill(self, found: Found) -> None:
        """Late initialisation, before the object is called synced."""
        assert found.observed is not None
        if found.verdict is None or not found.verdict.synced:
            return
        values = planning.fills(self.kind, found.subject, found.observed)
        if values:
            await self.held.patch({"spec": nested(values)})
            found.declared |= values.keys()

    def _desired(self, subject: Subject, observed: Observed) -> Mapping[str, Any]:
        desired = planning.desire(self.kind, subject)
        adjust = self.kind.hooks.adjust
        return adjust(subject, desired, observed) if adjust else desired

    def _again(self, found: Found, desired: Mapping[str, Any], observed: Observed) -> tuple[Step, ...]:
        change = Change(subject=found.subject, want=desired, have=observed.fields, observed=observed, paths=())
        return tuple(self.kind.hooks.again(change))

    def _settled(self, found: Found, different: set[str]) -> frozenset[str]:
        """Paths declared earlier, absent now, and back at their neutral value."""
        return frozenset(path for path in found.subject.declared - found.declared if path not in different)

    async def _execute(self, steps: tuple[Step, ...], found: Found, kept: Mapping[str, Answer]) -> None:
        for step in steps:
            await self._do(step, found)
        if found.observed is not None and all(step.then for step in steps):
            kept = {**found.observed.answers, **{name: step.then[name] for step in steps for name in step.then}}
        observed = await self._observe(found.subject, kept=kept)
        if observed is None:
            error = AwsError("NotFound", "vanished while it was being written", status=404, operation=steps[-1].op)
            raise _Refused(Trouble(error, observing=True))
        found.observed = observed

    async def _do(self, step: Step, found: Found) -> Answer:
        answer: Answer = {}
        try:
            if step.before is not None:
                await step.before(self.call, found.subject)
            answer = await self.call(step.op, step.params)
        except AwsError as error:
            if error.code not in step.tolerate:
                raise _Refused(Trouble(error, field=step.why)) from error
        if step.remember:
            found.remembered |= step.remember
            found.subject = replace(found.subject, records={**found.subject.records, **step.remember})
        found.written.append(step)
        return answer

    def _judge(self, found: Found, different: list[str], *, has_steps: bool) -> Verdict:
        assert found.observed is not None
        settling = self.kind.hooks.settling(found.observed)
        fixed = [path for path in different if self.kind.field_at(path).fixed]
        if self.stopped is not None and different:
            return self.stopped
        if fixed:
            return Verdict(False, "terminal", terminal=f"AWS cannot change {', '.join(fixed)} of an existing resource")
        if settling is not None and settling.state == "broken":
            return Verdict(False, "terminal", terminal=settling.message)
        if settling is not None:
            return Verdict(False, "failed", settling.message, recoverable=settling.message)
        if has_steps:
            return Verdict(False, "unsynced", f"AWS reports another value than was written for {', '.join(different)}")
        if "code" not in found.remembered and "code" not in found.subject.records:
            found.remembered |= self.kind.hooks.records(found.subject)
        return Verdict(True, "synced")


def _resolved(kind: Kind, subject: Subject) -> dict[str, Any]:
    """Top-level fields that hold what references resolved to."""
    given = subject.obj.get("spec") or {}
    names = {ref.field.partition(".")[0] for ref in kind.refs if ref.ref.partition(".")[0] in given}
    return {name: subject.spec[name] for name in names if name in subject.spec}


def _alike(left: tuple[Step, ...], right: tuple[Step, ...]) -> bool:
    """The same calls again: AWS answers otherwise than it was told, and writing once more would not help."""
    ours, theirs = ([(step.op, {**step.params, "RevisionId": ""}) for step in steps] for steps in (left, right))
    return ours == theirs


class _Refused(Exception):
    """Carries an AWS error to the end of the pass."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(str(trouble.error))
        self.trouble = trouble
