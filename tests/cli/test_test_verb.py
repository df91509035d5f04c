"""`lambent test`: which tests run, how a failure reads, what --update rewrites, and the other forms of a report."""

import subprocess
from xml.etree import ElementTree

import pytest

from tests.cli.files import Commands, Shop


def test_a_run_counts_and_names_each_case(run: Commands, shop: Shop) -> None:
    ran = run(f"test {shop.files}")
    assert ran.code == 0
    assert f"{shop.files}/tests.k.yaml:1  FunctionTest/shop/naming-test" in ran.out
    assert "  ✓ a prefix  " in ran.out
    assert "3 passed, 0 failed in " in ran.out


def test_a_failure_shows_path_expected_and_actual_and_both_places(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "{colour: red}", "{colour: blue}")
    ran = run(f"test {shop.files}")
    assert ran.code == 1
    assert "  ✗ made  " in ran.out
    assert f"      {shop.files}/tests.k.yaml:19\n      the resource differs\n        spec.colour\n" in ran.out
    assert '          expected: "red"\n          actual:   "blue"\n' in ran.out
    assert "  ✓ waits  " in ran.out
    assert "(after a failure)" in ran.out


def test_a_failing_expression_is_named_with_its_place(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "inputs.name   #", "inputs.nmae   #")
    ran = run(f"test {shop.files} -k naming")
    assert ran.code == 1
    assert 'PermFail: no such key "nmae" in inputs (map)' in ran.out
    assert f"at {shop.files}/functions.k.yaml:6:" in ran.out


def test_expressions_that_no_case_evaluates_are_listed(run: Commands, shop: Shop) -> None:
    ran = run(f"test {shop.files} -o json")
    assert [(found["path"], found["text"]) for found in ran.data["never_evaluated"]] == [
        ("spec.return.colour", "resource.spec.colour")
    ]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("-k shelf", {"FunctionTest/shop/shelf-test"}),
        ("-k SHELF", {"FunctionTest/shop/shelf-test"}),
        ("--kind ValueFunction", {"FunctionTest/shop/naming-test"}),
        ("--kind functiontest", {"FunctionTest/shop/naming-test", "FunctionTest/shop/shelf-test"}),
    ],
)
def test_tests_are_selected(run: Commands, shop: Shop, flags: str, expected: set[str]) -> None:
    listed = run(f"test {shop.files} --list -o json {flags}")
    assert {found["object"] for found in listed.data["tests"]} == expected
    assert {found["object"] for found in run(f"test {shop.files} -o json {flags}").data["tests"]} == expected


def test_nothing_selected_is_a_usage_error(run: Commands, shop: Shop) -> None:
    ran = run(f"test {shop.files} -k nothing")
    assert ran.code == 2
    assert "no FunctionTest or WorkflowTest selected" in ran.err


def test_both_state_merges_run_side_by_side(run: Commands, shop: Shop) -> None:
    ran = run(f"test {shop.files} --state-merge both -o json")
    assert [found["mode"] for found in ran.data["tests"]] == ["merge", "legacy"] * 2


def test_several_processes_give_the_same_report_in_the_same_order(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "{colour: red}", "{colour: blue}")

    def report(jobs: int) -> list[object]:
        data = run(f"test {shop.files} -o json -j {jobs}").data
        cases = [(t["object"], c["label"], c["status"], c["diff"]) for t in data["tests"] for c in t["cases"]]
        return [cases, data["never_evaluated"]]

    assert report(1) == report(2)


def test_fail_fast_ends_at_the_first_failing_case(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", '"shop-"', '"mall-"')
    ran = run(f"test {shop.files} --fail-fast -o json")
    assert ran.code == 1
    assert [test["object"] for test in ran.data["tests"]] == ["FunctionTest/shop/naming-test"]


def test_junit_has_a_suite_per_test_and_the_difference_as_failure(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "{colour: red}", "{colour: blue}")
    ran = run(f"test {shop.files} -o junit")
    root = ElementTree.fromstring(ran.out.encode())
    suites = {suite.get("name"): suite for suite in root}
    assert ran.code == 1
    assert suites["FunctionTest/shop/shelf-test"].get("failures") == "1"
    case = suites["FunctionTest/shop/shelf-test"][0]
    assert (case.get("name"), case.get("line")) == ("made", "19")
    assert "spec.colour: expected 'red', got 'blue'" in str(case[0].text)


def test_update_rewrites_values_and_keeps_comments(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", '"shop-"', '"mall-"')
    shop.edit("functions.k.yaml", "{colour: red}", "{colour: blue, depth: 2}")
    before = shop.read("tests.k.yaml")
    ran = run(f"test {shop.files} --update")
    assert ran.code == 0, ran.out
    changed = [line for line in shop.read("tests.k.yaml").splitlines() if line not in before.splitlines()]
    assert changed == [
        "        name: mall-a    # as agreed",
        "        spec:",
        "          boards: 3",
        "          colour: blue",
        "          depth: 2",
    ]
    assert "updated" in ran.err


def test_update_adds_and_removes_fields_of_a_block(run: Commands, shop: Shop) -> None:
    block = "        spec:\n          boards: 3\n          # why red\n          colour: red\n          gone: {a: 1}\n"
    shop.edit("tests.k.yaml", "        spec: {boards: 3, colour: red}\n", block)
    shop.edit("functions.k.yaml", "{boards: =inputs.boards}", "{boards: =inputs.boards, size: [1, 2]}")
    assert run(f"test {shop.files} --update").code == 0
    wanted = (
        "          # why red\n          colour: red\n          size:\n          - 1\n          - 2\n    - label: waits"
    )
    assert wanted in shop.read("tests.k.yaml")


def test_update_narrows_an_outcome_to_what_the_case_states(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "delay: 5}", "delay: 8}")
    assert run(f"test {shop.files} --update").code == 0
    assert "not ready" in shop.read("tests.k.yaml")
    assert "delay: 8" in shop.read("tests.k.yaml").replace('"', "")


def test_update_never_changes_the_kind_of_an_expectation(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "inputs.name   #", "inputs.nmae   #")
    before = shop.read("tests.k.yaml")
    ran = run(f"test {shop.files} --update")
    assert ran.code == 1
    assert shop.read("tests.k.yaml") == before
    assert "left as it is" in ran.err


def test_changed_runs_the_tests_that_an_edit_affects(run: Commands, shop: Shop) -> None:
    git = ["git", "-C", str(shop.files), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True, timeout=30, capture_output=True)
    unchanged = run(f"test {shop.files} --changed")
    assert (unchanged.code, unchanged.out) == (0, "no test is affected by edits since HEAD\n")
    shop.edit("functions.k.yaml", "# stable", "# very stable")
    assert len(run(f"test {shop.files} --changed -o json").data["tests"]) == 2
    assert run(f"test {shop.files} --changed nonsense").code == 2


def test_an_unreadable_document_fails_the_run_without_hiding_the_others(run: Commands, shop: Shop) -> None:
    (shop.files / "broken.k.yaml").write_text("a: [1\n")
    ran = run(f"test {shop.files}")
    assert ran.code == 1
    assert "broken.k.yaml:2:1: error[yaml-syntax]" in ran.out
    assert "3 passed, 0 failed, 1 errors in documents" in ran.out
