"""One test per row of the state table, in virtual time, with scripted runtimes."""

import asyncio
import json

import pytest

from lambent.runtime.errors import LaunchError, PoolClosed, PoolFull
from lambent.runtime.fake import ApiRefused, Crash, FakeLauncher, echo
from lambent.runtime.states import TRANSITIONS, IllegalTransition, Signal, State, follow


def now() -> float:
    return asyncio.get_running_loop().time()


def message(result) -> str:
    return str(json.loads(result.payload)["errorMessage"])


async def never(runtime):
    await asyncio.sleep(1_000_000)
    return 0


async def hangs(runtime):
    await runtime.next()
    await asyncio.sleep(1_000_000)
    return 0


async def test_a_launch_that_fails_is_an_invalid_entrypoint_at_once(bench):
    launcher = FakeLauncher()
    launcher.refuse = LaunchError("no such program")
    async with bench(launcher=launcher) as it:
        began = now()
        result = await it.invoke()
        assert (result.error_type, now()) == ("Runtime.InvalidEntrypoint", began)
        assert "no such program" in message(result)


async def test_a_posted_init_error_goes_to_one_event_and_is_not_kept(bench):
    async def fails(runtime):
        await asyncio.sleep(0.1)
        runtime.init_error(b'{"errorType":"Runtime.ImportModuleError","requestId":""}')
        return 1

    async with bench(fails, echo(), max_concurrency=1) as it:
        first, second = await it.answers(2)
        assert (first.is_error, first.payload[:40]) == (True, b'{"errorType":"Runtime.ImportModuleError"')
        assert (second.is_error, second.payload) == (False, b"1")


async def test_an_init_error_without_a_waiting_event_is_dropped(bench):
    async def fails_late(runtime):
        await asyncio.sleep(5)
        runtime.init_error(b"stale")
        return 1

    async with bench(echo(2.0), fails_late, echo(), max_concurrency=2) as it:
        results = [task for task in await asyncio.gather(it.invoke(b"1"), it.invoke(b"2"))]
        await asyncio.sleep(10)
        assert [result.payload for result in results] == [b"1", b"2"]
        assert (await it.invoke(b"3")).payload == b"3"


@pytest.mark.parametrize(
    ("script_end", "text"),
    [(1, "exit status 1"), (0, "without providing a reason"), (Crash(11), "signal: segmentation fault")],
    ids=["status", "zero", "signal"],
)
async def test_an_exit_during_init_is_told_with_its_reason(bench, script_end, text):
    async def ends(runtime):
        if isinstance(script_end, Crash):
            raise script_end
        return script_end

    async with bench(ends) as it:
        result = await it.invoke()
        assert result.error_type == "Runtime.ExitError"
        assert message(result).startswith("RequestId: id-1 Error: ")
        assert message(result).endswith(text)


async def test_a_long_init_is_repeated_inside_the_event_with_its_time(bench):
    async with bench(never, echo(1.0, init_s=4.0), timeout_s=6.0) as it:
        began = now()
        result = await it.invoke(b"5")
        assert result.payload == b"5"
        assert now() - began == pytest.approx(10 + 4 + 1)


async def test_an_init_that_never_ends_is_a_timeout(bench):
    async with bench(never, timeout_s=6.0) as it:
        began = now()
        result = await it.invoke()
        assert result.error_type == "Sandbox.Timedout"
        assert message(result) == "RequestId: id-1 Error: Task timed out after 6.00 seconds"
        assert now() - began == pytest.approx(16)


async def test_a_timeout_frees_the_slot_at_the_deadline(bench):
    async with bench(hangs, echo(0.5), max_concurrency=1, timeout_s=3.0) as it:
        began = now()
        late, next_one = await it.answers(2)
        assert late.error_type == "Sandbox.Timedout"
        assert next_one.payload == b"1"
        assert now() - began == pytest.approx(3.5)


async def test_an_answer_after_the_deadline_is_refused(bench):
    refusals = []

    async def late(runtime):
        event = await runtime.next()
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            with pytest.raises(ApiRefused) as caught:
                runtime.respond(event.request_id, b"late")
            refusals.append(caught.value.status)
            raise
        return 0

    async with bench(late) as it:
        assert (await it.invoke()).error_type == "Sandbox.Timedout"
    assert refusals == [400]


async def test_a_crash_in_an_event_ends_only_that_event(bench):
    async def crash_on_three(runtime):
        while True:
            event = await runtime.next()
            await asyncio.sleep(0.1)
            if event.payload == b"3":
                raise Crash(9)
            runtime.respond(event.request_id, event.payload)

    async with bench(crash_on_three, max_concurrency=8) as it:
        results = await it.answers(8)
        assert [number for number, result in enumerate(results) if result.is_error] == [3]
        assert message(results[3]) == "RequestId: id-4 Error: Runtime exited with error: signal: killed"
        assert it.pool.live == 7


async def test_a_proven_lack_of_memory_has_its_own_word(bench):
    async def greedy(runtime):
        await runtime.next()
        raise Crash(9, out_of_memory=True)

    async with bench(greedy) as it:
        assert (await it.invoke()).error_type == "Runtime.OutOfMemory"


async def test_a_posted_error_is_a_function_error_and_the_runtime_lives_on(bench):
    async def raises_once(runtime):
        event = await runtime.next()
        runtime.respond_error(event.request_id, b'{"errorType":"ValueError"}')
        return await echo()(runtime)

    async with bench(raises_once) as it:
        assert (await it.invoke()).is_error
        assert not (await it.invoke()).is_error
        assert len(it.launched) == 1


