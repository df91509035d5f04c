"""The language itself: operators, literals, macros, names."""

import pytest

from lambent import cel
from lambent.cel import macros
from lambent.cel.values import BoolKey, UInt

VARIABLES = {"a": 1, "t": True, "n": None, "m": {"k": 1}, "l": [1, 2, 3], "f": 1.5, "s": "x", "o": {"in": 5, "true": 6}}


def run(text, profile="koreo", **options):
    return cel.compile(text, names=VARIABLES, profile=profile, **options).evaluate(VARIABLES)


def code_of(text, profile="koreo", **options):
    with pytest.raises(cel.CelError) as caught:
        run(text, profile, **options)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("t == 1 || 1 == t || 1 in [true] || true in [1]", False),
        ("{true: 'b', 1: 'i', 0: 'z', false: 'f'}[true]", "b"),
        ("{true: 'b', 1: 'i'}[1] + {1: 'i', true: 'b'}[true]", "ib"),
        ("{true: 'b'}[?1].hasValue() || {1: 'i'}[?true].hasValue()", False),
        ("[{true: 1, 1: 2}.map(k, k)[0], 1 in {true: 1}, true in {true: 1}]", [True, False, True]),
        ("{1: 'a'}[1.0] + {1u: 'b'}[1]", "ab"),
        ("1 == 1.0 && 1u == 1 && [1] == [1.0] && {'a': 1} == {'a': 1u} && m == {'k': 1.0}", True),
        ("'a' == 1 || null == false || [] == {} || n == 0", False),
        ("l == [1, 2] || m == {'k': 2} || m == {'x': 1}", False),
        ("-5 / 2 == -2 && -5 % 3 == -2 && 5 % -3 == 2 && 7 / -2 == -3", True),
        ("f / 0.0 > 1e308 && -f / 0.0 < -1e308 && f / -0.0 < 0.0 && 0.0 / 0.0 != 0.0 / 0.0", True),
        ("[1] + [2]", [1, 2]),
        ("b'a' + b'b'", b"ab"),
        ("a < 2u && 1.5 > a && 'a' < 'b' && false < true && b'a' <= b'b' && a >= 1 && f <= 1.5 && 2u >= 1u", True),
        ("timestamp(1) > timestamp(0) && duration('1s') >= duration('1s')", True),
        ("timestamp(1) + duration('1s') - timestamp(0) == duration('2s')", True),
        ("duration('1s') + timestamp(1) - duration('1s') == timestamp(1)", True),
        ("t || a / 0 > 1", True),
        ("a / 0 > 1 || t", True),
        ("a / 0 > 1 && false", False),
        ("[1, 0].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x == 2)", True),
        ("l.all(x, x > 0) && l.exists(x, x == 2) && l.exists_one(x, x == 2) && l.existsOne(x, x == 3)", True),
        ("l.map(x, x * 2).filter(x, x > 2)", [4, 6]),
        ("l.map(x, x > 1, x * 10)", [20, 30]),
        ("m.map(k, k)", ["k"]),
        ("l.map(x, l.map(y, x * y))[2]", [3, 6, 9]),
        ("l.map(a, a + 1) + [a]", [2, 3, 4, 1]),
        ("l.map(x, l.filter(x, x > 1).size() + x)", [3, 4, 5]),
        ("l.transformList(i, v, i * v) + l.transformList(i, v, i > 0, v)", [0, 2, 6, 2, 3]),
        ("m.transformMap(k, v, v + 1)", {"k": 2}),
        ("m.transformMap(k, v, v > 5, v + 1)", {}),
        ("l.all(i, v, v == i + 1) && m.exists(k, v, v == 1) && l.exists_one(i, v, i == v - 1 && v == 2)", True),
        ("cel.bind(x, 1, cel.bind(y, x + 1, x + y))", 3),
        ("o.in + o.true", 11),
        ("o.`in` + {'a-b': 1}.`a-b`", 6),
        ("// comment\na +\n 1 // more", 2),
        ("t ? 1 : 2", 1),
        ("false ? 1 : false ? 2 : t ? 3 : 4", 3),
        ("!!t && !(a == 2) && -(-a) == 1 && --a == 1", True),
        ("0xff + 0X10 - -1", 272),
        ("'''a\n'b''' + \"\"\"c\"d\"\"\" + r'\\n' + '\\x41\\u00e9\\U0001F600\\101\\?'", "a\n'bc\"d\\nAé😀A?"),
        ("b'\\xff\\377é'", b"\xff\xff\xc3\xa9"),
        ("[1, 2,]", [1, 2]),
        ("{'a': 1,}", {"a": 1}),
        ("{s: a, s + 'y': 2}", {"x": 1, "xy": 2}),
        (".a + .m.k", 2),
        ("l[dyn(1.0)] + l[0u]", 3),
        ("1e3 + .5 + 1.5e-1", 1000.65),
        ("type(a) == int && int != string", True),
        ("google.protobuf.Timestamp == type(timestamp(0))", True),
        ("18446744073709551615u", UInt(2**64 - 1)),
        ("-9223372036854775808", -(2**63)),
        ("size(l) == l.size() && s.size() == 1", True),
        ("has(m.k) && !has(m.x) && !has(n.x) && has(l[0]) && !has(l[3]) && has({'a': optional.of(m)}.a.k)", True),
        ("has(optional.none().x)", False),
        ("optional.of(l)[0].value() + optional.of(m).k.value()", 2),
        ("{'z': 1, 'a': 2, 'm': 3}.map(k, k)", ["z", "a", "m"]),
    ],
)
def test_an_expression_has_its_value(text, wanted):
    found = run(text)
    assert cel.equal(found, wanted), found
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 + 1.0", "type"), ("1 + 1u", "type"), ("a + f", "overload"), ("a + s", "overload"), ("1 - 'a'", "type"),
        ("t * 2", "overload"), ("f % f", "overload"), ("-s", "overload"), ("-t", "overload"), ("!a", "overload"),
        ("-'a'", "type"), ("!1", "type"), ("f / a", "overload"), ("a - s", "overload"),
        ("a / 0", "arithmetic"), ("a % 0", "arithmetic"), ("1u / 0u", "arithmetic"),
        ("9223372036854775807 + a", "arithmetic"), ("0u - 1u", "arithmetic"),
        ("-9223372036854775808 / -a", "arithmetic"),
        ("9223372036854775807 * 2", "arithmetic"), ("timestamp(253402300799) + duration('1s')", "arithmetic"),
        ("a < s", "overload"), ("n < n", "overload"), ("l < l", "overload"), ("1 < 'a'", "type"),
        ("l >= l", "overload"),
        ("n <= n", "overload"), ("n > n", "overload"),
        ("1 in 1", "type"), ("1 in s", "overload"), ("a && t", "overload"), ("1 && t", "type"), ("t || 's'", "type"),
        ("a ? 1 : 2", "overload"), ("1 ? 1 : 2", "type"), ("l[3]", "index"), ("l[-1]", "index"), ("l['a']", "overload"),
        ("[1]['a']", "type"), ("l[0.5]", "overload"), ("s[0]", "overload"), ("a[0]", "overload"), ("1[0]", "type"),
        ("m.x", "key"), ("m[s]", "key"), ("m[b'a']", "key"), ("n.x", "overload"), ("a.x", "overload"),
        ("l.x", "overload"),
        ("s.x", "overload"), ("'a'.b", "type"), ("a.?x", "overload"), ("l[?'a']", "overload"),
        ("has(a.x)", "overload"), ("has(a)", "syntax"), ("{1.0: 1}", "type"), ("{f: 1}", "overload"),
        ("{'a': 1, 'a': 2}", "key"),
        ("{1: 1, 1: 2}", "key"), ("{a: 1, 1u: 2}", "key"), ("{?'a': 1}", "overload"), ("[?1]", "overload"),
        ("a.map(x, x)", "overload"), ("l.map(x, x.y)", "overload"), ("l.filter(x, x)", "overload"),
        ("l.map(1, 2)", "syntax"), ("l.map(.x, 2)", "syntax"), ("l.all(x, x, true)", "syntax"), ("l.map(x)", "arity"),
        ("nope(1)", "function"), ("a.nope()", "function"), ("size(1)", "type"), ("size()", "arity"),
        ("size(a)", "overload"),
        ("b", "undeclared"), ("x.y.z", "undeclared"), ("l.map(x, y)", "undeclared"), ("T{a: 1}", "type"),
        ("a.T{}", "type"),
        ("cel.bind(x, 1, y)", "undeclared"), ("math.nope(1)", "function"), ("[1].map(x, .x)", "undeclared"),
    ],
)  # fmt: skip
def test_an_error_has_its_code(text, code):
    assert code_of(text) == code


