"""Our own conformance set: one document per behaviour of sections 4.2 to 4.10, one test per case.

`workflows` holds what is valid, so that `lambent test tests/conformance/workflows` runs it too. The first line of a
document in `workflows_refused` ends with the codes of its errors, which must have a place; its cases say how the rest
works all the same.
"""

from functools import cache
from pathlib import Path

import pytest

from lambent.workflow.engine import MISSING_REFERENCE
from lambent.workflow.testing import CaseResult, Report, load, run_tests

VALID = Path(__file__).parent / "workflows"
REFUSED = Path(__file__).parent / "workflows_refused"
FILES = sorted([*VALID.glob("*.k.yaml"), *REFUSED.glob("*.k.yaml")])
# Documents whose subject is a reference that leads nowhere.
MISSING = {"run-missing-function", "switch-unused-case"}


def _name(file: Path) -> str:
    return file.name.removesuffix(".k.yaml")


@cache
def _report(file: Path) -> Report:
    return run_tests(load([file]))


def _cases(file: Path) -> list[CaseResult]:
    return [case for test in _report(file).tests for case in test.cases]


CASES = [
    pytest.param(file, index, id=f"{_name(file)}: {case.label}")
    for file in FILES
    for index, case in enumerate(_cases(file))
]


@pytest.mark.parametrize(("file", "index"), CASES)
def test_workflows_behave_as_specified(file: Path, index: int) -> None:
    case = _cases(file)[index]
    assert case.status == "passed", case.explain()


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_each_document_tests_something_and_has_the_errors_that_it_announces(file: Path) -> None:
    report = _report(file)
    assert [problem for test in report.tests for problem in test.problems] == []
    assert len(_cases(file)) >= 1
    first = file.read_text().partition("\n")[0]
    errors = [diagnostic for diagnostic in report.loaded.diagnostics if diagnostic.is_error]
    announced = set(first.partition("refused for ")[2].split(", ")) - {""}
    expected = announced | ({MISSING_REFERENCE} if _name(file) in MISSING else set())
    assert {error.code for error in errors} == expected
    assert all(error.file and error.line > 0 and error.col > 0 for error in errors)


def test_the_valid_set_passes_as_one_run() -> None:
    report = run_tests(load([VALID]))
    assert report.is_passed
    assert report.count("passed") >= 240
