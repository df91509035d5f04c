"""The work queue in virtual time: each row of its table, backoff, fairness, cancellation."""

import asyncio
import random

import pytest

from lambent.kube.outcome import Done, Fail, Retry, Wait
from lambent.kube.types import Key
from lambent.kube.workqueue import Backoff, QueueClosed, WorkQueue
from lambent.telemetry import REGISTRY

A, B = Key("n", "a"), Key("n", "b")


def now():
    return asyncio.get_running_loop().time()


@pytest.fixture
async def queue():
    return WorkQueue("test", backoff=Backoff(rng=random.Random(1)))


async def when(queue, key=A):
    """Seconds until `key` comes out."""
    started = now()
    assert await queue.get() == key
    return round(now() - started, 3)


async def test_the_earlier_deadline_wins(queue):
    queue.add_after(A, 10)
    queue.add_after(A, 3)
    queue.add_after(A, 20)
    assert await when(queue) == 3


async def test_an_add_overtakes_a_deadline(queue):
    queue.add_after(A, 10)
    queue.add(A)
    assert await when(queue) == 0
    queue.done(A, Done())
    assert len(queue) == 0


async def test_a_late_retry_survives_an_earlier_event(queue):
    queue.add(A)
    await queue.get()
    queue.add_after(A, 30)
    queue.done(A, Done())
    assert await when(queue) == 30


async def test_a_request_during_a_run_outlives_it(queue):
    queue.add(A)
    await queue.get()
    queue.add_after(A, 30)
    queue.add(A)
    queue.done(A, Wait(60))
    assert await when(queue) == 0


async def test_a_key_never_runs_twice_at_once(queue):
    queue.add(A)
    await queue.get()
    queue.add(A)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(100):
            await queue.get()
    queue.done(A, Done())
    assert await when(queue) == 0


async def test_an_abandoned_run_is_ready_again(queue):
    queue.add(A)
    await queue.get()
    queue.abandon(A)
    assert await when(queue) == 0


@pytest.mark.parametrize("outcome", [Done(), Fail("x")], ids=["done", "fail"])
async def test_done_and_fail_ask_for_nothing(queue, outcome):
    queue.add(A)
    await queue.get()
    queue.done(A, outcome)
    assert len(queue) == 0


async def test_retries_double_up_to_five_minutes_and_a_success_resets_them(queue):
    delays = []
    queue.add(A)
    for _ in range(14):
        delays.append(await when(queue))
        queue.done(A, Retry("x"))
    expected = [0.2 * 2**n for n in range(13)]
    for delay, exact in zip(delays[1:], expected, strict=True):
        assert min(exact, 300) * 0.9 <= delay <= min(exact, 300) * 1.1
    await queue.get()
    queue.done(A, Wait(1))
    assert queue.failures(A) == 0


async def test_an_early_wake_up_does_not_shorten_the_backoff(queue):
    queue.add(A)
    for _ in range(6):
        await queue.get()
        queue.done(A, Retry("x"))
        queue.add(A)
    await queue.get()
    queue.done(A, Retry("x"))
    assert await when(queue) >= 0.2 * 2**6 * 0.9


async def test_a_lost_race_does_not_count_as_failure(queue):
    queue.add(A)
    for _ in range(5):
        await queue.get()
        queue.done(A, Retry("conflict"), counts=False)
    assert await when(queue) <= 0.22
    assert queue.failures(A) == 0


async def test_live_keys_come_before_a_resync(queue):
    for number in range(5):
        queue.add(Key("n", f"old{number}"), "resync")
    queue.add(A)
    queue.add(Key("n", "old4"))
    assert [await queue.get() for _ in range(3)] == [A, Key("n", "old4"), Key("n", "old0")]


async def test_live_keys_without_end_do_not_keep_a_resync_waiting_for_ever(queue):
    queue.add(Key("n", "old"), "resync")
    taken = []
    for number in range(10):
        queue.add(Key("n", f"live{number}"))
        queue.add(Key("n", f"more{number}"))
        taken.append((await queue.get()).name)
    assert taken.index("old") == 7


async def test_namespaces_take_turns(queue):
    for name in "abc":
        queue.add(Key("big", name))
    queue.add(Key("small", "x"))
    assert [str(await queue.get()) for _ in range(4)] == ["big/a", "small/x", "big/b", "big/c"]


async def test_a_cancelled_worker_passes_its_wake_up_on(queue):
    first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
    await asyncio.sleep(1)
    queue.add(A)
    first.cancel()
    assert await second == A


async def test_close_sends_waiting_workers_home(queue):
    worker = asyncio.create_task(queue.get())
    await asyncio.sleep(1)
    queue.close()
    with pytest.raises(QueueClosed):
        await worker


async def test_delays_differ_by_a_tenth_either_way():
    delays = [Backoff().delay_s(3) for _ in range(400)]
    assert 0.8 * 0.9 <= min(delays) < 0.8 * 0.95
    assert 0.8 * 1.05 < max(delays) <= 0.8 * 1.1


async def test_within_a_namespace_the_first_is_the_first(queue):
    for name in "cab":
        queue.add(Key("n", name))
    queue.add(Key("n", "c"))
    assert [(await queue.get()).name for _ in range(3)] == ["c", "a", "b"]


async def test_a_controller_may_declare_more_priorities():
    queue = WorkQueue("four", priorities=("urgent", "live", "resync", "idle"))
    for priority in ("idle", "resync", "live", "urgent"):
        queue.add(Key("n", priority), priority)
    assert [(await queue.get()).name for _ in range(4)] == ["urgent", "live", "resync", "idle"]


async def test_without_a_rate_nothing_waits(queue):
    for number in range(1000):
        queue.add(Key("n", str(number)))
    started = now()
    for _ in range(1000):
        await queue.get()
    assert now() == started


async def test_an_overall_rate_is_kept():
    queue = WorkQueue("slow", rate_per_s=2)
    for number in range(6):
        queue.add(Key("n", str(number)))
    started = now()
    for _ in range(6):
        await queue.get()
    assert now() - started == pytest.approx(2.0, abs=0.01)


async def test_queues_of_one_name_are_one_in_the_metrics_while_they_are_worked_on():
    def told(name):
        return REGISTRY.get_sample_value(f"lambent_workqueue_{name}", {"controller": "shared", "priority": "live"})

    one, two = WorkQueue("shared"), WorkQueue("shared")
    one.add(A)
    await asyncio.sleep(3)
    two.add(A)
    two.add(B)
    assert (told("depth"), told("oldest_seconds")) == (3, 3)
    one.hide()
    assert (told("depth"), told("oldest_seconds")) == (2, 0)
    one.show()
    assert told("depth") == 3
