"""`make promises`: PROMISES.md line by line: pass, fail or not yet, with what was measured.

A line's proof is a test (`tests/path.py::name`, run by pytest) or a bar of a benchmark (`benchmarks/file::bar`, the
name under `bars` in that benchmark's result, which holds `{"value", "limit", "ok"}`). A line without a proof is
"not yet"; one that says "not yet" beside a proof is proved partly; nobody may quote either as true. Tests do their
short form unless LAMBENT_PROMISES=full is set.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.__main__ import run as run_benchmark

ROOT = Path(__file__).parent.parent
_ROW = re.compile(r"^\| (?P<id>[RSP]\d+) \| (?P<promise>.+?) \| (?P<figure>.+?) \| (?P<proof>.+?) \|$")
_PROOF = re.compile(r"`((?:tests|benchmarks)/[^`]+)`")


@dataclass(frozen=True)
class Promise:
    id: str
    promise: str
    proofs: tuple[str, ...]
    is_partial: bool = False


def read_promises(text: str) -> Iterator[Promise]:
    for line in text.splitlines():
        row = _ROW.match(line)
        if row:
            yield Promise(row["id"], row["promise"], tuple(_PROOF.findall(row["proof"])), "not yet" in row["proof"])


def check(promise: Promise, results: dict[str, dict[str, object]]) -> tuple[str, str]:
    """(verdict, measured value)."""
    if not promise.proofs:
        return "not yet", ""
    verdicts = [_prove(proof, results) for proof in promise.proofs]
    failed = any(verdict == "fail" for verdict, _ in verdicts)
    verdict = "fail" if failed else "partly" if promise.is_partial else "pass"
    return verdict, "; ".join(value for _, value in verdicts if value)


def _prove(proof: str, results: dict[str, dict[str, object]]) -> tuple[str, str]:
    if proof.startswith("tests/"):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", proof]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return ("pass" if done.returncode == 0 else "fail"), ""
    file, _, bar = proof.removeprefix("benchmarks/").partition("::")
    name = file.removesuffix(".py")
    if name not in results:
        results[name] = run_benchmark(name)
    bars = results[name].get("bars")
    measured = bars.get(bar) if isinstance(bars, dict) else None
    if measured is None:
        return "fail", f"{proof} has no such bar"
    return ("pass" if measured["ok"] else "fail"), f"{bar} {measured['value']} (limit {measured['limit']})"


def main() -> int:
    results: dict[str, dict[str, object]] = {}
    failed = False
    for promise in read_promises((ROOT / "PROMISES.md").read_text()):
        verdict, value = check(promise, results)
        failed |= verdict == "fail"
        print(f"{promise.id:<4} {verdict:<8} {promise.promise[:80]:<80} {value}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
