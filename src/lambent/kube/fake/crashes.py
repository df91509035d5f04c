"""Deaths of a controller process at every write, each followed by a restart: what must hold afterwards, holds always.

A life is a coroutine that runs controllers against a `FakeKube` until it is cancelled. It is run on a fresh server and
killed after its 0th, 1st, 2nd ... write, then started again and left until the server is quiet. Run it on virtual time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from lambent.kube.fake.client import FakeKube
from lambent.kube.fake.faults import Crash

Life = Callable[[FakeKube], Awaitable[None]]


async def until_quiet(kube: FakeKube, *, quiet_s: float = 30.0, limit_s: float = 3600.0) -> None:
    """Returns when nothing was written for `quiet_s`; raises TimeoutError when that never comes."""
    async with asyncio.timeout(limit_s):
        seen = -1
        while seen != kube.revision:
            seen = kube.revision
            await asyncio.sleep(quiet_s)


async def lives_to_quiet(kube: FakeKube, life: Life, *, quiet_s: float = 30.0) -> bool:
    """One life, until the server is quiet (True) or the process crashes (False)."""
    task = asyncio.ensure_future(_run(life, kube))
    quiet = asyncio.ensure_future(until_quiet(kube, quiet_s=quiet_s))
    try:
        await asyncio.wait({task, quiet}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await quiet
        return not (task.done() and await task)
    finally:
        for one in (task, quiet):
            one.cancel()
        await asyncio.wait({task, quiet})


async def crash_at_every_write(
    make: Callable[[], FakeKube], life: Life, *, quiet_s: float = 30.0, most: int = 200
) -> AsyncIterator[tuple[int, FakeKube]]:
    """Yields (n, server) after a crash behind the n-th write, a restart, and quiet; ends with the first n at which
    the life came to quiet by itself.
    """
    for writes in range(most):
        kube = make()
        kube.crash_after(writes)
        survived = await lives_to_quiet(kube, life, quiet_s=quiet_s)
        kube.faults.clear()
        kube.cut_watches()
        await lives_to_quiet(kube, life, quiet_s=quiet_s)
        yield writes, kube
        if survived:
            return


async def _run(life: Life, kube: FakeKube) -> bool:
    """True when the life ended in a crash."""
    try:
        await life(kube)
    except BaseExceptionGroup as group:
        crash, rest = group.split(Crash)
        if crash is None or (rest is not None and rest.split(asyncio.CancelledError)[1] is not None):
            raise
        return True
    except Crash:
        return True
    return False
