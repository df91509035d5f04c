"""Watches: the stream of changes of one bucket, selected and rendered for its reader.

Committed changes are handed out in runs: the first at once, with many watchers the next when a time in proportion to
their number has passed, so that waking them costs a bounded share of the loop however fast the writes come. A run is
rendered once per form and namespace, and all its readers share the text; it goes straight to the connections of those
that wait for nothing else, without a turn of their tasks. A watcher that falls 4 096 changes or 16 MiB behind is cut
off with 410: a slow reader never delays a write.
Source: Kubernetes API concepts, "Efficient detection of changes" and "Streaming lists".
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Iterator
from typing import Any, NamedTuple, TypeVar

import orjson

from lambent.clock import WallClock
from lambent.http.message import Outlet, Pushing, Response, Shared
from lambent.kubeserver import selectors, status
from lambent.kubeserver.answers.negotiation import Form, check_stream
from lambent.kubeserver.answers.rendering import JSON, body_of, included, metadata_of, table
from lambent.kubeserver.answers.tables import layout
from lambent.kubeserver.call import Call
from lambent.kubeserver.reads.reading import future_version, version_of
from lambent.kubeserver.resources import Resource
from lambent.kubeserver.selectors import Selection
from lambent.kubeserver.status import ApiError
from lambent.kubeserver.storage.records import Change, Record
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.validation import errors
from lambent.telemetry import gauge

_watchers = gauge("kubeserver_watchers", "Open watches of the embedded API server.")

BACKLOG_COUNT, BACKLOG_BYTES = 4_096, 16 * 1024 * 1024
_CHUNK = 200  # objects in one piece of a large answer: about half a megabyte
BOOKMARK_S = 10.0
_CLOSING_S = 2  # a watch that ends sooner gets no closing bookmark: its reader has just begun; as kube-apiserver
_SHORTEST_S, _LONGEST_S = 1_800, 3_600  # a watch without a limit of its own ends in between, at random: no stampede
_END_ANNOTATION = "k8s.io/initial-events-end"

FEW_WATCHERS = 16
"""Up to here each commit is told at once; above, a burst of changes is told in runs."""
PAUSE_PER_WATCHER_S = 500e-6
"""A write to a connection costs some 10 us and 0.3 us for each KB: the more changes it has, the less they cost. So the
first part of it takes a fiftieth of the time of writers at most."""
LONGEST_PAUSE_S = 0.05

T = TypeVar("T")


class View(NamedTuple):
    """Everything a line depends on besides the change."""

    resource: Resource
    form: Form
    include: str


class Run:
    """Changes of one bucket that are handed out together, oldest first."""

    def __init__(self, changes: list[Change]) -> None:
        self.changes = changes
        self.size_bytes = sum(len(change.record.body) for change in changes)
        self.texts: dict[tuple[View, str], Shared] = {}

    def of(self, namespace: str, shown: int) -> list[Change]:
        """Those of a namespace ("" for all) after version `shown`."""
        return [c for c in self.changes if c.rv > shown and (not namespace or c.record.namespace == namespace)]


class Watcher:
    """The backlog of one watch. One reader waits on it; a plain future and timer, as there may be many of these.

    It is past all changes up to version `seen`; those up to `shown` are no news for its reader.
    """

    def __init__(self, lines: "_Lines", namespace: str) -> None:
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


class Hub:
    """All watchers, by bucket."""

    def __init__(self, store: Store, clock: WallClock) -> None:
        self._store = store
        self._clock = clock
        self._channels: dict[str, Channel] = {}
        store.listen(self._on_change)

    def _on_change(self, change: Change) -> None:
        channel = self._channels.get(change.bucket)
        if channel is not None:
            channel.add(change)

    def close(self, bucket: str = "") -> None:
        """Ends the watches of a bucket (its definition is gone), or all of them."""
        for name, channel in self._channels.items():
            if not bucket or name == bucket:
                for watcher in channel.watchers:
                    watcher.end()

    async def watch(self, call: Call) -> Response:
        """A 200 whose body lasts until the timeout; a start that is too old is one ERROR event."""
        seconds = call.number("timeoutSeconds")
        call.number("limit")
        chosen = selectors.parse(
            call.query.get("labelSelector", ""), call.query.get("fieldSelector", ""), call.resource
        )
        initial = _wants_initial(call)
        check_stream(call.request.header(b"accept").decode("latin-1"))
        start = version_of(call)
        if seconds <= 0:
            seconds = random.randint(_SHORTEST_S, _LONGEST_S)
        view = View(call.resource, call.form(), included(call))
        if view.form.kind == "PartialObjectMetadataList":  # no event is a list: kube-apiserver ends at the first
            return Response(200, [JSON])
        watcher = Watcher(_Lines(view, chosen, self._clock), call.namespace)
        stream = self._stream(call, watcher, start=start, initial=initial, seconds=seconds)
        return Response(200, [JSON], _Body(watcher, stream))

    async def _stream(
        self, call: Call, watcher: Watcher, *, start: int, initial: bool | None, seconds: int
    ) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        bookmarks = call.says("allowWatchBookmarks")
        lines = watcher.lines
        channel = self._channels.setdefault(call.resource.bucket, Channel())
        channel.watchers.add(watcher)
        _watchers.inc()
        try:
            seen = watcher.seen = self._store.counter
            watcher.shown = max(start, seen)  # a change up to here may still wait to be handed out
            if initial and start > seen:
                yield error_line(future_version(start, seen))
                return
            if 0 < start < self._store.history.floor and not initial:
                yield error_line(_too_old(start, self._store.history.floor))
                return
            for chunk in self._first(call, start, initial, lines):
                yield chunk
            if initial is not False and (initial or start == 0) and bookmarks:
                yield lines.bookmark(seen, marked=True)
            next_bookmark = loop.time() + BOOKMARK_S
            while True:
                left = end - loop.time()
                if left <= 0 or watcher.is_ended:
                    break
                await watcher.wait(min(left, next_bookmark - loop.time()) if bookmarks else left)
                if watcher.is_behind:
                    yield error_line(_too_old(watcher.seen, self._store.counter))
                    return
                for run in watcher.take():
                    watcher.seen = run.changes[-1].rv
                    if chunk := lines.of_run(run, call.namespace, watcher.shown):
                        yield chunk
                if bookmarks and loop.time() >= next_bookmark:
                    next_bookmark = loop.time() + BOOKMARK_S
                    is_all = not watcher.backlog and not channel.waiting
                    yield lines.bookmark(max(self._store.counter if is_all else watcher.seen, start))
            if bookmarks and seconds > _CLOSING_S:
                is_all = not watcher.backlog and not channel.waiting
                yield lines.bookmark(max(self._store.counter if is_all else watcher.seen, start))
        finally:
            channel.watchers.discard(watcher)
            _watchers.dec()

    def _first(self, call: Call, start: int, initial: bool | None, lines: "_Lines") -> Iterator[bytes]:
        """What the reader is owed before the live part: the present state, or the changes since `start`.

        In chunks, the first one perhaps empty (it opens the answer), so that a slow reader costs one chunk of memory.
        """
        bucket, wanted = call.resource.bucket, call.namespace
        # Taken before the first chunk is out: what is committed later comes from the backlog, once.
        records: list[Record] = []
        changes: list[Change] = []
        if initial or (start == 0 and initial is None):
            records = self._store.scan(bucket, wanted)
        elif start:
            changes = [
                c for c in self._store.history.since(bucket, start) if not wanted or c.record.namespace == wanted
            ]
        yield b""
        for some in _batches(records):
            yield b"".join(lines.added(record) for record in some)
        for part in _batches(changes):
            yield b"".join(lines.of(change) for change in part)


class _Body(Pushing):
    """The stream of a watch as an answer's body."""

    def __init__(self, watcher: Watcher, stream: AsyncGenerator[bytes, None]) -> None:
        self._watcher = watcher
        self._stream = stream

    def attach(self, outlet: Outlet) -> None:
        self._watcher.outlet = outlet

    def __anext__(self) -> Awaitable[bytes]:
        return self._stream.__anext__()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _batches(items: list[T]) -> Iterator[list[T]]:
    return (items[at : at + _CHUNK] for at in range(0, len(items), _CHUNK))


