"""Events: repeats count, bursts are bounded, a failed write harms nobody."""

import asyncio

from lambent.kube.errors import Forbidden
from lambent.kube.events import EventRecorder, Reason
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


async def test_a_failed_write_is_only_logged(kube, gizmo, caplog):
    obj = await kube.create(gizmo())
    kube.fail("create", EVENT, Forbidden("no"))
    await EventRecorder(kube, "c").normal(obj, Reason.CREATED, "made")
    assert "could not write an event" in caplog.text
