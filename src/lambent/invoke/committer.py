"""One thread for the event store, committing in groups.

A call is queued with a future of the event loop. The thread takes the first call, collects what else arrives within
2 ms, runs all in one transaction and resolves the futures after the commit. When a group fails (a full disk), each of
its calls is tried alone, so that one bad call does not take others with it. The queue is bounded: beyond it the caller
is refused.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from lambent.errors import LambentError
from lambent.invoke.async_store import EventStore, in_transaction
from lambent.telemetry import histogram

_COMMIT_SECONDS = histogram("async_commit_seconds", "Time of one group commit of the event queue")
_GROUP_S = 0.002  # how long the first call of a group waits for company
_GROUP_SIZE = 512
_QUEUED = 10_000

Answer = TypeVar("Answer")


class QueueUnavailable(LambentError):
    """The event queue cannot take or give events now: full disk, too many waiting calls, stopped."""

    http_status = 503
    aws_code = "ServiceException"
    reason = "EventQueueUnavailable"


class Runner(Protocol):
    """Runs a call on the store so that its effect is durable when the await ends."""

    async def run(self, call: Callable[[EventStore], Answer]) -> Answer: ...
    async def shutdown(self) -> None: ...


@dataclass(slots=True)
class _Call:
    function: Callable[[EventStore], Any]
    future: "asyncio.Future[Any]"
    answer: Any = None
    error: Exception | None = None

    def step(self, store: EventStore) -> None:
        self.answer = self.function(store)


class InlineRunner:
    """Commits each call at once, on the caller's thread: for tests on virtual time."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def run(self, call: Callable[[EventStore], Answer]) -> Answer:
        answers: list[Answer] = []
        in_transaction(self._store, [lambda: answers.append(call(self._store))])
        return answers[0]

    async def shutdown(self) -> None:
        self._store.close()


class GroupCommitter:
    """Starts its thread at once; `shutdown` finishes what is queued and closes the store."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._queue: queue.Queue[_Call | None] = queue.Queue(_QUEUED)
        self._loop = asyncio.get_running_loop()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._serve, name="lambent-async-store", daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[EventStore], Answer]) -> Answer:
        """Raises `QueueUnavailable`."""
        if self._is_stopped:
            raise QueueUnavailable("the event queue is stopped")
        future: asyncio.Future[Answer] = self._loop.create_future()
        try:
            self._queue.put_nowait(_Call(call, future))
        except queue.Full:
            raise QueueUnavailable("too many calls wait for the event queue") from None
        return await future

    async def shutdown(self) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            await asyncio.to_thread(self._queue.put, None)
            await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while True:
            group, is_last = self._collect()
            if group:
                self._commit(group)
                self._loop.call_soon_threadsafe(_resolve, group)
            if is_last:
                self._store.close()
                return

    def _collect(self) -> tuple[list[_Call], bool]:
        """The next group, and whether the stop mark came with it."""
        group: list[_Call] = []
        wait_s: float | None = None
        while len(group) < _GROUP_SIZE:
            try:
                call = self._queue.get(timeout=wait_s)
            except queue.Empty:
                break
            if call is None:
                return group, True
            group.append(call)
            if len(group) == 1:
                ends_s = time.monotonic() + _GROUP_S
            wait_s = max(0.0, ends_s - time.monotonic())
            if wait_s == 0.0 and self._queue.empty():
                break
        return group, False

    def _commit(self, group: list[_Call]) -> None:
        with _COMMIT_SECONDS.time():
            try:
                in_transaction(self._store, [lambda call=call: call.step(self._store) for call in group])
            except (sqlite3.Error, OSError):
                for call in group:
                    self._commit_alone(call)

    def _commit_alone(self, call: _Call) -> None:
        try:
            in_transaction(self._store, [lambda: call.step(self._store)])
        except (sqlite3.Error, OSError) as error:
            call.error = QueueUnavailable(f"the event queue cannot be written: {error}")


def _resolve(group: list[_Call]) -> None:
    for call in group:
        if call.future.done():
            continue  # its caller was cancelled
        if call.error is not None:
            call.future.set_exception(call.error)
        else:
            call.future.set_result(call.answer)
