"""The trigger objects of one kind: each is reconciled by a pass of its workflow.

The kit's controller brings keys and workers, never two passes of one object at once. Here: whether a pass is due, which
workflow it is, the pass, what it publishes, and when to look again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from lambent.kube.client import KubeClient
from lambent.kube.controller import Context, Controller, Selects
from lambent.kube.events import EventRecorder, Reason
from lambent.kube.finalizers import is_abandoned, remove_finalizer
from lambent.kube.informer import Informer, InformerHub
from lambent.kube.outcome import Done, Outcome, Wait
from lambent.kube.types import GVK, Key, KubeObject
from lambent.workflow.controller import metrics
from lambent.workflow.controller.attendant import PassAttendant
from lambent.workflow.controller.claims import uids_of
from lambent.workflow.controller.definitions import Definitions
from lambent.workflow.controller.deletion import Ending, delete_orphans, delete_resources
from lambent.workflow.controller.executor import carry_out
from lambent.workflow.controller.held_kinds import HeldKinds
from lambent.workflow.controller.instance import (
    SELECT_ANNOTATION,
    Instance,
    annotation,
    count_attempts,
    fingerprint,
    progress_of,
)
from lambent.workflow.controller.pacing import Pacer
from lambent.workflow.controller.publication import Publication
from lambent.workflow.controller.records import FINALIZER, KnownRecords, drop_of_deleted
from lambent.workflow.controller.reports import Report, Reporter
from lambent.workflow.controller.settings import ControllerSettings
from lambent.workflow.controller.watches import ResourceWatches, Trigger
from lambent.workflow.engine import (
    ResourceRef,
    RunResult,
    Unready,
    Workflow,
    WorkflowPass,
    Write,
    name_of,
    owner_of,
    parent_of,
)
from lambent.workflow.engine.managed import Record, next_record
from lambent.workflow.engine.publishing import Progress, deletion_status, selection_status
from lambent.workflow.engine.references import Place

_log = logging.getLogger(__name__)
# Above the limit of a workflow's own time, so that a pass ends by its own clock.
_RUN_S = 660.0
_BY_MANAGED = "managed"
_ANOTHERS = (
    "the record of managed resources on this object was written for another one, from which it was copied or restored; "
    "it is ignored, so nothing that it names is changed or deleted"
)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all trigger kinds of one controller use. `selects` tells the trigger objects that are its own, None: all."""

    kube: KubeClient
    hub: InformerHub
    definitions: Definitions
    watches: ResourceWatches
    settings: ControllerSettings
    recorder: EventRecorder
    pacer: Pacer
    held: HeldKinds
    selects: Selects | None
    now: Callable[[], datetime]


