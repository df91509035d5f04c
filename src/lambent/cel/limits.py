"""What one evaluation may cost: iterations, sizes and time.

A `Meter` exists for the evaluations of expressions that loop. It charges a loop for its items when the loop begins
and looks at the clock there; long loops also look every 256 items, which keeps the check below one per cent of the
cheapest loop body. Where the expression calls functions, whose cost depends on their arguments (a pattern may take
100 ms), they look every 8 items. Sizes are checked by the operations that make strings and lists.
"""

from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from typing import Any, Final

from lambent.cel.errors import Fault, LimitFault
from lambent.cel.values import BoolKey, kind_of

MAX_ITERATIONS: Final = 1_000_000
MAX_TEXT: Final = 8 * 1024 * 1024
MAX_ITEMS: Final = 1_000_000
MAX_SECONDS: Final = 1.0
TICK_ITEMS: Final = 256
TICK_ITEMS_WITH_CALLS: Final = 8


class Meter:
    """Iterations left and the deadline of one evaluation; looks at the clock every `tick` items."""

    __slots__ = ("deadline", "left", "tick")

    def __init__(self, tick: int) -> None:
        self.left = MAX_ITERATIONS
        self.tick = tick
        self.deadline = monotonic() + MAX_SECONDS

    def over(self, value: Any) -> Iterable[Any]:
        """The items of a list or the keys of a map, charged for."""
        if type(value) is list:
            items = value
        elif isinstance(value, dict):
            items = [key.value if type(key) is BoolKey else key for key in value]
        else:
            raise Fault("overload", f"cannot loop over {kind_of(value)}")
        self.left -= len(items)
        if self.left < 0:
            raise LimitFault(f"more than {MAX_ITERATIONS} iterations")
        self.check_time()
        return items if len(items) <= self.tick else self._ticking(items)

    def check_time(self) -> None:
        """Raise if the evaluation has used its wall time."""
        if monotonic() > self.deadline:
            raise LimitFault(f"evaluation took longer than {MAX_SECONDS:g} s")

    def _ticking(self, items: list[Any]) -> Iterator[Any]:
        for start in range(0, len(items), self.tick):
            self.check_time()
            yield from items[start : start + self.tick]


class Budget:
    """Items that one walk through a value may meet: a small value can share its parts and be enormous to walk."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_ITEMS

    def charge(self, container: Sized) -> None:
        """Count the items of a list or map that is walked through."""
        self.left -= len(container)
        if self.left < 0:
            raise LimitFault(f"a value of more than {MAX_ITEMS} items, shared parts counted each time")


def bounded_length(length: int) -> None:
    """Raise if a string of this length may not be made."""
    if length > MAX_TEXT:
        raise LimitFault(f"string of more than {MAX_TEXT} characters")


def bounded_text(text: str) -> str:
    """`text` unless it is longer than a string may be."""
    bounded_length(len(text))
    return text


def bounded_items(count: int) -> None:
    """Raise if a list or map of `count` items may not be made."""
    if count > MAX_ITEMS:
        raise LimitFault(f"list or map of more than {MAX_ITEMS} items")