def _wants_initial(call: Call) -> bool | None:
    """sendInitialEvents, or None when unset; it needs resourceVersionMatch=NotOlderThan."""
    is_told, match = "sendInitialEvents" in call.query, call.query.get("resourceVersionMatch", "")
    found = []
    if is_told and match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        found.append(errors.forbidden("resourceVersionMatch", text))
    if match and not is_told:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        found.append(errors.forbidden("resourceVersionMatch", text))
    if match not in ("", "NotOlderThan"):
        found.append(errors.unsupported("resourceVersionMatch", match, ["NotOlderThan"]))
    is_legacy = not is_told and call.query.get("resourceVersion", "") in ("", "0")
    if (match or is_legacy) and call.query.get("continue"):
        text = "resourceVersionMatch is forbidden when continue is provided"
        found.append(errors.forbidden("resourceVersionMatch", text))
    if found:
        raise status.invalid("meta.k8s.io", "ListOptions", "", found)
    return call.says("sendInitialEvents") if is_told else None


def _too_old(wanted: int, floor: int) -> ApiError:
    return ApiError(410, f"too old resource version: {wanted} ({floor})", details=None)


def error_line(error: ApiError) -> bytes:
    return orjson.dumps({"type": "ERROR", "object": error.body()}) + b"\n"


