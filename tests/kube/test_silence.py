"""The limit on silence: who is cut, when, and as what. On virtual time."""

import asyncio
from types import SimpleNamespace

import pytest

from lambent.kube.silence import Call, Silence


def _now():
    return asyncio.get_running_loop().time()


async def _call(silence, *, sleeps=(1000,)):
    """A call that waits, and before each wait but the first has got another byte; its seconds until the end."""
    began = _now()
    answer = SimpleNamespace(content=SimpleNamespace(total_bytes=0))
    try:
        with Call(silence) as call:
            for number, seconds in enumerate(sleeps):
                if number:
                    call.answer = answer
                    answer.content.total_bytes = number
                await asyncio.sleep(seconds)
    except TimeoutError:
        return "cut", _now() - began
    return "done", _now() - began


@pytest.mark.parametrize(
    ("sleeps", "ending", "longest_s"),
    [
        ((29,), "done", 29),
        ((1000,), "cut", 30),
        ((20, 1000), "cut", 60),
        ((20,) * 30, "done", 600),
        ((20, 20, 20, 1000), "cut", 120),
    ],
    ids=["in time", "silent", "a head, then silent", "slow and long", "slow, then silent"],
)
async def test_only_silence_ends_a_call(sleeps, ending, longest_s):
    found, seconds = await _call(Silence(30), sleeps=sleeps)
    assert found == ending
    assert seconds <= longest_s + 0.01
    assert ending == "done" or seconds - sum(sleeps[:-1]) >= 30 - 0.01


async def test_each_of_many_calls_has_its_own_limit():
    silence = Silence(30)

    async def late(start_s, sleeps):
        await asyncio.sleep(start_s)
        return await _call(silence, sleeps=sleeps)

    found = await asyncio.gather(late(0, (5,)), late(1, (99,)), late(2, (20, 20)), late(40, (99,)), late(41, (1,)))
    assert [ending for ending, _ in found] == ["done", "cut", "done", "cut", "done"]
    assert all(29.99 <= seconds <= 30.01 for ending, seconds in found if ending == "cut")
    assert silence.calls == {}


async def test_who_cancels_from_outside_is_obeyed():
    silence = Silence(30)
    task = asyncio.create_task(_call(silence))
    await asyncio.sleep(10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert silence.calls == {}


async def test_a_cancellation_at_the_moment_of_the_cut_is_obeyed():
    silence = Silence(30)
    task = asyncio.create_task(_call(silence))
    await asyncio.sleep(0)
    (call,) = silence.calls
    call.cut()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_that_is_cut_leaves_its_task_uncancelled():
    silence = Silence(30)
    assert (await _call(silence))[0] == "cut"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert (await _call(silence, sleeps=(1,)))[0] == "done"


async def test_after_its_end_the_limit_can_be_used_again():
    silence = Silence(30)
    await _call(silence, sleeps=(1,))
    silence.close()
    assert await _call(silence) == ("cut", pytest.approx(30, abs=0.01))
