"""Tests with an event loop run on virtual time."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from lambent.clock import VirtualTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualTimeLoop}
