"""The record of managed resources as text: whose it is, and which entries are of one object."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from lambent.workflow.engine import Ok, ResourceRef, RunResult, StepResult, Workflow, prepare
from lambent.workflow.engine.managed import ANNOTATION, Record, next_record, parse_record
from tests.workflow.shared import documents
from tests.workflow.test_publishing import WORKFLOW

_REF = ResourceRef("example.org/v1", "Thing", "a", "ns", function="f", uid="u")
_TEXT = Record("w", {"a": _REF.record()}, [], uid="mine").text()
_OLD = Record("w", {"a": _REF.record()}, []).text()


@pytest.mark.parametrize(
    ("uid", "text", "is_known", "kept"),
    [
        ("mine", _TEXT, True, "mine"),
        ("copy", _TEXT, False, "copy"),
        ("mine", _OLD, True, "mine"),
        (None, _TEXT, True, "mine"),
        (None, _OLD, True, ""),
        ("mine", '{"workflow": "w", "uid": 3}', False, "mine"),
    ],
    ids=["own", "copied", "without", "not-stored", "neither", "no-text"],
)
def test_a_record_is_its_triggers_alone(uid: str | None, text: str, is_known: bool, kept: str):
    metadata: dict[str, Any] = {"annotations": {ANNOTATION: text}, **({"uid": uid} if uid else {})}
    record = parse_record(metadata)
    assert (record.refs() == [_REF], record.is_anothers, record.uid) == (is_known, not is_known, kept)


def _after(before: Record, **managed: ResourceRef) -> Record:
    """The record after a pass whose steps, all Ok, manage these."""
    workflow = prepare(documents(WORKFLOW)[0])
    assert isinstance(workflow, Workflow)
    steps = {label: StepResult(workflow.steps[0], Ok(1), ref) for label, ref in managed.items()}
    return next_record(RunResult(workflow, steps, Ok(1), {}), before)


@pytest.mark.parametrize(
    ("now", "is_orphan"),
    [
        (replace(_REF, api_version="example.org/v2", uid="other"), False),
        (replace(_REF, namespace="", uid="u"), False),
        (replace(_REF, api_version="example.com/v1", uid="other"), True),
        (replace(_REF, name="b", uid="other"), True),
        (replace(_REF, name="b", uid=""), True),
    ],
    ids=["version", "same-uid", "group", "name", "not-there"],
)
def test_an_object_by_another_version_or_address_is_no_orphan(now: ResourceRef, is_orphan: bool):
    before = _after(parse_record({"uid": "mine"}), a=_REF)
    assert _after(before, a=now).orphans == [_REF] * is_orphan


def test_of_two_entries_the_one_that_does_not_only_read_counts():
    reads = replace(_REF, is_readonly=True)
    assert _after(parse_record({}), a=_REF, b=reads).refs() == [_REF]
    assert _after(parse_record({}), a=reads, b=_REF).refs() == [_REF]
    assert _after(_after(parse_record({}), a=_REF, b=reads)).orphans == [_REF]


def test_entries_are_read_in_order_however_deep_they_are_nested():
    one, two, three = (replace(_REF, name=name).record() for name in "abc")
    nested = {"resources": {"a": [{"x": one, "y": [two]}, three], "deep": None}}
    text = orjson.dumps(nested).decode().replace("null", "[" * 1010 + "]" * 1010)
    assert [ref.name for ref in parse_record({"annotations": {ANNOTATION: text}}).refs()] == ["a", "b", "c"]
