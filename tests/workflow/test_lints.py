"""What is legal and probably not meant is a warning with a place."""

import pytest

from lambent.workflow.engine import Unready, ValueFunction, prepare
from tests.workflow.shared import documents

_FUNCTION = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: f}
spec:
  preconditions:
  - assert: =inputs.name.matches(%s)
    skip: {message: no}
  return:
    a: %s
"""


def _prepared(*, pattern: str = '"x"', value: str = "text") -> ValueFunction:
    prepared = prepare(documents(_FUNCTION.replace("no}", "none}") % (pattern, value))[0])
    assert isinstance(prepared, ValueFunction), prepared
    return prepared


def _lints(function: ValueFunction) -> list[tuple[str, str, int, int]]:
    return [(found.code, found.severity, found.line, found.col) for found in function.diagnostics]


@pytest.mark.parametrize("text", ["8080", "1.10", "007", "1e3", " 12 ", "nan", "1_000", "-inf"])
def test_text_that_koreo_takes_for_a_number_stays_text_with_a_warning(text: str) -> None:
    function = _prepared(value=f'"{text}"')
    assert _lints(function) == [("koreo-numeric-string", "warning", 10, 8)]
    assert function.evaluate({"name": "x"}).value == {"a": text}  # type: ignore[union-attr]  # an Ok has a value


@pytest.mark.parametrize("text", ["1.2.3", "0x1f", "v1", "1,000", "", "t8080"])
def test_other_text_has_no_warning(text: str) -> None:
    assert _lints(_prepared(value=f'"{text}"')) == []


@pytest.mark.parametrize("value", ["8080", "1.5", "true", "null"])
def test_a_number_that_is_written_as_one_has_no_warning(value: str) -> None:
    assert _lints(_prepared(value=value)) == []


def test_a_backspace_in_a_pattern_is_a_warning_at_the_pattern() -> None:
    (found,) = _prepared(pattern=r'"\bname"').diagnostics
    assert (found.code, found.severity, found.line) == ("cel-backspace", "warning", 7)
    assert found.excerpt[found.col - 1 :].startswith(r'"\bname"')


@pytest.mark.parametrize("pattern", [r'"\\bname"', r'r"\bname"'])
def test_a_word_boundary_that_is_one_has_no_warning(pattern: str) -> None:
    assert _lints(_prepared(pattern=pattern)) == []


def test_a_whole_use_of_steps_is_a_warning() -> None:
    text = """
        apiVersion: koreo.dev/v1beta1
        kind: Workflow
        metadata: {name: w}
        spec:
          steps:
          - {label: a, ref: {kind: ValueFunction, name: f}}
          - {label: b, ref: {kind: ValueFunction, name: f}, inputs: {n: =size(steps)}}
        """
    prepared = prepare(documents(text)[0])
    assert prepared is not None
    assert not isinstance(prepared, Unready)
    assert [(found.code, found.severity) for found in prepared.diagnostics] == [("steps-whole", "warning")]
