"""A cluster and an AWS in memory, the controllers between them, and virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from lambent.clock import VirtualTimeLoop
from lambent.resources.fake.world import World


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    module = item.getparent(pytest.Module)
    if module is not None and getattr(module.obj, "REAL_TIME", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    found = World()
    await found.start()
    yield found
    await found.stop()
