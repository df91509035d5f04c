"""Reading documents: values as kubectl sends them, places of fields and of characters in expressions."""

import textwrap

import pytest

from lambent.workflow.engine import Unready, prepare
from lambent.workflow.spec import Diagnostic, load_text, validate
from tests.workflow.shared import documents, loaded


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("off", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-0x10", -16),
        ("0777", 511),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2012-10-17", "2012-10-17"),
        ("=", "="),
        ("nan", "nan"),
        (".inf", ".inf"),
        ('"8080"', "8080"),
        ("'007'", "007"),
        ("!!str 12", "12"),
    ],
)
def test_plain_scalars_become_what_the_api_server_would_get(text: str, value: object) -> None:
    found = documents(f"v: {text}")[0].value["v"]
    assert (type(found), found) == (type(value), value)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert list(documents("{true: 1, 1.10: 2, null: 3, 'a\"b': 4, =x: 5}")[0].value) == [
        "true",
        "1.10",
        "null",
        'a"b',
        "=x",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000,
        "a: b: c",
        "&a [*a]",
        "*missing",
        "\x00",
        "a: \ud800",
        "? [a]\n: b",
        "\n".join(["a: &a0 [x]", *(f"b{i}: &a{i + 1} [{', '.join([f'*a{i}'] * 20)}]" for i in range(12))]),
    ],
    ids=["brackets", "dashes", "colons", "loop", "alias", "nul", "surrogate", "key", "laughs"],
)
def test_an_unreadable_text_is_one_diagnostic(text: str) -> None:
    found, problems = load_text(text, "x.yaml")
    assert (found, [problem.code for problem in problems]) == ([], ["yaml-syntax"])


def test_a_syntax_error_costs_one_document_and_not_its_neighbours() -> None:
    found, problems = load_text("kind: A\n---\na: b: c\n---\nkind: B\n", "x.yaml")
    assert [document.identity.kind for document in found] == ["A", "B"]
    assert [(problem.line, problem.col) for problem in problems] == [(3, 5)]


def test_a_key_that_stands_twice_is_an_error_at_the_second_place() -> None:
    _, problems = load_text("a: 1\nb: 2\na: 3\n", "x.yaml")
    assert [(p.code, p.line, p.col) for p in problems] == [("yaml-duplicate-key", 3, 1)]


def test_merge_keys_are_expanded() -> None:
    assert documents("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}")[0].value["b"] == {"x": 1, "y": 3}


FUNCTION = """
apiVersion: koreo.dev/v1beta1
kind: ValueFunction
metadata: {name: f}
spec:
  return:
    a: %s
"""


def _error(value: str) -> Diagnostic:
    text = FUNCTION % value
    prepared = prepare(documents(text)[0])
    assert isinstance(prepared, Unready)
    (found,) = [diagnostic for diagnostic in prepared.diagnostics if diagnostic.is_error]
    return found


@pytest.mark.parametrize(
    ("value", "line", "col"),
    [
        ("=1 + locls.b", 7, 13),
        ("'=1 + locls.b'", 7, 14),
        ('"=\\"x\\" + locls.b"', 7, 18),
        ("|\n      =1 +\n        locls.b", 9, 9),
        (">-\n      =1 +\n      locls.b", 9, 7),
        ("=1 +\n      locls.b", 8, 7),
        ("'=''x'' +\n      locls.b'", 8, 7),
    ],
    ids=["plain", "single", "double", "literal", "folded", "multiline", "single-multiline"],
)
def test_a_caret_stands_under_the_unknown_name_in_every_scalar_style(value: str, line: int, col: int) -> None:
    found = _error(value)
    assert (found.line, found.col) == (line, col), found.render()
    assert found.excerpt[found.col - 1 :].startswith("locls")


def test_a_diagnostic_shows_source_caret_object_and_help() -> None:
    text = textwrap.dedent(FUNCTION % "'=[locls.x]'")
    found = loaded(text).diagnostics
    assert [diagnostic.render() for diagnostic in found] == [
        'test.k.yaml:7:11: error[cel-undeclared]: unknown name "locls"\n'
        "  7 |     a: '=[locls.x]'\n"
        "    |           ^^^^^\n"
        "  ValueFunction/f spec.return.a\n"
        '  help: did you mean "locals"?'
    ]


def test_without_a_file_the_place_is_the_object_and_the_position_inside_the_expression() -> None:
    document = documents(FUNCTION % "=1 + locls.b")[0]
    document.node, document.file = None, ""
    prepared = prepare(document)
    assert isinstance(prepared, Unready)
    assert prepared.diagnostics[0].place == "ValueFunction/f:spec.return.a:1:5"


def test_validation_changes_nothing() -> None:
    text = FUNCTION % "=1"
    document, same = documents(text)[0], documents(text)[0]
    validate(document)
    assert document.value == same.value
