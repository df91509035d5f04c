"""Target against live: each rule with what it makes of one pair."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.workflow.engine import first_difference, strictly_equal
from lambent.workflow.engine.comparison import same_json, target_fault
from lambent.workflow.engine.patches import merge, removed_fields, without_directives

SET = {"x-koreo-compare-as-set": ["f"]}
MAP = {"x-koreo-compare-as-map": {"f": ["k"]}}
PAIR = {"x-koreo-compare-as-map": {"f": ["k", "n"]}}
APPLIED = {"x-koreo-compare-last-applied": ["f"]}
EXACT = {"x-lambent-compare-exact": ["f"]}


@pytest.mark.parametrize(
    ("target", "live"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": None}, {}),
        ({"a": None}, {"a": None}),
        ({"a": [None]}, {"a": [None]}),
        ({"ownerReferences": [1]}, {}),
        ({"f": '{"a": 1, "b": [2]}'}, {"f": '{"b":[2],"a":1}'}),
        ({"f": [1, 2], **SET}, {"f": [2, 1, 1]}),
        ({"f": [{"k": 1, "v": 1}, {"k": 2}], **MAP}, {"f": [{"k": 2, "x": 0}, {"k": 1, "v": 1}]}),
        ({"f": [{"k": 1, "n": 1}, {"k": 1, "n": 2}], **PAIR}, {"f": [{"k": 1, "n": 2}, {"k": 1, "n": 1}]}),
        ({"l": [{"f": [1, 2], **SET}]}, {"l": [{"f": [2, 1]}]}),
        ({"x-koreo-compare-as-set": ["nothing"]}, {}),
        ({"kind": "Secret", "stringData": {"a": "x"}}, {"kind": "Secret", "data": {"a": "eA==", "b": "eA=="}}),
        (
            {"kind": "Secret", "stringData": {"a": "x"}, "data": {"b": "eQ=="}},
            {"kind": "Secret", "data": {"a": "eA==", "b": "eQ=="}},
        ),
        ({"f": "x", **SET}, {"f": "x"}),
        ({"f": {"a": 1}, **SET}, {"f": {"a": 1, "b": 2}}),
        ({"f": "x", **MAP}, {"f": "x"}),
        ({"f": {"k": 1}, **MAP}, {"f": {"k": 1.0}}),
        ({"f": None, **MAP}, {}),
        ({"f": 12345678901234567890123}, {"f": 1.2345678901234568e22}),
        ({"l": ['{"a": 1}']}, {"l": ['{"a":1}']}),
        ({"f": ['{"a": 1}'], **SET}, {"f": ['{"a":1}']}),
        ({"f": [{"k": True}, {"k": False}], **MAP}, {"f": [{"k": False}, {"k": True}]}),
        ({"f": [{"key": 1}, {"key": 2}], "x-koreo-compare-as-map": {"f": "key"}}, {"f": [{"key": 2}, {"key": 1}]}),
        ({"f": [{"k": True}, {"k": 1}], **MAP}, {"f": [{"k": 1}, {"k": True}]}),
    ],
)
def test_these_are_equal(target: Any, live: Any) -> None:
    assert first_difference(target, live) is None


@pytest.mark.parametrize(
    ("target", "live", "said"),
    [
        ({"a": 1}, {}, "a: missing"),
        ({"a": {"b": 1}}, {"a": True}, "a: expected an object, found a bool"),
        ({"a": [{"b": 1}]}, {"a": [None]}, "a[0]: expected an object, found null"),
        ({"a": [[1]]}, {"a": [None]}, "a[0]: expected a list, found null"),
        ({"a": '"x"'}, {"a": ' "x"'}, 'a: expected ""x"", found " "x""'),
        ({"a": "-1"}, {"a": "-1.0"}, 'a: expected "-1", found "-1.0"'),
        (
            {"kind": "ConfigMap", "data": {"a": "x"}},
            {"kind": "ConfigMap", "data": {"a": "y"}},
            'data.a: expected "x", found "y"',
        ),
        (
            {"f": [1], **SET},
            {"f": [1, {"a": 1}]},
            "f: holds objects and cannot be compared as a set; use x-koreo-compare-as-map",
        ),
        ({"f": [1], **SET}, {"f": "x"}, "f: expected a list, found a string"),
        ({"f": 1, **SET}, {"f": [1]}, "f: expected 1, found a list"),
        ({"f": [{"k": 1}], **MAP}, {"f": "x"}, "f: expected a list, found a string"),
        ({"f": "x", **MAP}, {"f": [{"k": 1}]}, 'f: expected "x", found a list'),
        ({"f": None, **SET}, {"f": [1]}, "f: expected null, found a list"),
        ({"kind": "Secret", "stringData": {"a": "x"}}, {"kind": "Secret", "data": {"a": "eQ=="}}, "data.a: differs"),
        ({"kind": "Secret", "stringData": {"a": "x"}}, {"kind": "Secret"}, "data: differs"),
        ({"kind": "ConfigMap", "stringData": {"a": "x"}}, {"kind": "ConfigMap"}, "stringData: missing"),
        ({"f": 1.5}, {"f": "1.5"}, 'f: expected 1.5, found "1.5"'),
        ({"f": 10**400}, {"f": 1.5}, f"f: expected {10**400}, found 1.5"[:197] + "..."),
        ({"f": [{"k": True}], **MAP}, {"f": [{"k": 1}]}, "f[k=true]: missing"),
        ({"a": 1}, {"a": None}, "a: is null"),
        ({"a": True}, {"a": 1}, "a: expected true, found 1"),
        ({"a": 1}, {"a": True}, "a: expected 1, found true"),
        ({"a": "1"}, {"a": 1}, 'a: expected "1", found 1'),
        ({"a": {"b": 1}}, {"a": 3}, "a: expected an object, found a number"),
        ({"a": [1]}, {"a": {}}, "a: expected a list, found an object"),
        ({"a": [1, 2]}, {"a": [1]}, "a: expected 2 item(s), found 1"),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b: expected 2, found 3"),
        ({"a": [None]}, {"a": [1]}, "a[0]: expected null, found 1"),
        ({"f": '{"a": 1}', **EXACT}, {"f": '{"a":1}'}, 'f: expected "{"a": 1}", found "{"a":1}"'),
        ({"f": [1, 2], **SET}, {"f": [1]}, "f: missing 2"),
        ({"f": [1], **SET}, {"f": [1, 2]}, "f: unexpected 2"),
        ({"f": [True], **SET}, {"f": [1]}, "f: missing true"),
        (
            {"f": [{"a": 1}], **SET},
            {"f": []},
            "f: holds objects and cannot be compared as a set; use x-koreo-compare-as-map",
        ),
        ({"f": [{"k": 1}], **MAP}, {"f": [{"k": 1}, {"k": 2}]}, "f[k=2]: unexpected element"),
        ({"f": [{"k": 1}], **MAP}, {"f": []}, "f[k=1]: missing"),
        ({"f": [{"k": 1, "v": 1}], **MAP}, {"f": [{"k": 1, "v": 2}]}, "f[k=1].v: expected 1, found 2"),
        (
            {"f": [{"k": 1}, {"k": 1}], **MAP},
            {"f": []},
            "f: cannot be compared as a map: target has the key (k=1) twice",
        ),
        (
            {"f": [{"k": {"x": 1}}], **MAP},
            {"f": [{"k": {"x": 1}}]},
            'f: cannot be compared as a map: target has an element whose key field "k" is an object',
        ),
        (
            {"f": [{"k": 1}], **MAP},
            {"f": [{"v": 1}]},
            'f: cannot be compared as a map: live has an element without key field "k"',
        ),
        (
            {"kind": "Secret", "data": {"password": "aaaa"}},
            {"kind": "Secret", "data": {"password": "bbbb"}},
            "data.password: differs",
        ),
        (
            {"kind": "Secret", "stringData": {"password": "aaaa"}},
            {"kind": "Secret", "stringData": {"password": "bbbb"}},
            "stringData.password: differs",
        ),
        (
            {"f": [1], **MAP},
            {"f": [1]},
            "f: cannot be compared as a map: target holds an element that is not an object",
        ),
    ],
)
def test_these_differ_and_say_where(target: Any, live: Any, said: str) -> None:
    assert str(first_difference(target, live)) == said


def test_a_write_only_field_is_compared_with_what_was_applied() -> None:
    target = {"f": "secret", **APPLIED}
    assert first_difference(target, {"f": "normalised"}, {"f": "secret"}) is None
    assert str(first_difference(target, {"f": "secret"}, {})) == "f: missing"


def test_a_difference_is_at_most_two_hundred_characters() -> None:
    assert len(str(first_difference({"a" * 300: 1}, {}))) == 200
    longest = "a" * (200 - len(": missing"))
    assert str(first_difference({longest: 1}, {})) == f"{longest}: missing"


def test_a_difference_of_the_whole_has_no_path() -> None:
    assert str(first_difference({"a": 1}, None)) == "expected an object, found null"


@pytest.mark.parametrize(("text", "shown"), [("x" * 60, "x" * 60), ("x" * 61, "x" * 57 + "...")])
def test_a_long_text_is_cut_in_a_difference(text: str, shown: str) -> None:
    assert str(first_difference({"a": 1}, {"a": text})) == f'a: expected 1, found "{shown}"'


@pytest.mark.parametrize(("one", "other", "is_same"), [
    ("[1, 2]", "[1,2]", True), ("[1]", "[2]", False), ("[x", "[1]", False), (" {}", "{ }", True), ("{}", "[]", False),
])  # fmt: skip
def test_texts_are_the_same_when_the_json_in_them_is(one: str, other: str, is_same: bool) -> None:
    assert same_json(one, other) is is_same


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([0.5, 1.0]) | st.sampled_from(["", "a", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
json_objects = st.dictionaries(st.sampled_from("abc"), json_values, max_size=3)


@given(json_objects)
def test_everything_equals_itself(value: dict[str, Any]) -> None:
    assert first_difference(value, value) is None
    assert strictly_equal(value, value)


def _has_null_in_a_list(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_null_in_a_list(item) for item in value.values())
    return isinstance(value, list) and any(item is None or _has_map(item) for item in value)


def _has_map(value: Any) -> bool:
    return isinstance(value, dict | list)


@given(json_objects, json_objects)
def test_after_the_merge_patch_of_a_target_nothing_differs(target: dict[str, Any], live: dict[str, Any]) -> None:
    if not _has_null_in_a_list(target):
        assert first_difference(target, merge(live, target)) is None


@given(json_objects, json_objects, json_objects)
def test_removal_never_takes_what_was_not_applied_or_is_still_wanted(
    applied: dict[str, Any], target: dict[str, Any], live: dict[str, Any]
) -> None:
    for key, gone in removed_fields(applied, target, live).items():
        assert key in applied
        assert gone is not None or key not in target


@given(json_objects)
def test_without_directives_nothing_is_lost(value: dict[str, Any]) -> None:
    assert without_directives({**value, **SET, "m": {**APPLIED}}) == {**value, "m": {}}


@given(st.text(max_size=20), st.text(max_size=20))
def test_comparing_texts_as_json_never_raises(one: str, other: str) -> None:
    assert same_json(one, other) in (True, False)


def test_an_element_of_a_list_is_compared_with_what_was_applied_to_it() -> None:
    target = {"l": [{"f": 1, **APPLIED}]}
    assert first_difference(target, {"l": [{"f": "normalised"}]}, {"l": [{"f": 1}]}) is None


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ({"f": [{"k": 1}, {"k": 1}], **MAP}, "f"),
        ({"f": [{"f": [{"k": 1}, {"k": 1}], **MAP}], **SET}, "f[0].f"),
        ({"f": [{"k": 1}, {"k": 2}], **MAP}, None),
        ({"f": float("nan")}, None),
    ],
)
def test_a_target_that_cannot_equal_itself_is_at_fault_only_by_its_directives(target: Any, path: str | None) -> None:
    found = target_fault(target)
    assert (found.path if found is not None else None) == path


def test_what_was_applied_to_a_list_of_another_length_says_nothing_of_its_elements() -> None:
    target = {"l": [{"f": 1, **APPLIED}, {"f": 2, **APPLIED}]}
    found = first_difference(target, {"l": [{"f": 1}, {"f": 2}]}, {"l": [{"f": 1}]})
    assert str(found) == "l[0].f: missing"


@pytest.mark.parametrize(
    ("one", "other"), [({"a": True}, {"a": 1}), ([True], [1]), (1, True), ({"a": 1}, {"b": 1}), ([1], [1, 2]), ({}, [])]
)
def test_strictly_different(one: Any, other: Any) -> None:
    assert not strictly_equal(one, other)
    assert not strictly_equal(other, one)
