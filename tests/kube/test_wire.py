"""The wire between a process and its servers: faults of the weather as a client sees them, and the places to die at."""

import asyncio
import random
from typing import Any

import pytest

from lambent.kube.errors import Conflict, Gone, KubeError, ServerError, Throttled, Unreachable
from lambent.kube.fake import Crash, FakeKube
from lambent.kube.fake.wire import Weather, Wire, WiredKube
from lambent.kube.types import WatchOptions
from tests.kube.client_claims import WIDGET, WIDGETS, widget

NAMES = ["a", "b", "c", "d"]


def wired(wire: Wire) -> tuple[FakeKube, WiredKube]:
    kube = FakeKube(crds=[WIDGETS])
    return kube, WiredKube(kube, wire)


def in_weather(**chances: Any) -> Wire:
    return Wire(weather=Weather(random.Random(1), **chances))


async def watched(wire: Wire) -> tuple[list[str], KubeError | None]:
    """The names that a watch tells while four objects are made and the server ends it, and its error."""
    kube, client = wired(wire)
    seen: list[str] = []

    async def follow() -> None:
        async for event in client.watch(WIDGET, options=WatchOptions(resource_version="1")):
            seen.append(event.object["metadata"].get("name", "bookmark"))

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.1)
    for name in NAMES:
        await kube.create(widget("default", name))
    kube.cut_watches()
    await asyncio.wait([following])
    error = following.exception()
    assert error is None or isinstance(error, KubeError)
    return [name for name in seen if name != "bookmark"], error


async def test_in_calm_weather_every_event_comes_once_and_in_order():
    assert await watched(Wire()) == (NAMES, None)


async def test_dropped_events_are_missing_and_the_stream_ends_in_410():
    seen, error = await watched(in_weather(drops=0.5))
    assert 0 < len(seen) < len(NAMES)
    assert isinstance(error, Gone)
    assert error.code == 410


async def test_doubled_events_come_twice():
    assert await watched(in_weather(doubles=1.0)) == ([name for name in NAMES for _ in range(2)], None)


async def test_swapped_events_come_in_another_order_and_the_stream_ends_in_410():
    seen, error = await watched(in_weather(swaps=1.0))
    assert (sorted(seen), seen != NAMES) == (NAMES, True)
    assert isinstance(error, Gone)


async def test_delayed_events_come_late_and_in_order():
    start = asyncio.get_running_loop().time()
    assert await watched(in_weather(delays=1.0)) == (NAMES, None)
    assert asyncio.get_running_loop().time() > start + 1


async def test_a_broken_stream_ends_in_410_or_without_an_answer():
    ends = [await watched(Wire(weather=Weather(random.Random(seed), breaks=1.0))) for seed in range(20)]
    assert all(seen == [] for seen, _ in ends)
    assert {type(error) for _, error in ends} == {Gone, Unreachable}


async def called(wire: Wire, **how: Any) -> tuple[KubeError | None, bool]:
    """The error of a create and whether it took effect."""
    kube, client = wired(wire)
    try:
        await client.create(widget("default", "a"), **how)
    except KubeError as error:
        return error, kube.peek(WIDGET, "a", "default") is not None
    return None, True


async def test_a_failing_call_is_refused_with_409_429_5xx_or_lost_and_has_no_effect():
    ends = [await called(Wire(weather=Weather(random.Random(seed), fails=1.0))) for seed in range(40)]
    assert {type(error) for error, _ in ends} == {Conflict, Throttled, ServerError, Unreachable}
    assert not any(has_effect for _, has_effect in ends)


async def test_a_lost_answer_is_that_of_a_write_that_took_effect():
    error, has_effect = await called(in_weather(loses_answer=1.0))
    assert isinstance(error, Unreachable)
    assert has_effect


async def test_a_hanging_call_ends_late_and_has_no_effect():
    start = asyncio.get_running_loop().time()
    error, has_effect = await called(in_weather(hangs=1.0))
    assert isinstance(error, Unreachable)
    assert not has_effect
    assert asyncio.get_running_loop().time() > start + 1


@pytest.mark.parametrize(("point", "has_effect"), [(2, False), (3, True)], ids=["before", "after"])
async def test_a_process_dies_before_or_after_a_call_and_sends_nothing_more(point: int, has_effect: bool):
    wire = Wire(dies_at=point)
    kube, client = wired(wire)
    await client.create(widget("default", "a"))
    for _ in range(2):
        with pytest.raises(Crash):
            await client.create(widget("default", "b"))
    assert (kube.peek(WIDGET, "b", "default") is not None) is has_effect
    assert wire.died.is_set()
