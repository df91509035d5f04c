"""One engine for all kinds: a pass over one object, from the key to the outcome.

    read -> place (region, account) -> references -> converge or delete -> status, at most one write -> next pass

What a kind is stands in its declaration; what a pass decides stands in `converging` and `deleting`; this module runs
them, writes the status and remembers between passes only what may be lost: patience, echoes, Terminal specs.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from lambent.clock import WallClock, rfc3339, utc_now
from lambent.kube.cache import is_older
from lambent.kube.client import KubeClient
from lambent.kube.controller import Context
from lambent.kube.errors import NotFound
from lambent.kube.events import EventRecorder, Reason
from lambent.kube.finalizers import is_deleting
from lambent.kube.outcome import Done, Outcome, Wait
from lambent.kube.types import GVK, Key, KubeObject
from lambent.resources import planning, references, statuses
from lambent.resources.adoption import adoption_of
from lambent.resources.conditions import Verdict
from lambent.resources.converging import Converger, Found
from lambent.resources.declaration import Kind, Subject
from lambent.resources.deleting import Deleter, is_kept
from lambent.resources.notices import notices
from lambent.resources.objects import Held, merge_difference
from lambent.resources.port import AwsPort
from lambent.resources.requeue import Patience
from lambent.resources.settings import ResourceSettings
from lambent.resources.subjects import RECORDS_ANNOTATION, incomplete, misplaced, recorded_name, subject_of
from lambent.resources.verdicts import situation_of, verdict_of
from lambent.telemetry import counter

_log = logging.getLogger(__name__)
DRIFT = counter("resource_drift_corrections_total", "Foreign changes of AWS resources put right", ("kind",))
NAMESPACE = GVK("", "v1", "Namespace")
_PAUSED = "lambent.dev/paused"


@dataclass(slots=True)
class _Memory:
    """What one object's passes leave to the next; losing it costs calls, never correctness.

    `version` is that of our last write; until `echo_until_s` an event that brings it back is no news. A pass that did
    not come to its end leaves no echo. `declared` are paths that the status does not name yet.
    """

    version: str = ""
    due_s: float = 0.0
    echo_until_s: float = 0.0
    poked: bool = False
    stopped: tuple[bytes, Verdict] | None = None
    declared: frozenset[str] = frozenset()
    looked_s: float = 0.0


@dataclass
class Engine:
    """Interprets one kind; `reconcile` is the controller's function.

    `on_release` is called when a resource has gone or been written, since either may end what blocked a deletion.
    """

    kind: Kind
    kube: KubeClient
    aws: AwsPort
    settings: ResourceSettings
    now: WallClock = utc_now
    on_release: Callable[[], None] = lambda: None
    referrers: references.Referrers = field(default_factory=references.Referrers)
    blocked: set[Key] = field(default_factory=set)
    _memory: dict[Key, _Memory] = field(default_factory=dict)
    _has_extras: bool = True

    def __post_init__(self) -> None:
        self._patience = Patience(resync_s=self.settings.resync_s)
        self._events = EventRecorder(self.kube, self.settings.manager, now=self.now)

    def poke(self, key: Key) -> None:
        """The next pass is no echo of our own write: something that the object depends on has changed."""
        if key in self._memory:
            self._memory[key].poked = True

    async def reconcile(self, key: Key, context: Context) -> Outcome:
        obj = await self._read(key, context)
        if obj is None:
            self._forget(key)
            return Done()
        memory = self._memory.setdefault(key, _Memory())
        left_s = memory.echo_until_s - _loop_time()
        if obj["metadata"].get("resourceVersion") == memory.version and not memory.poked and left_s > 0:
            return Wait(left_s, "our own write came back")
        memory.poked, memory.echo_until_s = False, 0.0
        held = Held(self.kube, obj, finalizer=self.kind.finalizer, manager=self.settings.manager)
        try:
            return await self._pass(key, held, context)
        finally:
            memory.version = held.version

    async def _read(self, key: Key, context: Context) -> KubeObject | None:
        """From the cache, unless the cache is older than our own last write."""
        cached = context.informer.get(key)
        memory = self._memory.get(key)
        if memory is None or cached is None or not is_older(cached, memory.version):
            return cached
        try:
            return await self.kube.get(self.kind.gvk, key.name, namespace=key.namespace)
        except NotFound:
            return None

    def _forget(self, key: Key) -> None:
        self._memory.pop(key, None)
        self._patience.forget(key)
        self.referrers.note(key, ())
        self.blocked.discard(key)

    async def _pass(self, key: Key, held: Held, context: Context) -> Outcome:
        annotations = _namespace_annotations(context, key.namespace)
        subject = subject_of(self.kind, held.obj, namespace_annotations=annotations, settings=self.settings)
        subject = replace(subject, declared=subject.declared | self._memory[key].declared)
        if is_deleting(held.obj):
            return await self._delete(key, held, subject, annotations, context)
        found = await self._converge(key, held, subject, context)
        return await self._conclude(key, held, found)

    async def _converge(self, key: Key, held: Held, subject: Subject, context: Context) -> Found:
        found = self._refused_at_once(held.obj, subject)
        if found is not None:
            return found
        resolved = await self._resolve(key, subject, context)
        reference = _reference_state(resolved, has_any=bool(resolved.targets))
        if resolved.waiting or resolved.refused:
            verdict = Verdict(False, "reference", "waiting for references", references=reference)
            return Found(subject, verdict, declared=subject.declared)
        subject = replace(subject, spec=resolved.spec)
        mistake = self.kind.hooks.check(subject)
        if mistake:
            return Found(subject, Verdict(False, "terminal", terminal=mistake), declared=subject.declared)
        call = self.aws.caller(self.kind.service, subject.region)
        converger = Converger(self.kind, call, held, self._stopped(key, subject), self._may_repeat(key, held.obj))
        found = await converger.run(subject)
        verdict = self._verdict(key, found)
        foreign = tuple((references.CROSS_NAMESPACE, text) for text in resolved.foreign)
        found.verdict = replace(
            verdict,
            references=reference,
            advisories=verdict.advisories + foreign,
            late_initialized=self._late_initialized(found),
        )
        return found

    def _late_initialized(self, found: Found) -> bool | None:
        if not self.kind.late_init or found.observed is None:
            return None
        open_paths = planning.fills(self.kind, found.subject, found.observed).keys() - found.declared
        return not open_paths

    def _refused_at_once(self, obj: KubeObject, subject: Subject) -> Found | None:
        """Verdicts that need no AWS call."""
        adoption = adoption_of(subject)
        terminal = misplaced(obj, settings=self.settings) or adoption.mistake
        if not terminal and not adoption.policy:
            terminal = incomplete(self.kind, subject) or references.mistake(self.kind, subject.spec) or ""
        if terminal:
            return Found(subject, Verdict(False, "terminal", terminal=terminal), declared=subject.declared)
        if subject.annotations.get(_PAUSED) == "true":
            advisory = ("ReconcilePaused", f"{_PAUSED} is set; AWS is not looked at")
            verdict = Verdict(False, "synced", "reconciliation is paused", advisories=(advisory,))
            return Found(subject, verdict, declared=subject.declared)
        return None

    async def _resolve(self, key: Key, subject: Subject, context: Context) -> references.Resolution:
        self.referrers.note(key, references.targets_of(self.kind, subject.spec, subject.namespace))

        async def lookup(gvk: GVK, target: Key) -> KubeObject | None:
            informer = context.informers.get(gvk)
            if informer is not None and informer.synced.is_set():
                return informer.get(target)
            try:
                return await self.kube.get(gvk, target.name, namespace=target.namespace)
            except NotFound:
                return None

        return await references.resolve(
            self.kind,
            subject.spec,
            namespace=subject.namespace,
            lookup=lookup,
            cross_namespace=self.settings.cross_namespace,
        )

    def _stopped(self, key: Key, subject: Subject) -> Verdict | None:
        stopped = self._memory[key].stopped
        return stopped[1] if stopped is not None and stopped[0] == _fingerprint(subject) else None

    def _may_repeat(self, key: Key, obj: KubeObject) -> bool:
        """A failed change is sent again when its wait is over, and at once for a new generation."""
        generation = obj["metadata"].get("generation", 0)
        is_known = self._patience.is_now(key, "failed", generation=generation)
        return not is_known or _loop_time() >= self._memory[key].due_s

    def _verdict(self, key: Key, found: Found) -> Verdict:
        """The verdict with the count of how often its situation was met; a new Terminal is remembered."""
        generation = found.subject.obj["metadata"].get("generation", 0)
        if found.trouble is not None:
            situation = situation_of(self.kind, found.trouble)
            tries, lasted_s = self._patience.note(key, situation, generation=generation, now_s=_loop_time())
            verdict = verdict_of(self.kind, found.trouble, tries=tries, lasted_s=lasted_s)
        else:
            assert found.verdict is not None
            verdict = found.verdict
        if verdict.terminal and key in self._memory:
            self._memory[key].stopped = (_fingerprint(found.subject), verdict)
        return verdict

    async def _conclude(self, key: Key, held: Held, found: Found) -> Outcome:
        """Status, events, and when to look again."""
        verdict = found.verdict
        assert verdict is not None
        if found.trouble is None:
            generation = held.obj["metadata"].get("generation", 0)
            self._patience.note(key, verdict.situation, generation=generation, now_s=_loop_time())
        before = held.obj
        memory = self._memory[key]
        if _may_be_told_later(found, verdict):
            memory.declared = found.declared
        else:
            await self._write_status(key, held, found, verdict)
            memory.declared = frozenset()
        if found.written:
            self.on_release()
        for notice in notices(self.kind, before, found, verdict):
            if notice.reason is Reason.DRIFT_CORRECTED:
                DRIFT.labels(self.kind.kind).inc()
            await (self._events.warning if notice.is_warning else self._events.normal)(
                held.obj, notice.reason, notice.message
            )
        delay_s = self._patience.delay_s(key)
        memory.due_s = memory.echo_until_s = _loop_time() + delay_s
        return Wait(delay_s, verdict.terminal or verdict.recoverable or verdict.message)

    async def _write_status(self, key: Key, held: Held, found: Found, verdict: Verdict) -> None:
        memory = self._memory[key]
        is_resync = _loop_time() - memory.looked_s >= self.settings.resync_s * 0.8
        subject = replace(found.subject, obj=held.obj)
        records = statuses.new_records(
            self.kind, subject, remembered=found.remembered, declared=found.declared, settled=found.settled
        )
        old: Mapping[str, Any] = held.obj.get("status") or {}
        new = statuses.build_status(
            self.kind,
            subject,
            verdict=verdict,
            observed=found.observed,
            records=records,
            now=rfc3339(self.now()),
            with_extras=self._has_extras,
        )
        if is_resync:
            memory.looked_s = _loop_time()
        if statuses.must_write(self.kind, old, new, verdict=verdict, is_resync=is_resync):
            await held.patch({"status": merge_difference(old, new)}, subresource="status")
            self._learn_extras(held.obj, new)
        if not self._has_extras:
            await held.annotate({RECORDS_ANNOTATION: orjson.dumps(records, option=orjson.OPT_SORT_KEYS).decode()})

    def _learn_extras(self, written: KubeObject, status: Mapping[str, Any]) -> None:
        """On ACK's own definitions our additions vanish without an error; the records then go to an annotation."""
        if "lambent" in status and "lambent" not in (written.get("status") or {}):
            _log.info("the definition has no place for our records; an annotation keeps them")
            self._has_extras = False

    async def _delete(
        self, key: Key, held: Held, subject: Subject, annotations: Mapping[str, str], context: Context
    ) -> Outcome:
        if not held.has_finalizer:
            return Done()
        kept = is_kept(self.kind, subject, namespace_annotations=annotations, default=self.settings.deletion_policy)
        found = None if kept else await self._delete_resource(key, subject, context)
        if found is None:
            await held.remove_finalizer()
            self._forget(key)
            self.on_release()
            return Done()
        found.verdict = self._verdict(key, found)
        if found.verdict.situation == "blocked":
            self.blocked.add(key)
        return await self._conclude(key, held, found)

    async def _delete_resource(self, key: Key, subject: Subject, context: Context) -> Found | None:
        """References are resolved as far as they can be; a missing one is no reason to keep the resource."""
        resolved = await self._resolve(key, subject, context)
        name = recorded_name(subject) or subject.value(self.kind.name_field)
        if not name:
            return None
        subject = replace(subject, spec={**resolved.spec, self.kind.name_field: name})
        return await Deleter(self.kind, self.aws.caller(self.kind.service, subject.region)).run(subject)


def _may_be_told_later(found: Found, verdict: Verdict) -> bool:
    """What was made just now is often steady at the next look; the status waits for that unless it has to remember."""
    return found.created and verdict.situation == "settling" and not found.remembered


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _namespace_annotations(context: Context, namespace: str) -> Mapping[str, str]:
    informer = context.informers.get(NAMESPACE)
    found = informer.get(Key("", namespace)) if informer is not None else None
    return (found["metadata"].get("annotations") or {}) if found else {}


def _fingerprint(subject: Subject) -> bytes:
    """What a Terminal verdict depends on: the resolved spec and the annotations."""
    return orjson.dumps([subject.spec, dict(subject.annotations)], option=orjson.OPT_SORT_KEYS)


def _reference_state(resolved: references.Resolution, *, has_any: bool) -> tuple[str, str] | None:
    if resolved.refused:
        return "False", resolved.refused
    if resolved.waiting:
        return "Unknown", resolved.waiting
    return ("True", "") if has_any else None
