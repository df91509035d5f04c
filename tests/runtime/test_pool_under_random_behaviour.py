"""A pool whose runtimes do anything at any time: every event gets one answer, and the bounds hold.

A run is a function of its seed; a seed that fails becomes a plain test.
"""

import asyncio
import random

import pytest

from lambent.runtime.errors import PoolFull
from lambent.runtime.fake import ApiRefused, Crash, FakeRuntime

ANSWERS = {"ok", "error", "crash", "hang", "dawdle", "late", "stranger"}


class Behaviour:
    """Scripts that draw what they do; counts what runs at once."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.running = 0
        self.most_running = 0
        self.delivered: list[str] = []

    async def script(self, runtime: FakeRuntime) -> int:
        match self.chance.choices(["quick", "slow", "never", "broken", "exits"], [12, 4, 1, 2, 2])[0]:
            case "slow":
                await asyncio.sleep(self.chance.uniform(0, 12))
            case "never":
                await asyncio.sleep(100_000)
            case "broken":
                runtime.init_error(b'{"errorType":"Runtime.Broken"}')
                return 1
            case "exits":
                return 2
        while True:
            event = await runtime.next()
            self.delivered.append(event.request_id)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                await self.work(runtime, event.request_id)
            finally:
                self.running -= 1
            await asyncio.sleep(self.chance.choice([0, 0, 0.05, 0.3]))

    async def work(self, runtime: FakeRuntime, request_id: str) -> None:
        await asyncio.sleep(self.chance.uniform(0, 1))
        match self.chance.choice(sorted(ANSWERS)):
            case "error":
                runtime.respond_error(request_id, b"{}")
            case "crash":
                raise Crash(9)
            case "hang":
                await asyncio.sleep(100_000)
            case "late":
                await asyncio.sleep(2.5)
                runtime.respond(request_id, b"late")
            case "stranger":
                with pytest.raises(ApiRefused):
                    runtime.respond("other", b"x")
                runtime.respond(request_id, b"1")
            case _:
                runtime.respond(request_id, b"1")


@pytest.mark.parametrize("seed", range(25))
async def test_every_event_gets_one_answer_and_the_bounds_hold(bench, seed):
    behaviour = Behaviour(seed)
    most = behaviour.chance.randint(1, 5)
    outcomes: list[str] = []

    async with bench(behaviour.script, max_concurrency=most, timeout_s=3.0, max_waiting=500, drain_s=0) as it:

        async def caller(patience_s: float) -> None:
            await asyncio.sleep(behaviour.chance.uniform(0, 20))
            try:
                async with asyncio.timeout(patience_s):
                    await it.invoke(deadline_s=asyncio.get_running_loop().time() + 60)
                outcomes.append("answer")
            except TimeoutError:
                outcomes.append("gave up")
            except PoolFull:
                outcomes.append("refused")
            assert it.pool.live <= most

        async with asyncio.timeout(5_000), asyncio.TaskGroup() as group:
            for _ in range(80):
                group.create_task(caller(behaviour.chance.choice([0.5, 30, 1_000])))
        assert it.pool.waiting == 0
    assert len(outcomes) == 80
    assert len(set(behaviour.delivered)) == len(behaviour.delivered), "no event is delivered twice"
    assert behaviour.running == 0
    # A timed-out runtime may still run while its replacement works; it is killed in the same turn.
    assert behaviour.most_running <= most + 1
