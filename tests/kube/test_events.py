"""Events: repeats count, bursts are bounded, a failed write harms nobody."""

import asyncio

import pytest

from lambent.kube.errors import Forbidden
from lambent.kube.events import EventRecorder, Reason
from lambent.kube.leader import LeadershipLost
from lambent.kube.types import GVK

EVENT = GVK("", "v1", "Event")


async def test_a_repeat_bumps_the_count_also_after_a_restart(kube, gizmo):
    obj = await kube.create(gizmo())
    for recorder in (EventRecorder(kube, "c"), EventRecorder(kube, "c")):
        for _ in range(2):
            await recorder.normal(obj, Reason.CREATED, "made")
    (event,) = kube.peek_all(EVENT)
    assert (event["count"], event["reason"], event["involvedObject"]["uid"]) == (4, "Created", obj["metadata"]["uid"])


async def test_an_expired_event_is_written_anew(kube, gizmo):
    obj = await kube.create(gizmo())
    recorder = EventRecorder(kube, "c")
    await recorder.warning(obj, Reason.FAILED, "no")
    await kube.delete(EVENT, kube.peek_all(EVENT)[0]["metadata"]["name"], namespace="default")
    await recorder.warning(obj, Reason.FAILED, "no")
    assert [event["count"] for event in kube.peek_all(EVENT)] == [1]


async def test_a_burst_is_cut_at_25_and_then_one_per_five_minutes(kube, gizmo):
    obj = await kube.create(gizmo())
    recorder = EventRecorder(kube, "c")
    for number in range(40):
        await recorder.normal(obj, Reason.UPDATED, f"message {number}")
    assert len(kube.peek_all(EVENT)) == 25
    await asyncio.sleep(301)
    await recorder.normal(obj, Reason.UPDATED, "later")
    await recorder.normal(obj, Reason.UPDATED, "later still")
    assert len(kube.peek_all(EVENT)) == 26


@pytest.mark.parametrize("error", [Forbidden("no"), LeadershipLost("over")], ids=["refused", "no longer leading"])
async def test_a_failed_write_is_only_logged(kube, gizmo, caplog, error):
    obj = await kube.create(gizmo())
    kube.fail("create", EVENT, error)
    await EventRecorder(kube, "c").normal(obj, Reason.CREATED, "made")
    assert "could not write an event" in caplog.text


async def test_an_event_is_of_its_object_reason_and_message(kube, gizmo):
    """What differs in one of them is another event; the same again is a patch of the first."""
    one, two = await kube.create(gizmo("a")), await kube.create(gizmo("b"))
    recorder = EventRecorder(kube, "c")
    await recorder.normal(one, Reason.CREATED, "made")
    await recorder.normal(one, Reason.CREATED, "made")
    await recorder.normal(one, Reason.UPDATED, "made")
    await recorder.warning(one, Reason.UPDATED, "not made")
    await recorder.normal(two, Reason.CREATED, "made")
    assert sorted((event["involvedObject"]["name"], event["count"]) for event in kube.peek_all(EVENT)) == [
        ("a", 1),
        ("a", 1),
        ("a", 2),
        ("b", 1),
    ]
    assert [call.verb for call in kube.writes() if call.gvk == EVENT].count("patch") == 1
    assert {event["apiVersion"] for event in kube.peek_all(EVENT)} == {"v1"}


async def test_the_burst_of_one_object_costs_another_none(kube, gizmo):
    one, two = await kube.create(gizmo("a")), await kube.create(gizmo("b"))
    recorder = EventRecorder(kube, "c")
    for number in range(30):
        await recorder.normal(one, Reason.UPDATED, f"message {number}")
    await recorder.normal(two, Reason.UPDATED, "mine")
    assert sum(event["involvedObject"]["name"] == "b" for event in kube.peek_all(EVENT)) == 1
