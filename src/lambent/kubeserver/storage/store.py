"""The store: what is committed, what is pending, and the group commit between them.

A write is staged synchronously against the *pending* state (so two writes of one loop turn see each other), gets its
resource version there, and goes to the journal, which commits all that waits there in one transaction. Only then are
writes visible, answered and published, in the order of their versions. If a commit fails, everything staged after it
was built on sand: all of it fails, and the store is no longer ready.

Not here: any meaning of an object's members, and the file format (`journal`).
"""

import asyncio
import logging
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from lambent.kube.types import KubeObject
from lambent.kubeserver.status import ApiError
from lambent.kubeserver.storage.history import History
from lambent.kubeserver.storage.journal import Journal
from lambent.kubeserver.storage.records import Change, ChangeType, Record, record_from_body, record_of
from lambent.telemetry import counter, gauge

log = logging.getLogger(__name__)

_commits = counter("kubeserver_commits_total", "Group commits of the embedded API server.")
_writes = counter("kubeserver_writes_total", "Changes committed by the embedded API server.")
_objects = gauge("kubeserver_objects", "Objects stored by the embedded API server.")

_DECODED_COUNT = 640  # objects of 3 kB take three times that as dicts
_DECODED_BYTES = 16 * 1024

Listener = Callable[[Change], None]
_Staged = tuple[Change, "asyncio.Future[Record]"]


