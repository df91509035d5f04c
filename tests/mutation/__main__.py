"""`make mutants`: how many small wrong changes of the comparison, overlays, outcomes and patches the tests notice.

Each mutant runs in a forked process in which the changed text takes the place of the module, the quick tests first.
The parent has imported pytest but nothing of lambent, so a fork costs no start. A survivor must stand in
`equivalent.txt` with the reason why it changes nothing; any other is a missing test and fails the run.

Environment: LAMBENT_MUTANTS_JOBS (default 2), LAMBENT_MUTANTS_MINUTES (default 20), after which the rest is not run
and counted as such. Words on the command line limit the run to mutants whose file or name holds one of them.
"""

import importlib.abc
import importlib.util
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import hypothesis  # noqa: F401  # imported here, so that no fork has to
import orjson  # noqa: F401
import pytest
import regex  # noqa: F401
import yaml  # noqa: F401

from tests.mutation.mutations import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "lambent"
EQUIVALENT = Path(__file__).parent / "equivalent.txt"
# Far above what the tests take on a busy machine; a mutant that loops for ever is noticed by it.
LIMIT_S = 120.0
# What a mutant that its module's own tests let live meets next; the slowest last.
QUICK = ("test_planner", "test_passes", "test_function_tests", "test_workflow_tests", "test_requeue", "test_publishing")
SLOW = ("tests/conformance/test_workflow_documents.py", "tests/workflow/test_planner_properties.py")


class Target(NamedTuple):
    """A module below `src/lambent`, its own tests, and which of its functions (all when empty)."""

    file: str
    tests: tuple[str, ...]
    functions: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        return "lambent." + self.file.removesuffix(".py").replace("/", ".")


TARGETS = (
    Target("workflow/engine/comparison.py", ("test_comparison",)),
    Target("workflow/engine/outcomes.py", ("test_outcomes",)),
    Target("workflow/engine/patches.py", ("test_patches",)),
    Target("workflow/engine/expressions.py", ("test_planner",), ("Overlay.apply",)),
    Target("workflow/engine/targets.py", ("test_planner", "test_stopped_targets", "test_endless_writes")),
    Target("workflow/engine/planner.py", ("test_planner",), ("_gone",)),
    Target("workflow/testing/expectations.py", ("test_expectations",)),
)


class Verdict(NamedTuple):
    """`fate` is killed, survived, equivalent or not run."""

    target: Target
    mutant: Mutant
    fate: str

    def __str__(self) -> str:
        return f"{self.target.file}:{self.mutant.line} {self.mutant.name}"


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, with another text."""

    def __init__(self, target: Target, source: str) -> None:
        self._target, self._source = target, source

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname != self._target.module:
            return None
        return importlib.util.spec_from_file_location(fullname, SOURCE / self._target.file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, str(SOURCE / self._target.file), "exec"), module.__dict__)


def _judge(target: Target, source: str) -> None:
    """Runs in a forked process; its exit code is 0 when every test passes."""
    sys.meta_path.insert(0, _Changed(target, source))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    flags = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    # That the parent has imported plugins already costs nothing here but rewritten assertions.
    flags += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    own, quick = ([f"tests/workflow/{name}.py" for name in names] for names in (target.tests, QUICK))
    for files in (own, quick, SLOW):
        code = int(pytest.main([*flags, *files]))
        if code:
            os._exit(code)
    os._exit(0)


def _passes(target: Target, source: str) -> bool:
    """Whether the tests pass with this text in place of the module, within the limit."""
    process = multiprocessing.get_context("fork").Process(target=_judge, args=(target, source))
    process.start()
    process.join(LIMIT_S)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def _fate(pair: tuple[Target, Mutant], *, until: float, equivalent: dict[str, str]) -> Verdict:
    target, mutant = pair
    if time.monotonic() > until:
        return Verdict(target, mutant, "not run")
    if not _passes(target, mutant.source):
        return Verdict(target, mutant, "killed")
    return Verdict(target, mutant, "equivalent" if f"{target.file} {mutant.name}" in equivalent else "survived")


def _mutants(words: list[str]) -> Iterator[tuple[Target, Mutant]]:
    for target in TARGETS:
        for mutant in mutants_of((SOURCE / target.file).read_text(), target.functions):
            if not words or any(word in f"{target.file} {mutant.name}" for word in words):
                yield target, mutant


def read_equivalent(text: str) -> dict[str, str]:
    """Reason by `file name`, from two lines per entry: the mutant, then why it changes nothing, indented."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("    "):
            found[name] = line.strip()
        elif line.strip() and not line.startswith("#"):
            name = line.strip()
    return found


def main(words: list[str]) -> int:
    equivalent = read_equivalent(EQUIVALENT.read_text())
    until = time.monotonic() + 60 * float(os.environ.get("LAMBENT_MUTANTS_MINUTES", "20"))
    jobs = int(os.environ.get("LAMBENT_MUTANTS_JOBS", "2"))
    if not _passes(TARGETS[0], (SOURCE / TARGETS[0].file).read_text()):
        print("the tests fail without any change; mutants would prove nothing", file=sys.stderr)
        return 1
    verdicts = []
    with ThreadPoolExecutor(jobs) as pool:
        for verdict in pool.map(partial(_fate, until=until, equivalent=equivalent), list(_mutants(words))):
            verdicts.append(verdict)
            if verdict.fate == "survived":
                print(f"survived  {verdict}", flush=True)
    stale = {f"{v.target.file} {v.mutant.name}" for v in verdicts if v.fate == "killed"} & equivalent.keys()
    for name in sorted(stale):
        print(f"killed, although listed as equivalent: {name}")
    for name in sorted(equivalent.keys() - {f"{t.file} {m.name}" for t, m in _mutants([])}):
        print(f"listed as equivalent, but no longer a mutant: {name}")
    counts = {fate: sum(v.fate == fate for v in verdicts) for fate in ("killed", "equivalent", "survived", "not run")}
    print(f"{len(verdicts)} mutants: " + ", ".join(f"{number} {fate}" for fate, number in counts.items()))
    return 1 if stale or counts["survived"] or counts["not run"] else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    raise SystemExit(main(sys.argv[1:]))
