"""moto is not thread-safe: whoever touches its state waits for the turn.

A lookup that goes through all roles fails when another thread adds one, so every request, every copy of the state and
every entry of ours goes through this one lock. It is the process's, as moto's state is. The few calls of moto that
wait for something to happen give their turn up meanwhile: without that a long poll would stop all of AWS.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_lock = threading.Lock()
_holder = 0


@contextmanager
def turn() -> Iterator[None]:
    """One thread at a time; not for use inside itself."""
    global _holder
    with _lock:
        _holder = threading.get_ident()
        try:
            yield
        finally:
            _holder = 0


@contextmanager
def _given_up() -> Iterator[None]:
    """Lets the others in while this thread's request waits; nothing for a thread of moto's own."""
    global _holder
    mine = threading.get_ident()
    if _holder != mine:
        yield
        return
    _holder = 0
    _lock.release()
    try:
        yield
    finally:
        _lock.acquire()
        _holder = mine


def give_up_during(owner: ModuleType | type, name: str) -> None:
    """Makes a function of moto's that only waits give the turn up for that time."""
    wait: Callable[..., Any] = getattr(owner, name)
    if getattr(wait, "gives_up_the_turn", False):
        return

    def waiting(*arguments: Any, **named: Any) -> Any:
        with _given_up():
            return wait(*arguments, **named)

    waiting.gives_up_the_turn = True  # type: ignore[attr-defined]  # marks it, since moto's modules outlive us
    setattr(owner, name, waiting)
