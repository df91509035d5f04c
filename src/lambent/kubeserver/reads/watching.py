"""Watches: the stream of changes of one bucket, selected and rendered for its reader.

What a reader is owed first is told in chunks, then its watcher waits for runs of changes (`channels`), which become
lines of its view (`lines`). A watcher that is too far behind, or begins at a version that is gone, is answered 410.
Source: Kubernetes API concepts, "Efficient detection of changes" and "Streaming lists".
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Iterator
from typing import TypeVar

from lambent.clock import WallClock
from lambent.http.message import Outlet, Pushing, Response
from lambent.kubeserver.answers.negotiation import check_stream
from lambent.kubeserver.answers.rendering import JSON, included
from lambent.kubeserver.call import Call
from lambent.kubeserver.reads.channels import Channel, Watcher
from lambent.kubeserver.reads.lines import Lines, View, error_line
from lambent.kubeserver.reads.options import selection, version_of, wants_initial
from lambent.kubeserver.reads.reading import future_version
from lambent.kubeserver.status import ApiError
from lambent.kubeserver.storage.records import Change, Record
from lambent.kubeserver.storage.store import Store
from lambent.telemetry import gauge

_watchers = gauge("kubeserver_watchers", "Open watches of the embedded API server.")

_CHUNK = 200  # objects in one piece of a large answer: about half a megabyte
BOOKMARK_S = 10.0
_CLOSING_S = 2  # a watch that ends sooner gets no closing bookmark: its reader has just begun; as kube-apiserver
_SHORTEST_S, _LONGEST_S = 1_800, 3_600  # a watch without a limit of its own ends in between, at random: no stampede

T = TypeVar("T")


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
        chosen = selection(call)
        initial = wants_initial(call)
        check_stream(call.request.header(b"accept").decode("latin-1"))
        start = version_of(call)
        if seconds <= 0:
            seconds = random.randint(_SHORTEST_S, _LONGEST_S)
        view = View(call.resource, call.form(), included(call))
        if view.form.kind == "PartialObjectMetadataList":  # no event is a list: kube-apiserver ends at the first
            return Response(200, [JSON])
        watcher = Watcher(Lines(view, chosen, self._clock), call.namespace)
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
                    yield lines.bookmark(max(self._reached(watcher, channel), start))
            if bookmarks and seconds > _CLOSING_S:
                yield lines.bookmark(max(self._reached(watcher, channel), start))
        finally:
            channel.watchers.discard(watcher)
            _watchers.dec()

    def _reached(self, watcher: Watcher, channel: Channel) -> int:
        """The version up to which a watcher was told everything."""
        return watcher.seen if watcher.backlog or channel.waiting else self._store.counter

    def _first(self, call: Call, start: int, initial: bool | None, lines: Lines) -> Iterator[bytes]:
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


def _too_old(wanted: int, floor: int) -> ApiError:
    return ApiError(410, f"too old resource version: {wanted} ({floor})", details=None)
