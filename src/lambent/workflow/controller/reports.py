"""What passes have found out, told to the trigger: its status, the record and Events; at once, or in its turn.

A pass that ends waiting is often followed by one that knows more. Where many triggers make progress at once, telling
each step of each costs more than the steps. So only a few are told of progress at a time, the others stand in line, and
who has another pass before its turn is told of both together. A lone trigger is told at once, and a result (Ok, Skip,
PermFail) never waits. Until it has been told, the next pass takes what there is to tell for told (`as_told`).

A trigger that our finalizer holds is always told at once: its deletion goes by the record. For any other the garbage
collector goes by owner references, and a pass after a restart finds the same again.
Not here: the writes themselves (`publication`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from lambent.kube.errors import NotFound
from lambent.kube.events import EventRecorder, Reason
from lambent.kube.types import Key, KubeObject
from lambent.workflow.controller.instance import outcome_told
from lambent.workflow.controller.publication import Publication
from lambent.workflow.controller.records import FINALIZER
from lambent.workflow.engine import Retry, RunResult, name_of
from lambent.workflow.engine.managed import Record
from lambent.workflow.engine.patches import merge
from lambent.workflow.engine.publishing import Progress, status_patch, wanted_status

# One at a time writes as fast as the server answers; the second keeps a slow answer from stopping the line.
_TURNS = 2
_REASONS = {"create": Reason.CREATED, "patch": Reason.UPDATED, "apply": Reason.UPDATED, "delete": Reason.DELETED}


@dataclass(slots=True)
class Report:
    """`writes` are verbs with what was written, `orphans` what no step manages any more.

    `status` is what the trigger's would be if all reports so far had been told.
    """

    result: RunResult
    record: Record
    progress: Progress
    writes: list[tuple[str, str]]
    orphans: list[str]
    status: Mapping[str, Any] = field(default_factory=dict)

    def wanted(self, present: Mapping[str, Any], now: str, generation: int | None) -> dict[str, Any]:
        """The status after the pass; a moment stays that of the report which first told of its change."""
        known = {**present, **self.status}
        return wanted_status(self.result, known, now=now, generation=generation, progress=self.progress)

    def events(self) -> list[tuple[Reason, str]]:
        """One for each verb: the Events about an object are limited, what a pass writes is not."""
        names: dict[str, list[str]] = {}
        for verb, name in self.writes:
            names.setdefault(verb, []).append(name)
        told = [(_REASONS[verb], f"{verb} {', '.join(found)}") for verb, found in names.items()]
        left = f"no longer managed by {self.result.workflow.ready_name}: {', '.join(self.orphans)}"
        return [*told, (Reason.ABANDONED, left)] if self.orphans else told


class Reporter:
    """Tells the triggers of one kind; `call` is told of a trigger whose turn has come."""

    def __init__(self, publication: Publication, recorder: EventRecorder, call: Callable[[Key], None]) -> None:
        self._publication = publication
        self._recorder = recorder
        self._turns = Turns(call)
        self._untold: dict[Key, Report] = {}
        self._outcomes: dict[Key, str] = {}

    def forget(self, key: Key) -> None:
        self._untold.pop(key, None)
        self._outcomes.pop(key, None)
        self._turns.leave(key)

    def end_turn(self, key: Key) -> None:
        self._turns.end(key)

    def _untold_of(self, obj: KubeObject) -> Report | None:
        """Another object of the same name has nothing to do with it."""
        report = self._untold.get(Key.of(obj))
        return report if report is not None and report.record.uid == obj["metadata"].get("uid", "") else None

    def as_told(self, obj: KubeObject) -> KubeObject:
        """The trigger as it would be if it had been told everything."""
        report = self._untold_of(obj)
        if report is None:
            return obj
        return cast(KubeObject, {**obj, "status": {**(obj.get("status") or {}), **report.status}})

    def record(self, obj: KubeObject) -> Record | None:
        """The record that has not been written yet."""
        report = self._untold_of(obj)
        return report.record.copy() if report is not None else None

    async def report(self, obj: KubeObject, report: Report) -> KubeObject:
        """The trigger after it was told, or as it was if it has to wait for its turn. Raises KubeError."""
        key = Key.of(obj)
        if (earlier := self._untold_of(obj)) is not None:
            report.writes[:0], report.orphans[:0] = earlier.writes, earlier.orphans
            report.status = earlier.status
        self._untold[key] = report
        waits = isinstance(report.result.outcome, Retry) and FINALIZER not in (obj["metadata"].get("finalizers") or ())
        if not waits or self._turns.take(key):
            return await self.tell(obj)
        present = self.as_told(obj).get("status") or {}
        wanted = await self._publication.wanted(obj, report.wanted)
        report.status = merge(present, status_patch(wanted, present))
        return obj

    def may_tell(self, obj: KubeObject) -> bool:
        """Whether there is something to tell, and it is the trigger's turn."""
        return self._untold_of(obj) is not None and self._turns.take(Key.of(obj))

    async def tell(self, obj: KubeObject) -> KubeObject:
        """The trigger after it was told what there was to tell. Raises KubeError."""
        key, report = Key.of(obj), self._untold_of(obj)
        if report is None:
            return obj
        told = self._outcomes.setdefault(key, outcome_told(obj))
        try:
            obj = await self._publication.publish(obj, report.wanted, report.record)
        except NotFound:
            # Deleted meanwhile; the event that says so cleans up.
            return obj
        self._untold.pop(key, None)
        for reason, message in report.events():
            await self._recorder.normal(obj, reason, message)
        self._outcomes[key] = name_of(report.result.outcome)
        if self._outcomes[key] != told:
            await self._tell_outcome(obj, report.result)
        return obj

    async def _tell_outcome(self, obj: KubeObject, result: RunResult) -> None:
        outcome = name_of(result.outcome)
        message = getattr(result.outcome, "message", "") or f"{result.workflow.ready_name} ready."
        if outcome == "PermFail":
            await self._recorder.warning(obj, Reason.FAILED, message)
        elif outcome in ("Ok", "Retry"):
            await self._recorder.normal(obj, Reason.READY if outcome == "Ok" else Reason.WAITING, message)


@dataclass(slots=True)
class Turns:
    """A few keys have a turn at once; `call` tells who is next in line. A key ends its turn whatever came of it."""

    call: Callable[[Key], None]
    count: int = _TURNS
    _holders: set[Key] = field(default_factory=set)
    _line: dict[Key, None] = field(default_factory=dict)

    def take(self, key: Key) -> bool:
        """Whether it is the key's turn, until `end`; else it stands in line from now on."""
        if key not in self._holders and len(self._holders) >= self.count:
            self._line[key] = None
            return False
        self._line.pop(key, None)
        self._holders.add(key)
        return True

    def end(self, key: Key) -> None:
        """If it was the key's turn, that of the next begins."""
        if key in self._holders:
            self._holders.remove(key)
            if self._line:
                following = next(iter(self._line))
                self.take(following)
                self.call(following)

    def leave(self, key: Key) -> None:
        """The key is gone."""
        self._line.pop(key, None)
        self.end(key)
