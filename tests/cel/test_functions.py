"""The functions: each with its plain case and its edges."""

import pytest

from lambent import cel
from lambent.cel import registry
from lambent.cel.values import CelType, Duration, OptionalValue, Timestamp, UInt

OBJECT = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
VARIABLES = {
    "o": OBJECT,
    "m": {"b": 1, "a": {"x": 1, "y": [1]}},
    "l": [3, 1, 2],
    "nothing": None,
    "text": "aXbXc",
    "ready": {"status": {"conditions": [{"type": "Ready", "reason": "UpToDate", "status": "True"}]}},
}


def run(text, profile="koreo", **options):
    return cel.compile(text, names=VARIABLES, profile=profile, **options).evaluate(VARIABLES)


def fails(text, code, profile="koreo", **options):
    with pytest.raises(cel.CelError) as caught:
        run(text, profile, **options)
    assert caught.value.code == code, str(caught.value)
    assert len(str(caught.value)) <= 500


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('to_ref({"apiVersion": "v1", "kind": "K", "name": "n", "namespace": "s", "more": 1})',
         {"apiVersion": "v1", "kind": "K", "name": "n", "namespace": "s"}),
        ('to_ref({"kind": "", "name": "n", "namespace": ""})', {"name": "n"}),
        ('to_ref({"kind": "K", "external": "e", "name": "n"})', {"kind": "K", "external": "e"}),
        ('{"apiVersion": "v1", "kind": "K", "name": "n"}.kindless_ref()', {"name": "n"}),
        ('group_ref({"apiGroup": "g", "kind": "K", "name": "n"})', {"apiGroup": "g", "kind": "K", "name": "n"}),
        ('group_ref({"apiVersion": "g/v1", "kind": "K", "name": "n"})', {"apiGroup": "g", "kind": "K", "name": "n"}),
        ('group_ref({"apiVersion": "v1", "kind": "K", "name": "n"})', {"kind": "K", "name": "n"}),
        ("self_ref(o)", {"apiVersion": "v1", "kind": "Namespace", "name": "n"}),
        ("config_connect_ready(ready)", True),
        ("config_connect_ready(o)", False),
        ("config_connect_ready({'status': {'conditions': [{'type': 'Ready'}]}})", False),
        ('m.overlay({"a": {"y": [], "z": null}, "c": {"d": 1}})',
         {"b": 1, "a": {"x": 1, "y": [], "z": None}, "c": {"d": 1}}),
        ("flatten([1, [2, [3]], []])", [1, 2, [3]]),
        ("flatten([])", []),
        ("flatten(nothing)", []),
        ('lower("ÄB")', "äb"),
        ('"äb".upper()', "ÄB"),
        ('toLower("A") + toUpper("a")', "aA"),
        ('strip("xxaxyx", "xy")', "a"),
        ('lstrip("xax", "x") + rstrip("xax", "x")', "axxa"),
        ('split("a,b,c", ",")', ["a", "b", "c"]),
        ('split("a,b,c", ",", 2)', ["a", "b,c"]),
        ('split("a,b,c", ",", -1)', ["a", "b", "c"]),
        ('split("a,b,c", ",", 0)', []),
        ('split_first("a-b-c", "-") + split_last("a-b-c", "-")', "ac"),
        ('split_first("abc", "-") + split_last("", "-")', "abc"),
        ('split_index("a-b-c", "-", 1) + split_index("a-b-c", "-", -1) + split_index("", "-", 5)', "bc"),
        ('text.replace("X", "--")', "a--b--c"),
        ('text.replace("X", "-", 1)', "a-bXc"),
        ('to_json({"b": [1, 1.0, true, null], "a": "é"})', '{"b": [1, 1.0, true, null], "a": "\\u00e9"}'),
        ('to_json({"b": 1, "a": 2}, "sorted")', '{"a": 2, "b": 1}'),
        ('to_json({"b": 1, "a": 2}, "compact")', '{"b":1,"a":2}'),
        ('to_json({"b": 1, "a": 2}, "sorted,compact")', '{"a":2,"b":1}'),
        ("to_json({true: 1u, 2: b'a', 1u: duration('1s'), 'o': optional.none(), 'p': optional.of(1)})",
         '{"true": 1, "2": "YQ==", "1": "1s", "o": null, "p": 1}'),
        ("to_json(timestamp('2024-01-01T00:00:00Z'))", '"2024-01-01T00:00:00Z"'),
        ("to_json(ip('10.0.0.1'))", '"10.0.0.1"'),
        ('from_json("{\\"b\\": [1, 2.5, true, null], \\"a\\": -9223372036854775808}")',
         {"b": [1, 2.5, True, None], "a": -(2**63)}),
        (r"""from_json('"\\ud83d\\ude00"')""", "😀"),
        ('b64encode("é") + b64encode(b"\\xff")', "w6k=/w=="),
        ('b64decode("w6k") + b64decode("YQ==") + b64decode("")', "éa"),
        ("keys(m)", ["b", "a"]),
        ("values({'x': 1, 'y': 2})", [1, 2]),
        ("l.contains(1) && !l.contains(true) && l.contains(1.0)", True),
        ("'abc'.contains('bc')", True),
        ("reduce(l, sum, x, 0, sum + x)", 6),
        ("l.reduce(sum, x, 10, sum - x)", 4),
        ("min(l) + max(l) * 10 + sum(l) * 100", 631),
        ("sum([1.5, 2.0])", 3.5),
        ("sum([])", 0),
        ("sum([duration('1s'), duration('2s')]) == duration('3s')", True),
        ("['b', 'a'].max()", "b"),
        ("l.sort()", [1, 2, 3]),
        ("l.sortBy(x, -x)", [3, 2, 1]),
        ("[1, 1.0, true, 'a', 'a', [1], [1.0], {'a': 1}, {'a': 1u}, null].distinct().size()", 6),
        ("[optional.none(), optional.of(1), optional.none()].distinct().size()", 2),
        ("l.reverse()", [2, 1, 3]),
        ("l.slice(1, 3)", [1, 2]),
        ("l.first() * 10 + last(l)", 32),
        ("lists.range(3)", [0, 1, 2]),
        ("['a', 'b'].join('-') + ['c'].join()", "a-bc"),
        ("'hello'.substring(1, 3) + 'hello'.substring(4)", "elo"),
        ("'hello'.indexOf('l') * 10 + 'hello'.lastIndexOf('l')", 23),
        ("l.indexOf(2) * 10 + l.lastIndexOf(7)", 19),
        ("l.isSorted() || [1, 2, 2].isSorted()", True),
        ("'hello'.charAt(1)", "e"),
        ("' a '.trim()", "a"),
        ("strings.quote('a\"b')", '"a\\"b"'),
        ("'%s is %d or %.2f'.format(['x', 3, 2.5])", "x is 3 or 2.50"),
        ("math.greatest(1, 2.5, 2u) == 2.5 && math.least([3, 1]) == 1", True),
        ("math.round(2.5) + math.round(-2.5) + math.round(1.4) + math.round(1.0 / 0.0)", float("inf")),
        ("math.ceil(1.2) + math.floor(1.8) + math.trunc(-1.5)", 2.0),
        ("math.abs(-3) + math.sign(-2)", 2),
        ("sets.contains([1, 2], [2.0]) && sets.intersects([1], [true, 1]) && sets.equivalent([1, 1], [1])", True),
        ("sets.intersects([true], [1]) || sets.contains([{'a': [1]}], [{'a': [2]}])", False),
        ("cel.bind(x, 2, x * x)", 4),
        ("m.?z.orValue(5) + m[?'b'].orValue(0)", 6),
        ("m.?a.?x.or(optional.of(2)).value()", 1),
        ("optional.ofNonZeroValue('').hasValue() || optional.ofNonZeroValue(0).hasValue()", False),
        ("optional.ofNonZeroValue(duration('0s')).hasValue()", False),
        ("optional.ofNonZeroValue(optional.none()).hasValue()", False),
        ("m.?b.optMap(x, x + 1).orValue(0)", 2),
        ("m.?b.optFlatMap(x, optional.none()).hasValue()", False),
        ("[optional.of(1), optional.none()].unwrapOpt()", [1]),
        ("[?m.?z, ?m.?b]", [1]),
        ("{?'z': m.?z, ?'b': m.?b, 'c': 1}", {"b": 1, "c": 1}),
        ("nothing.?a.?b.hasValue()", False),
        ("{'a': nothing}.?a.b.hasValue()", False),
        ("size('é') + size(b'ab') + size(l) + size(m)", 8),
        ("type(1) == int && type(l) == list && type(type(1)) == type && type(nothing) == null_type", True),
        ("string(true) + string(1) + string(2u) + string(1.5) + string(2.0)", "true121.52"),
        ("string(b'x') + string(type(1))", "xint"),
        ("string(nothing) + string(0.0 / 0.0) + string(1.0 / 0.0) + string(-1.0 / 0.0)", "nullNaN+Inf-Inf"),
        ("int(2.7) + int('5') + int(3u) + int('-1')", 9),
        ("bool('true') && !bool('0')", True),
        ("double('1.5') + double(2) + double(1u)", 4.5),
        ("uint('3') + uint(2) + uint(1.9) == 6u", True),
        ("list(m)", ["b", "a"]),
        ("bytes('é')", b"\xc3\xa9"),
        ("dyn(1) == dyn(1)", True),
        ("timestamp('2024-02-29T12:30:15.123+01:00').getHours()", 11),
        ("timestamp(0).getFullYear('Europe/Berlin') + timestamp(0).getHours('-01:00')", 1993),
        ("int(timestamp('1969-12-31T23:59:59Z')) + int(duration('-1.5s'))", -2),
        ("string(duration('-1h30m0.5s')) + string(timestamp('0001-01-01T00:00:00Z'))", "-5400.5s0001-01-01T00:00:00Z"),
        ("duration('1500ms').getMilliseconds() + duration('-90m').getHours()", 499),
        ("timestamp('2024-01-01T00:00:00.250Z').getMilliseconds()", 250),
        ("timestamp(5) == timestamp('1970-01-01T00:00:05Z')", True),
        ("duration(5) == duration('5s') && duration('0') == duration('0s')", True),
        ("duration('+.5s') == duration('500000us') && duration('1ns') < duration('1µs')", True),
        ("quantity('1Gi').isGreaterThan(quantity('1G'))", True),
        ("quantity('500m').add(quantity('0.5')).asInteger()", 1),
        ("quantity('2').sub(1) == quantity('1000m') && quantity('1e3').add(1).compareTo(quantity('1k')) == 1", True),
        ("quantity('-1').sign() == -1 && !quantity('1m').isInteger() && isQuantity('1') && !isQuantity('x')", True),
        ("quantity('1500m').asApproximateFloat()", 1.5),
        ("quantity('1').isLessThan(quantity('2').sub(quantity('0.5')))", True),
        ("url('https://u@h.io:80/a b').getHost()", None),
        ("url('https://u@[::1]:80/a?x=1&x=2&y=').getHostname() + url('https://h:80/').getPort()", "::180"),
        ("url('https://u:p@h.io:80/a%20b').getHost() + url('https://h/a%20b').getEscapedPath()", "h.io:80/a%20b"),
        ("url('https://h/?x=1&x=2&y=').getQuery()", {"x": ["1", "2"], "y": [""]}),
        ("url('https://h').getScheme() + url('/p').getHostname()", "https"),
        ("isURL('https://h') && !isURL('h') && !isURL('http://h:x') && url('/a') == url('/a')", True),
        ("isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && string(ip('::1')) == '::1'", True),
    ],
)  # fmt: skip
def test_a_function_gives_its_value(text, wanted):
    if wanted is None:
        fails(text, "conversion")
        return
    found = run(text)
    assert cel.equal(found, wanted), found
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("to_ref({'external': ''})", "argument"),
        ("to_ref({'kind': 'K'})", "argument"),
        ("group_ref({'apiVersion': 1, 'name': 'n'})", "argument"),
        ("self_ref({})", "argument"),
        ("self_ref({'apiVersion': 'v1', 'metadata': {}})", "argument"),
        ("split('a', '')", "argument"),
        ("split('a', '', 1)", "argument"),
        ("split_last('a', '')", "argument"),
        ("split_index('a-b', '-', 2)", "index"),
        ("strip('a')", "arity"),
        ("to_json(0.0 / 0.0)", "conversion"),
        ("to_json(type(1))", "conversion"),
        ("to_json(1, 'pretty')", "argument"),
        ("from_json('{')", "conversion"),
        ("from_json('9223372036854775808')", "arithmetic"),
        ("from_json('123456789012345678901')", "conversion"),
        ("from_json('NaN')", "conversion"),
        ("from_json('1e400')", "conversion"),
        (r"""from_json('["\\ud800"]')""", "conversion"),
        ("from_json('[' + '[[[[[[[[[[')", "conversion"),
        ("b64decode('%')", "conversion"),
        ("b64decode('/w==')", "conversion"),
        ("min([])", "argument"),
        ("max([1, 1.0])", "argument"),
        ("sum([1, 'a'])", "overload"),
        ("sum(['a'])", "argument"),
        ("[1, 'a'].sort()", "argument"),
        ("[[1]].sort()", "argument"),
        ("first([])", "index"),
        ("last([])", "index"),
        ("l.slice(2, 1)", "index"),
        ("flatten([1], -1)", "argument"),
        ("lists.range(1000001)", "argument"),
        ("[1].join()", "overload"),
        ("'a'.charAt(2)", "index"),
        ("'a'.substring(2)", "index"),
        ("int('x')", "conversion"),
        ("int('9223372036854775808')", "conversion"),
        ("int(1e30)", "conversion"),
        ("uint('-1')", "conversion"),
        ("uint(-1.0)", "conversion"),
        ("double('1_0')", "conversion"),
        ("double('x')", "conversion"),
        ("bool('yes')", "conversion"),
        ("string(b'\\xff')", "conversion"),
        ("timestamp('2024-01-01')", "conversion"),
        ("timestamp('2024-02-30T00:00:00Z')", "conversion"),
        ("timestamp(0).getHours('Nowhere')", "argument"),
        ("timestamp(0).getHours('99:99')", "argument"),
        ("timestamp('9999-12-31T23:59:59Z').getHours('+01:00')", "arithmetic"),
        ("duration('1x')", "conversion"),
        ("duration('')", "conversion"),
        ("optional.none().value()", "key"),
        ("[1].unwrapOpt()", "overload"),
        ("math.greatest([])", "argument"),
        ("math.least('a', 1)", "type"),
        ("math.least(['a'])", "overload"),
        ("math.bitShiftLeft(1, -1)", "argument"),
        ("quantity('1Kii')", "conversion"),
        ("quantity('1.5').asInteger()", "conversion"),
        ("'%.999f'.format([1.0])", "argument"),
        ("'%s'.format([optional.none()])", "argument"),
        ("ip('x')", "conversion"),
        ("cidr('10.0.0.0/x')", "conversion"),
        ("dyn(1).optMap(x, x)", "overload"),
        ("[1].transformMapEntry(i, v, 1)", "overload"),
        ("[1, 1].transformMapEntry(i, v, {v: i})", "key"),
    ],
)
def test_a_function_refuses_what_it_is_not_for(text, code):
    fails(text, code)


