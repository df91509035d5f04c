"""One execution environment: a runtime process, its API listener, its log, and at most one event.

The instance is the `Exchange` behind its Runtime API and the listener of its process. Its state follows the table in
`runtime.states`; its owner (the pool) hears of each change that matters for hand-over. One task, `live`, carries it
from start to last cleanup; everything per event happens in callbacks, without tasks or timers.

Order that must hold: the caller's answer is set before the runtime's 202 is written, and what the function has
printed is read before the answer is cut off from its log.
"""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from lambent.runtime import outcomes
from lambent.runtime.api import INVALID_REQUEST_ID, INVALID_TRANSITION, Poller, Refusal, RuntimeApi
from lambent.runtime.delivery import delivery_head
from lambent.runtime.door import Door, OpenDoor
from lambent.runtime.errors import LaunchError
from lambent.runtime.eventlog import EventLog
from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.invocation import Result
from lambent.runtime.launcher import Launcher, LaunchOrder, RuntimeProcess
from lambent.runtime.logs import LogSink
from lambent.runtime.metrics import FunctionMetrics
from lambent.runtime.outcomes import Exit, Failure
from lambent.runtime.settings import PoolSettings
from lambent.runtime.states import LIVE, IllegalTransition, Signal, State, follow
from lambent.runtime.waiting import Invocation

log = logging.getLogger(__name__)

# The last response of a dying runtime may still lie in its socket when its exit is seen.
_EXIT_GRACE_S = 0.01


class Owner(Protocol):
    """What an instance tells its pool."""

    def on_idle(self, instance: "Instance") -> None: ...

    def on_answered(self, instance: "Instance") -> None: ...

    def on_poll_lost(self, instance: "Instance", undelivered: Invocation | None) -> None: ...

    def on_init_failed(self, instance: "Instance", failure: Failure) -> None: ...

    def on_init_timeout(self, instance: "Instance") -> None:
        """The init budget is over; the owner stops the instance."""
        ...

    def on_leaving(self, instance: "Instance") -> None:
        """The instance serves no more; its slot is free."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What the instances of a pool share."""

    spec: FunctionSpec
    launcher: Launcher
    settings: PoolSettings
    sink: LogSink
    door: Door
    metrics: FunctionMetrics


