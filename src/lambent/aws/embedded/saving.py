"""When the embedded AWS is saved: some seconds after a change, and at the end.

A copy is made in a thread that has the turn, so between two requests; writing follows without it. The pause grows
with the time a copy takes, so that saving never costs more than a small part of the time.
"""

import asyncio
import logging
from collections.abc import Callable

from lambent.aws.embedded.snapshot import Snapshot
from lambent.aws.embedded.turn import turn
from lambent.telemetry import gauge

log = logging.getLogger(__name__)

_INTERVAL_S = 5.0
_PAUSES_PER_COPY = 20
"""A copy may take a twentieth of the time."""

_copy_seconds = gauge("aws_snapshot_seconds", "Duration of the last copy of the embedded AWS's state.")


class Saver:
    """`changes` gives a number that grows with every change."""

    def __init__(self, snapshot: Snapshot, changes: Callable[[], int], *, interval_s: float = _INTERVAL_S) -> None:
        self._snapshot = snapshot
        self._changes = changes
        self._interval_s = interval_s
        self._saved = changes()

    async def serve(self) -> None:
        """Saves until cancelled. A failed save is logged and tried again after the next pause."""
        loop = asyncio.get_running_loop()
        pause_s = self._interval_s
        while True:
            await asyncio.sleep(pause_s)
            began = loop.time()
            await self.save()
            took_s = loop.time() - began
            _copy_seconds.set(took_s)
            pause_s = max(self._interval_s, _PAUSES_PER_COPY * took_s)

    async def save(self) -> bool:
        """Saves when something changed; False when that failed."""
        changes = self._changes()
        if changes == self._saved:
            return True
        # The one catch-all of this runner: pickle raises anything.
        try:
            await asyncio.to_thread(self._save)
        except Exception:
            log.exception("the state of the embedded AWS could not be saved")
            return False
        self._saved = changes
        return True

    def _save(self) -> None:
        with turn():
            copied = self._snapshot.copy()
        self._snapshot.write(copied)
