"""Asynchronous invocations: accept durably, deliver in the background, retry by the table of `retries`.

The dispatcher goes round over the functions that have due events, so one slow or failing function never delays the
others; each has a bound of events in flight, and so has the whole. It sleeps until an event comes, one ends, or the
next one is due. Stopping it leaves unfinished events in the store: their lease is void at the next start.
"""

import asyncio
import logging
import random
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from lambent.aws.arn import FunctionId
from lambent.aws.errors import ServiceError
from lambent.clock import WallClock, utc_now
from lambent.errors import LambentError
from lambent.invoke import refusals
from lambent.invoke.async_store import EventStore, FunctionKey, StoredEvent
from lambent.invoke.committer import QueueUnavailable, Runner
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.destinations import DestinationSink, Ending, Sender, Sink
from lambent.invoke.directory import Directory, Target
from lambent.invoke.limits import InvokeLimits
from lambent.invoke.retries import RETRY_BASE_S, Condition, deferral_delay_s, is_too_old, retry_delay_s
from lambent.invoke.senders import FunctionSender
from lambent.invoke.transport import Transport
from lambent.runtime.invocation import Event, RequestId, Result
from lambent.telemetry import counter

log = logging.getLogger(__name__)

_ATTEMPTS = counter("async_attempts_total", "Attempts to deliver asynchronous events", ["function", "result"])
_LEASE_MARGIN_S = 60.0
_LEASE_UNKNOWN_S = 960.0  # the longest function timeout and the margin
_IDLE_S = 30.0  # a look around when nothing woke us: expired leases
_MAX_EVENTS = 1_000_000


class Acceptance(Protocol):
    """What the HTTP edge needs of a queue."""

    async def accept(
        self,
        request_id: str,
        function: FunctionId,
        qualifier: str | None,
        payload: bytes,
        *,
        client_context: str = "",
        trace_id: str = "",
        tenant_id: str = "",
    ) -> None:
        """Returns when the event is durable; raises ServiceException 503 or 429."""
        ...


