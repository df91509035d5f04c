"""The command line: every verb explains itself, and mistakes cost exit code 2 and one line."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from lambent.cli.main import FAMILIES, _first_of_ours, build_parser, main
from lambent.errors import LambentError

ROOT = Path(__file__).parents[2]


def _verbs(named: str = "") -> dict[str, argparse.ArgumentParser]:
    action = next(a for a in build_parser(named)._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_verb_alone_loads_the_family_that_declares_it(family: str) -> None:
    for verb in FAMILIES[family]:
        assert tuple(_verbs(verb)) == FAMILIES[family]


def test_a_word_that_is_no_verb_is_told_all_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["upp"])
    said = capsys.readouterr().err
    assert all(verb in said for verbs in FAMILIES.values() for verb in verbs)


@pytest.mark.parametrize("verb", sorted(set(_verbs()) - {"image"}))
def test_every_verb_has_an_example_that_parses(verb: str) -> None:
    epilog = _verbs()[verb].epilog
    assert epilog is not None
    words = epilog.removeprefix("example: ").removeprefix('eval "$(').removesuffix(')"').split(" | ")[0].split()
    assert words[:2] == ["lambent", verb]
    assert build_parser().parse_args(words[1:]).verb == verb


@pytest.mark.parametrize("action", ["eval", "functions"])
def test_every_action_of_cel_has_an_example_that_parses(action: str) -> None:
    actions = next(a for a in _verbs()["cel"]._actions if isinstance(a, argparse._SubParsersAction))
    words = str(actions.choices[action].epilog).removeprefix("example: ").split()
    assert words[:3] == ["lambent", "cel", action]
    assert build_parser().parse_args(words[1:]).action == action


def test_a_command_that_needs_a_platform_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--state", str(tmp_path)]) == 2
    assert "start one with `lambent up`" in capsys.readouterr().err


def test_a_setting_that_cannot_be_read_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--aws-port", "many"]) == 2
    assert "--aws-port: 'many' is not a whole number" in capsys.readouterr().err


def test_logs_of_an_unknown_function_name_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "orders.log").write_text("hello\n")
    assert main(["logs", "mails", "--state", str(tmp_path)]) == 1
    assert "there are logs of orders" in capsys.readouterr().err
    assert main(["logs", "orders", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "hello\n"


def test_parts_that_fail_side_by_side_are_told_in_one_line() -> None:
    known = LambentError("the port is taken")
    assert _first_of_ours(ExceptionGroup("parts", [ExceptionGroup("inner", [known])])) is known
    assert _first_of_ours(ExceptionGroup("parts", [known, ValueError("a defect")])) is None


def _commands_of(page: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("line", _commands_of(ROOT / "docs" / "how-to" / "workflows.md"))
def test_every_command_of_the_page_on_workflows_does_what_the_page_says(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    command, _, expected = line.partition(" || test $? = ")
    assert main(shlex.split(command)[1:]) == int(expected or 0), capsys.readouterr()
