"""Servers for the tests of the embedded API server: in memory, called without a socket unless the test needs one.

Every test here runs on virtual time (a watch of a minute costs nothing), except in modules that say `REAL_TIME = True`:
they use files, sockets or processes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from lambent.clock import VirtualTimeLoop
from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import Asker


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    module = item.getparent(pytest.Module)
    if module is not None and getattr(module.obj, "REAL_TIME", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
async def server() -> AsyncIterator[KubeServer]:
    running = KubeServer(state_dir=None)
    await running.open()
    yield running
    await running.shutdown()


@pytest.fixture
def ask(server: KubeServer) -> Asker:
    return Asker(server)
