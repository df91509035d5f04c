"""The rules of the house that a machine can check."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.promises import read_promises

ROOT = Path(__file__).parents[2]
SOURCE = sorted((ROOT / "src").rglob("*.py"))
BANNED = {"utils", "helpers", "manager", "base", "common", "misc"}


def _functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_function_is_over_60_lines() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file in SOURCE
        for node in _functions(file)
        if (node.end_lineno or 0) - node.lineno + 1 > 60
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(file) for file in SOURCE if BANNED & {file.stem, file.parent.name}] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in SOURCE
        if file.read_text().strip() and not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert silent == []


@pytest.mark.parametrize("pattern", [r"\bTODO\b", r"\bFIXME\b", r"\bXXX\b"])
def test_nothing_is_left_for_later_in_a_comment(pattern: str) -> None:
    assert [str(file) for file in SOURCE if re.search(pattern, file.read_text())] == []


def test_each_proof_of_a_promise_exists() -> None:
    promises = list(read_promises((ROOT / "PROMISES.md").read_text()))
    assert len(promises) >= 38
    for promise in promises:
        for proof in promise.proofs:
            file, _, name = proof.partition("::")
            path = ROOT / (file if file.endswith(".py") else f"{file}.py")
            assert path.is_file(), proof
            assert name.split("[")[0] in path.read_text(), proof
