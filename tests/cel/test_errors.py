"""What an error says: the place, the names, the kinds; never a value."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent import cel
from lambent.cel.errors import Fault, LimitFault, located
from lambent.errors import LambentError

SECRET = "hunter2-7731"


def error_of(text, bindings=None, **options):
    bindings = bindings or {}
    with pytest.raises(cel.CelError) as caught:
        cel.compile(text, names=bindings, **options).evaluate(bindings)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "col"),
    [
        ("1 +\n  nope", 2, 3),
        ("a.b.c", 1, 4),
        ("a.list.map(x, x.name)", 1, 16),
        ("a.list.filter(x,\n x / 0 > 1)", 2, 4),
        ("size(a.list,\n 1)", 1, 1),
        ("a.list[7]", 1, 7),
        ("to_json(0.0/0.0)", 1, 1),
        ("a.list.sortBy(x, x + 'a')", 1, 20),
        ("true && (1/0 > 0)", 1, 11),
    ],
)
def test_an_error_stands_where_the_expression_went_wrong(text, line, col):
    error = error_of(text, {"a": {"b": 1, "list": [1]}})
    assert (error.line, error.col) == (line, col)


def test_an_error_names_path_and_kinds():
    bindings = {"resource": {"status": {"n": [1]}}}
    assert error_of("resource.status.arn", bindings).message == 'no such key "arn" in resource.status (map)'
    assert "resource.status.n is list" in error_of("resource.status.n.x", bindings).message
    assert "resource.status.n (list of 1)" in error_of("resource.status.n[1]", bindings).message
    assert "bool > int" in error_of("(1 == 1 ? true : resource) > 1", bindings).message
    assert "no such overload: int + string" in error_of("resource.status.n[0] + 'a'", bindings).message
    assert "did you mean 'split_last'" in error_of("'a'.split_lest('b')").message
    assert "takes 2 arguments" in error_of("'a'.startsWith()").message
    assert "known here: resource" in error_of("zzz", bindings).message
    assert "message type 'Foo'" in error_of("Foo{a: 1}").message


def test_an_error_is_one_of_ours_and_survives_pickling_and_moving():
    error = error_of("1 + 'a'")
    assert issubclass(cel.CelError, LambentError)
    assert (error.http_status, error.reason) == (400, "InvalidExpression")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert error.as_dict() == {
        "code": "type", "message": "no such overload: int + string", "line": 1, "col": 3, "excerpt": "1 + 'a'",
    }  # fmt: skip
    moved = error.shifted(10, 5)
    assert (moved.line, moved.col) == (10, 7)
    assert (error_of("1 +\n 'a' + 1u").shifted(10, 5).line, error_of("\n1 + 'a'").shifted(10, 5).col) == (10, 3)


def test_an_error_has_at_most_500_characters_whatever_the_expression():
    for text in (
        "x" * 5000,
        "'" + "a" * 5000 + "'.b",
        "f" * 3000 + "()",
        "a." + "b" * 3000,
        "1 + '" + "é" * 3000 + "'",
    ):
        error = error_of(text, {"a": {}})
        assert len(str(error)) <= 500
        assert len(error.excerpt) <= 80
    assert len(str(located("key", "m" * 5000, "x" * 5000, 4000))) <= 500


SNIPPETS = [
    "s.x", "s + 1", "l[9]", "m[s]", "m.missing", "int(s)", "s.matches('(')", "s ? 1 : 2", "l.map(x, x.y)",
    "timestamp(s)",
    "duration(s)", "from_json(s)", "b64decode(s)", "s < 1", "!s", "{s: 1, s: 2}", "l.sort()", "ip(s)",
    "quantity(s)", "m.s.t",
    "s.split('')", "s.charAt(99)", "-s", "bytes(s) + s", "to_ref(m)", "bool(s)", "double(s)", "uint(s)", "s.format([])",
    "'%d'.format([s])", "'x'.matches(s)", "timestamp(0).getHours(s)", "m[s].t", "sum(l)", "max([1, s])",
    "has(s.x)", "s in s",
    "s.?x", "[?s]", "{?'a': s}", "cel.bind(x, s, x.y)", "reduce(l, a, x, s, a / x)", "s.substring(50)",
    "cidr(s)", "url(s)",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SNIPPETS), min_size=1, max_size=3), st.sampled_from([" == ", " + ", " || "]))
def test_no_error_text_holds_a_value(snippets, operator):
    bindings = {"s": SECRET, "l": [SECRET, 7731], "m": {SECRET: {SECRET: 1}, "s": SECRET}}
    text = operator.join(f"({snippet})" for snippet in snippets)
    try:
        program = cel.compile(text, names=bindings)
        program.evaluate(bindings)
    except cel.CelError as error:
        context: BaseException | None = error
        shown = ""
        while context is not None:
            shown += f"{context} {context.args}"
            context = context.__cause__ or (None if context.__suppress_context__ else context.__context__)
        assert SECRET not in shown
        assert "7731" not in shown


def test_an_unexpected_error_of_a_function_becomes_an_internal_error_without_its_text(monkeypatch):
    from lambent.cel import codegen

    def broken(error):
        def operation():
            raise error

        return operation

    for error, code in (
        (ValueError(SECRET), "internal"),
        (RecursionError(SECRET), "limit"),
        (MemoryError(SECRET), "limit"),
    ):
        with pytest.raises(Fault) as caught:
            codegen.guard(3, broken(error))
        assert (caught.value.code, caught.value.pos) == (code, 3)
        assert SECRET not in str(caught.value)
    with pytest.raises(LimitFault) as limit:
        codegen.guard(5, broken(LimitFault("much")))
    assert limit.value.pos == 5


def test_values_nested_beyond_python_are_an_error_of_ours():
    deep: list = []
    for _ in range(3000):
        deep = [deep]
    assert error_of("d == e", {"d": deep, "e": [[deep]]}).code in ("limit", "internal")
    assert error_of("to_json(d)", {"d": deep}).code == "limit"
    with pytest.raises(cel.CelError):
        cel.json_value(deep)
