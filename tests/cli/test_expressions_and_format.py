"""`lambent cel` and `lambent fmt`."""

from pathlib import Path

import pytest

from lambent.workflow.authoring.formatting import format_text
from lambent.workflow.spec import load_text
from tests.cli.files import Commands, Shop
from tests.workflow.shared import KOREO, needs_koreo


def test_an_expression_is_evaluated_with_its_bindings(run: Commands) -> None:
    ran = run("""cel eval '=inputs.a + b' --bind 'inputs={"a": 1}' --bind b=2 -o json""")
    assert ran.code == 0
    assert (ran.data["value"], ran.data["references"]) == (3, ["b", "inputs.a"])
    assert ran.data["microseconds"] > 0


def test_a_binding_can_come_from_a_file(run: Commands, tmp_path: Path) -> None:
    (tmp_path / "inputs.yaml").write_text("names: [a, b]\n")
    assert run(f"cel eval 'size(inputs.names)' --bind inputs=@{tmp_path}/inputs.yaml").out == "2\n"


def test_an_expression_that_is_wrong_is_shown_with_a_caret(run: Commands) -> None:
    ran = run("cel eval 'a + nmae' --bind name=1 --bind a=2")
    assert ran.code == 1
    assert ran.err.startswith("1:5: error[cel-undeclared]: undeclared name 'nmae'; did you mean 'name'?\n")
    assert ran.err.endswith("  a + nmae\n      ^\n")


def test_the_profile_decides(run: Commands) -> None:
    assert run("cel eval 'has(a.b.c)' --bind a={}").out == "false\n"
    assert run("cel eval 'has(a.b.c)' --bind a={} --profile strict").code == 1


@pytest.mark.parametrize("bind", ["x", "=1", "a.b=1", "x=@nowhere", "'x=[1'"])
def test_a_binding_that_cannot_be_read_is_a_usage_error(run: Commands, bind: str) -> None:
    ran = run(f"cel eval 1 --bind {bind}")
    assert ran.code == 2
    assert "--bind" in ran.err


def test_functions_are_listed_with_signature_and_meaning(run: Commands) -> None:
    ran = run("cel functions split_last")
    assert ran.code == 0
    assert "split_last  string string -> string" in ran.out
    assert {found["name"] for found in run("cel functions -o json").data["functions"]} >= {"to_json", "overlay"}
    assert "list.map(x, value)" in run("cel functions map").out


UGLY = """\
# about the file
kind: Workflow   # the kind
apiVersion: koreo.dev/v1beta1
metadata:
    name:   x
spec:
    steps:
    # first
    - label: a


      ref: {kind: ValueFunction,  name: f}
    -   label: b
        inputs:
            text: |
                  one
                    two

            # about more
            more: ='a' +
              'b'
    # - label: c
"""

PRETTY = """\
apiVersion: koreo.dev/v1beta1
# about the file
kind: Workflow # the kind
metadata:
  name: x
spec:
  steps:
    # first
    - label: a

      ref: {kind: ValueFunction,  name: f}
    - label: b
      inputs:
        text: |
          one
            two

        # about more
        more: ='a' +
          'b'
# - label: c
"""


def test_yaml_gets_one_form_and_keeps_its_comments() -> None:
    formatted, refusal = format_text(UGLY)
    assert refusal is None
    assert formatted.replace("    # - label: c", "# - label: c") == PRETTY
    assert format_text(formatted) == (formatted, None)


def test_documents_with_anchors_are_left_as_they_are() -> None:
    text = "a: &x   {b:  1}\nc:   *x\n"
    formatted, refusal = format_text(text)
    assert formatted == text
    assert str(refusal) == "anchors, aliases and tags are kept as they are"


def test_check_changes_nothing_and_exits_with_3(run: Commands, shop: Shop) -> None:
    shop.edit("functions.k.yaml", "    colour: =resource", "       colour: =resource")
    before = shop.read("functions.k.yaml")
    checked = run(f"fmt --check {shop.files}")
    assert checked.code == 3
    assert f"{shop.files}/functions.k.yaml would change" in checked.out
    assert shop.read("functions.k.yaml") == before
    assert run(f"fmt {shop.files}").code == 0
    assert run(f"fmt --check {shop.files}").code == 0


def test_a_file_that_is_not_yaml_fails_and_stays(run: Commands, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [1\n")
    ran = run(f"fmt {tmp_path}")
    assert ran.code == 1
    assert "bad.yaml left as it is: line 2:" in ran.out
    assert (tmp_path / "bad.yaml").read_text() == "a: [1\n"


@needs_koreo
@pytest.mark.parametrize("file", sorted(KOREO.glob("*.yaml")), ids=lambda file: file.name)
def test_published_documents_mean_the_same_after_formatting_and_stay_so(file: Path) -> None:
    text = file.read_text()
    formatted, _ = format_text(text)
    assert [d.value for d in load_text(formatted)[0]] == [d.value for d in load_text(text)[0]]
    assert sorted(_comments(formatted)) == sorted(_comments(text))
    assert format_text(formatted)[0] == formatted


def _comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]