class _Lines:
    """Changes as lines for one view and selection; Table columns are only in the first line."""

    def __init__(self, view: View, chosen: Selection, clock: WallClock) -> None:
        self._view = view
        self._chosen = chosen
        self._clock = clock
        self._has_columns = False

    def added(self, record: Record) -> bytes:
        return self._line("ADDED", record) if self._chosen.matches(record) else b""

    def of(self, change: Change) -> bytes:
        """The line of a change as this selection sees it; b"" when it does not concern it."""
        kind, record = change.type, change.record
        if not self._chosen.is_all:
            is_in = self._chosen.matches(record)
            was_in = change.old is not None and self._chosen.matches(change.old)
            if kind == "DELETED":
                is_in = was_in
                if not was_in:
                    return b""
            elif is_in:
                kind = "MODIFIED" if was_in else "ADDED"
            elif was_in and change.old is not None:
                return self._line("DELETED", _as_of(change.old, change.rv))
            else:
                return b""
        return self._line(kind, record)

    def of_run(self, run: Run, namespace: str, shown: int) -> bytes:
        """The lines of a run after version `shown`."""
        text = self.shared(run, namespace, shown)
        return b"".join(self.of(change) for change in run.of(namespace, shown)) if text is None else text

    def shared(self, run: Run, namespace: str, shown: int) -> Shared | None:
        """The lines that are the same for all readers of one view and namespace; None where this one has its own."""
        if not self._chosen.is_all or self._view.form.shape == "table" or run.changes[0].rv <= shown:
            return None
        key = (self._view, namespace)
        text = run.texts.get(key)
        if text is None:
            text = run.texts[key] = Shared(b"".join(self.of(change) for change in run.of(namespace, 0)))
        return text

    def _line(self, kind: str, record: Record) -> bytes:
        view = self._view
        if view.form.shape == "full":
            body = body_of(view.resource, record)
        elif view.form.shape == "metadata":
            body = orjson.dumps(metadata_of(orjson.loads(record.body), view.form.version))
        else:
            body = self._table([record], str(record.rv))
        return b'{"type":"%b","object":%b}\n' % (kind.encode(), body)

    def _table(self, records: list[Record], rv: str) -> bytes:
        first, self._has_columns = not self._has_columns, True
        view = self._view
        meta = {"resourceVersion": rv}
        return table(
            view.resource, records, view.form, include=view.include, now=self._clock(), meta=meta, with_columns=first
        )

    def bookmark(self, rv: int, *, marked: bool = False) -> bytes:
        resource = self._view.resource
        meta: dict[str, Any] = {"resourceVersion": str(rv)}
        if marked:
            meta["annotations"] = {_END_ANNOTATION: "true"}
        obj: dict[str, Any] = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        if self._view.form.shape == "metadata":
            obj |= {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{self._view.form.version}"}
        if self._view.form.shape == "table":
            version = self._view.form.version
            cells = layout(resource)[1]({**obj, "metadata": {**meta, "name": ""}}, self._clock())
            row = {"cells": cells, "object": metadata_of(obj, version)}
            obj = {"kind": "Table", "apiVersion": f"meta.k8s.io/{version}", "metadata": {"resourceVersion": str(rv)}}
            obj |= {"columnDefinitions": None, "rows": [row]}
        return orjson.dumps({"type": "BOOKMARK", "object": obj}) + b"\n"


def _as_of(record: Record, rv: int) -> Record:
    """The old state under the version of the change that took it out of the selection."""
    obj = record.load()
    obj["metadata"]["resourceVersion"] = str(rv)
    return Record(
        namespace=record.namespace,
        name=record.name,
        uid=record.uid,
        rv=rv,
        body=orjson.dumps(obj),
        labels=record.labels,
        owners=record.owners,
        deleting=record.deleting,
        api_version=record.api_version,
        epoch=record.epoch,
    )
