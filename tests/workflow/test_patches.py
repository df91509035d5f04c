"""Bodies of writes: what was applied and goes, what is remembered, and how two patches become one."""

from typing import Any

import pytest

from lambent.workflow.engine.patches import (
    APPLIED_BY_ANNOTATION,
    LAST_APPLIED_ANNOTATION,
    MANAGED_LABEL,
    applied_by,
    compact_json,
    first_path,
    last_applied,
    merge,
    removed_fields,
    stamped,
    union,
    without_directives,
    without_nulls,
)


@pytest.mark.parametrize(
    ("applied", "target", "live", "gone"),
    [
        ({"a": 1}, {}, {"a": 2}, {"a": None}),
        ({"a": 1}, {"a": 3}, {"a": 2}, {}),
        ({"a": 1}, {}, {}, {}),
        ({"a": 1}, {}, {"a": None}, {}),
        ({"a": None}, {}, {"a": 1}, {"a": None}),
        ({"a": {"b": 1, "c": 1}}, {"a": {"c": 1}}, {"a": {"b": 1}}, {"a": {"b": None}}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {}}, {}),
        ({"a": {"b": 1}}, {"a": 1}, {"a": {"b": 1}}, {}),
        ({"a": 1}, {"a": {}}, {"a": {"b": 1}}, {}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": 1}, {}),
        ({"a": [1]}, {"a": []}, {"a": [1]}, {}),
        (None, {}, {}, {}),
        ({}, None, {}, {}),
        ({"a": 1}, {}, None, {}),
    ],
)
def test_a_field_goes_when_it_was_applied_is_live_and_not_wanted(
    applied: Any, target: Any, live: Any, gone: dict[str, Any]
) -> None:
    assert removed_fields(applied, target, live) == gone


@pytest.mark.parametrize(
    ("gone", "path"), [({}, ""), ({"a": None}, "a"), ({"a": {"b": None, "c": None}, "d": None}, "a.b")]
)
def test_the_first_field_that_goes_is_named(gone: dict[str, Any], path: str) -> None:
    assert first_path(gone) == path


@pytest.mark.parametrize(
    ("live", "body"),
    [
        ({}, {}),
        ({"metadata": None}, {}),
        ({"metadata": "x"}, {}),
        ({"metadata": {"annotations": ["x"]}}, {}),
        ({"metadata": {"annotations": {LAST_APPLIED_ANNOTATION: 3}}}, {}),
        ({"metadata": {"annotations": {LAST_APPLIED_ANNOTATION: "{corrupt"}}}, {}),
        ({"metadata": {"annotations": {LAST_APPLIED_ANNOTATION: "[1]"}}}, {}),
        ({"metadata": {"annotations": {LAST_APPLIED_ANNOTATION: '{"a": 1}'}}}, {"a": 1}),
    ],
)
def test_a_record_that_cannot_be_read_counts_as_empty(live: dict[str, Any], body: dict[str, Any]) -> None:
    assert last_applied(live) == body


def test_directives_are_never_sent() -> None:
    directive = {"x-koreo-compare-as-set": ["f"]}
    assert without_directives({"f": 1, **directive, "l": [{"f": 1, **directive}, [directive]]}) == {
        "f": 1,
        "l": [{"f": 1}, [{}]],
    }


def test_the_names_of_our_marks_are_those_that_objects_in_clusters_bear() -> None:
    assert LAST_APPLIED_ANNOTATION == "koreo.dev/last-applied-configuration"
    assert (APPLIED_BY_ANNOTATION, MANAGED_LABEL) == ("lambent.dev/applied-by", "lambent.dev/managed")


def test_a_stamp_names_its_writer_when_there_is_one() -> None:
    assert applied_by(stamped({}, "f for t")) == "f for t"
    assert applied_by(stamped({})) == ""
    assert applied_by({"metadata": {"annotations": {APPLIED_BY_ANNOTATION: 3}}}) == ""


def test_the_record_of_a_body_is_compact_and_keeps_order_letters_and_large_numbers() -> None:
    assert compact_json({"b": "é", "a": [1, None]}) == '{"b":"é","a":[1,null]}'
    assert compact_json({"b": "é", "a": 10**30}) == '{"b":"é","a":' + str(10**30) + "}"


def test_a_stamped_body_remembers_itself_and_keeps_the_labels_of_others() -> None:
    body = {"metadata": {"name": "a", "labels": {"x": "1"}, "annotations": {"y": "2"}}}
    made = stamped(body)
    assert made["metadata"]["labels"] == {"x": "1", "lambent.dev/managed": "true"}
    assert made["metadata"]["annotations"]["y"] == "2"
    assert last_applied(made) == body
    assert body == {"metadata": {"name": "a", "labels": {"x": "1"}, "annotations": {"y": "2"}}}


@pytest.mark.parametrize("metadata", [None, {"labels": "x", "annotations": "y"}, {"labels": None}])
def test_what_is_no_map_makes_room_for_the_stamp(metadata: Any) -> None:
    made = stamped({"metadata": metadata})["metadata"]
    assert made["labels"] == {"lambent.dev/managed": "true"}
    assert set(made["annotations"]) == {LAST_APPLIED_ANNOTATION}


@pytest.mark.parametrize(
    ("base", "patch", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({}, {"a": None}, {}),
        (None, {"a": 1}, {"a": 1}),
        ({"a": 1}, 3, 3),
    ],
)
def test_a_merge_patch_is_that_of_the_rfc(base: Any, patch: Any, merged: Any) -> None:
    """Source: RFC 7386, appendix A."""
    assert merge(base, patch) == merged


def test_a_new_object_is_stored_without_null_members_but_with_null_items() -> None:
    assert without_nulls({"a": None, "b": {"c": None}, "d": [None, {"e": None}]}) == {"b": {}, "d": [None, {"e": None}]}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({"a": None}, {"b": 1}, {"a": None, "b": 1}),
        ({"a": {"b": None}}, {"a": {"c": 1}}, {"a": {"b": None, "c": 1}}),
        ({"a": {"b": None}}, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": None}, {"a": 2}, {"a": 2}),
    ],
)
def test_two_patches_become_one_and_the_second_wins(one: Any, other: Any, both: Any) -> None:
    assert union(one, other) == both
