"""Every field of Koreo's five kinds in documents of our own, which work in both ways of writing a patch."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lambent.workflow.spec import load_paths
from lambent.workflow.spec.fields import Field
from lambent.workflow.spec.kinds import KINDS, KOREO_GROUP
from lambent.workflow.testing import CaseResult, Loaded, load, run_tests

FOLDER = Path(__file__).parent / "koreo_features"
FILES = sorted(FOLDER.glob("*.k.yaml"))
# What lambent adds to the tables of Koreo's kinds; the documents of `workflows` show it.
ADDED = {
    "Workflow": {
        "steps[].dependsOn",
        "steps[].timeout",
        "steps[].retry",
        "steps[].forEach.concurrency",
        "steps[].forEach.dropSkipped",
        "timeouts",
        "concurrency",
        "orphans",
        "stateMerge",
    },
    "ResourceFunction": {"update.apply", "apiConfig.deleteIfExists"},
    "FunctionTest": {"stateMerge"},
}


@cache
def _loaded() -> Loaded:
    return load(FILES)


@cache
def _cases(mode: Any) -> dict[str, CaseResult]:
    report = run_tests(_loaded(), mode=mode)
    assert [problem for test in report.tests for problem in test.problems] == []
    return {f"{test.identity.name}: {case.label}": case for test in report.tests for case in test.cases}


@pytest.mark.parametrize("mode", ["merge", "legacy"])
@pytest.mark.parametrize("case", sorted(_cases("merge")))
def test_a_feature_works_as_documented(case: str, mode: str) -> None:
    found = _cases(mode)[case]
    assert found.status == ("skipped" if case == "checked: left out" else "passed"), found.explain()


def test_the_documents_are_valid() -> None:
    assert [found.summary for found in _loaded().diagnostics if found.is_error] == []


def _fields(table: Field, path: str = "") -> Iterator[str]:
    """Every field of a table as `a.b[].c`; what lies in a free-form one is the document's own."""
    if table.items is not None:
        yield from _fields(table.items, f"{path}[]")
    for name, member in (table.fields or {}).items():
        below = f"{path}.{name}" if path else name
        yield below
        yield from _fields(member, below)


def _used(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _used(item, f"{path}[]")
    elif isinstance(value, dict):
        for name, item in value.items():
            below = f"{path}.{name}" if path else name
            yield below
            yield from _used(item, below)


@pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if kind.group == KOREO_GROUP))
def test_every_field_of_a_kind_is_used(kind: str) -> None:
    documents, _ = load_paths(FILES)
    used = {path for document in documents if document.identity.kind == kind for path in _used(document.spec)}
    wanted = {
        path
        for path in _fields(KINDS[kind].spec)
        if not any(f"{path}.".startswith((f"{added}.", f"{added}[]")) for added in ADDED.get(kind, ()))
    }
    assert wanted - used == set()
