"""kstatus conditions from outcomes, and what a reader makes of them."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from lambent.kube.conditions import health, set_conditions
from lambent.kube.outcome import Done, Fail, Retry, Wait

T0 = datetime(2026, 1, 1, tzinfo=UTC)
LATER = T0 + timedelta(minutes=5)


def statuses(conditions):
    return {one["type"]: one["status"] for one in conditions}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Done(), {"Ready": "True"}),
        (Wait(5, "x"), {"Ready": "False", "Reconciling": "True"}),
        (Retry("x"), {"Ready": "False", "Reconciling": "True"}),
        (Fail("x"), {"Ready": "False", "Stalled": "True"}),
    ],
    ids=["done", "wait", "retry", "fail"],
)
@pytest.mark.parametrize("before", [Done(), Retry("r"), Fail("f")], ids=["after-done", "after-retry", "after-fail"])
def test_each_outcome_has_its_row(before, outcome, expected):
    old = set_conditions([], before, now=T0)
    assert statuses(set_conditions(old, outcome, now=LATER)) == expected


def test_a_ready_object_stays_ready_while_it_serves_old_state():
    old = set_conditions([], Done(), now=T0)
    new = set_conditions(old, Wait(5), now=LATER, serves_old=True)
    assert statuses(new) == {"Ready": "True", "Reconciling": "True"}
    assert statuses(set_conditions(new, Fail("x"), now=LATER, serves_old=True))["Ready"] == "False"


def test_the_transition_time_moves_only_with_the_status():
    old = set_conditions([], Retry("First: a"), now=T0)
    new = set_conditions(old, Retry("Second: b"), now=LATER)
    assert [one["lastTransitionTime"] for one in new] == ["2026-01-01T00:00:00Z"] * 2
    assert {one["reason"] for one in new} == {"Second"}


def test_the_same_outcome_again_gives_an_equal_result():
    old = set_conditions([], Fail("BadSpec: no"), generation=3, now=T0)
    assert set_conditions(old, Fail("BadSpec: no"), generation=3, now=LATER) == old


@pytest.mark.parametrize(
    ("outcome", "reasons"),
    [
        (Done(), {"Ready": "Ready"}),
        (Wait(5, "Creating: the bucket"), {"Ready": "Creating", "Reconciling": "Creating"}),
        (Wait(5, "the bucket"), {"Ready": "Progressing", "Reconciling": "Progressing"}),
        (Retry("Throttled: later"), {"Ready": "Throttled", "Reconciling": "Throttled"}),
        (Fail("BadSpec: no"), {"Ready": "BadSpec", "Stalled": "BadSpec"}),
    ],
    ids=["done", "wait", "wait without reason", "retry", "fail"],
)
def test_each_condition_has_reason_message_and_generation(outcome, reasons):
    made = set_conditions([], outcome, generation=7, now=T0)
    assert {one["type"]: one["reason"] for one in made} == reasons
    assert {one["observedGeneration"] for one in made} == {7}
    assert {one["message"] for one in made} == {
        getattr(outcome, "why", "").partition(": ")[2] or getattr(outcome, "why", "")
    }


def test_conditions_are_made_without_touching_the_old():
    old = set_conditions([], Done(), generation=1, now=T0)
    before = copy.deepcopy(old)
    set_conditions(old, Fail("x"), generation=2, now=LATER)
    assert old == before


def test_conditions_of_other_types_pass_through():
    ack = {"type": "ACK.ResourceSynced", "status": "True"}
    assert ack in set_conditions([ack], Done(), now=T0)


@pytest.mark.parametrize(
    ("outcome", "observed", "metadata", "expected"),
    [
        (Done(), 2, {}, "Current"),
        (Done(), 1, {}, "InProgress"),
        (Retry("x"), 2, {}, "InProgress"),
        (Fail("x"), 2, {}, "Failed"),
        (Done(), 2, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "Terminating"),
    ],
    ids=["current", "outdated", "retrying", "failed", "terminating"],
)
def test_health_follows_kstatus(gizmo, outcome, observed, metadata, expected):
    conditions = set_conditions([], outcome, generation=observed, now=T0)
    status = {"observedGeneration": observed, "conditions": conditions}
    assert health(gizmo(metadata={"generation": 2, **metadata}, status=status)) == expected
