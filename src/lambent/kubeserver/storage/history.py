"""The changes of the last while, so that a watch can begin where a list ended.

Kept: 5 min or 20 000 changes, whichever is more, at most 64 MiB of bodies. Changes share their bytes with the records
they made. A resource version before `floor` cannot be watched from any more (410).
"""

from collections import deque

from lambent.kubeserver.storage.records import Change

KEEP_S = 300.0
KEEP_COUNT = 20_000
KEEP_BYTES = 64 * 1024 * 1024


class History:
    def __init__(self) -> None:
        self.floor = 0
        self._all: deque[Change] = deque()
        self._by_bucket: dict[str, deque[Change]] = {}
        self._bytes = 0

    def add(self, change: Change, now_s: float) -> None:
        change.at_s = now_s
        self._all.append(change)
        self._by_bucket.setdefault(change.bucket, deque()).append(change)
        self._bytes += len(change.record.body)
        while self._is_over(now_s):
            self._forget_oldest()

    def _is_over(self, now_s: float) -> bool:
        if self._bytes > KEEP_BYTES:
            return True
        return len(self._all) > KEEP_COUNT and now_s - self._all[0].at_s > KEEP_S

    def _forget_oldest(self) -> None:
        gone = self._all.popleft()
        self._by_bucket[gone.bucket].popleft()
        self._bytes -= len(gone.record.body)
        self.floor = gone.rv

    def since(self, bucket: str, rv: int) -> list[Change]:
        """Changes of a bucket after `rv`, oldest first."""
        changes = self._by_bucket.get(bucket)
        if not changes or changes[-1].rv <= rv:
            return []
        newest: list[Change] = []
        for change in reversed(changes):
            if change.rv <= rv:
                break
            newest.append(change)
        newest.reverse()
        return newest