class AsyncQueue:
    """`run()` delivers until cancelled; `accept` works before and beside it.

    `senders` reach destinations by the service in their ARN; functions are reached through this queue itself. A `sink`
    takes the place of all of them.
    """

    def __init__(
        self,
        runner: Runner,
        directory: Directory,
        transport: Transport,
        *,
        senders: Mapping[str, Sender] = MappingProxyType({}),
        sink: Sink | None = None,
        concurrency: Concurrency | None = None,
        limits: InvokeLimits | None = None,
        clock: WallClock = utc_now,
        jitter: random.Random | None = None,
        retry_base_s: float = RETRY_BASE_S,
        per_function: int = 16,
        in_flight: int = 128,
        max_events: int = _MAX_EVENTS,
    ) -> None:
        self._runner = runner
        self._directory = directory
        self._transport = transport
        self._sink = sink or DestinationSink({"lambda": FunctionSender(self), **senders}, clock=clock)
        self._limits = limits or InvokeLimits()
        self._concurrency = concurrency or Concurrency(self._limits.account_concurrency)
        self._clock = clock
        self._jitter = jitter or random.Random()
        self._retry_base_s = retry_base_s
        self._per_function = per_function
        self._in_flight_limit = in_flight
        self._max_events = max_events
        self._stored: int | None = None
        self._wake = asyncio.Event()
        self._in_flight: dict[FunctionKey, int] = {}

    async def accept(
        self,
        request_id: str,
        function: FunctionId,
        qualifier: str | None,
        payload: bytes,
        *,
        client_context: str = "",
        trace_id: str = "",
        tenant_id: str = "",
    ) -> None:
        event = StoredEvent(
            request_id=request_id,
            account=function.account,
            region=function.region,
            function=function.name,
            qualifier=qualifier,
            payload=payload,
            client_context=client_context,
            trace_id=trace_id,
            tenant_id=tenant_id,
            accepted_s=self._now_s(),
        )
        if self._stored is None:
            self._stored = await self._runner.run(EventStore.count)
        if self._stored >= self._max_events:
            raise refusals.throttled("CallerRateLimitExceeded")
        try:
            await self._runner.run(lambda store: store.add(event))
        except QueueUnavailable as error:
            raise refusals.not_accepted(str(error)) from None
        self._stored += 1
        self._wake.set()

    async def reset(self) -> None:
        """Forgets every event; attempts under way end without a trace."""
        await self._runner.run(EventStore.clear)
        self._stored = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                next_due_s: float | None = None
                try:
                    await self._dispatch(group)
                    next_due_s = await self._runner.run(EventStore.next_due_s)
                except QueueUnavailable as error:
                    log.warning("event queue not readable now: %s", error)
                await self._sleep(next_due_s)

    async def shutdown(self, drain_s: float) -> None:
        """Nothing to drain: an event whose attempt is cut short is delivered again after the next start."""

    async def _sleep(self, next_due_s: float | None) -> None:
        """Until something happens, or the next event is due; a full house waits for an ending."""
        wait_s = _IDLE_S
        if next_due_s is not None:
            left_s = next_due_s - self._now_s()
            wait_s = min(_IDLE_S, left_s) if left_s > 0 else _IDLE_S
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _dispatch(self, group: asyncio.TaskGroup) -> None:
        now_s = self._now_s()
        await self._runner.run(lambda store: store.expire_leases(now_s=now_s))
        for key in await self._runner.run(EventStore.functions):
            room = min(
                self._per_function - self._in_flight.get(key, 0), self._in_flight_limit - sum(self._in_flight.values())
            )
            if room <= 0:
                continue
            until_s = now_s + self._lease_s(key)
            events = await self._runner.run(
                lambda store, key=key, until_s=until_s, room=room: store.lease(  # type: ignore[misc] # bound per turn
                    key, now_s=now_s, until_s=until_s, limit=room
                )
            )
            for event in events:
                self._in_flight[key] = self._in_flight.get(key, 0) + 1
                group.create_task(self._deliver(key, event))

    def _lease_s(self, key: FunctionKey) -> float:
        target = self._directory.resolve(FunctionId(*key), None)
        return target.spec.timeout_s + _LEASE_MARGIN_S if target and target.spec else _LEASE_UNKNOWN_S

    async def _deliver(self, key: FunctionKey, event: StoredEvent) -> None:
        try:
            await self._attempt(event)
        except LambentError as error:
            await self._defer(event, error)
        except Exception as error:  # the one catch-all of the dispatcher: a defect of one event must not stop others
            log.exception("asynchronous attempt failed", extra={"request_id": event.request_id})
            await self._defer(event, error)
        finally:
            left = self._in_flight.pop(key) - 1
            if left:
                self._in_flight[key] = left
            self._wake.set()

    async def _attempt(self, event: StoredEvent) -> None:
        function = FunctionId(event.account, event.region, event.function)
        try:
            target = await self._directory.until_ready(function, event.qualifier, self._limits.start_budget_s)
        except ServiceError as error:
            if error.status == 404:
                return await self._end(event, None, "RetriesExhausted", None)
            raise
        if is_too_old(self._now_s() - event.accepted_s, target.max_event_age_s):
            return await self._end(event, target, "EventAgeExceeded", None)
        if target.reserved_concurrency == 0:
            return await self._end(event, target, "ZeroReservedConcurrency", None)
        result = await self._invoke(event, target)
        _ATTEMPTS.labels(event.function, "error" if result.is_error else "success").inc()
        if not result.is_error:
            return await self._end(event, target, "Success", result)
        await self._retry(event, target, result)

    async def _invoke(self, event: StoredEvent, target: Target) -> Result:
        spec = target.spec
        if spec is None:
            raise refusals.not_ready(target.arn, target.state, target.reason)
        limits = self._limits
        deadline_s = asyncio.get_running_loop().time() + spec.timeout_s + limits.init_allowance_s + limits.queue_wait_s
        outgoing = Event(
            RequestId(event.request_id),
            target.arn,
            event.payload,
            trace_id=event.trace_id,
            client_context=event.client_context,
            tenant_id=event.tenant_id,
            deadline_s=deadline_s,
            attempt=event.attempts + 1,
        )
        function = FunctionId(event.account, event.region, event.function)
        with self._concurrency.slot(function.arn, target.reserved_concurrency):
            try:
                async with asyncio.timeout_at(deadline_s + limits.reply_margin_s):
                    result = await self._transport.invoke(spec, outgoing)
            except TimeoutError:
                raise refusals.unknown_fate(target.arn) from None
        return replace(result, executed_version=spec.version)

    async def _retry(self, event: StoredEvent, target: Target, result: Result) -> None:
        attempts = event.attempts + 1
        delay_s = retry_delay_s(attempts, target.max_retry_attempts, base_s=self._retry_base_s)
        if delay_s is None:
            return await self._end(event, target, "RetriesExhausted", result)
        if is_too_old(self._now_s() + delay_s - event.accepted_s, target.max_event_age_s):
            return await self._end(event, target, "EventAgeExceeded", result)
        due_s = self._now_s() + delay_s
        await self._runner.run(lambda store: store.postpone(event, due_s=due_s, counts=True, error=result.error_type))

    async def _defer(self, event: StoredEvent, error: Exception) -> None:
        """Throttled, or a part of ours failed: no attempt is used."""
        _ATTEMPTS.labels(event.function, "deferred").inc()
        due_s = self._now_s() + deferral_delay_s(event.deferrals, self._jitter.random())
        try:
            await self._runner.run(lambda store: store.postpone(event, due_s=due_s, counts=False, error=str(error)))
        except QueueUnavailable as trouble:
            log.warning("event stays leased: %s", trouble, extra={"request_id": event.request_id})

    async def _end(
        self, event: StoredEvent, target: Target | None, condition: Condition, result: Result | None
    ) -> None:
        """`target` None: the function is gone, and with it where its end would be told."""
        invoke_count = event.attempts + (1 if result is not None else 0)
        await self._sink.deliver(Ending(event, condition, invoke_count, result, target))
        if await self._runner.run(lambda store: store.remove(event)) and self._stored is not None:
            self._stored -= 1

    def _now_s(self) -> float:
        return self._clock().timestamp()
