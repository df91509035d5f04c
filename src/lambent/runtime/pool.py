"""All instances of one function version: who gets the next event, and when runtimes start and stop.

An arriving event goes to the idle instance that was used last, so that surplus ones become idle and are reaped; else
it joins the line. The spawn rule (`runtime.spawning`) is asked on arrival and on each change of an instance. One
timer serves every limit of the pool (deadlines, init budgets, idle times, callers' patience): it is set to the
earliest and, since deadlines only grow, hardly ever moved.

Not here: how a runtime is started (`runtime.launcher`), how many events a function may have (`invoke`).
"""

import asyncio
import logging
import math

from lambent.runtime.door import Door, loopback_door
from lambent.runtime.errors import EventTooLarge, PoolClosed, PoolFull
from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.instance import Instance, Setting
from lambent.runtime.invocation import Event, Result
from lambent.runtime.launcher import Launcher
from lambent.runtime.logs import LogSink, discard
from lambent.runtime.metrics import FunctionMetrics
from lambent.runtime.outcomes import Failure
from lambent.runtime.settings import PoolSettings
from lambent.runtime.spawning import CrashLoop, spawn_count
from lambent.runtime.states import State
from lambent.runtime.waiting import Invocation, Line

log = logging.getLogger(__name__)


class RuntimePool:
    """`await startup()`, `await invoke(event)` as often as wanted, `await shutdown()`."""

    def __init__(
        self,
        spec: FunctionSpec,
        launcher: Launcher,
        *,
        settings: PoolSettings | None = None,
        sink: LogSink = discard,
        door: Door = loopback_door,
    ) -> None:
        self.spec = spec
        self._settings = settings or PoolSettings()
        self._metrics = FunctionMetrics(spec.name)
        self._setting = Setting(spec, launcher, self._settings, sink, door, self._metrics)
        self._line = Line(self._settings.max_waiting, self._metrics.waiting)
        self._idle: list[Instance] = []
        self._instances: set[Instance] = set()
        self._crashes = CrashLoop(after=self._settings.crash_loop_after, longest_s=self._settings.crash_loop_max_s)
        self._is_open = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = math.inf
        self._life: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()

    # --- daemon

    async def startup(self) -> None:
        """Ready for events; with `min_runtimes`, when those have been initialised or have failed to."""
        self._loop = asyncio.get_running_loop()
        began = self._loop.create_future()
        self._life = asyncio.create_task(self._serve(began), name=f"pool of {self.spec.name}")
        await began
        self._is_open = True
        for _ in range(self._settings.min_runtimes):
            self._spawn()
        while any(each.state in (State.STARTING, State.INIT) for each in self._instances):
            await self._wait_for_change()

    async def _serve(self, began: asyncio.Future[None]) -> None:
        """Owns the instances' tasks; ends when the pool closes and the last of them has ended."""
        async with asyncio.TaskGroup() as self._group:
            began.set_result(None)
            await self._closing.wait()

    async def shutdown(self, drain_s: float | None = None) -> int:
        """Drains, then stops everything; the number of events that were cut."""
        # 1. No new events; those not handed over surely have not run and are refused.
        self._is_open = False
        for invocation in self._line.take_all():
            invocation.refuse(PoolClosed(f"the pool of {self.spec.name} is closing"))
        # 2. Busy events may end within the drain time.
        cut = 0
        try:
            async with asyncio.timeout(self._settings.drain_s if drain_s is None else drain_s):
                while self._busy():
                    await self._wait_for_change()
        except TimeoutError:
            cut = len(self._busy())
            log.warning("events were cut at the end of the drain time", extra={"function": self.spec.name, "cut": cut})
        # 3. Stop what is left; each stop is bounded by the process group's kill.
        for instance in list(self._instances):
            instance.cut(PoolClosed(f"the pool of {self.spec.name} was closed during the event"))
            instance.stop("drain")
        # 4. Everyone's last cleanup.
        self._closing.set()
        if self._life is not None:
            await self._life
        if self._timer is not None:
            self._timer.cancel()
        return cut

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    # --- events

    async def invoke(self, event: Event) -> Result:
        """Runs one event; function errors are `Result`s. Raises `PoolClosed`, `PoolFull`, or what ended the pool."""
        invocation = Invocation(event, self._loop.create_future(), self._loop.time())
        self._admit(invocation)
        try:
            return await invocation.answer
        finally:
            # A caller that gives up while waiting takes its event along; handed over, it runs to its end.
            self._line.leave(invocation)

    def _admit(self, invocation: Invocation) -> None:
        if not self._is_open:
            raise PoolClosed(f"the pool of {self.spec.name} is closed")
        if len(invocation.event.payload) > self._settings.event_limit_bytes:
            raise EventTooLarge(f"Request must be smaller than {self._settings.event_limit_bytes} bytes")
        instance = None if self._line else self._take_idle()
        if instance is not None:
            self._hand(instance, invocation)
            return
        verdict = self._crashes.verdict(invocation.arrived_s)
        if verdict is not None and not self._instances:
            invocation.settle(verdict(invocation.event.request_id))
            return
        if self._line.is_full:
            raise PoolFull(f"{len(self._line)} events wait for {self.spec.name}")
        self._line.join(invocation)
        self._arm(invocation.event.deadline_s)
        self._spawn_if_needed()

    def _hand(self, instance: Instance, invocation: Invocation) -> None:
        instance.hand(invocation)
        if instance.current is invocation:
            self._arm(invocation.deadline_s)

    def _pair(self) -> None:
        """Idle instances, the last used first, take the events that have waited longest."""
        while self._line and (instance := self._take_idle()) is not None:
            invocation = self._line.next()
            if invocation is None:
                self._idle.append(instance)
                return
            self._hand(instance, invocation)

    def _take_idle(self) -> Instance | None:
        """The idle instance used last; one that is dead already is left to its exit, which comes this very turn."""
        while self._idle:
            instance = self._idle.pop()
            if instance.is_alive:
                return instance
        return None

    # --- instances

    @property
    def live(self) -> int:
        return len(self._instances)

    @property
    def waiting(self) -> int:
        return len(self._line)

    @property
    def free(self) -> int:
        """Events a transport may take on now without making them wait."""
        taken = sum(each.state in (State.BUSY, State.RETURNING) for each in self._instances)
        return max(0, self._settings.max_concurrency - taken - len(self._line))

    def _busy(self) -> list[Instance]:
        return [each for each in self._instances if each.current is not None or each.reserved is not None]

    def _spawn_if_needed(self) -> None:
        if not self._line or not self._is_open:
            return
        now_s = self._loop.time()
        if self._crashes.holds(now_s):
            self._arm(self._crashes.until_s)
            return
        count = spawn_count(
            waiting=len(self._line),
            idle=len(self._idle),
            soon=self._soon(now_s),
            live=len(self._instances),
            max_concurrency=self._settings.max_concurrency,
        )
        for _ in range(count):
            self._spawn()

    def _soon(self, now_s: float) -> int:
        count = 0
        for each in self._instances:
            if each.is_soon_free(now_s):
                count += 1
                if each.state is State.RETURNING:
                    self._arm(each.since_s + self._settings.returning_grace_s)
        return count

    def _spawn(self, reserved: Invocation | None = None) -> None:
        assert self._group is not None, "the pool has been started"
        taken = {each.number for each in self._instances}
        number = next(n for n in range(self._settings.max_concurrency + 1) if n not in taken)
        instance = Instance(number, self._setting, self, reserved=reserved)
        self._instances.add(instance)
        self._metrics.runtimes.inc()
        self._group.create_task(self._run(instance), name=f"runtime {number} of {self.spec.name}")
        self._arm(instance.due_s(may_reap=False))

    async def _run(self, instance: Instance) -> None:
        try:
            await instance.live()
        except Exception:
            log.exception("an instance ended by a defect", extra={"function": self.spec.name})
            instance.abandon()

    # --- Owner: what instances tell

    def on_idle(self, instance: Instance) -> None:
        self._crashes.succeeded()
        reserved, instance.reserved = instance.reserved, None
        if reserved is not None and not reserved.answer.done():
            self._hand(instance, reserved)
        else:
            self._idle.append(instance)
            self._pair()
            self._arm(instance.due_s(may_reap=self._may_reap()))
        self._changed.set()

    def on_answered(self, instance: Instance) -> None:
        self._changed.set()
        self._spawn_if_needed()

    def on_poll_lost(self, instance: Instance, undelivered: Invocation | None) -> None:
        if instance in self._idle:
            self._idle.remove(instance)
        if undelivered is not None:
            self._line.return_to_front(undelivered)
            self._pair()
        self._arm(instance.due_s(may_reap=False))
        self._spawn_if_needed()

    def on_init_failed(self, instance: Instance, failure: Failure) -> None:
        self._crashes.failed(failure, self._loop.time())
        victim = self._line.next()
        if victim is not None:
            result = failure(victim.event.request_id)
            victim.settle(result)
            self._metrics.failed(result.error_type, "init_error")

    def on_init_timeout(self, instance: Instance) -> None:
        """Init is repeated inside the first waiting event, on the function's own time, in the slot that comes free."""
        invocation = self._line.next() if self._is_open else None
        self._drop(instance)
        if invocation is not None:
            now_s = self._loop.time()
            invocation.handed_s = now_s
            invocation.deadline_s = now_s + self.spec.timeout_s
            self._metrics.handed(now_s - invocation.arrived_s)
            self._spawn(reserved=invocation)
        instance.stop("init")

    def on_leaving(self, instance: Instance) -> None:
        self._drop(instance)
        self._changed.set()
        self._spawn_if_needed()
        self._keep_minimum()

    def _drop(self, instance: Instance) -> None:
        if instance in self._instances:
            self._instances.remove(instance)
            self._metrics.runtimes.dec()
        if instance in self._idle:
            self._idle.remove(instance)

    def _keep_minimum(self) -> None:
        while self._is_open and len(self._instances) < self._settings.min_runtimes:
            if self._crashes.holds(self._loop.time()):
                self._arm(self._crashes.until_s)
                return
            self._spawn()

    # --- the one timer

    def _may_reap(self) -> bool:
        return len(self._instances) > self._settings.min_runtimes

    def _arm(self, when_s: float) -> None:
        if when_s >= self._timer_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = when_s
        self._timer = self._loop.call_at(when_s, self._tick)

    def _tick(self) -> None:
        self._timer, self._timer_s = None, math.inf
        now_s = self._loop.time()
        for invocation in self._line.take_expired(now_s):
            invocation.refuse(PoolFull(f"no runtime of {self.spec.name} came free in time"))
        for instance in list(self._instances):
            instance.check(now_s, may_reap=self._may_reap())
        self._keep_minimum()
        self._spawn_if_needed()
        due_s = min((each.due_s(may_reap=self._may_reap()) for each in self._instances), default=math.inf)
        self._arm(min(due_s, self._line.earliest_deadline()))
