"""Servers for the tests of the embedded API server: in memory, called without a socket unless the test needs one."""

from collections.abc import AsyncIterator

import pytest

from lambent.kubeserver import KubeServer
from tests.kubeserver.asking import Asker


@pytest.fixture
async def server() -> AsyncIterator[KubeServer]:
    running = KubeServer(state_dir=None)
    await running.open()
    yield running
    await running.shutdown()


@pytest.fixture
def ask(server: KubeServer) -> Asker:
    return Asker(server)
