"""Several processes on one virtual clock: each has an event loop of its own, so that one can be paused or killed alone.

A loop runs until nothing in it can run, then the clock moves to the next timer of any. A paused process sends nothing
and fires no timer; when it wakes its clock stands where the others' does, and everything that fell due in the meantime
happens at once, as after SIGSTOP and SIGCONT. What a server does for others it does in its own loop (`Process.do`).
"""

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any, Self, TypeVarTuple

_Ts = TypeVarTuple("_Ts")


class _Asked(selectors.DefaultSelector):
    """Stops the loop where it would wait, and notes until when."""

    loop: "_Loop"

    def select(self, timeout: float | None = None) -> Any:
        if timeout != 0:
            self.loop.wakes_at = inf if timeout is None else self.loop.now_s + timeout
            self.loop.stop()
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.now_s = self.wakes_at = 0.0
        selector = _Asked()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now_s

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Also of another loop's doing."""
        self.wakes_at = self.now_s
        return super().call_soon(callback, *args, context=context)


class Process:
    """What runs in it is `main`; `is_dead` is for whoever carries its calls: a dead process sends nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_paused = self.is_dead = False
        self._loop = _Loop()
        self._main: asyncio.Task[None] | None = None

    @property
    def wakes_at(self) -> float:
        return inf if self.is_paused else self._loop.wakes_at

    def start(self, main: Coroutine[Any, Any, None], now_s: float) -> None:
        self._loop.now_s = now_s
        self._main = self._loop.create_task(main)

    def run(self, now_s: float) -> None:
        """Everything that can run at this moment."""
        if not self.is_paused:
            self._loop.now_s = now_s
            self._loop.run_forever()

    async def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Does it here, for another process that waits for the answer."""
        answer = asyncio.get_running_loop().create_future()

        def settle(done: asyncio.Task[Any]) -> None:
            if answer.done():
                return
            if (error := done.exception()) is not None:
                answer.set_exception(error)
            else:
                answer.set_result(done.result())

        self._loop.create_task(work, context=contextvars.copy_context()).add_done_callback(settle)
        return await answer

    def end(self, now_s: float) -> None:
        """Without a call to anybody."""
        assert self._main is not None
        self.is_dead, self.is_paused = True, False
        self._main.cancel()
        self.run(now_s)
        self._loop.close()


class Processes:
    """A context manager; those that still live at its end are ended."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.living: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for process in list(self.living):
            self.kill(process)

    def start(self, name: str, main: Callable[[Process], Coroutine[Any, Any, None]]) -> Process:
        process = Process(name)
        process.start(main(process), self.now_s)
        self.living.append(process)
        return process

    def kill(self, process: Process) -> None:
        self.living.remove(process)
        process.end(self.now_s)

    def run(self, seconds: float) -> None:
        self.run_until(lambda: False, within_s=seconds)

    def run_until(self, claim: Callable[[], bool], *, within_s: float) -> bool:
        """Whether it came true in time; it is asked whenever everybody waits."""
        end_s = self.now_s + within_s
        while True:
            for process in self.living:
                if process.wakes_at <= self.now_s:
                    process.run(self.now_s)
            if claim():
                return True
            due_s = min((process.wakes_at for process in self.living), default=inf)
            if due_s > end_s:
                self.now_s = end_s
                return False
            self.now_s = max(self.now_s, due_s)
