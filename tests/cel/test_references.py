"""Which paths an expression reads, for every legal expression."""

import pytest

from lambent import cel
from lambent.cel import WILDCARD

NAMES = {"inputs", "steps", "l", "m", "a", "x", "locals"}


def paths(text):
    program = cel.compile(text, names=NAMES, checked=False)
    return {".".join(path) for path in program.references}, {".".join(path) for path in program.guarded}


@pytest.mark.parametrize(
    ("text", "wanted", "guarded"),
    [
        ("steps.bucket.arn", {"steps.bucket.arn"}, set()),
        ('inputs.a["b"].c', {"inputs.a.b.c"}, set()),
        ('steps["x"]', {"steps.x"}, set()),
        ("steps.?x", {"steps.x"}, {"steps.x"}),
        ("steps[?'x'].orValue(1)", {"steps.x"}, {"steps.x"}),
        ("has(steps.x)", {"steps.x"}, {"steps.x"}),
        ("has(inputs.role) && inputs.role == 'w'", {"inputs.role"}, {"inputs.role"}),
        ("size(steps)", {"steps"}, set()),
        ('"x" in steps', {"steps"}, set()),
        ("steps[a]", {"steps.*", "a"}, set()),
        ("steps[a].b", {"steps.*", "a"}, set()),
        ("from_json(x).a", {"x"}, set()),
        ("self_ref(x).name", {"x"}, set()),
        ("(inputs.a).b", {"inputs.a.b"}, set()),
        ('{"a": 1}.a', set(), set()),
        ("l[size(l)-1]", {"l.*", "l"}, set()),
        ('m[lower("A")]', {"m.*"}, set()),
        ("[a][0]", {"a"}, set()),
        ("inputs.a.b.lower().c", {"inputs.a.b"}, set()),
        ("m[true]", {"m.true"}, set()),
        ("l[0].x", {"l.0.x"}, set()),
        ("m[1.5]", {"m.*"}, set()),
        ("l.map(x, x.name + inputs.suffix)", {"l", "inputs.suffix"}, set()),
        ("l.map(inputs, inputs.x)", {"l"}, set()),
        ("l.map(x, .x.y)", {"l", "x.y"}, set()),
        ("cel.bind(x, a.b, x.c)", {"a.b"}, set()),
        ("reduce(l, acc, x, a.start, acc + x.n)", {"l", "a.start"}, set()),
        ("inputs.a ? steps.b.c : locals.d", {"inputs.a", "steps.b.c", "locals.d"}, set()),
        ("[steps.a, {'k': steps.b, inputs.k: 1}]", {"steps.a", "steps.b", "inputs.k"}, set()),
        ("!inputs.a || -inputs.b > 0", {"inputs.a", "inputs.b"}, set()),
        ("has(inputs[steps.k].c)", {"inputs.*", "steps.k"}, {"inputs.*"}),
        ("unknown.x + inputs.y", {"inputs.y"}, set()),
    ],
)
def test_the_paths_of_an_expression_are_found(text, wanted, guarded):
    assert paths(text) == (wanted, guarded)


def test_the_wildcard_can_be_told_from_a_key_of_that_name():
    (dynamic,) = cel.compile("m[size('')]", names=NAMES).references
    (static,) = cel.compile("m['*']", names=NAMES).references
    assert dynamic == static
    assert dynamic[1] is WILDCARD
    assert static[1] is not WILDCARD


def test_a_dotted_name_is_found_by_its_first_part():
    assert cel.compile("a.b.c", names={"a.b"}).references == {("a", "b", "c")}
