"""Faults that a test orders from `FakeKube`: which calls fail, how, how often, and whether the write happened first.

A fault `after=True` is the ambiguous one that real networks give: the server did the write, the client got no answer.
`Chaos` throws faults by chance from a seed, so that a failing run can be repeated exactly. `Crash` stands for the
death of the process: it is no `Exception`, so no catch-all of ours survives it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from lambent.kube.errors import Conflict, KubeError, ServerError, Throttled, Unreachable
from lambent.kube.types import GVK

MUTATING = frozenset({"create", "replace", "patch", "apply", "delete"})


class Crash(BaseException):
    """The process is dead from here on."""


@dataclass
class Fault:
    """One ordered failure; `verb` or `gvk` None matches any."""

    verb: str | None
    gvk: GVK | None
    error: BaseException
    times: int = 1
    after: bool = False

    def matches(self, verb: str, gvk: GVK, *, after: bool) -> bool:
        return (
            self.times > 0
            and self.after is after
            and self.verb in (None, verb)
            and (self.gvk is None or self.gvk == gvk)
        )


@dataclass
class Chaos:
    """Fails a share `rate` of all calls, before or after the write, from one seed."""

    seed: int
    rate: float
    errors: Sequence[type[KubeError]] = (Unreachable, ServerError, Throttled, Conflict)
    ambiguous: bool = True
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def pick(self, verb: str, *, after: bool) -> KubeError | None:
        if self._random.random() >= self.rate / 2:
            return None
        if after:
            return Unreachable("chaos: answer lost") if self.ambiguous and verb in MUTATING else None
        choices = [kind for kind in self.errors if verb in MUTATING or kind is not Conflict]
        kind = self._random.choice(choices)
        return kind(f"chaos: {kind.__name__}", code=kind.http_status)


class Faults:
    """The orders of one fake server, asked before and after each call."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self.chaos: Chaos | None = None
        self._mutations_left: int | None = None

    def order(self, fault: Fault) -> None:
        self._orders.append(fault)

    def crash_after(self, mutations: int | None) -> None:
        """The process dies right after that many more mutating calls; None forgets it."""
        self._mutations_left = mutations

    def clear(self) -> None:
        self._orders.clear()
        self.chaos = None
        self._mutations_left = None

    def check(self, verb: str, gvk: GVK, *, after: bool = False) -> None:
        """Raises the error that is due for this call."""
        for fault in self._orders:
            if fault.matches(verb, gvk, after=after):
                fault.times -= 1
                raise fault.error
        if self.chaos is not None and (error := self.chaos.pick(verb, after=after)) is not None:
            raise error
        if verb in MUTATING and self._mutations_left is not None:
            self._count_mutation(after=after)

    def _count_mutation(self, *, after: bool) -> None:
        assert self._mutations_left is not None
        if after:
            self._mutations_left -= 1
        if self._mutations_left <= 0:
            raise Crash
