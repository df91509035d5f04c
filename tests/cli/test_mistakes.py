"""What a wrong file, object or word costs: a line that says where and what to do, and never a traceback."""

import io
import socket
from pathlib import Path

import pytest

from tests.cli.files import TESTS, Commands, Shop


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder of files that hold something else than they should."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "binary.yaml").write_bytes(bytes(range(128, 256)))
    (folder / "list.yaml").write_text("[1, 2]\n")
    (folder / "words.yaml").write_text("{a: 1\n")
    (folder / "nameless.yaml").write_text("apiVersion: example.org/v1\nkind: Shop\nmetadata: {}\n")
    (folder / "event.json").write_text('{"detail": 1}\n')
    (folder / "empty").mkdir()
    return folder


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("plan shops --parent {}/binary.yaml", "--parent {}/binary.yaml:1:1: error[file-unreadable]: not UTF-8 text"),
        ("plan shops --parent {}/event.json", "{}/event.json is not an object of a cluster: metadata must be an obj"),
        ("plan shops --parent {}/nameless.yaml", "is not an object of a cluster: metadata.name must be a text that"),
        ("plan shops --parent {}/empty", "--parent {}/empty: one object is needed, there are 0"),
        ("graph shops --parent {}/event.json", "{}/event.json is not an object of a cluster"),
        ("render ValueFunction/naming --inputs {}/list.yaml", "{}/list.yaml:1:1: a map is needed, like `name: value`"),
        ("render ValueFunction/naming --inputs {}/words.yaml", "error[yaml-syntax]"),
        ("render ValueFunction/naming --inputs {}/no.yaml", "--inputs {}/no.yaml: no such file or folder"),
        ("cel eval a --bind a=@{}/binary.yaml", "the file is not UTF-8 text"),
        ("cel eval a --bind a=@{}/empty", "Is a directory"),
        ("validate {}/empty", "no workflow, function or test in {}/empty"),
        ("test {}/empty", "no FunctionTest or WorkflowTest selected in {}/empty"),
        ("graph shops --cluster", "name it by --parent FILE"),
        ("plan shops --parent {}/event.json --cluster", "is not an object of a cluster"),
        ("test --update -", "need files; standard input has none"),
        ("kubeserver --ephemeral --state {}", "--state keeps everything and --ephemeral nothing: give one of them"),
        ("kubeserver --ephemeral --port 0 --listen 192.0.2.1", "--kube-port and --kube-listen change it"),
    ],
)
def test_a_wrong_file_is_a_usage_error(run: Commands, shop: Shop, broken: Path, command: str, said: str) -> None:
    files = f" -f {shop.files}" if command.split()[0] in ("plan", "graph", "render") else ""
    ran = run(command.format(broken) + files)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"lambent {command.split()[0]}: ")
    assert said.format(broken) in ran.err


@pytest.mark.parametrize("verb", ["graph shops", "plan shops --parent {}"])
def test_a_document_with_errors_is_named_before_they_are_shown(run: Commands, shop: Shop, verb: str) -> None:
    shop.edit("workflow.k.yaml", "  steps:", "  stepz:")
    ran = run(f"{verb.format(shop.parent)} -f {shop.files}")
    assert ran.code == 1
    first, second, *_ = ran.err.splitlines()
    assert first.endswith(": Workflow/shop/shops is not valid")
    assert "workflow.k.yaml:4:1: error[missing-field]: spec.steps is required" in second


def test_a_file_that_is_no_text_is_left_by_fmt_with_the_reason(run: Commands, broken: Path) -> None:
    ran = run(f"fmt {broken}/binary.yaml")
    assert (ran.code, ran.out) == (
        1,
        f"{broken}/binary.yaml left as it is: it is not UTF-8 text\n1 file, 0 changed\n",
    )


def test_numbers_of_one_are_told_as_one(run: Commands, shop: Shop) -> None:
    (shop.files / "tests.k.yaml").unlink()
    (shop.files / "workflow.k.yaml").unlink()
    shop.edit("functions.k.yaml", "=inputs.boards", "=input.boards")
    assert run(f"validate {shop.files}").out.endswith("2 documents: 1 error, 0 warnings\n")


CIRCLE = """\
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: %s, namespace: shop}
spec:
  steps: [{label: one, ref: {kind: Workflow, name: %s}}, {label: two, ref: {kind: Workflow, name: %s}}]
"""


def test_workflows_in_a_circle_are_drawn_once(run: Commands, shop: Shop) -> None:
    (shop.files / "circle.k.yaml").write_text(CIRCLE % ("a", "b", "b") + "---\n" + CIRCLE % ("b", "a", "a"))
    ran = run(f"graph a -f {shop.files} --expand")
    assert ran.code == 0
    assert ran.out.count("runs in a circle: Workflow/shop/a stands around this step") == 4
    planned = run(f"plan a --parent {shop.parent} -f {shop.files}")
    assert planned.code == 1
    assert "error[workflow-cycle]: sub-workflows run in a circle: Workflow/shop/a -> Workflow/shop/b" in planned.err


def test_graph_says_which_function_is_missing(run: Commands, shop: Shop) -> None:
    shop.edit("workflow.k.yaml", "name: shelf}", "name: shelv}")
    assert "│   ResourceFunction shelv not found" in run(f"graph shops -f {shop.files}").out


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("validate -", 1, "<stdin>:5:44: error[missing-reference]: ValueFunction naming not found"),
        ("test -", 1, "ValueFunction naming not found"),
        ("fmt -", 0, "    - label: a prefix # why: names are shared\n"),
        ("fmt --check -", 3, ""),
    ],
)
def test_a_dash_is_standard_input(
    run: Commands, monkeypatch: pytest.MonkeyPatch, command: str, code: int, said: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TESTS))
    ran = run(command)
    assert ran.code == code
    assert said in ran.out


def test_a_parent_may_come_from_standard_input(run: Commands, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(shop.parent.read_text()))
    assert run(f"plan shops --parent - -f {shop.files}").code == 3


@pytest.mark.parametrize("verb", ["explain a/b", "inspect a/b", "reconcile a/b", "prune"])
@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "start one with `lambent up`, or name its --state, or a cluster by --kubeconfig"),
        ("a: b\n", "has no current-context; `kubectl config use-context NAME` sets one"),
        ("}{", "is not YAML"),
    ],
    ids=["no platform", "no context", "no kubeconfig"],
)
def test_a_cluster_that_is_not_there_is_a_usage_error(
    run: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, config: str | None, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    (tmp_path / "config").write_text(config or "")
    ran = run(verb + (" --kubeconfig config" if config else ""))
    assert ran.code == 2
    assert said in ran.err


def test_a_cluster_that_does_not_answer_is_named(run: Commands, tmp_path: Path) -> None:
    config = tmp_path / "config"
    with socket.socket() as taken:
        # Bound and not listening: whoever connects is refused.
        taken.bind(("127.0.0.1", 0))
        config.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x}}]\n"
            f'clusters: [{{name: x, cluster: {{server: "http://127.0.0.1:{taken.getsockname()[1]}"}}}}]\n'
        )
        ran = run(f"prune --kubeconfig {config}")
    assert ran.code == 1
    assert f"lambent prune: the cluster of {config} does not answer; is it up, is this its kubeconfig? " in ran.err
