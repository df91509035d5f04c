"""Reports of `lambent test`: what a person reads of a failure, and what CI reads of a run."""

from xml.etree import ElementTree

import pytest

from lambent.workflow.testing.expectations import ABSENT, Mismatch
from lambent.workflow.testing.output import difference_lines
from tests.cli.files import Commands, Shop
from tests.cli.test_updating import WORKFLOW_TEST

LONG = "x" * 500
LINES = ("@@ -2,5 +2,5 @@", " 2", " 3", "-4", "+four", " 5", " 6")


@pytest.mark.parametrize(
    ("difference", "lines"),
    [
        (Mismatch("a", 1, "1"), ["  a", "    expected: 1", '    actual:   "1"']),
        (Mismatch("", 1, ABSENT), ["  (root)", "    expected: 1", "    actual:   (nothing)"]),
        (Mismatch("noWrites", True, [], "expected no writes"), ["  noWrites", "    expected no writes"]),
        (
            Mismatch("a", LONG + "b" + LONG, LONG + "c"),
            ["  a", f'    expected: "…{"x" * 60}b{"x" * 336}…', f'    actual:   "…{"x" * 60}c"'],
        ),
        (Mismatch("a", LONG, ABSENT), ["  a", f'    expected: "{"x" * 398}…', "    actual:   (nothing)"]),
        (
            Mismatch("a", "1\n2\n3\n4\n5\n6\n", "1\n2\n3\nfour\n5\n6\n"),
            ["  a", "    - expected, + actual", *(f"    {line}" for line in LINES)],
        ),
    ],
    ids=["values", "nothing", "a sentence", "long texts", "a long text", "lines"],
)
def test_a_difference_can_be_seen_at_a_glance(difference: Mismatch, lines: list[str]) -> None:
    assert list(difference_lines(difference)) == lines


def test_a_text_that_goes_on_is_shown_from_near_its_end() -> None:
    _, expected, actual = difference_lines(Mismatch("a", LONG, LONG + "y"))
    assert (expected, actual) == (f'    expected: "…{"x" * 60}"', f'    actual:   "…{"x" * 60}y"')


def test_a_failing_pass_shows_paths_and_the_steps_behind_them(run: Commands, shop: Shop) -> None:
    (shop.files / "workflow-test.k.yaml").write_text(WORKFLOW_TEST)
    shop.edit("functions.k.yaml", "inputs.name   #", "inputs.nmae   #")
    ran = run(f"test {shop.files} --kind workflow")
    assert ran.code == 1
    assert '        writes\n          expected: ["create Shelf shop-a"]\n          actual:   []\n' in ran.out
    assert "        steps.naming\n          expected a return, got PermFail: no such key" in ran.out
    found = run(f"test {shop.files} --kind workflow -o json").data["tests"][0]["cases"][0]
    assert found["outcome"] == "PermFail"
    assert {"path": "writes", "expected": ["create Shelf shop-a"], "actual": []} in found["diff"]


def test_junit_tells_skipped_cases_invalid_tests_and_unreadable_files(run: Commands, shop: Shop) -> None:
    shop.edit("tests.k.yaml", "    - label: waits\n", "    - label: waits\n      skip: true\n")
    shop.edit("tests.k.yaml", "    - label: a prefix ", "    - label: 3 ")
    (shop.files / "broken.k.yaml").write_text("a: [\x07\n")
    ran = run(f"test {shop.files} -o junit")
    root = ElementTree.fromstring(ran.out.encode())
    suites = {str(suite.get("name")): suite for suite in root}
    assert ran.code == 1
    assert set(suites) == {"documents", "FunctionTest/shop/naming-test", "FunctionTest/shop/shelf-test"}
    assert suites["FunctionTest/shop/shelf-test"].get("skipped") == "1"
    assert suites["FunctionTest/shop/shelf-test"][1][0].tag == "skipped"
    (broken,) = suites["FunctionTest/shop/naming-test"]
    assert broken.get("name") == "(document)"
    assert "tests.k.yaml:8:14: error[wrong-type]" in str(broken[0].text)
    for suite in root:
        assert int(str(suite.get("failures"))) == len(suite.findall("testcase/failure"))
        assert int(str(suite.get("tests"))) == len(suite.findall("testcase"))


def test_of_many_expressions_that_nothing_evaluated_the_first_are_named(run: Commands, shop: Shop) -> None:
    fields = "".join(f"    f{index}: =resource.spec.colour + '{'y' * 80}'\n" for index in range(12))
    shop.edit("functions.k.yaml", "    colour: =resource.spec.colour\n", fields)
    ran = run(f"test {shop.files}")
    assert "expressions never evaluated: 12\n" in ran.out
    assert "  and 2 more (all of them with -o json)" in ran.out
    assert max(map(len, ran.out.splitlines())) < 250


def test_the_tests_of_a_set_are_listed_one_a_line(run: Commands, shop: Shop) -> None:
    assert run(f"test {shop.files} --list").out.splitlines() == [
        f"{shop.files}/tests.k.yaml:1  FunctionTest/shop/naming-test  ValueFunction/naming  1 case",
        f"{shop.files}/tests.k.yaml:12  FunctionTest/shop/shelf-test  ResourceFunction/shelf  2 cases",
    ]


def test_strict_counts_warnings(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "inputs: {name: =parent.spec.name}", "inputs: {name: =parent.spec.name, nmae: 1}")
    assert run(f"test {shop.files}").code == 0
    ran = run(f"test {shop.files} --strict")
    assert (ran.code, "warning[unexpected-input]" in ran.err) == (1, True)
