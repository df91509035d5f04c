"""The runner: what a reconcile may answer, what an error means, and what survives cancellation."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest

from lambent.kube.controller import Context, Controller, judge
from lambent.kube.errors import Conflict, Forbidden, Invalid, NotFound, ServerError, Throttled, Unreachable
from lambent.kube.informer import InformerHub
from lambent.kube.leader import shard_of
from lambent.kube.outcome import Done, Fail, Retry, Wait
from lambent.kube.types import GVK, Key

GIZMO = GVK("example.org", "v1", "Gizmo")
PART = GVK("example.org", "v1", "Part")
TEST_FAILED = "the server rejected our request due to an error in our request"


class Recorder:
    """A reconciler that answers from a list, then Done; it records when each key ran."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.runs = []
        self.contexts = []

    async def __call__(self, key: Key, context: Context):
        self.runs.append((asyncio.get_running_loop().time(), key))
        self.contexts.append(context)
        answer = self.answers.pop(0) if self.answers else Done()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def times(self):
        start = self.runs[0][0]
        return [round(at - start, 3) for at, _ in self.runs]


@asynccontextmanager
async def running(kube, reconcile, **options):
    async with InformerHub(kube) as hub:
        controller = Controller("test", reconcile, hub=hub, kind=GIZMO, **options)
        task = asyncio.create_task(controller.run())
        async with asyncio.timeout(600):
            await controller.ready.wait()
        try:
            yield controller
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_each_known_object_is_reconciled_once(kube, gizmo):
    for name in "abc":
        kube.put(gizmo(name))
    recorder = Recorder()
    async with running(kube, recorder):
        await asyncio.sleep(5)
    assert sorted(key.name for _, key in recorder.runs) == ["a", "b", "c"]


async def test_a_change_of_an_owned_object_wakes_its_owner(kube, gizmo):
    owner = kube.put(gizmo())
    recorder = Recorder()
    async with running(kube, recorder) as controller:
        controller.owns(PART)
        await asyncio.sleep(1)
        recorder.runs.clear()
        ref = {"apiVersion": "example.org/v1", "kind": "Gizmo", "name": "a", "uid": owner["metadata"]["uid"]}
        await kube.create(gizmo("p", gvk=PART, metadata={"ownerReferences": [ref]}))
        await asyncio.sleep(1)
    assert [key for _, key in recorder.runs] == [Key("default", "a")]


async def test_a_wait_looks_again_when_it_said(kube, gizmo):
    kube.put(gizmo())
    recorder = Recorder(Wait(7))
    async with running(kube, recorder):
        await asyncio.sleep(20)
    assert recorder.times() == [0, 7]


async def test_a_retry_backs_off_and_a_fail_does_not_come_back(kube, gizmo):
    kube.put(gizmo())
    recorder = Recorder(Retry("x"), Retry("x"), Retry("x", after_s=3), Fail("no"))
    async with running(kube, recorder):
        await asyncio.sleep(60)
    first, second, third, last = recorder.times()
    assert 0.18 <= second - first <= 0.22
    assert 0.36 <= third - second <= 0.44
    assert last - third == 3


async def test_an_unforeseen_exception_is_a_retry_and_stops_nobody(kube, gizmo, caplog):
    kube.put(gizmo())
    recorder = Recorder(ZeroDivisionError())
    async with running(kube, recorder):
        await asyncio.sleep(5)
    assert len(recorder.runs) == 2
    assert "reconcile failed unforeseen" in caplog.text


async def test_a_run_that_exceeds_its_time_is_cut_and_retried(kube, gizmo):
    kube.put(gizmo())
    starts = []

    async def reconcile(key, context):
        starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(1000 if len(starts) == 1 else 0)
        return Done()

    async with running(kube, reconcile, timeout_s=60):
        await asyncio.sleep(100)
    assert 60 < starts[1] - starts[0] < 61


async def test_shutdown_waits_then_reports_the_keys_it_cancelled(kube, gizmo):
    for name in "ab":
        kube.put(gizmo(name))

    async def reconcile(key, context):
        await asyncio.sleep(2 if key.name == "a" else 1000)
        return Done()

    async with running(kube, reconcile) as controller:
        await asyncio.sleep(1)
        assert await controller.shutdown(drain_s=5) == [Key("default", "b")]


async def test_a_cancelled_run_leaves_its_key_ready(kube, gizmo):
    kube.put(gizmo())

    async def reconcile(key, context):
        await asyncio.sleep(1000)
        return Done()

    async with running(kube, reconcile) as controller:
        await asyncio.sleep(1)
    assert controller.queue.running() == []
    assert controller.queue.depth() == 1


@pytest.mark.parametrize(
    ("error", "outcome", "counts"),
    [
        (Conflict("c"), Retry, False),
        (Throttled("t", retry_after_s=4), Retry, False),
        (Invalid(TEST_FAILED, code=422), Retry, False),
        (Invalid("spec.x: Required value", code=422), Fail, True),
        (Forbidden("f"), Retry, True),
        (NotFound("n"), Retry, True),
        (ServerError("s"), Retry, True),
        (Unreachable("u"), Retry, True),
    ],
    ids=lambda value: getattr(value, "__name__", None) or type(value).__name__,
)
def test_each_error_class_maps_to_its_outcome(error, outcome, counts):
    verdict = judge(error)
    assert isinstance(verdict.outcome, outcome)
    assert verdict.counts is counts


