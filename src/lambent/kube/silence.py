"""A limit on how long a server may be silent, for many calls at once: one timer for all of them, not one for each.

A call of which nothing was heard for `limit_s` is cancelled where it waits and ends with TimeoutError, as under
`asyncio.timeout`. It is looked at every `limit_s`: a silence that begins between two looks is found at the second,
after less than twice the limit. A request that the server does not take is silence too.

Not here: a limit of all of a call. A long list may come slowly, as long as it comes.
"""

import asyncio
from types import TracebackType
from typing import Protocol, Self


class _Content(Protocol):
    total_bytes: int


class Answer(Protocol):
    """What tells of an `aiohttp.ClientResponse` that more of it came."""

    @property
    def content(self) -> _Content: ...


class Silence:
    """The limit, and the calls that are under way; belongs to one event loop."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        # The next one to look at stands first, since the limit is the same for all.
        self.calls: dict[Call, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Drops the timer; calls that are still under way have no limit any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def add(self, call: "Call", loop: asyncio.AbstractEventLoop) -> None:
        call.due_s = loop.time() + self.limit_s
        self.calls[call] = None
        if self._timer is None:
            self._timer = loop.call_at(call.due_s, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now_s = loop.time()
        for call in [call for call in self.calls if call.due_s <= now_s]:
            del self.calls[call]
            if call.heard_more():
                self.add(call, loop)
            else:
                call.cut()
        self._timer = None
        for first in self.calls:
            self._timer = loop.call_at(first.due_s, self._look, loop)
            break


class Call:
    """A context manager around the awaits of one call; `answer` is set as soon as its head has come."""

    answer: Answer | None = None
    due_s = 0.0
    _heard_bytes = -1
    _is_cut = False

    def __init__(self, bound: Silence) -> None:
        self._bound = bound

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._bound.add(self, task.get_loop())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bound.calls.pop(self, None)
        # One more cancellation than ours, and somebody else wants the task to end.
        if self._is_cut and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def heard_more(self) -> bool:
        """Whether anything came since this was asked last."""
        before, self._heard_bytes = self._heard_bytes, -1 if self.answer is None else self.answer.content.total_bytes
        return self._heard_bytes > before

    def cut(self) -> None:
        self._is_cut = True
        self._task.cancel()
