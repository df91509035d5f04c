"""A run as `lambent test` asks for it: which tests, in which mode, by how many processes, and what was never evaluated.

Tests are independent, so large sets are spread over processes; results stand in file order whatever ends first. Small
sets run here: a fork costs more than hundreds of cases.
"""

import gc
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from lambent.workflow.spec import Diagnostic, Document
from lambent.workflow.testing.coverage import Coverage, Place
from lambent.workflow.testing.memory_api import StateMerge
from lambent.workflow.testing.results import CaseResult, TestResult
from lambent.workflow.testing.runner import Loaded, is_test, run_one

Modes = Literal["merge", "legacy", "both"]
# Tests per process below which another process is not worth its start. Measured on an EPYC: two processes cost 55 ms of
# CPU more than none (fork, results sent back), a FunctionTest of three cases 0.47 ms, a WorkflowTest 3.5 ms.
_SHARE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`kind` is that of the test or of the function it tests; `files` limits to tests affected by these files."""

    select: str = ""
    kind: str = ""
    files: frozenset[str] | None = None
    mode: Modes | None = None
    fail_fast: bool = False
    jobs: int | None = None


@dataclass(slots=True)
class Run:
    """One test in one mode; the mode is empty when the document's own counts."""

    document: Document
    result: TestResult
    mode: str = ""


@dataclass(slots=True)
class Session:
    """Everything that reports are made of."""

    loaded: Loaded
    runs: list[Run] = field(default_factory=list)
    never: list[Place] = field(default_factory=list)

    @property
    def problems(self) -> list[Diagnostic]:
        """Errors of the documents; what lies outside the files may be missing."""
        return [d for d in self.loaded.diagnostics if d.is_error and d.code != "missing-reference"]

    @property
    def is_passed(self) -> bool:
        return not self.problems and all(run.result.is_passed for run in self.runs)

    def cases(self) -> Iterator[tuple[Run, CaseResult]]:
        return ((run, case) for run in self.runs for case in run.result.cases)

    def count(self, status: str) -> int:
        """Cases of a status; a test that could not run counts as one failed case."""
        broken = sum(bool(run.result.problems) for run in self.runs) if status == "failed" else 0
        return broken + sum(case.status == status for _, case in self.cases())


def selected(loaded: Loaded, choice: Choice) -> list[Document]:
    """The tests that a choice means, in file order."""
    return [document for document in loaded.documents if _is_chosen(document, loaded, choice)]


def _is_chosen(document: Document, loaded: Loaded, choice: Choice) -> bool:
    kind = document.identity.kind
    if not is_test(document) or choice.select.lower() not in str(document.identity).lower():
        return False
    if choice.kind and choice.kind.lower() not in (kind.lower(), tested_kind(document).lower()):
        return False
    return choice.files is None or bool(choice.files & set(Coverage.files_of(document, loaded)))


def tested_kind(document: Document) -> str:
    """ResourceFunction, ValueFunction or Workflow."""
    reference = document.spec.get("functionRef")
    if document.identity.kind == "WorkflowTest":
        return "Workflow"
    return str(reference.get("kind", "")) if isinstance(reference, dict) else ""


def run_session(loaded: Loaded, choice: Choice) -> Session:
    """Runs the chosen tests."""
    session = Session(loaded)
    documents = selected(loaded, choice)
    modes: tuple[StateMerge | None, ...] = ("merge", "legacy") if choice.mode == "both" else (choice.mode,)
    work = [(document, mode) for document in documents for mode in modes if _has_mode(document, mode, modes)]
    coverage = Coverage(loaded, documents)
    jobs = choice.jobs if choice.jobs is not None else min(os.cpu_count() or 1, len(work) // _SHARE)
    is_spread = jobs > 1 and not choice.fail_fast
    results: Iterable[TestResult] = (
        _spread(work, loaded, coverage, jobs=jobs)
        if is_spread
        else _one_by_one(work, loaded, fail_fast=choice.fail_fast)
    )
    for (document, mode), result in zip(work, results, strict=False):
        shown = mode or "" if choice.mode == "both" else ""
        session.runs.append(Run(document, result, shown if document.identity.kind == "FunctionTest" else ""))
    session.never = coverage.never()
    return session


def _has_mode(document: Document, mode: StateMerge | None, modes: tuple[StateMerge | None, ...]) -> bool:
    """A WorkflowTest knows no modes, so it runs once."""
    return document.identity.kind == "FunctionTest" or mode == modes[0]


def _one_by_one(
    work: Iterable[tuple[Document, StateMerge | None]], loaded: Loaded, *, fail_fast: bool
) -> Iterator[TestResult]:
    for document, mode in work:
        result = run_one(document, loaded, mode=mode, fail_fast=fail_fast)
        yield result
        if fail_fast and not result.is_passed:
            return


# What a forked process finds in place: the work, which need not be sent to it.
_inherited: list[tuple[list[tuple[Document, StateMerge | None]], Loaded, Coverage]] = []


def _spread(
    work: list[tuple[Document, StateMerge | None]], loaded: Loaded, coverage: Coverage, *, jobs: int
) -> list[TestResult]:
    _inherited.append((work, loaded, coverage))
    # Frozen objects are not touched by the collectors of the children, so their pages stay shared.
    gc.freeze()
    try:
        context = multiprocessing.get_context("fork")
        size = -(-len(work) // (jobs * 4))
        starts = range(0, len(work), size)
        results: list[TestResult] = []
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            for part, seen in pool.map(partial(_part, size=size), starts):
                results += part
                coverage.add(seen)
        return results
    finally:
        gc.unfreeze()
        _inherited.pop()


def _part(start: int, *, size: int) -> tuple[list[TestResult], set[int]]:
    """Runs in a forked process."""
    work, loaded, coverage = _inherited[-1]
    results = [run_one(document, loaded, mode=mode) for document, mode in work[start : start + size]]
    # A whole `loaded` must not travel back with the results.
    return [replace(result) for result in results], coverage.seen
