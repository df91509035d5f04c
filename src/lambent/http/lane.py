"""A bounded set of threads that run calls for the event loop, and the queue before them.

Not a `ThreadPoolExecutor`: its threads are joined when the interpreter ends, so that one call that waits (a long poll)
would keep a stopped process alive. These are daemons; `shutdown` waits for them within a bound and says what is left.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]


class Lane:
    """Used from one event loop. Threads start when there is work for them and stay."""

    def __init__(self, name: str, threads: int, queued: int) -> None:
        self._name = name
        self._size = threads
        self._limit = threads + queued
        self._is_closed = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._taken: set[asyncio.Future[Any]] = set()

    @property
    def is_full(self) -> bool:
        """True after a shutdown too: nothing more is taken."""
        return self._is_closed or len(self._taken) >= self._limit

    def run(self, call: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":
        """A future of the call's result or exception. Cancelling it does not stop a call that has begun; its slot is
        taken until the thread is free."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._taken.add(future)
        future.add_done_callback(self._release)
        self._jobs.put((future, call, arguments))
        if len(self._threads) < min(len(self._taken), self._size):
            name = f"{self._name}-{len(self._threads)}"
            thread = threading.Thread(target=_work, args=(self._jobs, loop), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def _release(self, future: asyncio.Future[Any]) -> None:
        self._taken.discard(future)
        if not future.cancelled():
            future.exception()  # seen here, in case the caller has gone

    async def shutdown(self, drain_s: float) -> int:
        """Cancels what is queued, waits for what runs at most this long; gives how many calls still run."""
        self._is_closed = True
        while not self._jobs.empty():
            job = self._jobs.get_nowait()
            if job is not None:
                job[0].cancel()
        for _ in self._threads:
            self._jobs.put(None)
        running = set(self._taken)
        if running:
            await asyncio.wait(running, timeout=drain_s)
        return sum(not future.done() for future in running)


def _work(jobs: "queue.SimpleQueue[_Job | None]", loop: asyncio.AbstractEventLoop) -> None:
    """A thread's life: calls until it is told to end or the loop is gone."""
    while (job := jobs.get()) is not None:
        future, call, arguments = job
        if future.cancelled():
            continue
        result, error = None, None
        try:
            result = call(*arguments)
        except BaseException as raised:  # noqa: BLE001 - not ours to judge: it is raised in the caller
            error = raised
        try:
            loop.call_soon_threadsafe(_settle, future, result, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