class Bucket:
    """The committed objects of one kind, by path, with their order by bytes of `namespace/name`."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self._order: list[str] | None = []

    def put(self, record: Record) -> None:
        path = record.path
        if path not in self.records:
            self._order = None
        self.records[path] = record

    def drop(self, path: str) -> None:
        if self.records.pop(path, None) is not None:
            self._order = None

    def ordered(self, namespace: str = "") -> list[Record]:
        if self._order is None:
            self._order = sorted(self.records)
        order = self._order
        if namespace:
            # "0" is the byte after "/", so this is the range of paths that begin with "namespace/".
            order = order[bisect_left(order, f"{namespace}/") : bisect_left(order, f"{namespace}0")]
        return [self.records[path] for path in order]


class Store:
    """`journal` None keeps everything in memory."""

    def __init__(self, path: Path | None) -> None:
        self.history = History()
        self.counter = 0
        self.is_ready = True
        self._loop: asyncio.AbstractEventLoop  # that of `load`
        self._journal = Journal(path, self._report) if path else None
        self._buckets: dict[str, Bucket] = {}
        self._pending: dict[tuple[str, str], Record | None] = {}
        self._next = 0
        self._staged: deque[_Staged] = deque()
        self._decoded: deque[Record] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._listeners: list[Listener] = []

    def load(self) -> None:
        """Reads the file; to be called once, before anything else, in the loop that writes."""
        self._loop = asyncio.get_running_loop()
        if self._journal is None:
            return
        snapshot = self._journal.open()
        self.counter = self._next = snapshot.counter
        for bucket, rv, body in snapshot.objects:
            self._bucket(bucket).put(record_from_body(body, rv))
        self._replay(snapshot.changes)
        _objects.set(len(snapshot.objects))

    def _replay(
        self, changes: Iterable[tuple[int, str, ChangeType, bytes]] | list[tuple[int, str, str, bytes]]
    ) -> None:
        last: dict[tuple[str, str], Record] = {}
        # What a change made and is still so has been read: to decode it again takes a third of a start with many.
        present = {record.rv: record for bucket in self._buckets.values() for record in bucket.records.values()}
        self.history.floor = self.counter
        now = self._loop.time()
        for index, (rv, bucket, kind, body) in enumerate(changes):
            record = present.get(rv) or record_from_body(body, rv)
            if index == 0:
                self.history.floor = rv - 1
            old = last.get((bucket, record.path))
            self.history.add(Change(rv, bucket, kind, record, None if kind == "ADDED" else old or record), now)  # type: ignore[arg-type]  # text from the file
            last[bucket, record.path] = record

    def listen(self, listener: Listener) -> None:
        """`listener` is called for every committed change, in order, before its writer is answered."""
        self._listeners.append(listener)

    # Reading: committed state only.

    def get(self, bucket: str, path: str) -> Record | None:
        found = self._buckets.get(bucket)
        return found.records.get(path) if found else None

    def scan(self, bucket: str, namespace: str = "") -> list[Record]:
        found = self._buckets.get(bucket)
        return found.ordered(namespace) if found else []

    def scan_at(self, bucket: str, rv: int, namespace: str = "") -> list[Record]:
        """The list as it was at `rv`, which history must still reach."""
        later = self.history.since(bucket, rv)
        if not later:
            return self.scan(bucket, namespace)
        state = {record.path: record for record in self.scan(bucket, namespace)}
        for change in reversed(later):
            if namespace and change.record.namespace != namespace:
                continue
            if change.old is None:
                state.pop(change.record.path, None)
            else:
                state[change.record.path] = change.old
        return [state[path] for path in sorted(state)]

    def buckets(self) -> Iterable[str]:
        return list(self._buckets)

    # Writing: against pending state, synchronously.

    def peek(self, bucket: str, path: str) -> Record | None:
        """The newest version, committed or not: what a write has to be checked against."""
        key = (bucket, path)
        return self._pending[key] if key in self._pending else self.get(bucket, path)

    def put(self, bucket: str, obj: KubeObject, *, epoch: int = 0) -> "asyncio.Future[Record]":
        """Stages `obj` as the next version; the future holds its record once it is committed."""
        self._next += 1
        record = record_of(obj, self._next, epoch=epoch)
        old = self.peek(bucket, record.path)
        if old is not None:
            old.decoded = None
        self._remember(record)
        return self._stage(Change(self._next, bucket, "MODIFIED" if old else "ADDED", record, old))

    def remove(self, bucket: str, obj: KubeObject) -> "asyncio.Future[Record]":
        """Stages the deletion of `obj`; the future holds its last state under the version of the deletion."""
        self._next += 1
        record = record_of(obj, self._next)
        record.decoded = None
        return self._stage(Change(self._next, bucket, "DELETED", record, self.peek(bucket, record.path)))

    def _remember(self, record: Record) -> None:
        """The next write of an object mostly follows soon, and begins with what this one made."""
        if len(record.body) > _DECODED_BYTES:
            record.decoded = None
            return
        while len(self._decoded) >= _DECODED_COUNT:
            self._decoded.popleft().decoded = None
        self._decoded.append(record)

    def _stage(self, change: Change) -> "asyncio.Future[Record]":
        if not self.is_ready:
            raise ApiError(500, "the store cannot be written", reason="InternalError")
        future: asyncio.Future[Record] = self._loop.create_future()
        self._pending[change.bucket, change.record.path] = None if change.type == "DELETED" else change.record
        self._staged.append((change, future))
        self._idle.clear()
        if self._journal is not None:
            self._journal.append(change, self.history.floor)
        elif len(self._staged) == 1:
            self._loop.call_soon(self._commit_in_memory)
        return future

    def _commit_in_memory(self) -> None:
        self._committed(len(self._staged), None)

    def _report(self, count: int, error: Exception | None) -> None:
        """Runs in the journal's thread."""
        self._loop.call_soon_threadsafe(self._committed, count, error)

    def _committed(self, count: int, error: Exception | None) -> None:
        """The oldest `count` of what is staged are on disk."""
        if error is not None:
            self._fail(error)
            return
        flown = [self._staged.popleft() for _ in range(count)]
        now = self._loop.time()
        for change, _ in flown:
            self._publish(change, now)
        for change, future in flown:
            if not future.done():
                future.set_result(change.record)
        _commits.inc()
        _writes.inc(count)
        if not self._staged:
            self._idle.set()

    def _publish(self, change: Change, now: float) -> None:
        bucket = self._bucket(change.bucket)
        if change.type == "DELETED":
            bucket.drop(change.record.path)
            _objects.dec()
        else:
            bucket.put(change.record)
            if change.old is None:
                _objects.inc()
        key = (change.bucket, change.record.path)
        if key in self._pending and self._pending[key] is (None if change.type == "DELETED" else change.record):
            del self._pending[key]
        self.counter = change.rv
        self.history.add(change, now)
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:
                log.exception("a listener failed", extra={"bucket": change.bucket, "type": change.type})

    def _fail(self, error: Exception) -> None:
        if not self.is_ready:  # what was staged after the first failure has failed with it
            return
        log.error("a commit failed; the store is read-only until restart: %s", error)
        self.is_ready = False
        lost, self._staged = self._staged, deque()
        self._pending.clear()
        self._next = self.counter
        for _, future in lost:
            if not future.done():
                future.set_exception(ApiError(500, "the store could not commit the write", reason="InternalError"))
        self._idle.set()

    def _bucket(self, name: str) -> Bucket:
        found = self._buckets.get(name)
        if found is None:
            found = self._buckets[name] = Bucket()
        return found

    async def close(self) -> None:
        """Commits what is staged, then closes the file."""
        await self._idle.wait()
        if self._journal is not None:
            await self._loop.run_in_executor(None, self._journal.close)
