"""The end of an object: delete its resource in AWS unless it is to be kept, then drop the finalizer.

A finalizer is dropped only after a read that found nothing, or when the resource is not ours, is retained, read-only
or abandoned. What stands in the way is named, and the pass is tried again. Not here: the living (`converging`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lambent.aws.errors import AwsError
from lambent.kube.finalizers import is_abandoned
from lambent.resources.conditions import Verdict
from lambent.resources.converging import Found
from lambent.resources.declaration import Call, Kind, Observed, Step, Subject
from lambent.resources.failures import Failure, classify
from lambent.resources.observing import observe
from lambent.resources.ownership import is_ours
from lambent.resources.subjects import PREFIX
from lambent.resources.verdicts import Trouble


def is_kept(kind: Kind, subject: Subject, *, namespace_annotations: Mapping[str, str], default: str) -> bool:
    """Whether deleting the object leaves AWS as it is: object's policy, then the namespace's, then the default."""
    own = subject.annotations
    policy = (
        own.get(f"{PREFIX}deletion-policy") or namespace_annotations.get(f"{kind.group}/deletion-policy") or default
    )
    return policy == "retain" or own.get(f"{PREFIX}read-only") == "true" or is_abandoned(subject.obj)


@dataclass(frozen=True, slots=True)
class Deleter:
    """`run` answers None when the finalizer may go, else what was found."""

    kind: Kind
    call: Call

    async def run(self, subject: Subject) -> Found | None:
        found = Found(subject, declared=subject.declared)
        try:
            return await self._run(found)
        except AwsError as error:
            found.trouble = Trouble(error)
            return found

    async def _run(self, found: Found) -> Found | None:
        observed = await observe(self.kind, self.call, found.subject)
        if observed is None or not await is_ours(self.kind, self.call, found.subject, observed):
            return None
        found.observed = observed
        settling = self.kind.hooks.settling(observed)
        if settling is not None and settling.is_deletion:
            found.verdict = Verdict(False, "deleting", settling.message)
            return found
        try:
            await self._delete(found.subject, observed)
        except AwsError as error:
            if classify(error) is not Failure.CONFLICT:
                raise
            found.verdict = Verdict(False, "blocked", await self._blockers(found.subject, error))
            return found
        if await observe(self.kind, self.call, found.subject) is None:
            return None
        found.verdict = Verdict(False, "deleting", "waiting until AWS has deleted the resource")
        return found

    async def _delete(self, subject: Subject, observed: Observed) -> None:
        """First what is the resource's own, then the resource; absence of either is success."""
        prepare = self.kind.hooks.before_delete
        for step in await prepare(self.call, subject, observed) if prepare else ():
            await self._do(step)
        await self._do(self.kind.delete(subject))

    async def _do(self, step: Step) -> None:
        try:
            await self.call(step.op, step.params)
        except AwsError as error:
            if error.code not in step.tolerate and classify(error) is not Failure.NOT_FOUND:
                raise

    async def _blockers(self, subject: Subject, error: AwsError) -> str:
        name = self.kind.hooks.blockers
        return f"deletion is blocked: {await name(self.call, subject, error) if name else error.message}"