async def test_a_runtime_that_never_returns_is_replaced_at_the_old_deadline(bench):
    async def answers_and_sleeps(runtime):
        event = await runtime.next()
        runtime.respond(event.request_id, b"1")
        await asyncio.sleep(1_000)
        return 0

    async with bench(answers_and_sleeps, timeout_s=3.0) as it:
        await it.invoke()
        assert it.pool.live == 1
        await asyncio.sleep(3.1)
        assert it.pool.live == 0


async def test_an_idle_runtime_that_dies_is_replaced_silently(bench):
    async def dies_idle(runtime):
        async with asyncio.timeout(5):
            try:
                await runtime.next()
            except asyncio.CancelledError:
                return 1
        return 1

    async def script(runtime):
        try:
            return await dies_idle(runtime)
        except TimeoutError:
            return 1

    async with bench(script, echo(), min_runtimes=1) as it:
        await asyncio.sleep(6)
        assert (await it.invoke(b"1")).payload == b"1"


async def test_the_deadline_counts_from_the_handover(bench):
    seen = []

    async def script(runtime):
        while True:
            event = await runtime.next()
            seen.append(event.headers)
            await asyncio.sleep(2.0)
            runtime.respond(event.request_id, b"1")

    async with bench(script, max_concurrency=1, timeout_s=3.0) as it:
        results = await it.answers(4)
        assert [result.is_error for result in results] == [False] * 4
    assert len({headers["lambda-runtime-invocation-id"] for headers in seen}) == 4


async def test_a_crash_loop_makes_new_events_fail_at_once(bench):
    async def broken(runtime):
        runtime.init_error(b'{"errorType":"Runtime.Broken"}')
        return 1

    async with bench(broken) as it:
        for _ in range(5):
            await it.invoke()
        assert len(it.launched) == 5
        began = now()
        assert (await it.invoke()).payload == b'{"errorType":"Runtime.Broken"}'
        assert (now(), len(it.launched)) == (began, 5)
        await asyncio.sleep(0.11)
        await it.invoke()
        assert len(it.launched) == 6


async def test_one_good_start_ends_a_crash_loop(bench):
    async def broken(runtime):
        return 1

    async with bench(*[broken] * 5, echo()) as it:
        for _ in range(5):
            await it.invoke()
        await asyncio.sleep(0.2)
        assert not (await it.invoke()).is_error
        assert len(it.launched) == 6


async def test_a_caller_that_leaves_the_line_takes_its_event_along(bench):
    seen = []

    async def script(runtime):
        while True:
            event = await runtime.next()
            seen.append(event.payload)
            await asyncio.sleep(1)
            runtime.respond(event.request_id, b"1")

    async with bench(script, max_concurrency=1) as it:
        first = asyncio.create_task(it.invoke(b"first"))
        await asyncio.sleep(0.1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await it.invoke(b"left")
        await it.invoke(b"last")
        await first
    assert seen == [b"first", b"last"]


async def test_a_caller_that_leaves_a_running_event_does_not_disturb_the_runtime(bench):
    async with bench(echo(1.0), max_concurrency=1) as it:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await it.invoke()
        assert (await it.invoke(b"next")).payload == b"next"
        assert len(it.launched) == 1


async def test_an_event_whose_callers_time_ends_in_the_line_is_refused(bench):
    async with bench(echo(2.0), max_concurrency=1) as it:
        first = asyncio.create_task(it.invoke())
        await asyncio.sleep(0.1)
        began = now()
        with pytest.raises(PoolFull):
            await it.invoke(deadline_s=began + 0.5)
        assert now() - began == pytest.approx(0.5)
        await first


async def test_a_full_line_refuses(bench):
    async with bench(echo(1.0), max_concurrency=1, max_waiting=2) as it:
        tasks = [asyncio.create_task(it.invoke()) for _ in range(4)]
        await asyncio.wait(tasks)
        errors = [type(task.exception()) for task in tasks]
        assert errors == [type(None), type(None), PoolFull, PoolFull]


async def test_shutdown_lets_busy_events_end_and_refuses_waiting_ones(bench):
    async with bench(echo(1.0), max_concurrency=1) as it:
        busy, waiting = asyncio.create_task(it.invoke(b"1")), asyncio.create_task(it.invoke(b"2"))
        await asyncio.sleep(0.5)
        assert await it.pool.shutdown() == 0
        assert (await busy).payload == b"1"
        with pytest.raises(PoolClosed):
            await waiting
        with pytest.raises(PoolClosed):
            await it.invoke()


async def test_shutdown_cuts_what_exceeds_the_drain_time(bench):
    async with bench(echo(100.0), timeout_s=900) as it:
        busy = asyncio.create_task(it.invoke())
        await asyncio.sleep(0.5)
        began = now()
        assert await it.pool.shutdown(2.0) == 1
        assert now() - began == pytest.approx(2.0)
        with pytest.raises(PoolClosed):
            await busy


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.name)
def test_what_the_table_does_not_allow_is_illegal(state):
    for signal in Signal:
        if signal in TRANSITIONS[state]:
            assert follow(state, signal) is TRANSITIONS[state][signal]
        else:
            with pytest.raises(IllegalTransition):
                follow(state, signal)
