"""The controller runner: keys from a queue, one reconcile at a time per key, one closed set of outcomes.

A controller declares its kind, what else wakes it (`owns`, `maps`), and a `reconcile(key, context)`. `run()` starts
informers, waits until they are synced, then runs workers until it is cancelled or `shutdown` drains it. The complete
policy of what an error means is `_OUTCOME_OF` and `_judge` below; nothing else may decide it.

A reconcile gets a key and never an event; what it must know it reads. A run that is cancelled puts its key back.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lambent.errors import LambentError
from lambent.kube import metrics
from lambent.kube.errors import Conflict, Invalid, KubeError, Throttled
from lambent.kube.informer import Informer, InformerHub
from lambent.kube.outcome import Fail, Outcome, Retry
from lambent.kube.types import ALL, GVK, Key, KubeObject, Selector
from lambent.kube.workqueue import PRIORITIES, Backoff, QueueClosed, WorkQueue
from lambent.telemetry import log_context

_log = logging.getLogger(__name__)
_OUTCOMES = ("done", "wait", "retry", "fail")


@dataclass(frozen=True, slots=True)
class Context:
    """What a reconcile knows besides its key."""

    controller: str
    reconcile_id: str
    failures: int
    informer: Informer
    informers: dict[GVK, Informer]


Reconcile = Callable[[Key, Context], Awaitable[Outcome]]
KeyMapper = Callable[[KubeObject], Iterable[Key]]
Selects = Callable[[Key], bool]


@dataclass(frozen=True, slots=True)
class Watch:
    """Another kind whose changes wake keys of ours: `keys(obj)`, asked for the old and the new state."""

    gvk: GVK
    keys: KeyMapper
    namespace: str | None = None
    selector: Selector = ALL


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and whether the queue counts it as a failure."""

    outcome: Outcome
    counts: bool = True


@dataclass
class _Running:
    """What exists only while `run()` runs."""

    group: asyncio.TaskGroup
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    watches: dict[Watch, asyncio.Task[None]] = field(default_factory=dict)
    started: dict[Watch, asyncio.Event] = field(default_factory=dict)
    informers: dict[GVK, Informer] = field(default_factory=dict)


