"""Each rule of the page `docs/reference/workflow-rules.md` names a test that exists."""

import re
from functools import cache

import pytest

from tests.workflow.shared import ROOT

PAGE = (ROOT / "docs/reference/workflow-rules.md").read_text(encoding="utf-8")
RULES = re.findall(r"^\| (?!Rule|---)(.+) \| `(.+)` \|$", PAGE, re.MULTILINE)


@cache
def _tests_of(file: str) -> frozenset[str]:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^(?:async )?def test_(\w+)\(", text, re.MULTILINE))


def test_the_page_is_read_whole() -> None:
    assert len(RULES) == PAGE.count("\n| ") - PAGE.count("\n| Rule") > 100


@pytest.mark.parametrize(("rule", "test"), RULES)
def test_a_rule_has_its_test(rule: str, test: str) -> None:
    file, _, name = test.rpartition(":")
    if file:
        assert name in _tests_of(file), rule
    else:
        assert (ROOT / f"tests/conformance/workflows/{name}.k.yaml").exists(), rule
