"""Asynchronous events on virtual time: attempts, waits, endings."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from lambent.invoke import AsyncQueue, EventStore, InlineRunner
from lambent.invoke.destinations import Ending
from lambent.invoke.fake import FakeDirectory, FakeTransport
from lambent.invoke.retries import deferral_delay_s
from lambent.runtime.errors import PoolFull
from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.invocation import Event, Result

from .conftest import function, target_of


class Endings:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.all: list[Ending] = []
        self.changed = asyncio.Event()

    async def deliver(self, ending: Ending) -> None:
        self.all.append(ending)
        self.changed.set()

    async def count(self, number: int) -> None:
        while len(self.all) < number:
            self.changed.clear()
            await self.changed.wait()


def _now() -> datetime:
    return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)


class Rig:
    def __init__(self, path: Path, handler: Callable[[FunctionSpec, Event], Result], **target) -> None:
        names = ("fn", "other")
        self.directory = FakeDirectory({(function(n), None): target_of(function(n), **target) for n in names})
        self.transport = FakeTransport(self._handle)
        self.store = EventStore(path / "async.db")
        self.endings = Endings()
        self.times: list[float] = []
        self._handler = handler
        self.queue = AsyncQueue(
            InlineRunner(self.store), self.directory, self.transport, sink=self.endings, clock=_now, per_function=2
        )

    def _handle(self, spec: FunctionSpec, event: Event) -> Result:
        self.times.append(asyncio.get_running_loop().time())
        return self._handler(spec, event)

    async def accept(self, request_id: str = "r1", name: str = "fn") -> None:
        await self.queue.accept(request_id, function(name), None, b"{}")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.queue.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.store.close()


def failing(spec: FunctionSpec, event: Event) -> Result:
    return Result(b'{"errorMessage": "no"}', is_error=True, error_type="Exception")


async def test_a_failing_event_is_tried_again_after_one_and_two_minutes(tmp_path: Path) -> None:
    rig = Rig(tmp_path, failing)
    async with rig.running():
        await rig.accept()
        await rig.endings.count(1)
        gaps = [round(b - a) for a, b in zip(rig.times, rig.times[1:], strict=False)]
        assert gaps == [60, 120]
        (ending,) = rig.endings.all
        assert (ending.condition, ending.invoke_count) == ("RetriesExhausted", 3)
        assert {event.request_id for event in rig.transport.events["fn"]} == {"r1"}
        assert [event.attempt for event in rig.transport.events["fn"]] == [1, 2, 3]


async def test_a_success_ends_an_event(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lambda spec, event: Result(b"1"))
    async with rig.running():
        await rig.accept()
        await rig.endings.count(1)
        assert rig.endings.all[0].condition == "Success"
        await asyncio.sleep(1)
        assert rig.store.count() == 0


async def test_throttles_use_no_attempt_and_end_with_the_event_s_age(tmp_path: Path) -> None:
    def full(spec: FunctionSpec, event: Event) -> Result:
        raise PoolFull("full")

    rig = Rig(tmp_path, full, max_event_age_s=3600.0)
    async with rig.running():
        await rig.accept()
        await rig.endings.count(1)
        (ending,) = rig.endings.all
        assert (ending.condition, ending.invoke_count) == ("EventAgeExceeded", 0)
        assert 12 <= len(rig.times) <= 40
        assert rig.times[-1] - rig.times[0] <= 3600


async def test_a_reservation_of_zero_ends_an_event_at_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, failing, reserved_concurrency=0)
    async with rig.running():
        await rig.accept()
        await rig.endings.count(1)
        assert rig.endings.all[0].condition == "ZeroReservedConcurrency"
        assert rig.times == []


async def test_an_event_waiting_for_its_retry_survives_a_restart(tmp_path: Path) -> None:
    first = Rig(tmp_path, failing)
    async with first.running():
        await first.accept()
        await asyncio.sleep(30)
    second = Rig(tmp_path, lambda spec, event: Result(b"1"))
    async with second.running():
        await second.endings.count(1)
        assert second.endings.all[0].invoke_count == 2
        assert second.times[0] - first.times[0] >= 60


async def test_an_event_that_was_running_at_a_kill_runs_again(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "async.db")
    rig = Rig(tmp_path, failing)
    await rig.accept()
    now = _now().timestamp()
    (key,) = store.functions()
    assert len(store.lease(key, now_s=now, until_s=now + 900, limit=5)) == 1
    assert store.functions() == []
    store.close()
    rig.store.close()
    after = EventStore(tmp_path / "async.db")
    assert after.functions() == [key]
    after.close()


async def test_a_function_that_never_answers_does_not_hold_up_others(tmp_path: Path) -> None:
    rig = Rig(tmp_path, lambda spec, event: Result(b"1"))
    stuck = asyncio.Event()

    async def invoke(spec: FunctionSpec, event: Event) -> Result:
        if spec.name == "fn":
            await stuck.wait()
        return Result(b"1")

    rig.transport.invoke = invoke  # type: ignore[method-assign]
    async with rig.running():
        for number in range(5):
            await rig.accept(f"a{number}")
        await rig.accept("b", "other")
        await rig.endings.count(1)
        assert rig.endings.all[0].event.request_id == "b"
        stuck.set()
        await rig.endings.count(6)


def test_deferrals_double_from_one_second_to_five_minutes() -> None:
    assert [deferral_delay_s(n, 1.0) for n in (0, 1, 2, 8, 9, 40)] == [1, 2, 4, 256, 300, 300]
    assert deferral_delay_s(3, 0.0) == 4
