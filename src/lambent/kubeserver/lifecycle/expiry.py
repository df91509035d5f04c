"""Events live one hour after their last change. Source: kube-apiserver, `--event-ttl`.

Changes arrive in time order and live equally long, so the oldest is always the next to go: a queue, no timer per event.
"""

import asyncio
from collections import deque

from lambent.kubeserver.lifecycle.deletion import DeleteOptions, Deleter
from lambent.kubeserver.resources import Catalog
from lambent.kubeserver.storage.records import Change
from lambent.kubeserver.storage.store import Store

LIFE_S = 3_600.0
_BUCKET = "events"


class Expiry:
    def __init__(self, store: Store, catalog: Catalog, deleter: Deleter) -> None:
        self._store = store
        self._catalog = catalog
        self._deleter = deleter
        self._due: deque[tuple[float, str, int]] = deque()
        self._filled = asyncio.Event()
        store.listen(self._on_change)

    def load(self) -> None:
        """Events of an earlier run begin their hour again: their age is not worth a second clock."""
        for record in self._store.scan(_BUCKET):
            self._remember(record.path, record.rv)

    def _on_change(self, change: Change) -> None:
        if change.bucket == _BUCKET and change.type != "DELETED":
            self._remember(change.record.path, change.rv)

    def _remember(self, path: str, rv: int) -> None:
        self._due.append((asyncio.get_running_loop().time() + LIFE_S, path, rv))
        self._filled.set()

    async def run(self) -> None:
        """Deletes what is due, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            while not self._due:
                self._filled.clear()
                await self._filled.wait()
            at, path, rv = self._due.popleft()
            await asyncio.sleep(at - loop.time())
            record = self._store.peek(_BUCKET, path)
            resource = self._catalog.table.find("", "v1", "events")
            if record is not None and record.rv == rv and resource is not None:
                await self._deleter.delete(resource, record, DeleteOptions())
