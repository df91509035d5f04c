"""Properties over generated expressions and generated text; LAMBENT_FUZZ_EXAMPLES sets how many of each."""

import os
import string
from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambent import cel
from lambent.cel.parser import RESERVED, parse
from lambent.cel.printer import unparse
from lambent.cel.references import references
from lambent.cel.syntax import (
    Binary,
    Call,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Macro,
    MapLiteral,
    Message,
    Select,
    Ternary,
    Unary,
)
from lambent.cel.values import INT_MAX, INT_MIN, UINT_MAX, UInt

NAMES = ["inputs", "parent", "steps", "x"]
EXAMPLES = int(os.environ.get("LAMBENT_FUZZ_EXAMPLES", "150"))
OPERATORS = ["||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"]
FUNCTIONS = ["size", "lower", "to_json", "keys", "flatten", "string", "int", "unknown_function", "matches", "reverse"]

valid_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
literals = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(INT_MIN, INT_MAX),
    st.integers(0, UINT_MAX).map(UInt),
    st.floats(allow_nan=False),
    valid_text,
    st.binary(max_size=4),
).map(lambda value: Literal(0, value))
fields = st.text(string.ascii_letters + string.digits + "_./- ", min_size=1, max_size=5)
names = st.text(string.ascii_lowercase, min_size=1, max_size=4).filter(
    lambda name: name not in RESERVED | {"in", "true", "false", "null", "has"}
)
idents = st.builds(Ident, st.just(0), st.one_of(names, st.sampled_from(NAMES)), st.booleans())


def extend(nodes):
    items = st.lists(st.tuples(nodes, st.booleans()), max_size=3).map(tuple)
    return st.one_of(
        st.builds(Select, st.just(0), nodes, fields, st.booleans()),
        st.builds(Index, st.just(0), nodes, nodes, st.booleans()),
        st.builds(
            Call, st.just(0), st.sampled_from(FUNCTIONS), st.one_of(st.none(), nodes), st.lists(nodes).map(tuple)
        ),
        st.builds(Unary, st.just(0), st.sampled_from("!-"), nodes),
        st.builds(Binary, st.just(0), st.sampled_from(OPERATORS), nodes, nodes),
        st.builds(Ternary, st.just(0), nodes, nodes, nodes),
        st.builds(ListLiteral, st.just(0), items),
        st.builds(MapLiteral, st.just(0), st.lists(st.tuples(nodes, nodes, st.booleans()), max_size=3).map(tuple)),
        st.builds(lambda body: Macro(0, "has", None, (), (Select(0, body, "a"),), 1), nodes),
        st.builds(lambda target, body: Macro(0, "map", target, ("x",), (body,), 0), nodes, nodes),
        st.builds(lambda target, body: Macro(0, "exists", target, ("x", "y"), (body,), 0), nodes, nodes),
        st.builds(lambda initial, body: Macro(0, "cel.bind", None, ("x",), (initial, body), 1), nodes, nodes),
        st.builds(
            lambda target, initial, body: Macro(0, "reduce", target, ("x", "y"), (initial, body), 1),
            nodes,
            nodes,
            nodes,
        ),
        st.builds(
            lambda name, value: Message(0, name, (("f", value, False),)), st.sampled_from(["T", "a.b.T", ".T"]), nodes
        ),
    )


trees = st.recursive(st.one_of(literals, idents), extend, max_leaves=12)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-2, 2), st.sampled_from(["", "a", "b"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees)
def test_the_printed_tree_parses_to_the_same_tree(tree):
    assert parse(unparse(tree)) == tree


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.one_of(st.text(max_size=40), st.text("abx.[]{}()?:,'\"\\!-+*/%&|=<> 01uin\n`", max_size=40)))
@example("'\\")
@example('"""')
@example("((((" * 100)
@example("a" + ".b" * 2000)
@example("-" * 5000 + "1")
@example("1" * 5000)
@example("a?" * 3000)
@example("[" * 500)
@example("'\\ud800'")
@example("a" * 100_001)
def test_no_text_makes_the_compiler_raise_anything_but_its_own_error(text):
    for profile in ("koreo", "strict"):
        with suppress(cel.CelError):
            cel.compile(text, names=NAMES, profile=profile)


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees, st.fixed_dictionaries({name: json_values for name in NAMES}))
def test_the_fast_function_and_the_careful_one_agree(tree, bindings):
    try:
        program = cel.compile(unparse(tree), names=NAMES, checked=False)
    except cel.CelError:
        return
    careful = outcome(program.evaluate_carefully, bindings)
    assert outcome(program.evaluate, bindings) == careful


def outcome(evaluate, bindings):
    try:
        return repr(evaluate(bindings))
    except cel.CelError as error:
        return (error.code, error.message, error.line, error.col)


@settings(max_examples=EXAMPLES, deadline=None)
@given(trees)
def test_references_are_found_in_every_tree(tree):
    found = references(tree, frozenset(NAMES))
    assert found.guarded <= found.paths
    assert all(path[0] in NAMES for path in found.paths)
