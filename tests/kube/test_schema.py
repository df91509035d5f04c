"""The schema compiler: what is filled, cut and refused, and in which words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.kube.schema import compile_schema
from lambent.kube.schema.rules import compile_rules
from lambent.platform.crds import all_crds

REAL_TIME = True
TEXT = {"type": "string"}
WHOLE = {"type": "integer"}


def _object(**properties):
    return {"type": "object", "properties": properties}


def _admit(schema, value, mode="prune"):
    """(value after admission, texts of errors, paths of unknown fields)."""
    found = compile_schema(schema).admit(value, mode)
    return value, [str(problem) for problem in found.errors], found.unknown


@pytest.mark.parametrize(
    ("schema", "given", "filled"),
    [
        (_object(a={**WHOLE, "default": 3}), {}, {"a": 3}),
        (_object(a={**_object(b={**WHOLE, "default": 7}), "default": {}}), {}, {"a": {"b": 7}}),
        (
            _object(a={"type": "array", "items": _object(on={"type": "boolean", "default": True})}),
            {"a": [{}]},
            {"a": [{"on": True}]},
        ),
        (
            _object(m={"type": "object", "additionalProperties": _object(n={**WHOLE, "default": 1})}),
            {"m": {"x": {}}},
            {"m": {"x": {"n": 1}}},
        ),
        (_object(a={**TEXT, "default": "x"}), {"a": None}, {"a": "x"}),
        (_object(a={**TEXT, "default": "x", "nullable": True}), {"a": None}, {"a": None}),
        (_object(a=TEXT), {"a": None}, {}),
        (
            _object(m={"type": "object", "additionalProperties": TEXT}),
            {"m": {"x": None, "y": "z"}},
            {"m": {"y": "z"}},
        ),
        (
            _object(m={"type": "object", "additionalProperties": {**TEXT, "nullable": True}}),
            {"m": {"x": None}},
            {"m": {"x": None}},
        ),
        ({**_object(a={**TEXT, "default": "x", "minLength": 1}), "required": ["a"]}, {}, {"a": "x"}),
    ],
    ids=[
        "member",
        "nested",
        "item",
        "map value",
        "null is dropped first",
        "nullable stays",
        "null without default",
        "null in a map",
        "nullable in a map",
        "before what is required",
    ],
)
def test_defaults(schema, given, filled):
    assert _admit(schema, given)[:2] == (filled, [])


@pytest.mark.parametrize(
    ("schema", "given", "kept", "unknown"),
    [
        (_object(a=TEXT), {"a": "x", "b": 1}, {"a": "x"}, ["b"]),
        (_object(a=_object(b=TEXT)), {"a": {"b": "x", "c": 1}}, {"a": {"b": "x"}}, ["a.c"]),
        (
            {**_object(a=_object()), "x-kubernetes-preserve-unknown-fields": True},
            {"b": 1, "a": {"c": 1}},
            {"b": 1, "a": {}},
            ["a.c"],
        ),
        (
            _object(a={"type": "object", "x-kubernetes-embedded-resource": True}),
            {"a": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n", "no": 1}}},
            {"a": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n"}}},
            ["a.metadata.no"],
        ),
        (_object(a={"type": "array", "items": _object()}), {"a": [{}, {"x": 1}]}, {"a": [{}, {}]}, ["a[1].x"]),
        (
            _object(a=_object(b={"type": "object", "x-kubernetes-preserve-unknown-fields": True})),
            {"a": {"b": {"c": {"d": 1}}, "e": 1}},
            {"a": {"b": {"c": {"d": 1}}}},
            ["a.e"],
        ),
        (
            _object(a={"type": "object", "additionalProperties": True}),
            {"a": {"b": {"c": 1}, "d": 1}},
            {"a": {"b": {}, "d": 1}},
            ["a.b.c"],
        ),
        (_object(a={"type": "object", "additionalProperties": {}}), {"a": {"b": 1}}, {"a": {"b": 1}}, []),
        (
            _object(a={"type": "object", "additionalProperties": _object(n=WHOLE)}),
            {"a": {"k": {"n": 1, "o": 2}}},
            {"a": {"k": {"n": 1}}},
            ["a.k.o"],
        ),
        (
            {**_object(a=TEXT), "anyOf": [{"properties": {"b": {}}}]},
            {"a": "x", "b": 1},
            {"a": "x"},
            ["b"],
        ),
    ],
    ids=[
        "top",
        "nested",
        "preserved above, not below",
        "embedded",
        "item",
        "preserved below",
        "any values",
        "values without schema",
        "value of a map",
        "a junctor declares nothing",
    ],
)
def test_pruning(schema, given, kept, unknown):
    assert _admit(schema, given) == (kept, [], unknown)


@pytest.mark.parametrize(("mode", "kept"), [("prune", {}), ("warn", {}), ("strict", {"b": 1})])
def test_each_mode_reports_unknown_fields_and_strict_leaves_them(mode, kept):
    assert _admit(_object(), {"b": 1}, mode) == (kept, [], ["b"])


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        (WHOLE, "x", 'Invalid value: "string": a in body must be of type integer: "string"'),
        (WHOLE, True, 'Invalid value: "boolean": a in body must be of type integer: "boolean"'),
        (WHOLE, 1.5, 'Invalid value: "number": a in body must be of type integer: "number"'),
        ({**WHOLE, "minimum": 1}, 0, "Invalid value: 0: a in body should be greater than or equal to 1"),
        ({**WHOLE, "maximum": 3, "exclusiveMaximum": True}, 3, "Invalid value: 3: a in body should be less than 3"),
        ({"type": "number", "multipleOf": 0.5}, 0.7, "Invalid value: 0.7: a in body should be a multiple of 0.5"),
        ({**TEXT, "maxLength": 1, "pattern": "^x$"}, "yy", "Too long: may not be more than 1 byte"),
        (
            {**TEXT, "minLength": 2, "pattern": "^x$"},
            "y",
            'Invalid value: "y": a in body should be at least 2 chars long',
        ),
        (
            {"type": "array", "items": TEXT, "minItems": 1},
            [],
            "Invalid value: 0: a in body should have at least 1 items",
        ),
        (
            {"type": "object", "additionalProperties": TEXT, "maxProperties": 1},
            {"x": "y", "z": "y"},
            "Too many: 2: must have at most 1 item",
        ),
        ({**TEXT, "minLength": 2}, "x", 'Invalid value: "x": a in body should be at least 2 chars long'),
        ({**TEXT, "maxLength": 1}, "éé", "Too long: may not be more than 1 byte"),
        ({**TEXT, "pattern": "^[a-z]+$"}, "A", "Invalid value: \"A\": a in body should match '^[a-z]+$'"),
        ({**TEXT, "format": "date-time"}, "no", 'Invalid value: "no": a in body must be of type date-time: "no"'),
        ({**TEXT, "enum": ["x", "y"]}, "z", 'Unsupported value: "z": supported values: "x", "y"'),
        (
            {"x-kubernetes-int-or-string": True},
            True,
            'Invalid value: "boolean": a in body must be of type integer,string: "boolean"',
        ),
        ({"type": "array", "items": TEXT, "maxItems": 1}, ["a", "b"], "Too many: 2: must have at most 1 item"),
    ],
)
def test_what_is_wrong_is_said_as_kube_apiserver_says_it(schema, value, text):
    assert _admit(_object(a=schema), {"a": value})[1] == [f"a: {text}"]


@pytest.mark.parametrize(
    ("schema", "good"),
    [
        (WHOLE, 3.0),
        ({**TEXT, "maxLength": 2}, "éé"),
        ({**TEXT, "format": "no-such-format"}, "anything"),
        ({**WHOLE, "format": "int32"}, 2**40),
        ({"x-kubernetes-int-or-string": True}, "http"),
        ({**TEXT, "pattern": r"^(?!x)"}, "abc"),
    ],
    ids=["integral float", "code points", "unknown format", "int32 is not checked", "int or string", "look-ahead"],
)
def test_what_is_accepted(schema, good):
    assert _admit(_object(a=schema), {"a": good})[1] == []


def test_a_number_shows_all_that_is_wrong_with_it():
    schema = {**WHOLE, "minimum": 10, "multipleOf": 4, "maximum": 1}
    assert len(_admit(_object(a=schema), {"a": 7})[1]) == 3


@pytest.mark.parametrize(
    ("schema", "value", "path"),
    [
        (_object(spec=_object(code=_object(s3Key=TEXT))), {"spec": {"code": {"s3Key": 1}}}, "spec.code.s3Key"),
        (
            _object(spec=_object(layers={"type": "array", "items": TEXT})),
            {"spec": {"layers": ["", "", 1]}},
            "spec.layers[2]",
        ),
        (_object(m={"type": "object", "additionalProperties": TEXT}), {"m": {"a.b/c": 1}}, "m.a.b/c"),
        ({**_object(), "maxProperties": 0, "x-kubernetes-preserve-unknown-fields": True}, {"a": 1}, "<nil>"),
        (_object(spec=_object(a={**WHOLE, "anyOf": [{"minimum": 2}]})), {"spec": {"a": 1}}, "<nil>"),
        (_object(spec=_object(a={**WHOLE, "allOf": [{"minimum": 2}]})), {"spec": {"a": 1}}, "<nil>"),
        (_object(spec=_object(a={**WHOLE, "oneOf": [{"minimum": 2}]})), {"spec": {"a": 1}}, "<nil>"),
        (_object(spec=_object(a={**WHOLE, "not": {"minimum": 1}})), {"spec": {"a": 1}}, "<nil>"),
    ],
    ids=["member", "item", "map key", "root", "anyOf", "allOf", "oneOf", "not"],
)
def test_an_error_has_its_path(schema, value, path):
    assert path in [problem.path for problem in compile_schema(schema).admit(value).errors]


def test_the_first_hundred_errors_are_told():
    schema = _object(a={"type": "array", "items": TEXT})
    texts = _admit(schema, {"a": [*range(150)]})[1]
    assert [text.partition(":")[0] for text in texts] == [f"a[{number}]" for number in range(100)]


def test_a_pattern_cannot_stall_and_sees_no_endless_text():
    assert _admit(_object(a={**TEXT, "pattern": "^(a+)+$"}), {"a": "a" * 60 + "!"})[1]
    any_text = _object(a={**TEXT, "pattern": "a"})
    assert _admit(any_text, {"a": "a" * 65_536})[1] == []
    assert len(_admit(any_text, {"a": "a" * 65_537})[1]) == 1


@pytest.mark.parametrize("crd", all_crds(), ids=lambda crd: crd["metadata"]["name"] if isinstance(crd, dict) else None)
def test_every_definition_that_we_ship_compiles(crd):
    """Those of Koreo's and ACK's kinds too; an object in which nothing is set is judged without an exception."""
    for version in crd["spec"]["versions"]:
        source = version["schema"]["openAPIV3Schema"]
        schema = compile_schema(source)
        assert set(schema.fields()) >= {"spec"}
        assert schema.admit({"spec": {}, "unknown": 1}).unknown == ["unknown"]
        compile_rules(source)


def test_lists_are_unique_by_value_or_by_key():
    as_set = {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}
    keyed = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "items": _object(k=TEXT),
    }
    unique = {"type": "array", "items": WHOLE, "uniqueItems": True}
    value = {"a": ["x", "x"], "b": [{"k": "1"}, {"k": "1"}], "c": [1, 2, 1]}
    assert _admit(_object(a=as_set, b=keyed, c=unique), value)[1] == [
        'a[1]: Duplicate value: "x"',
        'b[1]: Duplicate value: {"k":"1"}',
        "c[2]: Duplicate value: 1",
    ]


def test_required_and_every_other_error_come_together():
    schema = {**_object(a=WHOLE, b={**TEXT, "enum": ["x"]}), "required": ["c"]}
    assert len(_admit(schema, {"a": "1", "b": "2"})[1]) == 3


def test_junctors_only_validate():
    schema = {**_object(a=WHOLE, b=WHOLE), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert _admit(schema, {"a": 1}) == ({"a": 1}, [], [])
    (text,) = _admit(schema, {"a": 1, "b": 2})[1]
    assert "must validate one and only one schema (oneOf). Found 2 valid alternatives" in text
    negated = {**_object(a=WHOLE), "not": {"required": ["a"]}}
    assert len(_admit(negated, {"a": 1})[1]) == 1


def test_a_type_may_contain_itself():
    schema = compile_schema(
        {"$ref": "Tree"}, definitions={"Tree": _object(left={"$ref": "Tree"}, n={**WHOLE, "default": 0})}
    )
    value: dict[str, Any] = {"left": {"left": {}}}
    assert schema.admit(value).errors == []
    assert value == {"n": 0, "left": {"n": 0, "left": {"n": 0}}}


def test_fields_answers_completion_and_explain():
    schema = compile_schema(_object(spec=_object(items={"type": "array", "items": _object(name=TEXT)})))
    assert list(schema.fields("spec.items")) == ["name"]
    assert schema.fields("spec.none") == {}


_SCALARS = st.sampled_from([TEXT, WHOLE, {"type": "boolean"}, {**TEXT, "default": "d"}, {**WHOLE, "nullable": True}])
_SCHEMAS = st.recursive(
    _SCALARS,
    lambda child: st.one_of(
        st.dictionaries(st.sampled_from("abc"), child, max_size=3).map(lambda p: {"type": "object", "properties": p}),
        child.map(lambda c: {"type": "array", "items": c}),
        child.map(lambda c: {"type": "object", "additionalProperties": c}),
    ),
    max_leaves=6,
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("xy", max_size=2),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.sampled_from("abcd"), child, max_size=4),
    max_leaves=8,
)


@given(_SCHEMAS, _VALUES)
def test_admitting_twice_equals_admitting_once(schema, value):
    """What is lost below a value of a wrong type stays, and is told again: the object is refused anyway."""
    compiled = compile_schema({"type": "object", "properties": {"v": schema}})
    whole = {"v": value}
    first = compiled.admit(whole)
    once = repr(whole)
    second = compiled.admit(whole)
    assert repr(whole) == once
    assert [str(p) for p in second.errors] == [str(p) for p in first.errors]
    assert second.unknown == [] or first.errors


@pytest.mark.parametrize(
    ("schema", "value", "error"),
    [
        ({"x-kubernetes-int-or-string": True}, 2.0, ""),
        (
            {"x-kubernetes-int-or-string": True},
            2.5,
            'Invalid value: "number": a in body must be of type integer,string',
        ),
        ({"type": "number", "enum": [2, 7]}, 2.0, ""),
        ({"type": "number", "enum": [2, 7]}, 2.5, ""),
        ({"type": "number", "enum": [2.0, 0.5]}, 2, ""),
        ({"type": "number", "enum": [2.0, 0.5]}, 0, "Unsupported value: 0"),
        ({"type": "array", "items": TEXT, "anyOf": [{"minItems": 1}]}, [], "a in body should have at least 1 items"),
        ({"type": "object", "not": {"maxProperties": 1}}, {}, '"a" must not validate the schema (not)'),
    ],
)
def test_numbers_and_sizes_are_judged_as_by_kube_apiserver(schema, value, error):
    _, errors, _ = _admit(_object(a=schema), {"a": value})
    assert bool(errors) == bool(error)
    assert not error or any(error in line for line in errors)
