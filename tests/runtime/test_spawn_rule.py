"""When a pool starts runtimes, in virtual time."""

import asyncio

import pytest

from lambent.runtime.fake import echo
from lambent.runtime.spawning import spawn_count


async def test_sequential_calls_stay_on_one_runtime(bench):
    async with bench(echo(0.01, init_s=0.1), max_concurrency=8) as it:
        for _ in range(500):
            await it.invoke()
        assert len(it.launched) == 1


async def test_calls_at_once_get_a_runtime_each_within_one_cold_start(bench):
    async with bench(echo(1.0, init_s=0.2), max_concurrency=8) as it:
        began = asyncio.get_running_loop().time()
        await it.answers(8)
        assert len(it.launched) == 8
        assert asyncio.get_running_loop().time() - began == pytest.approx(1.2)


async def test_quick_functions_cause_no_spawns_once_runtimes_are_up(bench):
    async with bench(echo(0.0002, init_s=0.05), max_concurrency=8) as it:
        loop = asyncio.get_running_loop()
        began, settled = loop.time(), 0

        async def caller() -> None:
            nonlocal settled
            while loop.time() < began + 0.3:
                await it.invoke()
                if not settled and loop.time() > began + 0.1:
                    settled = len(it.launched)

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(caller())
        assert len(it.launched) == settled <= 8


async def test_a_long_line_never_exceeds_the_concurrency(bench):
    async with bench(echo(0.01, init_s=0.1), max_concurrency=4) as it:
        results = await it.answers(1_000)
        assert [result.payload for result in results] == [b"%d" % number for number in range(1_000)]
        assert len(it.launched) == 4


async def test_a_runtime_that_dawdles_after_its_answer_stops_counting_as_nearly_free(bench):
    async def slow_to_return(runtime):
        while True:
            event = await runtime.next()
            runtime.respond(event.request_id, b"1")
            await asyncio.sleep(2)

    async with bench(slow_to_return, echo(), max_concurrency=2) as it:
        await it.invoke()
        began = asyncio.get_running_loop().time()
        await it.invoke()
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.1)
        assert len(it.launched) == 2


async def test_a_runtime_that_returns_in_time_prevents_a_spawn(bench):
    async def returns(runtime):
        while True:
            event = await runtime.next()
            runtime.respond(event.request_id, b"1")
            await asyncio.sleep(0.09)

    async with bench(returns, max_concurrency=2) as it:
        await it.answers(5)
        assert len(it.launched) == 2
        await it.invoke()
        assert len(it.launched) == 2


async def test_the_most_recently_used_runtime_gets_the_next_event(bench):
    async with bench(echo(1.0), max_concurrency=3) as it:
        await it.answers(3)
        seen = set()
        for _ in range(4):
            await it.invoke()
            seen.add(max(it.launched, key=lambda runtime: runtime.last_used_s).pid)
        assert len(seen) == 1


async def test_waiting_events_are_served_in_the_order_of_their_arrival(bench):
    order = []

    async def note(runtime):
        while True:
            event = await runtime.next()
            order.append(int(event.payload))
            await asyncio.sleep(0.1)
            runtime.respond(event.request_id, b"1")

    async with bench(note, max_concurrency=1) as it:
        await it.answers(20)
        assert order == list(range(20))


async def test_idle_runtimes_are_reaped_to_zero_and_come_back(bench):
    async with bench(echo(0.1), max_concurrency=4, idle_timeout_s=60) as it:
        await it.answers(4)
        assert it.pool.live == 4
        await asyncio.sleep(61)
        assert it.pool.live == 0
        assert (await it.invoke(b"7")).payload == b"7"
        assert it.pool.live == 1


async def test_the_minimum_is_started_at_once_kept_and_replaced(bench):
    async def crash_on_event(runtime):
        await runtime.next()
        return 1

    async with bench(
        crash_on_event, crash_on_event, echo(), max_concurrency=3, min_runtimes=2, idle_timeout_s=10
    ) as it:
        assert len(it.launched) == 2
        assert [each.order.initialization_type for each in it.launched] == ["provisioned-concurrency"] * 2
        await asyncio.sleep(100)
        assert it.pool.live == 2
        assert (await it.invoke()).error_type == "Runtime.ExitError"
        await asyncio.sleep(1)
        assert it.pool.live == 2


async def test_a_runtime_gets_the_lowest_free_number(bench):
    async def script(runtime):
        event = await runtime.next()
        await asyncio.sleep(0.5 if event.payload == b"0" else 2)
        return 1

    async with bench(script, max_concurrency=3, timeout_s=60) as it:
        await it.answers(4)
        assert [each.order.number for each in it.launched] == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("waiting", "idle", "soon", "live", "most", "spawned"),
    [
        (1, 0, 0, 0, 8, 1),
        (1, 1, 0, 1, 8, 0),
        (5, 0, 2, 2, 8, 3),
        (5, 0, 0, 7, 8, 1),
        (0, 0, 0, 0, 8, 0),
        (9, 0, 0, 8, 8, 0),
    ],
)
def test_the_rule_itself(waiting, idle, soon, live, most, spawned):
    assert spawn_count(waiting=waiting, idle=idle, soon=soon, live=live, max_concurrency=most) == spawned