class Controller:
    """`kind` is what is reconciled; `timeout_s` bounds one run; `resync_s` adds every known key again; `selects` tells
    the keys that are ours (a shard); `rate_per_s` bounds all runs together.
    """

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        *,
        hub: InformerHub,
        kind: GVK,
        namespace: str | None = None,
        selector: Selector = ALL,
        watches: Sequence[Watch] = (),
        concurrency: int = 8,
        timeout_s: float = 60.0,
        resync_s: float = 600.0,
        selects: Selects | None = None,
        rate_per_s: float | None = None,
        priorities: Sequence[str] = PRIORITIES,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = name
        self._seconds = metrics.RECONCILE_SECONDS.labels(name)
        self.kind = kind
        self.queue = WorkQueue(name, priorities=priorities, backoff=backoff, rate_per_s=rate_per_s)
        self.ready = asyncio.Event()
        self._reconcile = reconcile
        self._hub = hub
        self._primary = (kind, namespace, selector)
        self._watches: dict[Watch, None] = dict.fromkeys(watches)
        self._selects = selects
        self._concurrency = concurrency
        self._timeout_s = timeout_s
        self._resync_s = resync_s
        self._running: _Running | None = None
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()
        for outcome in _OUTCOMES:
            metrics.RECONCILES.labels(name, outcome)

    def owns(self, gvk: GVK, *, namespace: str | None = None, selector: Selector = ALL) -> "Controller":
        """Changes of objects whose owner reference names our kind wake that owner. May be called while running."""
        return self.watch(Watch(gvk, self._owners_of, namespace, selector))

    def maps(
        self, gvk: GVK, keys: KeyMapper, *, namespace: str | None = None, selector: Selector = ALL
    ) -> "Controller":
        """Changes of that kind wake `keys(obj)`. May be called while running."""
        return self.watch(Watch(gvk, keys, namespace, selector))

    def watch(self, watch: Watch) -> "Controller":
        if watch not in self._watches:
            self._watches[watch] = None
            if self._running is not None:
                self._start_watch(watch, self._running)
        return self

    def unwatch(self, watch: Watch) -> None:
        """Ends a watch that was added; its informer stops when nobody else uses it."""
        self._watches.pop(watch, None)
        if self._running is not None and (task := self._running.watches.pop(watch, None)) is not None:
            task.cancel()

    def wake(self, key: Key) -> None:
        """Runs the key soon, if it is one of ours."""
        self._add(key, self.queue.priorities[0])

    async def run(self) -> None:
        """Until cancelled (runs are cut, keys kept) or until `shutdown` has drained it."""
        self._stopped.clear()
        self.queue.show()
        try:
            async with self._hub.use(*self._primary) as informer, asyncio.TaskGroup() as group:
                running = self._running = _Running(group)
                running.informers[self.kind] = informer
                await self._serve(running, informer)
        finally:
            self._running = None
            self.queue.hide()
            self.ready.clear()
            self._stopped.set()

    async def shutdown(self, drain_s: float = 10.0) -> list[Key]:
        """No new runs; waits for those under way, cancels the rest and returns their keys."""
        self.queue.close()
        workers = set(self._running.workers) if self._running is not None else set()
        if workers:
            await asyncio.wait(workers, timeout=drain_s)
        cancelled = self.queue.running()
        for worker in workers:
            worker.cancel()
        if cancelled:
            _log.warning("cancelled %d runs at shutdown", len(cancelled), extra={"controller": self.name})
        was_running = self._running is not None
        self._stop.set()
        if was_running:
            await self._stopped.wait()
        return cancelled

    async def _serve(self, running: _Running, informer: Informer) -> None:
        with _handler(informer, lambda old, new: self._on_change(informer, old, new)):
            for obj in informer.list():
                self._add(Key.of(obj), self.queue.priorities[-1])
            for watch in self._watches:
                self._start_watch(watch, running)
            # What never ends by itself; workers are not in it, `shutdown` drains them.
            endless = [running.group.create_task(self._resync(informer))]
            endless.append(running.group.create_task(self._start_workers(running, informer)))
            await self._stop.wait()
            for task in (*endless, *running.watches.values()):
                task.cancel()

    async def _start_workers(self, running: _Running, informer: Informer) -> None:
        """The own kind must be listed; a declared watch may still wait for its CRD."""
        await informer.synced.wait()
        for started in list(running.started.values()):
            await started.wait()
        self.ready.set()
        running.workers.update(running.group.create_task(self._work()) for _ in range(self._concurrency))

    def _start_watch(self, watch: Watch, running: _Running) -> None:
        started = running.started[watch] = asyncio.Event()
        running.watches[watch] = running.group.create_task(self._follow(watch, running, started))

    async def _follow(self, watch: Watch, running: _Running, started: asyncio.Event) -> None:
        async with self._hub.use(watch.gvk, watch.namespace, watch.selector) as informer:
            running.informers.setdefault(watch.gvk, informer)

            def on_change(old: KubeObject | None, new: KubeObject | None) -> None:
                priority = self._priority(informer)
                for key in {key: None for obj in (old, new) if obj for key in watch.keys(obj)}:
                    self._add(key, priority)

            with _handler(informer, on_change):
                await informer.settled.wait()
                started.set()
                await asyncio.Event().wait()

    def _on_change(self, informer: Informer, old: KubeObject | None, new: KubeObject | None) -> None:
        obj = new or old
        if obj is not None:
            self._add(Key.of(obj), self._priority(informer))

    def _add(self, key: Key, priority: str) -> None:
        if self._selects is None or self._selects(key):
            self.queue.add(key, priority)

    def _priority(self, informer: Informer) -> str:
        """The initial list comes after live events."""
        return self.queue.priorities[0] if informer.synced.is_set() else self.queue.priorities[-1]

    def _owners_of(self, obj: KubeObject) -> Iterable[Key]:
        for ref in obj["metadata"].get("ownerReferences") or ():
            owner = GVK.parse(ref["apiVersion"], ref["kind"])
            if (owner.group, owner.kind) == (self.kind.group, self.kind.kind):
                yield Key(obj["metadata"].get("namespace", ""), ref["name"])

    async def _resync(self, informer: Informer) -> None:
        while True:
            await asyncio.sleep(self._resync_s)
            for obj in informer.list():
                self._add(Key.of(obj), self.queue.priorities[-1])

    async def _work(self) -> None:
        """One worker: every key it gets is answered exactly once, whatever happens to the run."""
        while True:
            try:
                key = await self.queue.get()
            except QueueClosed:
                return
            try:
                verdict = await self._run_once(key)
            except BaseException:
                self.queue.abandon(key)
                raise
            self.queue.done(key, verdict.outcome, counts=verdict.counts)

    async def _run_once(self, key: Key) -> Verdict:
        assert self._running is not None
        context = Context(
            self.name,
            f"{random.getrandbits(32):08x}",
            self.queue.failures(key),
            self._running.informers[self.kind],
            self._running.informers,
        )
        started = asyncio.get_running_loop().time()
        with log_context(
            reconcile_id=context.reconcile_id, controller=self.name, namespace=key.namespace, name=key.name
        ):
            verdict = await self._guarded(key, context)
            seconds = asyncio.get_running_loop().time() - started
            self._report(verdict, seconds)
        return verdict

    async def _guarded(self, key: Key, context: Context) -> Verdict:
        """The one catch-all of the runner. A timeout and a cancellation of ours are told apart from those inside the
        reconciler: a task that it awaits may have been cancelled by somebody else."""
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                outcome = await self._reconcile(key, context)
                if not isinstance(outcome, Outcome):
                    raise TypeError(f"the reconciler gave {type(outcome).__name__}, not an outcome")
                return Verdict(outcome)
        except TimeoutError:
            why = f"no result within {self._timeout_s:g} s" if limit.expired() else "a request timed out"
            return Verdict(Retry(why))
        except LambentError as error:
            return judge(error)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            return Verdict(Retry("what it waited for was cancelled"))
        except Exception:  # noqa: BLE001 - the runner's one catch-all: a defect of one object must not stop the others
            _log.exception("reconcile failed unforeseen")
            return Verdict(Retry("InternalError"))

    def _report(self, verdict: Verdict, seconds: float) -> None:
        outcome = verdict.outcome
        name = type(outcome).__name__.lower()
        metrics.RECONCILES.labels(self.name, name).inc()
        self._seconds.observe(seconds)
        why = getattr(outcome, "why", "")
        level = logging.WARNING if isinstance(outcome, (Retry, Fail)) and verdict.counts else logging.DEBUG
        if _log.isEnabledFor(level):
            _log.log(level, "reconciled%s", f": {why}" if why else "", extra=_fields(name, seconds))


