"""The changes that the run of mutants makes: each is one, compiles, and has a name of its own."""

import ast

import pytest

from tests.mutation.__main__ import EQUIVALENT, SOURCE, read_equivalent
from tests.mutation.mutations import mutants_of


def _body(source: str) -> list[str]:
    """The mutated expressions or statements of a function of one line."""
    text = f"def f(a: 'int', b):\n    {source}\n"
    return [ast.unparse(ast.parse(mutant.source).body[0].body) for mutant in mutants_of(text)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("source", "mutated"),
    [
        ("x = a == b", ["x = a != b"]),
        ("x = a <= b", ["x = a < b"]),
        ("x = a in b", ["x = a not in b"]),
        ("x = a is b", ["x = a is not b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = not a", ["x = a"]),
        ("x = a + b", ["x = a - b"]),
        ("x = True", ["x = False"]),
        ("x = 3", ["x = 4"]),
        ("x = 'y'", ["x = 'y~'"]),
        ("x = None", []),
        ("x = all(a)", ["x = any(a)"]),
        ("x = a if b else 0", ["x = a if True else 0", "x = a if False else 0", "x = a if b else 1"]),
        ("return a", ["return None"]),
        ("return None", []),
        ("yield a", ["yield from ()"]),
        ("a(b)", ["None"]),
        ("raise a", ["pass"]),
        ("x = [c for c in a if c]", ["x = [c for c in a]"]),
        ("'a docstring'", []),
        ("x: 'str' = a", []),
        ("import a", []),
    ],
)
def test_each_change_is_a_single_one(source: str, mutated: list[str]) -> None:
    assert _body(source) == mutated


def test_a_mutant_is_named_by_its_function_and_change_and_equal_names_are_numbered() -> None:
    source = "class A:\n    def f(self):\n        g(1, 1)\n\ndef h():\n    return 1\n"
    names = [mutant.name for mutant in mutants_of(source, {"A.f"})]
    assert names == ["A.f: g(1, 1) -> None", "A.f: 1 -> 2", "A.f: 1 -> 2 #2"]


def test_every_mutant_of_a_module_is_python_and_none_is_the_module() -> None:
    source = (SOURCE / "workflow/engine/outcomes.py").read_text()
    found = list(mutants_of(source))
    assert len({mutant.name for mutant in found}) == len(found) > 50
    for mutant in found:
        compile(mutant.source, mutant.name, "exec")
        assert mutant.source != ast.unparse(ast.parse(source))


def test_every_equivalent_mutant_has_a_reason() -> None:
    listed = read_equivalent(EQUIVALENT.read_text())
    assert len(listed) > 10
    assert all(reason.endswith(".") for reason in listed.values())
