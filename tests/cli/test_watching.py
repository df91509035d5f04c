"""`lambent test --watch` and `--changed`: which edits make which tests run again."""

import subprocess
from collections.abc import Callable, Iterable
from types import SimpleNamespace

import pytest

from tests.cli.files import Commands, Shop
from tests.cli.test_updating import WORKFLOW_TEST

TEMPLATE = """\
apiVersion: koreo.dev/v1beta1
kind: ResourceTemplate
metadata: {name: plain, namespace: shop}
spec: {template: {apiVersion: example.org/v1, kind: Shelf, spec: {colour: red}}}
"""
NESTED = """\
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: mall, namespace: shop}
spec:
  steps:
    - {label: one, ref: {kind: Workflow, name: shops}, inputs: {spec: {name: a, boards: 1}}}
    - {label: two, ref: {kind: ValueFunction, name: nowhere}}
---
"""


def _edits(monkeypatch: pytest.MonkeyPatch, edits: Iterable[Callable[[], object]]) -> None:
    """Each pause of the watch makes one edit; then Ctrl-C."""
    left = iter(edits)

    def pause(seconds: float) -> None:
        edit = next(left, None)
        if edit is None:
            raise KeyboardInterrupt
        edit()

    monkeypatch.setattr("lambent.cli.testing.time", SimpleNamespace(sleep=pause))


def test_watch_runs_again_after_an_edit_and_only_then(
    run: Commands, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = [lambda: None, lambda: shop.edit("functions.k.yaml", '"shop-"', '"mall-"'), lambda: None]
    _edits(monkeypatch, edits)
    ran = run(f"test {shop.files} --watch -k naming")
    assert ran.out.count("-- waiting for edits in") == 2
    first, second = ran.out.split("-- waiting for edits in")[:2]
    assert "1 passed, 0 failed" in first
    assert "0 passed, 1 failed" in second
    assert ran.code == 1


def test_watch_goes_on_after_a_mistake_and_after_a_file_came_or_went(
    run: Commands, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = shop.read("tests.k.yaml")
    edits = [
        lambda: (shop.files / "tests.k.yaml").unlink(),
        lambda: (shop.files / "again.k.yaml").write_text(tests),
    ]
    _edits(monkeypatch, edits)
    ran = run(f"test {shop.files} --watch")
    assert ran.out.count("-- waiting for edits in") == 3
    assert "no FunctionTest or WorkflowTest selected" in ran.err
    assert ran.code == 0


def test_what_watch_rewrites_itself_is_no_edit(run: Commands, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.edit("functions.k.yaml", '"shop-"', '"mall-"')
    _edits(monkeypatch, [lambda: None, lambda: None])
    ran = run(f"test {shop.files} --watch --update")
    assert ran.out.count("-- waiting for edits in") == 1
    assert "mall-a" in shop.read("tests.k.yaml")


@pytest.mark.parametrize(
    ("name", "affected"),
    [
        ("functions.k.yaml", {"naming-test", "shelf-test", "shops-test", "mall-test"}),
        ("workflow.k.yaml", {"shops-test", "mall-test"}),
        ("mall.k.yaml", {"mall-test"}),
        ("template.k.yaml", {"shelf-test"}),
        ("workflow-test.k.yaml", {"shops-test"}),
        ("notes.txt", set()),
    ],
)
def test_a_test_is_affected_by_every_file_that_it_runs(
    run: Commands, shop: Shop, name: str, affected: set[str]
) -> None:
    (shop.files / "template.k.yaml").write_text(TEMPLATE)
    shop.edit("functions.k.yaml", "  resource:\n    spec: {boards: =inputs.boards}\n", (
        "  resourceTemplateRef: {name: plain}\n"
    ))  # fmt: skip
    (shop.files / "workflow-test.k.yaml").write_text(WORKFLOW_TEST)
    nested = WORKFLOW_TEST.partition("  passes:")[0].replace("shops", "mall")
    (shop.files / "mall.k.yaml").write_text(NESTED + nested + "  passes: [{}]\n")
    (shop.files / "notes.txt").write_text("x")
    git = ["git", "-C", str(shop.files), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True, timeout=30, capture_output=True)
    (shop.files / name).write_text((shop.files / name).read_text() + "\n# an edit\n")
    ran = run(f"test {shop.files} --changed --list -o json")
    listed = {test["object"].rpartition("/")[2] for test in ran.data["tests"]} if affected else set()
    assert listed == affected, ran


def test_changed_needs_git(run: Commands, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(shop.folder))
    ran = run(f"test {shop.files} --changed")
    assert (ran.code, "--changed needs git" in ran.err) == (2, True)