@pytest.mark.parametrize(
    "text",
    ["", " ", "1 +", "(1", "[1", "{1", "{1: 2", "a.", "a.1", "a..b", "1 2", "a b", "a = 1",
     "a & b", "a | b", "'a", '"a\nb"',
     "'\\ud800'", "'\\U00110000'", "b'\\400'[", "1a", "1ux", "9223372036854775808",
     "-9223372036854775809", "18446744073709551616u", "-1u", "0x", "1.", "@", "a ? b", "a ? b :", "if",
     "a.map(x,", "in", "?a",
     "a[", "a[]", "{,}", "[,]", "`a`", "a.?", "99999999999999999999999", "T{1: 2}", "T{a 1}", "T{a: 1", ".",
     ".1a", "!", "- ", "f("],
)  # fmt: skip
@pytest.mark.parametrize("profile", ["koreo", "strict"])
def test_malformed_text_is_a_syntax_error(text, profile):
    assert code_of(text, profile) == "syntax"


def test_deep_and_long_expressions_are_refused_or_work_but_never_break():
    assert run("(" * 250 + "1" + ")" * 250) == 1
    assert code_of("(" * 251 + "1" + ")" * 251) == "syntax"
    assert code_of("[" * 250 + "1 / 0" + "]" * 250) in ("arithmetic", "limit")
    assert run(" + ".join(["a"] * 300)) == 300
    assert run("!" * 100 + "t") is True
    assert run("[" * 100 + "1" + "]" * 100 + "[0]" * 100) == 1
    assert run(" && ".join(["t"] * 300)) is True
    assert run("m.k > 0 && " * 300 + "m.gone == 1 || t") is True
    assert run("size([" * 25 + "1" + "])" * 25) == 1
    assert run(" ".join(["false ? 0 :"] * 100) + " 7") == 7
    for text in (
        "(" * 1000,
        "a" + "[0]" * 1000,
        " + ".join(["a"] * 1000),
        "!" * 1000 + "t",
        "t ? 1 : " * 1000 + "1",
        "size(" * 1000,
    ):
        assert code_of(text) in ("syntax", "limit")


