"""A daemon starts, serves until a signal, and shuts down whatever happened."""

import asyncio
import os
import signal

import pytest

from lambent.errors import LambentError
from lambent.platform.daemon import run_daemon


class Recorded:
    """Notes what is asked of it; may fail or end where a test wants it."""

    def __init__(self, *, fails: str = "", ends: bool = False) -> None:
        self.calls: list[str] = []
        self._fails = fails
        self._ends = ends

    async def startup(self) -> None:
        self.calls.append("startup")
        if self._fails == "startup":
            raise LambentError("cannot start")

    async def serve(self) -> None:
        self.calls.append("serve")
        if not self._ends:
            await asyncio.Event().wait()

    async def shutdown(self) -> None:
        self.calls.append("shutdown")


async def test_a_signal_ends_it_in_order() -> None:
    daemon = Recorded()
    asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
    assert await run_daemon(daemon) == 0
    assert daemon.calls == ["startup", "serve", "shutdown"]


async def test_a_failed_start_is_cleaned_up_and_told() -> None:
    daemon = Recorded(fails="startup")
    with pytest.raises(LambentError, match="cannot start"):
        await run_daemon(daemon)
    assert daemon.calls == ["startup", "shutdown"]


async def test_a_daemon_that_ends_by_itself_has_failed() -> None:
    daemon = Recorded(ends=True)
    assert await run_daemon(daemon) == 1
    assert daemon.calls == ["startup", "serve", "shutdown"]
