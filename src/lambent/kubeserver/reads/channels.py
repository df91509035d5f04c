"""Who watches a bucket, and how its changes reach them: in runs, each offered to every watcher.

The first change is handed out at once; with many watchers the next run when a time in proportion to their number has
passed, so that waking them costs a bounded share of the loop however fast the writes come. A run goes straight to the
connections of those that wait for nothing else, without a turn of their tasks. A watcher that falls 4 096 changes or
16 MiB behind is marked, to be cut off: a slow reader never delays a write.
"""

import asyncio

from lambent.http.message import Outlet
from lambent.kubeserver.reads.lines import Lines, Run
from lambent.kubeserver.storage.records import Change

BACKLOG_COUNT, BACKLOG_BYTES = 4_096, 16 * 1024 * 1024
FEW_WATCHERS = 16
"""Up to here each commit is told at once; above, a burst of changes is told in runs."""
PAUSE_PER_WATCHER_S = 500e-6
"""A write to a connection costs some 10 us and 0.3 us for each KB: the more changes it has, the less they cost. So the
first part of it takes a fiftieth of the time of writers at most."""
LONGEST_PAUSE_S = 0.05


class Watcher:
    """The backlog of one watch. One reader waits on it; a plain future and timer, as there may be many of these.

    It is past all changes up to version `seen`; those up to `shown` are no news for its reader.
    """

    def __init__(self, lines: Lines, namespace: str) -> None:
        self.lines = lines
        self.namespace = namespace
        self.outlet: Outlet | None = None
        self.seen = self.shown = 0
        self.backlog: list[Run] = []
        self.is_behind = False
        self.is_ended = False
        self._count = 0
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def offer(self, run: Run) -> None:
        if self._waiter is not None and not self._waiter.done() and self._pushed(run):
            return
        if self._count >= BACKLOG_COUNT or self._bytes > BACKLOG_BYTES:
            self.is_behind = True
            self.backlog.clear()
        if not self.is_behind:
            self.backlog.append(run)
            self._count += len(run.changes)
            self._bytes += run.size_bytes
        self._wake()

    def _pushed(self, run: Run) -> bool:
        """Whether the run is on its way already: its reader waits for nothing before it, and has the common text."""
        if self.outlet is None:
            return False
        text = self.lines.shared(run, self.namespace, self.shown)
        if text is None or (text and not self.outlet(text)):
            return False
        self.seen = run.changes[-1].rv
        return True

    def take(self) -> list[Run]:
        taken, self.backlog = self.backlog, []
        self._count = self._bytes = 0
        return taken

    def end(self) -> None:
        self.is_ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Until there is something to do, at most this long."""
        if self.backlog or self.is_behind or self.is_ended or seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None


class Channel:
    """The watchers of one bucket, and the changes that wait for the next run."""

    def __init__(self) -> None:
        self.watchers: set[Watcher] = set()
        self.waiting: list[Change] = []
        self._next_s = 0.0
        self._is_due = False

    def add(self, change: Change) -> None:
        if not self.watchers:
            return
        self.waiting.append(change)
        if not self._is_due:
            self._is_due = True
            loop = asyncio.get_running_loop()
            if self._next_s <= loop.time():
                loop.call_soon(self.hand_out)
            else:
                loop.call_at(self._next_s, self.hand_out)

    def hand_out(self) -> None:
        self._is_due = False
        changes, self.waiting = self.waiting, []
        if changes:
            run = Run(changes)
            for watcher in self.watchers:
                watcher.offer(run)
        self._next_s = asyncio.get_running_loop().time() + self._pause_s()

    def _pause_s(self) -> float:
        count = len(self.watchers)
        return min(count * PAUSE_PER_WATCHER_S, LONGEST_PAUSE_S) if count > FEW_WATCHERS else 0.0