class Instance:
    """`reserved` is the event this instance was started for a second time (init repeated inside the event)."""

    def __init__(self, number: int, setting: Setting, owner: Owner, *, reserved: Invocation | None = None) -> None:
        self.number = number
        self.reserved = reserved
        self.state = State.STARTING
        self.stop_reason = ""
        self._loop = asyncio.get_running_loop()
        self.since_s = self._now()
        self.started_s = self.since_s
        self.current: Invocation | None = None
        self._setting = setting
        self._owner = owner
        self._settings = setting.settings
        self._log = EventLog(setting.spec, setting.sink, print_reports=self._settings.print_reports)
        self._metrics = setting.metrics
        self._api = RuntimeApi(
            self,
            response_limit_bytes=self._settings.response_limit_bytes,
            error_limit_bytes=self._settings.error_limit_bytes,
        )
        self._door: OpenDoor | None = None
        self._process: RuntimeProcess | None = None
        self._poller: Poller | None = None
        self._exit: Exit | None = None
        self._has_connections = False
        self._deliveries = 0
        self._id = uuid.uuid4().hex
        self._last_id = ""
        self._last_deadline_s = float("inf")
        self._leave = asyncio.Event()

    # --- life

    async def live(self) -> None:
        """From start to the last cleanup; ends when nothing of the instance is left."""
        try:
            if await self._start():
                await self._leave.wait()
        finally:
            await self._clean_up()

    async def _start(self) -> bool:
        try:
            self._door = await self._setting.door(self._api, self._settings)
            self.started_s = self._now()
            order = self._order(self._door.address)
            self._process = self._log.process = await self._setting.launcher.launch(order, self)
        except LaunchError as error:
            if self.state is not State.STARTING:
                return False
            log.warning("a runtime could not be started: %s", error.message, extra={"function": self._name})
            self._metrics.spawned(is_ok=False)
            kind, message = error.error_type, error.message
            self._end_init(lambda request_id: outcomes.failure(kind, f"RequestId: {request_id} Error: {message}"))
            return False
        self._metrics.spawned(is_ok=True)
        if self.state is State.STARTING:
            self._go(Signal.SPAWNED)
        return True

    def _order(self, address: str) -> LaunchOrder:
        day = datetime.now(UTC).strftime("%Y/%m/%d")
        kind = "provisioned-concurrency" if self.number < self._settings.min_runtimes else "on-demand"
        stream = f"{day}/[{self._setting.spec.version}]{self._id}"
        return LaunchOrder(self.number, address, stream, kind, self._api)

    async def _clean_up(self) -> None:
        if self.state in LIVE:
            self._go(Signal.STOP)
            self._owner.on_leaving(self)
        if self._process is not None:
            grace_s = 0.0 if self._exit else self._settings.stop_grace_s
            await self._process.stop(grace_s)
        self._log.flush()
        if self._door is not None:
            await self._door.close()
        if self.state is not State.GONE:
            self._go(Signal.EXIT)
        self._metrics.exited(self.stop_reason or "crash")

    def stop(self, reason: str) -> None:
        """Begins to stop: the slot is free at once, the process goes in the background."""
        if self.state not in LIVE:
            return
        self.stop_reason = reason
        self._go(Signal.STOP)
        self._leave.set()
        self._owner.on_leaving(self)

    def abandon(self) -> None:
        """After a defect of ours: the event gets an answer, the slot comes free."""
        invocation = self.current or self.reserved
        self.current, self.reserved = None, None
        if invocation is not None:
            self._settle(invocation, outcomes.exited(invocation.event.request_id, self._exit or Exit()))
        self._owner.on_leaving(self)

    def cut(self, error: Exception) -> None:
        """The event, if any, is told `error` instead of an answer."""
        invocation = self.current or self.reserved
        self.current, self.reserved = None, None
        if invocation is not None:
            invocation.refuse(error)
            self._metrics.returned()

    # --- what the pool asks

    @property
    def is_alive(self) -> bool:
        """False for a runtime whose end has not been told yet: it must not get an event."""
        return self._exit is None and self._process is not None and self._process.is_alive()

    def is_soon_free(self, now_s: float) -> bool:
        """Counts against new starts: on its way to a poll, and not for too long."""
        if self.state in (State.STARTING, State.INIT):
            return self.reserved is None
        return self.state is State.RETURNING and now_s < self.since_s + self._settings.returning_grace_s

    def due_s(self, *, may_reap: bool) -> float:
        """Loop time at which `check` must look at this instance."""
        match self.state:
            case State.STARTING | State.INIT:
                limit_s = self._settings.init_timeout_s
                return self.reserved.deadline_s if self.reserved else self.started_s + limit_s
            case State.BUSY if self.current:
                return self.current.deadline_s
            case State.RETURNING:
                return self._last_deadline_s
            case State.IDLE if may_reap and self._settings.idle_timeout_s:
                return self.since_s + self._settings.idle_timeout_s
            case _:
                return float("inf")

    def check(self, now_s: float, *, may_reap: bool) -> None:
        """Acts on a limit that has passed."""
        if self.due_s(may_reap=may_reap) > now_s:
            return
        match self.state:
            case State.STARTING | State.INIT if self.reserved is None:
                self._owner.on_init_timeout(self)
            case State.STARTING | State.INIT | State.BUSY:
                self._time_out()
            case State.RETURNING:
                self.stop("timeout")
            case State.IDLE:
                self.stop("idle")

    def hand(self, invocation: Invocation) -> None:
        """Gives an idle instance its next event; the function's time begins here."""
        self._go(Signal.HAND)
        now_s = self.since_s
        timeout_s = self._setting.spec.timeout_s
        if invocation.deadline_s == float("inf"):
            invocation.deadline_s = now_s + timeout_s
        if not invocation.handed_s:
            invocation.handed_s = now_s
            self._metrics.handed(now_s - invocation.arrived_s)
        self._deliveries += 1
        invocation.token = f"{self._id}-{self._deliveries}"
        self.current = invocation
        self._last_id = invocation.event.request_id
        self._log.begin(invocation)
        left_s = invocation.deadline_s - now_s
        head = delivery_head(invocation.event, deadline_ms=int((time.time() + left_s) * 1000), token=invocation.token)
        poller, self._poller = self._poller, None
        assert poller is not None, "an idle instance has a parked poll"
        poller.deliver(head, invocation.event.payload)

    # --- Exchange: what the runtime says

    def poll(self, poller: Poller) -> Refusal | None:
        self._has_connections = True
        if self.state not in LIVE and self.stop_reason != "init":
            # It is being stopped and need not know: parked, it ends without a complaint in the function's log.
            return None
        was_init = self.state in (State.STARTING, State.INIT)
        if not self._try(Signal.POLL):
            return INVALID_TRANSITION
        self._poller = poller
        if was_init:
            self._log.init_s = self.since_s - self.started_s
            self._metrics.initialised(self._log.init_s)
            # Read once while it surely lives: a crash in the first event leaves nothing to read.
            self._log.read_memory(self.since_s, is_exact=True)
        self._owner.on_idle(self)
        return None

    def poll_lost(self, poller: Poller, *, undelivered: bool) -> None:
        if undelivered and self.state is State.BUSY:
            invocation, self.current = self.current, None
            self._go(Signal.UNDELIVERED)
            self._metrics.returned()
            self._last_deadline_s = self.since_s
            if invocation is not None:
                self._last_deadline_s = invocation.deadline_s
                invocation.handed_s = 0.0
            self._owner.on_poll_lost(self, invocation)
        elif poller is self._poller and self.state is State.IDLE:
            self._poller = None
            self._last_deadline_s = self._now() + self._setting.spec.timeout_s
            self._go(Signal.POLL_LOST)
            self._owner.on_poll_lost(self, None)

    def respond(self, request_id: str, body: bytes, *, token: str) -> Refusal | None:
        invocation = self._owned(request_id)
        if invocation is None or (token and token != invocation.token):
            return INVALID_REQUEST_ID
        self._finish(Result(body, executed_version=self._setting.spec.version))
        return None

    def respond_too_large(self, request_id: str) -> Refusal | None:
        if self._owned(request_id) is None:
            return INVALID_REQUEST_ID
        self._finish(outcomes.too_large(self._settings.response_limit_bytes))
        return None

    def respond_truncated(self, request_id: str) -> None:
        # A killed runtime closes its connections before its exit is seen; then the exit is the reason to tell.
        if self._owned(request_id) is not None:
            self._loop.call_later(_EXIT_GRACE_S, self._tell_truncated, request_id)

    def _tell_truncated(self, request_id: str) -> None:
        if self._exit is None and self._owned(request_id) is not None:
            self._finish(outcomes.truncated(request_id))

    def respond_error(self, request_id: str, body: bytes, *, error_type: str) -> Refusal | None:
        if self._owned(request_id) is None:
            return INVALID_REQUEST_ID
        self._finish(Result(body, is_error=True, error_type=error_type))
        return None

    def init_error(self, body: bytes, *, error_type: str) -> Refusal | None:
        if not self._try(Signal.INIT_ERROR):
            return INVALID_TRANSITION
        self.stop_reason = "init"
        self._leave.set()
        self._fail_init(lambda request_id: Result(body, is_error=True, error_type=error_type))
        return None

    def connections_gone(self) -> None:
        self._has_connections = False
        if self._exit is not None:
            self._die()

    # --- ProcessListener: what the process does

    def on_output(self, stream: str, data: bytes) -> None:
        self._log.output(stream, data)

    def on_exit(self, how: Exit) -> None:
        self._exit = how
        if self.state is State.BUSY and self._has_connections:
            self._loop.call_later(_EXIT_GRACE_S, self._die)
        else:
            self._die()

    def _die(self) -> None:
        """The process is gone and everything it sent has been read."""
        how = self._exit
        if how is None or self.state not in LIVE:
            return
        if self.state in (State.STARTING, State.INIT):
            self._end_init(lambda request_id: outcomes.exited(request_id, how))
            return
        if self.current is not None:
            self._finish(outcomes.exited(self.current.event.request_id, how))
        self._go(Signal.EXIT)
        self.stop_reason = "oom" if how.out_of_memory else "crash"
        self._leave.set()
        self._owner.on_leaving(self)

    # --- ends

    def _end_init(self, failure: Failure) -> None:
        self._go(Signal.EXIT)
        self.stop_reason = "init"
        self._leave.set()
        self._fail_init(failure)

    def _fail_init(self, failure: Failure) -> None:
        """To the event this instance was started for, else to one that waits; never kept for a later one."""
        reserved, self.reserved = self.reserved, None
        if reserved is not None:
            self._settle(reserved, failure(reserved.event.request_id))
        if reserved is None:
            self._owner.on_init_failed(self, failure)
        # After the victim has left the line, else a runtime would be started for it.
        self._owner.on_leaving(self)

    def _time_out(self) -> None:
        invocation = self.current or self.reserved
        assert invocation is not None, "only an event's deadline ends here"
        self.current, self.reserved = None, None
        result = outcomes.timed_out(invocation.event.request_id, self._setting.spec.timeout_s)
        self._settle(invocation, result)
        self.stop("timeout")

    def _finish(self, result: Result) -> None:
        invocation, self.current = self.current, None
        assert invocation is not None, "only an owned event is finished"
        self._last_deadline_s = invocation.deadline_s
        self._go(Signal.ANSWER)
        self._settle(invocation, result)
        self._owner.on_answered(self)

    def _settle(self, invocation: Invocation, result: Result) -> None:
        now_s = self._now()
        tail = self._log.end(invocation, result, now_s)
        if tail:
            result = Result(result.payload, result.is_error, tail, result.executed_version, result.error_type)
        invocation.settle(result)
        self._metrics.ended(result, now_s - invocation.handed_s)

    # --- small parts

    @property
    def _name(self) -> str:
        return self._setting.spec.name

    def _owned(self, request_id: str) -> Invocation | None:
        if self.current is not None and self.current.event.request_id == request_id:
            return self.current
        if request_id == self._last_id:
            self._metrics.late_response()
        return None

    def _try(self, signal: Signal) -> bool:
        try:
            self._go(signal)
        except IllegalTransition:
            return False
        return True

    def _go(self, signal: Signal) -> None:
        self.state = follow(self.state, signal)
        self.since_s = self._now()

    def _now(self) -> float:
        return self._loop.time()
