"""A gate between requests that change state and the moments when the state is copied."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Many may pass at once; `closed` waits until all are through and keeps the next ones outside."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._is_closed = False

    @contextmanager
    def passing(self, *, wait_s: float) -> Iterator[None]:
        """Waits while the gate is closed, but never longer than this: a request matters more than a copy."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closed, wait_s)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self, *, wait_s: float) -> Iterator[bool]:
        """Gives whether nobody is inside; False when somebody did not leave in time (a request that waits, perhaps
        for one that stands outside)."""
        with self._changed:
            self._is_closed = True
            is_empty = self._changed.wait_for(lambda: self._inside == 0, wait_s)
        try:
            yield is_empty
        finally:
            with self._changed:
                self._is_closed = False
                self._changed.notify_all()