async def test_one_new_object_among_many_is_served_at_once(kube, gizmo):
    for number in range(300):
        kube.put(gizmo(f"old{number}"))
    order = []

    async def reconcile(key, context):
        order.append(key.name)
        await asyncio.sleep(1)
        return Done()

    async with running(kube, reconcile, concurrency=1):
        await asyncio.sleep(10.5)
        await kube.create(gizmo("new"))
        await asyncio.sleep(3)
    assert "new" in order[:13]


async def test_a_watch_that_waits_for_its_crd_does_not_hold_the_controller_up(kube, gizmo):
    kube.put(gizmo())
    recorder = Recorder()
    missing = GVK("example.org", "v1", "Missing")
    async with InformerHub(kube) as hub:
        controller = Controller("test", recorder, hub=hub, kind=GIZMO).maps(missing, lambda obj: [Key.of(obj)])
        task = asyncio.create_task(controller.run())
        await asyncio.sleep(5)
        assert len(recorder.runs) == 1
        task.cancel()
        await asyncio.wait([task])


async def test_a_mapped_change_wakes_the_keys_of_old_and_new_state(kube, gizmo):
    recorder = Recorder()
    async with running(kube, recorder) as controller:
        controller.maps(PART, lambda obj: [Key("default", obj["spec"]["of"])])
        await kube.create(gizmo("p", gvk=PART, spec={"of": "a"}))
        await asyncio.sleep(1)
        recorder.runs.clear()
        await kube.patch(PART, "p", {"spec": {"of": "b"}}, namespace="default")
        await asyncio.sleep(1)
    assert sorted(key.name for _, key in recorder.runs) == ["a", "b"]


async def test_a_resync_looks_at_every_object_again_also_after_a_fail(kube, gizmo):
    kube.put(gizmo())
    recorder = Recorder(Fail("x"))
    async with running(kube, recorder, resync_s=100):
        await asyncio.sleep(250)
    assert recorder.times() == [0, 100, 200]


async def test_no_more_runs_than_the_concurrency_at_once(kube, gizmo):
    for number in range(20):
        kube.put(gizmo(f"g{number}"))
    active, most = 0, 0

    async def reconcile(key, context):
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(1)
        active -= 1
        return Done()

    async with running(kube, reconcile, concurrency=3):
        await asyncio.sleep(30)
    assert most == 3


async def test_each_run_logs_its_id_and_outcome(kube, gizmo, caplog):
    kube.put(gizmo())
    recorder = Recorder(Fail("no"))
    async with running(kube, recorder):
        await asyncio.sleep(1)
    assert len(recorder.contexts[0].reconcile_id) == 8
    assert any(getattr(record, "outcome", "") == "fail" for record in caplog.records)


async def test_shutdown_does_not_wait_for_a_kind_that_is_not_served(kube):
    async with InformerHub(kube) as hub:
        controller = Controller("test", Recorder(), hub=hub, kind=GVK("example.org", "v1", "Missing"))
        task = asyncio.create_task(controller.run())
        await asyncio.sleep(5)
        assert not controller.ready.is_set()
        assert await controller.shutdown(drain_s=1) == []
        await task


async def test_a_shard_reconciles_its_own_keys_alone(kube, gizmo):
    for number in range(20):
        kube.put(gizmo(f"g{number}"))
    runs = []
    for shard in range(2):
        recorder = Recorder()
        async with running(kube, recorder, selects=lambda key, shard=shard: shard_of(key, 2) == shard):
            await asyncio.sleep(5)
        runs.append({key.name for _, key in recorder.runs})
    assert not runs[0] & runs[1]
    assert len(runs[0] | runs[1]) == 20


@pytest.mark.parametrize("seed", range(6))
async def test_under_chaos_every_object_still_reaches_its_end(kube, gizmo, seed):
    kube.chaos(seed, 0.3)
    rng = random.Random(seed)

    async def reconcile(key, context):
        obj = await kube.get(GIZMO, key.name, namespace=key.namespace)
        want = {"seen": obj["spec"]["n"]}
        if obj.get("status") != want:
            body = {"metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]}, "status": want}
            await kube.patch(GIZMO, key.name, body, namespace=key.namespace, subresource="status")
        return Done()

    async with running(kube, reconcile):
        for number in range(60):
            kube.put(gizmo(f"g{rng.randrange(8)}", spec={"n": number}))
            if rng.random() < 0.2:
                kube.compact()
            if rng.random() < 0.2:
                kube.cut_watches()
            await asyncio.sleep(rng.uniform(0, 5))
        kube.faults.clear()
        await asyncio.sleep(700)
        for obj in kube.peek_all(GIZMO):
            assert obj["status"] == {"seen": obj["spec"]["n"]}


async def test_an_answer_that_is_no_outcome_is_a_retry(kube, gizmo, caplog):
    kube.put(gizmo())
    recorder = Recorder(None)
    async with running(kube, recorder):
        await asyncio.sleep(5)
    assert len(recorder.runs) == 2
    assert "not an outcome" in caplog.text
