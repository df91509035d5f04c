"""Expected against actual in tests: exact, in both directions, by path, without our own traces."""

from typing import Any

import pytest

from lambent.workflow.engine.patches import LAST_APPLIED_ANNOTATION, MANAGED_LABEL
from lambent.workflow.testing.expectations import ABSENT, Mismatch, mismatches, without_traces

SET = {"x-koreo-compare-as-set": ["f"]}
MAP = {"x-koreo-compare-as-map": {"f": ["k"]}}
TWO = {"x-koreo-compare-as-map": {"f": ["k", "l"]}}
NAMED = {"x-koreo-compare-as-map": {"f": "key"}}
EXACT = {"x-lambent-compare-exact": ["f"]}


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": '{"b": 1}'}, {"a": '{ "b":1}'}),
        ({"f": [1, 2], **SET}, {"f": [2, 1]}),
        ({"f": 3, **SET}, {"f": 3}),
        ({"f": [{"k": 1, "v": 2}, {"k": 2}], **MAP}, {"f": [{"k": 2}, {"k": 1, "v": 2}]}),
        ({"f": [{"k": 1}], "x-koreo-compare-as-map": {"f": "k"}}, {"f": [{"k": 1}]}),
        ({"f": [{"name": 1}], "x-koreo-compare-as-map": {"f": "name"}}, {"f": [{"name": 1}]}),
        ({"f": 3, **MAP}, {"f": 3}),
        ({"f": "x", **EXACT}, {"f": "x"}),
        ({"f": 3, **EXACT}, {"f": 3}),
        ({"f": [1], "x-koreo-compare-as-set": "f"}, {"f": [1]}),
        ({"f": [1], "x-koreo-compare-as-map": ["f"]}, {"f": [1]}),
        ({"f": "{}", "x-lambent-compare-exact": "f"}, {"f": "{ }"}),
        ({"a": 1}, {"a": 1, **SET}),
    ],
)
def test_these_are_as_expected(expected: Any, actual: Any) -> None:
    assert list(mismatches(expected, actual)) == []


@pytest.mark.parametrize(
    ("expected", "actual", "said"),
    [
        ({"a": 1}, {}, ["a: expected 1, got nothing"]),
        ({}, {"a": None}, ["a: expected nothing, got null"]),
        ({"a": {"b": True}}, {"a": {"b": 1}}, ["a.b: expected true, got 1"]),
        ({"a": {}}, {"a": {"b": 1}}, ["a.b: expected nothing, got 1"]),
        ({"a": {**SET}}, {}, ["a: expected {}, got nothing"]),
        ({"a": "x"}, {"a": 1}, ["a: expected 'x', got 1"]),
        ([1], [1, 2], ["[1]: expected nothing, got 2"]),
        ([1, 2], [1], ["[1]: expected 2, got nothing"]),
        ([{"a": 1}], [{"a": 2}], ["[0].a: expected 1, got 2"]),
        (1, 2, ["(root): expected 1, got 2"]),
        ({"f": [1, 2], **SET}, {"f": [1, 3]}, ["f[]: expected 2, got nothing", "f[]: expected nothing, got 3"]),
        ({"f": [1], **SET}, {"f": "x"}, ["f: expected [1], got 'x'"]),
        ({"f": "x", **SET}, {"f": [1]}, ["f: expected 'x', got [1]"]),
        ({"f": [{"k": 1, "v": 1}], **MAP}, {"f": [{"k": 1, "v": 2}]}, ["f[k=1].v: expected 1, got 2"]),
        ({"f": [{"k": 1, "l": 2}], **TWO}, {"f": []}, ["f[k=1,l=2]: expected {'k': 1, 'l': 2}, got nothing"]),
        ({"f": [{"key": 1}], **NAMED}, {"f": []}, ["f[key=1]: expected {'key': 1}, got nothing"]),
        ({"f": [{"k": 1}], **MAP}, {"f": []}, ["f[k=1]: expected {'k': 1}, got nothing"]),
        ({"f": []} | MAP, {"f": [{"k": 1}]}, ["f[k=1]: expected nothing, got {'k': 1}"]),
        ({"f": [{"k": 1}], **MAP}, {"f": [3]}, ["f[0]: expected {'k': 1}, got 3"]),
        ({"f": [3], **MAP}, {"f": [{"k": 1}]}, ["f[0]: expected 3, got {'k': 1}"]),
        ({"f": "{}", **EXACT}, {"f": "{ }"}, ["f: expected '{}', got '{ }'"]),
        ({"f": "{}", **EXACT}, {"f": 3}, ["f: expected '{}', got 3"]),
        ({"f": 3, **EXACT}, {"f": "{}"}, ["f: expected 3, got '{}'"]),
    ],
)
def test_these_are_not_and_say_where(expected: Any, actual: Any, said: list[str]) -> None:
    assert [str(found) for found in mismatches(expected, actual)] == said


@pytest.mark.parametrize(
    ("expected", "actual", "said"),
    [
        ('{"a": [1, 2]}', '{"a": [1, 3]}', "p(json).a[1]: expected 2, got 3"),
        (' ["x"]', '["y"]', "p(json)[0]: expected 'x', got 'y'"),
        ('{"a": 1}', '["a"]', """p: expected '{"a": 1}', got '["a"]'"""),
        ('{"a": 1}', "{corrupt", """p: expected '{"a": 1}', got '{corrupt'"""),
        ("1", "2", "p: expected '1', got '2'"),
        ("{", "[", "p: expected '{', got '['"),
    ],
)
def test_json_inside_a_text_is_shown_by_what_differs_in_it(expected: str, actual: str, said: str) -> None:
    assert [str(found) for found in mismatches({"p": expected}, {"p": actual})] == [said]


def test_a_sentence_stands_in_for_values_that_say_less() -> None:
    assert str(Mismatch("noWrites", True, ABSENT, "expected no writes")) == "noWrites: expected no writes"


@pytest.mark.parametrize(
    ("metadata", "left"),
    [
        ({"labels": {MANAGED_LABEL: "true"}, "annotations": {LAST_APPLIED_ANNOTATION: "{}"}}, {}),
        ({"labels": {MANAGED_LABEL: "true", "a": "b"}}, {"labels": {"a": "b"}}),
        ({"labels": {}, "annotations": {"a": "b"}}, {"labels": {}, "annotations": {"a": "b"}}),
        ({"labels": "x", "annotations": None}, {"labels": "x", "annotations": None}),
        ({"annotations": {MANAGED_LABEL: "true"}}, {"annotations": {MANAGED_LABEL: "true"}}),
        (None, None),
    ],
)
def test_our_traces_go_with_the_maps_that_they_leave_empty(metadata: Any, left: Any) -> None:
    obj = {"kind": "Thing", "metadata": metadata}
    assert without_traces(obj) == {"kind": "Thing", "metadata": left}
    assert obj["metadata"] is metadata
