"""Virtual time: hours pass in milliseconds, in the right order."""

import asyncio
from datetime import UTC, datetime

import pytest

from lambent.clock import VirtualTimeLoop, parse_rfc3339, rfc3339, rfc3339_micro


def test_hours_of_sleep_pass_at_once_and_in_order() -> None:
    order: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(name)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await asyncio.gather(sleeper("late", 7200), sleeper("early", 3600))
        return loop.time() - begin

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == pytest.approx(7200)
    assert order == ["early", "late"]


def test_stamps_are_those_of_kubernetes() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC)
    assert rfc3339(moment) == "2026-01-02T03:04:05Z"
    assert rfc3339_micro(moment) == "2026-01-02T03:04:05.678900Z"
    assert parse_rfc3339("2026-01-02T03:04:05.678900Z") == moment
