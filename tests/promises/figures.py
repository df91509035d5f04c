"""What the tests of promises share: the figure as PROMISES.md states it, how much of it this run does, and seeds.

`LAMBENT_PROMISES=full` does the whole figure, which the nightly job does; otherwise a short form runs.
`LAMBENT_SEED=n` repeats one random run (or one point of a sweep) alone.
"""

import os
import re
from pathlib import Path

_TEXT = (Path(__file__).parents[2] / "PROMISES.md").read_text()
IS_FULL = os.environ.get("LAMBENT_PROMISES") == "full"


def figure(promise_id: str, pattern: str) -> int:
    """The number that `pattern`'s one group finds in the promise's figure; thousands may stand apart."""
    row = next(line for line in _TEXT.splitlines() if line.startswith(f"| {promise_id} |"))
    found = re.search(pattern, row.split("|")[3])
    assert found, f"PROMISES.md {promise_id} no longer says {pattern}"
    return int(found[1].replace(" ", ""))


def stated(pattern: str) -> int:
    """The number that `pattern`'s one group finds in PROMISES.md outside its tables."""
    found = re.search(pattern, _TEXT)
    assert found, f"PROMISES.md no longer says {pattern}"
    return int(found[1])


def chosen(whole: range, *, short: int) -> list[int]:
    """The seeds or points of this run: one if `LAMBENT_SEED` names it, all in full, else `short` of them, spread."""
    if seed := os.environ.get("LAMBENT_SEED"):
        return [int(seed)]
    if IS_FULL or short >= len(whole):
        return list(whole)
    return [whole[index * len(whole) // short] for index in range(short)]
