"""Each rule of a page `docs/reference/*-rules.md` names a test that exists; no rule stands twice in a section.

A test is written `file:name`, below `tests` and without `test_`; a bare name is a document of
`tests/conformance/workflows`. A rule may name several, each in backticks.
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs/reference").glob("*-rules.md"))}
_ROW = re.compile(r"^\| (?!Rule \||---)(?P<rule>.+) \| (?P<tests>`[^`]+`(?:,? `[^`]+`)*) \|$", re.MULTILINE)
RULES = [(page, row["rule"], row["tests"]) for page, text in PAGES.items() for row in _ROW.finditer(text)]


@cache
def _tests_of(file: str) -> frozenset[str]:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^\s*(?:async )?def test_(\w+)\(", text, re.MULTILINE))


def _exists(test: str) -> bool:
    file, _, name = test.rpartition(":")
    if not file:
        return (ROOT / f"tests/conformance/workflows/{name}.k.yaml").exists()
    return (ROOT / "tests" / file).exists() and name in _tests_of(file)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_read_whole(page: str) -> None:
    text = PAGES[page]
    assert sum(of == page for of, _, _ in RULES) == text.count("\n| ") - text.count("\n| Rule |") > 100


@pytest.mark.parametrize("page", PAGES)
def test_no_rule_stands_twice_in_a_section(page: str) -> None:
    for section in PAGES[page].split("\n## ")[1:]:
        assert [rule for rule, n in Counter(row["rule"] for row in _ROW.finditer(section)).items() if n > 1] == []


@pytest.mark.parametrize(("page", "rule", "tests"), RULES)
def test_a_rule_has_its_tests(page: str, rule: str, tests: str) -> None:
    assert [test for test in re.findall(r"`([^`]+)`", tests) if not _exists(test)] == []
