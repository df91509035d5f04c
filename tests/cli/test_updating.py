"""`lambent test --update`: which values of a test are rewritten to what came, and what is left for a person."""

import pytest

from tests.cli.files import Commands, Shop

WORKFLOW_TEST = """\
apiVersion: lambent.dev/v1alpha1
kind: WorkflowTest
metadata: {name: shops-test, namespace: shop}
spec:
  workflowRef: {name: shops}
  parent:
    apiVersion: example.org/v1
    kind: Shop
    metadata: {name: corner, namespace: shop}
    spec: {name: a, boards: 3}
  passes:
    - label: makes a shelf
      expect:
        # one write
        writes:
          - {verb: create, kind: Shelf, name: shop-a, body: {spec: {boards: 3}}}
        steps:
          naming: {return: {name: shop-a}}
          shelf:
            retry: {message: creating}   # not the whole of it
        conditions:
          Shelf: {status: "False", reason: Wait}
        requeueAfter: 30
    - label: ready
      set:
        - {apiVersion: example.org/v1, kind: Shelf, name: shop-a, namespace: shop, overlay: {status: {ready: true}}}
      expect:
        noWrites: true
        outcome: {ok: {}}
        state: {colour: red}
        resources:
          - {apiVersion: example.org/v1, kind: Shelf, metadata: {name: shop-a, namespace: shop}, spec: {colour: red}}
"""
NAME = "workflow-test.k.yaml"


@pytest.fixture
def tested(shop: Shop) -> Shop:
    (shop.files / "tests.k.yaml").unlink()
    (shop.files / NAME).write_text(WORKFLOW_TEST)
    return shop


def _changed(shop: Shop) -> list[str]:
    return [line.strip() for line in shop.read(NAME).splitlines() if line not in WORKFLOW_TEST.splitlines()]


def test_a_passing_workflow_test_stays_to_the_letter(run: Commands, tested: Shop) -> None:
    ran = run(f"test {tested.files} --update")
    assert (ran.code, tested.read(NAME)) == (0, WORKFLOW_TEST), ran.out


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (
            "{colour: red}",
            "{colour: blue}",
            [
                "state: {colour: blue}",
                "- {apiVersion: example.org/v1, kind: Shelf, metadata: {name: shop-a, namespace: shop}, "
                "spec: {colour: blue}}",
            ],
        ),
        (
            "spec: {boards: =inputs.boards}",
            "spec: {boards: =inputs.boards + 1}",
            ["- {verb: create, kind: Shelf, name: shop-a, body: {spec: {boards: 4}}}"],
        ),
        ("delay: 5}", "delay: 5}", []),
    ],
    ids=["a state and an object", "a body", "nothing"],
)
def test_only_values_that_differ_are_rewritten(
    run: Commands, tested: Shop, old: str, new: str, lines: list[str]
) -> None:
    tested.edit("functions.k.yaml", old, new)
    assert run(f"test {tested.files}").code == (1 if lines else 0)
    ran = run(f"test {tested.files} --update")
    assert (ran.code, _changed(tested)) == (0, lines), ran.out
    assert ("updated" in ran.err) == bool(lines)


def test_a_write_that_is_new_is_stated_without_its_body_and_a_stated_body_keeps_its_extent(
    run: Commands, tested: Shop
) -> None:
    tested.edit("functions.k.yaml", "{boards: =inputs.boards}", "{boards: =inputs.boards + 1}")
    tested.edit(NAME, "          - {verb: create, kind: Shelf, name: shop-a, body: {spec: {boards: 3}}}\n", (
        "          - {verb: create, kind: Shelf, name: shop-a, body: {spec: {boards: 3}}}\n"
        "          - {verb: delete, kind: Shelf, name: other}\n"
    ))  # fmt: skip
    run(f"test {tested.files} --update")
    text = tested.read(NAME)
    assert "boards: 4" in text
    assert "other" not in text
    assert "lambent.dev" not in text.partition("passes:")[2]


def test_writes_where_none_were_allowed_are_left_for_a_person(run: Commands, tested: Shop) -> None:
    tested.edit(NAME, "requeueAfter: 30", "noWrites: true")
    ran = run(f"test {tested.files} --update")
    assert (ran.code, tested.read(NAME).count("noWrites: true")) == (1, 2)
    assert "left as it is" in ran.err


def test_a_step_that_does_not_exist_stays(run: Commands, tested: Shop) -> None:
    tested.edit(NAME, "outcome: {ok: {}}", "steps: {shelv: {ok: {}}}")
    assert run(f"test {tested.files} --update").code == 1
    assert "steps: {shelv: {ok: {}}}" in tested.read(NAME)


def test_a_convergence_that_fails_is_left_and_named(run: Commands, tested: Shop) -> None:
    (tested.files / NAME).write_text(WORKFLOW_TEST + "  converge: {within: 0s}\n")
    tested.edit(NAME, "        - {apiVersion: example.org/v1, kind: Shelf, name: shop-a, namespace: shop, "
                "overlay: {status: {ready: true}}}\n", "        []\n")  # fmt: skip
    ran = run(f"test {tested.files} --update")
    assert ran.code == 1
    assert "left as it is" in ran.err
    assert "not ready within 0s" in ran.err


@pytest.mark.parametrize("value", ["a, b", "{a}", "[a", "'", "a: b", "# a", "", "two\\nlines", "1", "true", "null"])
def test_a_text_keeps_its_meaning_inside_braces(run: Commands, tested: Shop, value: str) -> None:
    tested.edit("functions.k.yaml", "{colour: red}", f'{{colour: "{value}"}}')
    ran = run(f"test {tested.files} --update")
    assert (ran.code, bool(_changed(tested))) == (0, True), ran.out
