"""What the controller remembers of one trigger object between passes; everything else is read again.

A pass is due when something that the workflow may depend on has changed, or when a due time has come. Changes of the
status, which the controller itself writes, are not among them; nor is a change of an object for which a step waits, if
the wait stays the very same.
"""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Any

import orjson

from lambent.clock import rfc3339
from lambent.kube.types import KubeObject
from lambent.workflow.engine import Look, ResourceRef, RunResult, Write, judged, strictly_equal
from lambent.workflow.engine.publishing import Progress
from lambent.workflow.engine.references import Place
from lambent.workflow.engine.requeue import Attempt, next_attempts, requeue_s

MANUAL_ANNOTATION = "koreo.dev/last-manual-reconcile"
SELECT_ANNOTATION = "koreo.dev/workflow"
ABANDON_ANNOTATION = "lambent.dev/abandon"
_OWN_PREFIXES = ("koreo.dev/", "lambent.dev/", "kubectl.kubernetes.io/")
_TELLING = (MANUAL_ANNOTATION, SELECT_ANNOTATION, ABANDON_ANNOTATION)
# So many writes of one object in this time, without a new spec, are a fight with another writer or with the server's
# own defaults. At the usual delay of 30 s between updates a fight stays above the line until it ends.
_FIGHT_WRITES = 10
_FIGHT_S = 600.0
_OUTCOMES = {"Ready": "Ok", "Skip": "Skip", "DepSkip": "DepSkip", "Wait": "Retry", "Failure": "PermFail"}
# A step's function is evaluated for each: more together are a pass' work, and beyond some hundred kB of memory.
_MOST_JUDGED, _MOST_LOOKS = 4, 64
# A delay of 0 asks for the next look soon, not for a loop without a pause.
_LEAST_S = 0.1


@dataclass(slots=True)
class Instance:
    """`attempts` are those of steps that are not done; `writes` are the times of recent updates of each object.

    `asked` is the last manual request, None before the first pass. `stirred` are objects that changed since the last
    pass began, `looks` what that pass saw of those that its steps wait for.
    """

    fingerprint: str = ""
    is_dirty: bool = True
    due_at: float = 0.0
    calm_until: float = 0.0
    asked: str | None = None
    attempts: dict[str, Attempt] = field(default_factory=dict)
    writes: dict[Place, list[float]] = field(default_factory=dict)
    stirred: set[Place] = field(default_factory=set)
    looks: dict[Place, list[Look]] = field(default_factory=dict)

    def begin(self, fingerprint: str) -> None:
        """A pass begins; what comes from now on is news for the next one."""
        self.is_dirty, self.fingerprint, self.due_at = False, fingerprint, inf
        self.stirred, self.looks = set(), {}

    def note_looks(self, result: RunResult, obj: KubeObject) -> None:
        """`obj` is the trigger as the pass saw it: another state may lead a workflow that reads it elsewhere."""
        status: Any = obj.get("status") or {}
        is_alike = not result.workflow.reads_status or strictly_equal(result.state, status.get("state") or {})
        if is_alike and len(result.looks) <= _MOST_LOOKS:
            self.looks = judged(result.looks)

    def has_news(self, cached: Callable[[ResourceRef], KubeObject | None]) -> bool:
        """Whether an object that stirred may lead its step elsewhere than the last pass; forgets that it stirred."""
        # Until the end of this: what fails here fails in the pass, where only its step suffers.
        stirred, self.stirred, self.is_dirty = self.stirred, set(), True
        self.is_dirty = len(stirred) > _MOST_JUDGED or not all(self._is_same(place, cached) for place in stirred)
        return self.is_dirty

    def _is_same(self, place: Place, cached: Callable[[ResourceRef], KubeObject | None]) -> bool:
        looks = self.looks.get(place, ())
        objects = [(look, cached(look.ref)) for look in looks]
        return bool(looks) and all(obj is not None and look.is_same(obj) for look, obj in objects)

    def is_due(self, fingerprint: str, now: float) -> bool:
        return self.is_dirty or fingerprint != self.fingerprint or now >= self.due_at

    def is_asked(self, obj: KubeObject) -> bool:
        """Whether the pass answers a manual request: then it asks the server, whatever caches show."""
        before, self.asked = self.asked, annotation(obj, MANUAL_ANNOTATION)
        return before is not None and before != self.asked

    def note_writes(self, writes: list[Write], now: float) -> bool:
        """Counts this pass' writes; True when one object is written again and again."""
        for write in writes:
            self.writes.setdefault(write.ref.place, []).append(now)
        recent = {place: [at for at in times if now - at < _FIGHT_S] for place, times in self.writes.items()}
        self.writes = {place: times[-_FIGHT_WRITES:] for place, times in recent.items() if times}
        return any(len(self.writes.get(write.ref.place, ())) >= _FIGHT_WRITES for write in writes)


def fingerprint(obj: KubeObject) -> str:
    """Of everything that makes a pass due: spec, labels, annotations of others, deletion, requests by annotation."""
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    foreign = {
        name: value for name, value in annotations.items() if name in _TELLING or not name.startswith(_OWN_PREFIXES)
    }
    parts: list[Any] = [
        metadata.get("uid"),
        obj.get("spec"),
        metadata.get("labels"),
        foreign,
        bool(metadata.get("deletionTimestamp")),
    ]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def count_attempts(result: RunResult, instance: Instance, *, resync_s: float) -> float:
    """Notes which steps are not done; seconds until the next pass at the latest."""
    instance.attempts = next_attempts(result, instance.attempts, spread=spread)
    delay_s = requeue_s(instance.attempts.values())
    return spread(resync_s, 0.1) if delay_s is None else max(_LEAST_S, delay_s)


def progress_of(instance: Instance, now: datetime) -> Progress:
    """`attempts` and `nextAt` of each step that is not done, for the status."""
    return {
        label: {"attempts": attempt.count}
        if attempt.after_s is None
        else {"attempts": attempt.count, "nextAt": rfc3339(now + timedelta(seconds=attempt.after_s))}
        for label, attempt in instance.attempts.items()
    }


def spread(seconds: float, share: float) -> float:
    """A delay with jitter in both directions."""
    return seconds * (1 + share * (2 * random.random() - 1))


def outcome_told(obj: KubeObject) -> str:
    """The outcome that the object's Ready condition tells, so that a restart repeats no Event; empty when unknown."""
    status = dict(obj).get("status")
    conditions = status.get("conditions") if isinstance(status, Mapping) else None
    for condition in conditions if isinstance(conditions, list) else ():
        if isinstance(condition, Mapping) and condition.get("type") == "Ready":
            return _OUTCOMES.get(str(condition.get("reason")), "")
    return ""


def annotation(obj: KubeObject, name: str) -> str:
    annotations: Mapping[str, Any] = obj["metadata"].get("annotations") or {}
    value = annotations.get(name)
    return value if isinstance(value, str) else ""
