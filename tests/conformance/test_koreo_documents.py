"""Published Koreo documents, unchanged: valid ones work, partial ones are refused with a place, none raises."""

from pathlib import Path
from typing import Any

import pytest

from lambent.workflow.engine import MISSING_REFERENCE, Unready, prepare
from lambent.workflow.spec import load_paths
from lambent.workflow.testing import Loaded, load, run_tests
from tests.workflow.shared import KOREO, needs_koreo

pytestmark = needs_koreo
FILES = sorted(KOREO.glob("*.k.yaml"))

# The codes for which a file of snippets must be refused.
REFUSED = {
    "docs-resource-function.k.yaml": {"missing-field", "missing-choice"},
    "docs-value-function.k.yaml": {"missing-choice"},
    "docs-workflow.k.yaml": {"missing-field", "unknown-step", MISSING_REFERENCE},
    "core-docs-workflow.k.yaml": {MISSING_REFERENCE},
    "core-examples-workflows.k.yaml": {MISSING_REFERENCE},
}
# Cases that pass with `legacy` only, each with its reason.
ACCEPTED_DIFFERENCES: dict[str, str] = {}
CASES = {
    "core-docs-function-test.k.yaml": 8,
    "core-docs-resource-function.k.yaml": 4,
    "core-docs-value-funciton.k.yaml": 4,
    "docs-quick-start.k.yaml": 22,
    "docs-resource-function.k.yaml": 4,
    "docs-resource-template.k.yaml": 2,
    "docs-value-function.k.yaml": 4,
    "examples-kubernetes-hello-koreo.k.yaml": 2,
    "examples-kubernetes-hello-service.k.yaml": 9,
    "examples-kubernetes-hello-workload.k.yaml": 11,
    "seed.k.yaml": 12,
}


def _name(file: Path) -> str:
    return file.name.removesuffix(".k.yaml")


def _loaded(file: Path) -> Loaded:
    return load([file])


@pytest.mark.parametrize("mode", ["merge", "legacy"])
@pytest.mark.parametrize("file", FILES, ids=_name)
def test_every_published_case_passes(file: Path, mode: Any) -> None:
    report = run_tests(_loaded(file), mode=mode)
    failed = [
        f"{test.identity} {case.label}: {case.explain()}"
        for test in report.tests
        for case in test.cases
        if case.status != "passed" and not (mode == "merge" and f"{test.identity} {case.label}" in ACCEPTED_DIFFERENCES)
    ]
    assert failed == []
    assert all(not test.problems for test in report.tests)
    assert report.count("passed") >= CASES.get(file.name, 0)


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_errors_are_those_expected_and_each_has_a_place(file: Path) -> None:
    errors = [diagnostic for diagnostic in _loaded(file).diagnostics if diagnostic.is_error]
    assert {error.code for error in errors} == REFUSED.get(file.name, set())
    assert all(error.line > 0 and error.col > 0 and error.file for error in errors)


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_every_expression_compiles(file: Path) -> None:
    codes = [d.summary for d in _loaded(file).diagnostics if d.code.startswith("cel-")]
    assert codes == []


def test_a_workflow_names_every_function_that_it_misses() -> None:
    loaded = _loaded(KOREO / "core-docs-workflow.k.yaml")
    missing = [d.message for d in loaded.diagnostics if d.code == MISSING_REFERENCE]
    assert missing == [
        "ValueFunction simple-example-config.v1 not found",
        "ValueFunction simple-return-value.v1 not found",
        "ResourceFunction resource-reader.v1 not found",
        "ResourceFunction resource-factory.v1 not found",
    ]


def test_partial_snippets_become_unready_and_their_neighbours_load() -> None:
    documents, _ = load_paths([KOREO / "docs-resource-function.k.yaml"])
    prepared = [found for document in documents if (found := prepare(document)) is not None]
    assert sum(isinstance(found, Unready) for found in prepared) == 10
    assert sum(not isinstance(found, Unready) for found in prepared) == 1