def test_a_map_may_have_true_and_1_as_keys():
    found = run("{true: 'b', 1: 'i'}")
    assert found[1] == "i"
    assert found[BoolKey(True)] == "b"
    assert repr(found) == "{True: 'b', 1: 'i'}"
    assert run("{1: 'i', true: 'b', 'x': 0} == {'x': 0, true: 'b', 1: 'i'}") is True
    assert run("{1: 'i', 0: 'z'} == {true: 'i', 0: 'z'}") is False


def test_a_name_may_be_unchecked_and_then_fails_only_when_it_is_needed():
    assert run("missing || true", checked=False) is True
    assert run("missing(1) || true", checked=False) is True
    assert code_of("missing", checked=False) == "undeclared"
    assert code_of("'a' + 1", checked=False) == "type"
    assert code_of("T{a: 1}.b", checked=False) == "type"
    assert code_of("{'a': 1, 'a': 2}", checked=False) == "key"
    assert code_of("'a'.matches('(')", checked=False) == "regex"


def test_a_declared_name_without_a_value_fails_where_it_is_used():
    program = cel.compile("t || gone", names={"t", "gone"})
    assert program.evaluate({"t": True}) is True
    with pytest.raises(cel.CelError, match="'gone' has no value here"):
        program.evaluate({"t": False})


def test_inputs_are_never_changed():
    inputs = {"a": {"b": [3, 1, 2]}, "l": [1]}
    before = repr(inputs)
    for text in (
        "i.a.b.sort()",
        "i.a.b + i.l",
        "i.overlay({'a': {'b': 1}})",
        "i.a.transformMap(k, v, v)",
        "i.a.b.reverse()",
    ):
        cel.compile(text, names={"i"}).evaluate({"i": inputs})
    assert repr(inputs) == before


def test_programs_are_remembered_by_text_names_and_profile():
    first = cel.compile("a + 1", names=["a"])
    assert cel.compile("a + 1", names={"a"}) is first
    assert cel.compile("a + 1", names={"a", "b"}) is not first
    assert cel.compile("a + 1", names={"a"}, profile="strict") is not first
    assert repr(first) == "Program('a + 1')"
    assert (first.kind, cel.compile("a == 1", names={"a"}).kind) == ("dyn", "bool")


def test_a_backspace_in_a_pattern_is_remarked_on():
    (lint,) = cel.compile("a.matches('\\bx')", names={"a"}).lints
    assert (lint.code, lint.line, lint.col) == ("backspace", 1, 11)
    assert cel.compile(r"a.matches(r'\bx')", names={"a"}).lints == ()


def test_names_resolve_through_the_container_from_the_inside():
    program = cel.compile("y + .y", names={"x.y", "y"}, container="x")
    assert program.evaluate({"x.y": 1, "y": 10}) == 11
    assert cel.compile("a.b.c.d", names={"a.b.c", "a.b"}).evaluate({"a.b.c": {"d": 1}, "a.b": {}}) == 1


def test_every_macro_is_documented():
    words = {
        form.partition("(")[0].removeprefix("list.").removeprefix("map.").removeprefix("optional.")
        for form in cel.MACROS
    }
    assert words | {"existsOne"} == macros.NAMES
