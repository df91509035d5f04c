"""How a long-running command runs: uvloop, signals, an orderly end within bounds.

A daemon has exactly `startup`, `serve` and `shutdown`. SIGINT and SIGTERM only ask it to stop; a second one ends the
process at once. Shutdown has a bound of its own, so that no hung part can keep the process.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")

# Above the drain of every part (20 s by default), below the 30 s after which Kubernetes kills.
SHUTDOWN_BOUND_S = 28.0
# A request that is served leaves some hundred containers for reference counting to free; at Python's own 700 the
# collector would look for cycles among the thousands of requests in flight several times per turn of the loop.
GC_THRESHOLDS = (20_000, 20, 50)


class Daemon(Protocol):
    async def startup(self) -> None: ...

    async def serve(self) -> None:
        """Returns when the daemon can no longer do its work; most wait until cancelled."""
        ...

    async def shutdown(self) -> None: ...


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Runs a coroutine on uvloop where there is one, on asyncio's loop elsewhere."""
    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:

        async def entry() -> T:
            return await main()

        return runner.run(entry())


async def run_daemon(daemon: Daemon, *, on_ready: Callable[[], None] = lambda: None) -> int:
    """Startup, serve until a signal, shutdown; returns the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        if stop.is_set():
            os._exit(1)
        log.info("stopping; a second signal ends it at once")
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask_to_stop)
    try:
        await _startup_unless_stopped(daemon, stop)
        if not stop.is_set():
            on_ready()
            spare_the_collector()
            return await _serve_until(daemon, stop)
        return 0
    finally:
        await _shutdown_bounded(daemon)


def spare_the_collector() -> None:
    """Takes what a start has made, which stays for good, out of the collector's sight; the rest it sees more rarely."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _startup_unless_stopped(daemon: Daemon, stop: asyncio.Event) -> None:
    starting = asyncio.ensure_future(daemon.startup())
    waiting = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
    finally:
        await _cancel(starting, waiting)


async def _serve_until(daemon: Daemon, stop: asyncio.Event) -> int:
    serving = asyncio.ensure_future(daemon.serve())
    waiting = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
            log.error("a part of the process ended by itself")
            return 1
        return 0
    finally:
        await _cancel(serving, waiting)


async def _cancel(*tasks: "asyncio.Future[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _shutdown_bounded(daemon: Daemon) -> None:
    try:
        async with asyncio.timeout(SHUTDOWN_BOUND_S):
            await daemon.shutdown()
    except TimeoutError:
        log.error("shutdown took longer than %.0f s; what was left is cut off", SHUTDOWN_BOUND_S)