class TriggerKind:
    """Everything about one trigger kind while it is watched."""

    def __init__(self, gvk: GVK, shared: Shared) -> None:
        self.gvk = gvk
        self._kube = shared.kube
        self._definitions = shared.definitions
        self._watches = shared.watches
        self._settings = shared.settings
        self._recorder = shared.recorder
        self._pacer = shared.pacer
        self._selects = shared.selects
        self._now = shared.now
        self._records = KnownRecords(shared.kube, gvk, shared.watches)
        self._publication = Publication(shared.kube, gvk, held=shared.held, records=self._records, now=shared.now)
        self._instances: dict[Key, Instance] = {}
        self._informer: Informer | None = None
        self._when_idle: Callable[[], None] | None = None
        self._leaving: set[Key] = set()
        self._reporter = Reporter(self._publication, shared.recorder, self._call)
        self.controller = Controller(
            f"workflow-{gvk.kind.lower()}.{gvk.group}",
            self._reconcile,
            hub=shared.hub,
            kind=gvk,
            namespace=shared.settings.namespace,
            concurrency=shared.settings.concurrency,
            timeout_s=_RUN_S,
            resync_s=shared.settings.resync_s,
            selects=shared.selects,
        )

    async def run(self) -> None:
        """Until cancelled; forgets its instances then."""
        try:
            await self.controller.run()
        except ValueError as error:
            # The kit watches Secrets and ConfigMaps by name only, so they cannot be triggers.
            _log.error("%s cannot be a trigger kind: %s", self.gvk.kind, error, extra={"kind": self.gvk.kind})
        finally:
            self.resume()
            for key in list(self._instances):
                self._forget(key)

    def wake(self, key: Key, place: Place | None = None) -> None:
        """The resource at the place changed; None: the trigger needs another pass anyway."""
        instance = self._instances.get(key)
        if instance is not None and asyncio.get_running_loop().time() < instance.calm_until:
            return
        if instance is not None and place is not None:
            instance.stirred.add(place)
        elif instance is not None:
            instance.is_dirty = True
        self.controller.queue.add(key, self.controller.queue.priorities[0])

    def wake_all(self) -> None:
        """A definition that the workflows of this kind use has changed."""
        for key, instance in self._instances.items():
            instance.is_dirty = True
            instance.calm_until = 0.0
            self.controller.queue.add(key, self.controller.queue.priorities[0])

    def _call(self, key: Key) -> None:
        """It is the trigger's turn to be told of progress."""
        self.controller.queue.add(key, self.controller.queue.priorities[0])

    def retire(self, when_idle: Callable[[], None], held: Iterable[Key] = ()) -> None:
        """No workflow has this kind any more: its objects are told so, and those with our finalizer are waited for.

        `held` are such ones as are known before the kind is listed.
        """
        self._when_idle = when_idle
        listed = self._informer.list() if self._informer is not None else ()
        known = {*held, *self._instances, *(Key.of(obj) for obj in listed)}
        self._leaving = known if self._selects is None else set(filter(self._selects, known))
        for key in self._leaving:
            self.wake(key)
        self._leave(None)

    def resume(self) -> None:
        """A workflow has this kind again."""
        self._when_idle = None

    @property
    def is_retiring(self) -> bool:
        return self._when_idle is not None

    @property
    def is_idle(self) -> bool:
        """Retiring, with nothing left to tell or to delete."""
        return self.is_retiring and not self._leaving

    def _leave(self, key: Key | None) -> None:
        if key is not None:
            self._leaving.discard(key)
        if self._when_idle is not None and not self._leaving:
            self._when_idle()

    def _forget(self, key: Key) -> None:
        self._leave(key)
        self._reporter.forget(key)
        self._instances.pop(key, None)
        self._publication.forget(key)
        self._records.forget(key)
        self._watches.forget(Trigger(self.gvk, key))

    async def _reconcile(self, key: Key, context: Context) -> Outcome:
        try:
            return await self._look(key, context)
        finally:
            self._reporter.end_turn(key)

    async def _look(self, key: Key, context: Context) -> Outcome:
        self._informer = context.informer
        obj = context.informer.get(key)
        if obj is None:
            self._forget(key)
            return Done()
        instance = self._instances.setdefault(key, Instance())
        now, print_ = asyncio.get_running_loop().time(), fingerprint(obj)
        if not instance.is_due(print_, now) and not await self._has_news(key, instance):
            await self._tell(obj, instance)
            return Wait(instance.due_at - now) if isfinite(instance.due_at) else Done()
        # A pass may take long, and another's turn need not wait for it.
        self._reporter.end_turn(key)
        if print_ != instance.fingerprint:
            instance.writes.clear()
            instance.calm_until = 0.0
        instance.begin(print_)
        try:
            newest = await self._publication.newest(obj)
            # One that is gone is forgotten when the cache hears of it.
            after_s = await self._run(key, newest, instance) if newest is not None else None
        except BaseException:
            instance.is_dirty = True
            raise
        if self.is_retiring and FINALIZER not in (obj["metadata"].get("finalizers") or ()):
            self._leave(key)
        if after_s is None:
            return Done()
        instance.due_at = asyncio.get_running_loop().time() + after_s
        return Wait(after_s, "next look")

    async def _tell(self, obj: KubeObject, instance: Instance) -> None:
        if not self._reporter.may_tell(obj):
            return
        newest = await self._publication.newest(obj)
        # For another spec a pass has to come first.
        if newest is not None and fingerprint(newest) == instance.fingerprint:
            await self._reporter.tell(newest)

    async def _has_news(self, key: Key, instance: Instance) -> bool:
        if not instance.stirred:
            return False
        async with self._pacer.turn():
            return instance.has_news(lambda ref: self._watches.cached(Trigger(self.gvk, key), ref))

    async def _run(self, key: Key, obj: KubeObject, instance: Instance) -> float | None:
        """One pass; seconds until the next one at the latest."""
        if obj["metadata"].get("deletionTimestamp"):
            return await self._delete(key, obj)
        workflow = self._workflow_for(obj)
        if isinstance(workflow, tuple):
            reason, message = workflow
            obj = await self._reporter.tell(obj)
            await self._publication.publish(
                obj,
                lambda present, now, generation: selection_status(
                    reason, message, present, now=now, generation=generation
                ),
            )
            return self._settings.selection_retry_s
        return await self._pass(key, obj, workflow, instance)

    def _workflow_for(self, obj: KubeObject) -> Workflow | tuple[str, str]:
        """The workflow of an object, or the reason and message of why there is none."""
        chosen = annotation(obj, SELECT_ANNOTATION)
        if chosen:
            found = self._definitions.catalog.resolve("Workflow", chosen, obj["metadata"].get("namespace", ""))
            candidates = [] if isinstance(found, str) else [found]
            if not candidates:
                return "WorkflowNotInCache", f"Workflow {chosen} not found"
        else:
            candidates = [found for found in self._definitions.workflows() if triggers_of(found) == self.gvk]
        if not candidates:
            return "NoWorkflow", f"no workflow has {self.gvk.kind} as its trigger"
        if len(candidates) > 1:
            names = ", ".join(sorted(str(found.identity) for found in candidates))
            return "MultipleWorkflows", f"several workflows have this trigger; choose one by annotation: {names}"
        found = candidates[0]
        if isinstance(found, Workflow):
            return found
        reason = found.reason if isinstance(found, Unready) else f"{chosen} is not a workflow"
        return "WorkflowNotReady", reason

    async def _pass(self, key: Key, obj: KubeObject, workflow: Workflow, instance: Instance) -> float:
        trigger = Trigger(self.gvk, key)
        before = self._reporter.record(obj) or await self._records.load(obj)
        if before.is_anothers:
            await self._recorder.normal(obj, Reason.RECORD_IGNORED, _ANOTHERS)
        attendant = PassAttendant(
            trigger,
            obj,
            before,
            workflow,
            watches=self._watches,
            publication=self._publication,
            asks_server=instance.is_asked(obj),
        )
        seen = self._reporter.as_told(obj)
        pass_ = WorkflowPass(workflow, parent_of(seen), self._definitions.catalog, owner=owner_of(obj), looks_on=True)
        with metrics.PASS_SECONDS.labels(str(workflow.identity)).time():
            result = await carry_out(
                pass_, self._kube, timeout_s=workflow.timeout_s, attendant=attendant, pacer=self._pacer
            )
        metrics.PASSES.labels(str(workflow.identity), name_of(result.outcome)).inc()
        record = next_record(result, before)
        failed = None
        if workflow.deletes_orphans:
            failed = await delete_orphans(self._ending(obj), record)
        instance.note_looks(result, seen)
        await attendant.hold(record)
        after_s = count_attempts(result, instance, resync_s=self._settings.resync_s)
        report = _report(result, record, progress_of(instance, self._now()), before, attendant.writes)
        obj = await self._reporter.report(attendant.obj, report)
        self._watches.keep(trigger, [*record.refs(), *self._records.refs(obj)])
        now = asyncio.get_running_loop().time()
        if instance.note_writes(attendant.writes, now):
            # Events of a fight come as fast as its writes; the delay of the function is the peace.
            instance.calm_until = now + after_s
        if failed is not None:
            raise failed
        return after_s

    def _ending(self, obj: KubeObject) -> Ending:
        async def tell(ref: ResourceRef, why: str) -> None:
            await self._recorder.normal(obj, Reason.ABANDONED, f"{ref} stays: {why}")

        def holders(uid: str) -> Iterable[KubeObject]:
            if self._informer is None:
                return ()
            # Only now: most triggers have nothing that would ask for it.
            self._informer.add_index(_BY_MANAGED, uids_of)
            return self._informer.by_index(_BY_MANAGED, uid)

        return Ending(self._kube, obj, tell, holders)

    async def _delete(self, key: Key, obj: KubeObject) -> float | None:
        if FINALIZER not in (obj["metadata"].get("finalizers") or ()):
            return None

        async def watch(ref: ResourceRef) -> None:
            await self._watches.ensure(Trigger(self.gvk, key), ref)

        blocked = None if is_abandoned(obj) else await delete_resources(self._ending(obj), watch=watch)
        if blocked is None:
            await drop_of_deleted(self._kube, obj)
            await remove_finalizer(self._kube, obj, FINALIZER)
            return None
        await self._publication.publish(
            obj,
            lambda present, now, generation: deletion_status(blocked.message, present, now=now, generation=generation),
        )
        return 30.0


def _report(result: RunResult, record: Record, progress: Progress, before: Record, writes: list[Write]) -> Report:
    for write in writes:
        metrics.WRITES.labels(write.plan.action, write.ref.kind).inc()
    known = {ref.place for ref in before.refs()} - {ref.place for ref in before.orphans}
    orphans = [str(ref) for ref in record.orphans if ref.place in known]
    return Report(result, record, progress, [(write.plan.action, str(write.ref)) for write in writes], orphans)


def triggers_of(found: Workflow | Unready) -> GVK | None:
    """The trigger kind of a workflow; also of one that is not valid, as far as it says."""
    if isinstance(found, Workflow):
        trigger = found.trigger
        return GVK(trigger.group, trigger.version, trigger.kind) if trigger is not None else None
    reference = found.document.spec.get("crdRef")
    if not isinstance(reference, dict):
        return None
    parts = [part for name in ("apiGroup", "version", "kind") if isinstance(part := reference.get(name), str)]
    return GVK(*parts) if len(parts) == len(GVK._fields) else None