def judge(error: LambentError) -> Verdict:
    """The outcome of an error that a reconciler let through.

    | error | outcome | counts as failure |
    |---|---|---|
    | Conflict; Throttled; Invalid of a JSON patch's failed `test` | Retry | no |
    | other Invalid | Fail | |
    | other KubeError, any other error of ours | Retry | yes |
    """
    why = f"{error.reason}: {error}"
    if isinstance(error, (Conflict, Throttled)) or _is_failed_test(error):
        return Verdict(Retry(why, _retry_after_s(error)), counts=False)
    if isinstance(error, Invalid):
        return Verdict(Fail(why))
    return Verdict(Retry(why, _retry_after_s(error)))


def _retry_after_s(error: LambentError) -> float | None:
    return error.retry_after_s if isinstance(error, KubeError) else None


def _is_failed_test(error: LambentError) -> bool:
    """kube-apiserver answers a failed `test` of a JSON patch with 422, this text and no causes."""
    return (
        isinstance(error, Invalid)
        and error.code == 422
        and not error.causes
        and error.message.startswith("the server rejected our request due to an error in our request")
    )


def _fields(outcome: str, seconds: float) -> dict[str, object]:
    return {"outcome": outcome, "duration_ms": round(seconds * 1000, 1)}


@contextlib.contextmanager
def _handler(informer: Informer, on_change: Callable[[KubeObject | None, KubeObject | None], None]) -> Iterator[None]:
    remove = informer.on_change(on_change, replay=False)
    try:
        yield
    finally:
        remove()
