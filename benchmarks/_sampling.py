"""Where a process spends its time: a thread that looks at all stacks twenty times a second.

A sample is filed under the innermost frame that belongs to a named part (a package of ours, moto, botocore); a thread
that waits in the selector, a queue or a lock is idle and not counted. Shares are of busy samples, so they say where
the interpreter was, not how much of it was used; and as the sampler needs the interpreter's lock itself, which others
let go at files, sockets and the database, those places are seen too often.
"""

import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

_EVERY_S = 0.05
_IDLE = {"select", "_poll", "wait", "get", "_work", "_worker", "_run", "run", "run_until_complete", "run_forever"}
_LIBRARIES = ("moto", "botocore", "aiobotocore", "aiohttp", "orjson", "sqlite3")


class Sampling:
    """`with Sampling() as sampling: ...`, then `sampling.shares()`."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Sampling":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()

    def shares(self, most: int = 12) -> dict[str, float]:
        """Part -> share of the busy samples, in percent."""
        whole = sum(self._found.values()) or 1
        return {name: round(100 * count / whole, 1) for name, count in self._found.most_common(most)}

    def _run(self) -> None:
        own = threading.get_ident()
        while not self._stop.wait(_EVERY_S):
            for ident, frame in sys._current_frames().items():
                if ident != own and frame.f_code.co_name not in _IDLE:
                    self._found[_part(frame)] += 1


def _part(frame: FrameType | None) -> str:
    while frame is not None:
        parts = Path(frame.f_code.co_filename).parts
        if "lambent" in parts:
            rest = parts[len(parts) - parts[::-1].index("lambent") :]
            return "lambent." + (rest[0] if len(rest) > 1 else rest[0].removesuffix(".py"))
        for library in _LIBRARIES:
            if library in parts:
                return library
        frame = frame.f_back
    return "elsewhere"