def test_transform_map_entry_makes_a_map_from_its_entries():
    assert run("m.transformMapEntry(k, v, {v == 1 ? 'one' : 'more': k})") == {"one": "b", "more": "a"}
    assert run("l.transformMapEntry(i, v, v > 1, {string(v): i})") == {"3": 0, "2": 2}


def test_neither_argument_of_overlay_is_changed():
    under, over = {"a": {"x": 1}}, {"a": {"y": 2}}
    program = cel.compile("overlay(under, over)", names={"under", "over"})
    assert program.evaluate({"under": under, "over": over}) == {"a": {"x": 1, "y": 2}}
    assert (under, over) == ({"a": {"x": 1}}, {"a": {"y": 2}})


@pytest.mark.parametrize(
    "text", ["to_json(1)", "lower('A')", "keys(m)", "reduce(l, a, x, 0, a)", "split_index('a', '-', 0)"]
)
def test_koreo_functions_are_unknown_in_strict_until_enabled(text):
    fails(text, "function", "strict")
    name = text.partition("(")[0]
    run(text, "strict", functions=[name])


def test_the_profiles_differ_where_the_specification_says():
    assert run("split('ab', '')", "strict") == ["a", "b"]
    assert run("split('abc', '', 2)", "strict") == ["a", "bc"]
    assert run("split('ab', '', 5)", "strict") == ["a", "b"]
    fails("split_index('a-b', '-', -1)", "index", "strict", functions=["split_index"])
    assert run("has(o.missing.deeper)") is False
    fails("has(o.missing.deeper)", "key", "strict")
    assert run(r"'\d\.'") == "\\d\\."
    fails(r"'\d'", "syntax", "strict")
    assert run("has(l[5])") is False
    fails("has(l[5])", "type", "strict")
    fails("{'a': nothing}.?a.b", "overload", "strict")


def test_every_function_has_a_doc_and_stands_in_the_list_of_its_library():
    declared: dict[str, set[str]] = {}
    for overload in cel.functions():
        assert overload.doc.endswith((".", "`.")), overload.name
        library = overload.implementation.__module__.rpartition(".")[2]
        declared.setdefault(library, set()).add(overload.name)
    assert declared == {library: set(names.split()) for library, names in registry.LIBRARIES.items()}


def test_special_values_come_out_as_their_own_types_and_as_json_on_demand():
    assert run("[1u, timestamp(0), duration('1s'), optional.of(1), int]", "strict")[:3] == [
        1,
        Timestamp(0),
        Duration(10**9),
    ]
    assert repr(UInt(1)) == "1u"
    assert cel.json_value({"a": [UInt(1), b"a", OptionalValue(present=False)]}) == {"a": [1, "YQ==", None]}
    with pytest.raises(cel.CelError, match="no JSON form"):
        cel.json_value(CelType("int"))
    with pytest.raises(cel.CelError, match="NaN"):
        cel.json_value(float("nan"))
