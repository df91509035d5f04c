"""The comparer itself: what it must catch and what it must let through."""

from typing import Any

import pytest

from .comparison import Comparison

UUIDS = ("6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b", "0f8fad5b-d9cb-469f-a165-70867728950e")


def differences(recorded: Any, actual: Any) -> list[str]:
    comparison = Comparison()
    comparison.compare(recorded, actual, "$")
    return comparison.differences


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [
        ({"a": "<uuid:1>", "b": "<uuid:1>", "c": "<uuid:2>"}, {"a": UUIDS[0], "b": UUIDS[0], "c": UUIDS[1]}),
        ({"a": "<code-size>"}, {"a": 12}),
        ({"a": "date"}, {"a": "2026-01-31T10:00:00.123+0000"}),
        ({"a": "arn:<partition>:x:<region>:<name:1>:y"}, {"a": "arn:aws:x:us-east-1:f:y"}),
        (
            {"ResponseMetadata": {"HTTPStatusCode": 200}},
            {"ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "x"}},
        ),
    ],
)
def test_what_is_alike_is_let_through(recorded: Any, actual: Any) -> None:
    assert differences(recorded, actual) == []


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({}, {"a": None}),
        ([1], [1, 2]),
        ({"a": "<uuid:1>", "b": "<uuid:1>"}, {"a": UUIDS[0], "b": UUIDS[1]}),
        ({"a": "<uuid:1>", "b": "<uuid:2>"}, {"a": UUIDS[0], "b": UUIDS[0]}),
        ({"a": "date"}, {"a": "2026-01-31"}),
        ({"a": "arn:<partition>:<name:1>"}, {"a": "arn:gcp:f"}),
        ({"ResponseMetadata": {"HTTPStatusCode": 200}}, {"ResponseMetadata": {"HTTPStatusCode": 201}}),
    ],
)
def test_one_changed_member_is_caught(recorded: Any, actual: Any) -> None:
    assert len(differences(recorded, actual)) == 1
