"""Runtimes are killed at random under load: each hit call is told, the others succeed, nothing stays behind."""

import asyncio
import json
import os
import random
import signal

import pytest

from lambent.execution import ExecutionSettings, procfs
from lambent.runtime.settings import PoolSettings

pytestmark = pytest.mark.e2e

SOURCE = """import os, time
def handler(event, context):
    time.sleep(event)
    return os.getpid()
"""
CALLS, CALLERS, KILLS = 240, 8, 40


@pytest.fixture
def settings() -> ExecutionSettings:
    """Without the crash loop: kills during init would be taken for a broken function, rightly."""
    return ExecutionSettings(pool=PoolSettings(max_concurrency=4, drain_s=2.0, crash_loop_after=10_000))


async def test_kills_hit_only_the_calls_of_the_killed(platform):
    spec = platform.function(SOURCE, timeout_s=20)
    await platform.invoke(spec, 0)
    await asyncio.sleep(0.05)
    descriptors = len(os.listdir("/proc/self/fd"))
    chance, results, numbers = random.Random(5), [], iter(range(CALLS))

    async def caller() -> None:
        for _ in numbers:
            results.append(await platform.invoke(spec, 0.004))

    async def killer(callers: asyncio.Task[None]) -> int:
        killed = 0
        while not callers.done() and killed < KILLS:
            await asyncio.sleep(0.02)
            runtimes = [pid for pid in procfs.children(os.getpid()) if procfs.tag(pid) > 1 << 60]
            if runtimes:
                os.kill(chance.choice(runtimes), signal.SIGKILL)
                killed += 1
        return killed

    async def callers() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller())

    load = asyncio.create_task(callers())
    killed = await killer(load)
    async with asyncio.timeout(30):
        await load
    failures = [json.loads(result.payload) for result in results if result.is_error]
    assert len(results) == CALLS
    assert {body["errorType"] for body in failures} <= {"Runtime.ExitError"}
    assert all("signal: killed" in body["errorMessage"] for body in failures)
    assert killed > 5
    assert len(failures) <= killed
    await platform.executor.retire(spec.pool_key)
    assert [pid for pid in procfs.children(os.getpid()) if procfs.tag(pid) > 1 << 60] == []
    assert len(os.listdir("/proc/self/fd")) <= descriptors
