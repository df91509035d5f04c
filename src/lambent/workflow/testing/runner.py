"""Files in, results out: what `lambent test` runs.

A FunctionTest finds its functions in its own file first; of same-named ones there the nearest counts, an earlier one
before a later one. What its file does not have comes from the whole set.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lambent.workflow import engine
from lambent.workflow.engine import MISSING_REFERENCE, Catalog
from lambent.workflow.spec import Diagnostic, Document, has_errors, in_order, kind_of, load_paths, validate
from lambent.workflow.testing.function_test import run_function_test, test_diagnostics
from lambent.workflow.testing.memory_api import StateMerge
from lambent.workflow.testing.results import TestResult
from lambent.workflow.testing.workflow_test import run_workflow_test, workflow_test_diagnostics

_FURTHER = {"FunctionTest": test_diagnostics, "WorkflowTest": workflow_test_diagnostics}


@dataclass(slots=True)
class Loaded:
    """Everything in some files: documents, the catalog of what is prepared, and all diagnostics in order."""

    documents: list[Document]
    catalog: Catalog
    diagnostics: list[Diagnostic]
    _by_file: dict[str, list[Document]] = field(default_factory=dict, repr=False)

    def beside(self, test: Document) -> list[Document]:
        """The other documents of a test's file; found by an index, since every test of a large set asks."""
        if not self._by_file:
            for document in self.documents:
                self._by_file.setdefault(document.file, []).append(document)
        return [document for document in self._by_file.get(test.file, ()) if document is not test]


@dataclass(slots=True)
class Report:
    """The results of a run in file order."""

    loaded: Loaded
    tests: list[TestResult] = field(default_factory=list)

    @property
    def is_passed(self) -> bool:
        """No case failed and every document is valid; what lies outside the files may be missing."""
        problems = (d for d in self.loaded.diagnostics if d.is_error and d.code != MISSING_REFERENCE)
        return all(test.is_passed for test in self.tests) and not any(problems)

    def count(self, status: str) -> int:
        return sum(case.status == status for test in self.tests for case in test.cases)


def load(paths: Iterable[Path]) -> Loaded:
    """Reads, validates and prepares files and folders; never raises for their contents."""
    documents, diagnostics = load_paths(paths)
    return prepare(documents, diagnostics)


def prepare(documents: Sequence[Document], diagnostics: Iterable[Diagnostic] = ()) -> Loaded:
    """Validates and prepares documents that are loaded already."""
    catalog = Catalog()
    found = list(diagnostics)
    everything = []
    for document in documents:
        prepared = engine.prepare(document)
        if prepared is None:
            problems = validate(document)
            if is_test(document) and not has_errors(problems):
                problems += _FURTHER[document.identity.kind](document)
            found += problems
            continue
        found += prepared.diagnostics
        catalog.add(prepared)
        everything.append(prepared)
    for prepared in everything:
        found += engine.check_one(prepared, catalog)
    return Loaded(list(documents), catalog, in_order(found))


def run_tests(loaded: Loaded, *, select: str = "", mode: StateMerge | None = None, fail_fast: bool = False) -> Report:
    """Runs the FunctionTests and WorkflowTests whose identity contains `select`."""
    report = Report(loaded)
    for document in loaded.documents:
        if is_test(document) and select in str(document.identity):
            report.tests.append(run_one(document, loaded, mode=mode, fail_fast=fail_fast))
            if fail_fast and not report.tests[-1].is_passed:
                break
    return report


def is_test(document: Document) -> bool:
    """A test of ours; what others call the same is theirs."""
    kind = kind_of(document.value)
    return kind is not None and kind.kind in _FURTHER


def run_one(
    document: Document, loaded: Loaded, *, mode: StateMerge | None = None, fail_fast: bool = False
) -> TestResult:
    """Runs one FunctionTest or WorkflowTest."""
    catalog = nearest_catalog(document, loaded)
    if document.identity.kind == "WorkflowTest":
        return run_workflow_test(document, catalog, fail_fast=fail_fast)
    return run_function_test(document, catalog, mode=mode, fail_fast=fail_fast)


def nearest_catalog(test: Document, loaded: Loaded) -> Catalog:
    """The whole set, seen from one test: of same-named documents in its file the nearest wins."""
    seen: dict[object, Document] = {}
    for document in loaded.beside(test):
        known = seen.get(document.identity)
        if known is None or _distance(document, test) < _distance(known, test):
            seen[document.identity] = document
    return _overlaid(loaded, seen)


def _overlaid(loaded: Loaded, own: dict[object, Document]) -> Catalog:
    replaced = [
        document
        for document in own.values()
        if (prepared := loaded.catalog.get(document.identity)) is None or prepared.document is not document
    ]
    if not replaced:
        return loaded.catalog
    catalog = loaded.catalog.copy()
    for document in replaced:
        catalog.put(document)
    return catalog


def _distance(document: Document, test: Document) -> tuple[bool, int]:
    """Earlier documents first, then by lines."""
    lines = document.first_line - test.first_line
    return lines > 0, abs(lines)
