"""When an object is looked at again: one row for each situation.

A situation's waits grow from `first_s` by `factor` to `cap_s`; `jitter` is the share of the wait that is random. The
count belongs to (object, situation): another situation, or another generation, begins anew.
"""

import random
from dataclasses import dataclass, field
from typing import NamedTuple

from lambent.kube.types import Key


class Row(NamedTuple):
    first_s: float
    factor: float
    cap_s: float
    jitter: float = 0.0


TABLE: dict[str, Row] = {
    "synced": Row(600.0, 1.0, 600.0, 0.1),
    "unsynced": Row(30.0, 1.0, 30.0),
    "settling": Row(0.3, 2.0, 5.0),
    "deleting": Row(1.0, 1.5, 5.0),
    "blocked": Row(1.0, 2.0, 30.0),
    "image": Row(2.0, 1.5, 15.0),
    "role": Row(1.0, 2.0, 15.0),
    "reference": Row(60.0, 1.0, 60.0),
    "throttled": Row(0.5, 2.0, 60.0, 1.0),
    "transient": Row(2.0, 2.0, 300.0, 1.0),
    "conflict": Row(0.5, 2.0, 10.0),
    "denied": Row(30.0, 2.0, 300.0),
    "dependent": Row(2.0, 2.0, 300.0, 0.1),
    "quota": Row(300.0, 1.0, 300.0),
    "failed": Row(30.0, 2.0, 300.0),
    "terminal": Row(600.0, 1.0, 600.0, 0.1),
}


@dataclass(slots=True)
class _Run:
    situation: str
    generation: int
    since_s: float
    count: int = 0


@dataclass(slots=True)
class Patience:
    """How often each object has met its present situation, and for how long."""

    resync_s: float = 600.0
    # From the process' own generator, so that a seeded test repeats.
    rng: random.Random = field(default_factory=lambda: random.Random(random.random()))
    _runs: dict[Key, dict[str, _Run]] = field(default_factory=dict)
    _present: dict[Key, _Run] = field(default_factory=dict)

    def note(self, key: Key, situation: str, *, generation: int, now_s: float) -> tuple[int, float]:
        """Counts one more meeting; answers how many so far and the seconds since the first.

        A repair that is under way does not make the failures before it forgotten.
        """
        runs = self._runs.setdefault(key, {})
        kept = (situation, "failed") if situation == "settling" else (situation,)
        for name in [name for name, run in runs.items() if name not in kept or run.generation != generation]:
            del runs[name]
        run = self._present[key] = runs.setdefault(situation, _Run(situation, generation, now_s))
        run.count += 1
        return run.count, now_s - run.since_s

    def is_now(self, key: Key, situation: str, *, generation: int) -> bool:
        """Whether the last noted meeting was of this situation, in this generation."""
        run = self._present.get(key)
        return run is not None and (run.situation, run.generation) == (situation, generation)

    def delay_s(self, key: Key) -> float:
        """The wait that the last noted meeting asks for."""
        run = self._present[key]
        row = TABLE[run.situation]
        if run.situation in ("synced", "terminal"):
            row = row._replace(first_s=self.resync_s, cap_s=self.resync_s)
        wait = min(row.cap_s, row.first_s * row.factor ** min(run.count - 1, 32))
        if row.jitter == 1.0:
            return self.rng.uniform(row.first_s / 2, wait)
        return wait * (1 + row.jitter * self.rng.uniform(-1, 1))

    def forget(self, key: Key) -> None:
        self._runs.pop(key, None)
        self._present.pop(key, None)
