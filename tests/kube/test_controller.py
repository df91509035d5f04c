"""The runner: what a reconcile may answer, what an error means, and what survives cancellation."""

import asyncio
import io
import logging
import random
import re
from contextlib import asynccontextmanager
from functools import partial

import orjson
import pytest

from lambent.aws.errors import AwsError
from lambent.kube.controller import Context, Controller, judge
from lambent.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    ServerError,
    Throttled,
    Unauthorized,
    Unreachable,
)
from lambent.kube.informer import InformerHub
from lambent.kube.leader import LeaderElector, LeadershipLost, shard_of
from lambent.kube.outcome import Done, Fail, Retry, Wait
from lambent.kube.types import GVK, Key
from lambent.telemetry import REGISTRY
from lambent.telemetry.logs import JsonFormatter

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
    assert "ZeroDivisionError" in caplog.text
    assert "reconciled: InternalError" in caplog.messages


@pytest.mark.parametrize(
    ("error", "why"),
    [(TimeoutError(), "a request timed out"), (asyncio.CancelledError(), "what it waited for was cancelled")],
    ids=["timeout", "cancelled"],
)
async def test_a_cut_inside_the_run_is_told_from_one_of_the_run(kube, gizmo, caplog, error, why):
    """Neither ends the worker, of which there is only one."""
    kube.put(gizmo())
    recorder = Recorder(error)
    async with running(kube, recorder, concurrency=1) as controller:
        await asyncio.sleep(5)
        assert controller.queue.running() == []
    assert len(recorder.runs) == 2
    assert f"reconciled: {why}" in caplog.messages


async def test_a_run_that_exceeds_a_minute_is_cut_and_retried(kube, gizmo, caplog):
    kube.put(gizmo())
    starts = []

    async def reconcile(key, context):
        starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(1000 if len(starts) == 1 else 0)
        return Done()

    async with running(kube, reconcile):
        await asyncio.sleep(100)
    assert 60 < starts[1] - starts[0] < 61
    assert "reconciled: no result within 60 s" in caplog.messages


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


VERDICTS = [
    (Conflict("c"), Retry, False),
    (Throttled("t", retry_after_s=4), Retry, False),
    (Invalid(TEST_FAILED, code=422), Retry, False),
    (Invalid("spec.x: Required value", code=422), Fail, True),
    (Forbidden("f"), Retry, True),
    (NotFound("n"), Retry, True),
    (ServerError("s"), Retry, True),
    (Unreachable("u"), Retry, True),
    (AlreadyExists("a"), Retry, True),
    (Unauthorized("u"), Retry, True),
    (Gone("g"), Retry, True),
    (KubeError("k"), Retry, True),
    (LeadershipLost("l"), Retry, True),
    (AwsError("ThrottlingException", "t"), Retry, True),
]


@pytest.mark.parametrize(
    ("error", "outcome", "counts"),
    VERDICTS,
    ids=lambda value: getattr(value, "__name__", None) or type(value).__name__,
)
def test_each_error_class_maps_to_its_outcome(error, outcome, counts):
    verdict = judge(error)
    assert isinstance(verdict.outcome, outcome)
    assert verdict.counts is counts
    assert verdict.outcome.why.startswith(f"{error.reason}: ")
    if isinstance(verdict.outcome, Retry):
        assert verdict.outcome.after_s == getattr(error, "retry_after_s", None)


def test_no_error_class_is_without_its_row():
    assert set(KubeError.__subclasses__()) <= {type(error) for error, _, _ in VERDICTS}


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


@pytest.mark.parametrize(("options", "expected"), [({"concurrency": 3}, 3), ({}, 8)], ids=["three", "default"])
async def test_no_more_runs_than_the_concurrency_at_once(kube, gizmo, options, expected):
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

    async with running(kube, reconcile, **options):
        await asyncio.sleep(30)
    assert most == expected


async def test_each_line_of_a_run_has_its_id(kube, gizmo):
    """Also what other modules log, in tasks that the run starts."""
    for name in "ab":
        kube.put(gizmo(name))
    ids: dict[str, str] = {}
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)

    async def elsewhere():
        logging.getLogger("elsewhere").warning("asked")

    async def reconcile(key, context):
        ids[key.name] = context.reconcile_id
        await asyncio.create_task(elsewhere())
        return Fail("no")

    async with running(kube, reconcile):
        await asyncio.sleep(1)
    logging.getLogger().removeHandler(handler)
    lines = [orjson.loads(line) for line in stream.getvalue().splitlines()]
    told = {(line["message"], line["name"], line["reconcile_id"]) for line in lines if "reconcile_id" in line}
    assert told == {(text, name, ids[name]) for text in ("asked", "reconciled: no") for name in "ab"}
    assert all(re.fullmatch("[0-9a-f]{8}", one) for one in ids.values())
    assert {line["outcome"] for line in lines if "outcome" in line} == {"fail"}


async def test_a_controller_is_ready_when_all_it_declared_is_synced(kube):
    kube.fail("list", PART, Unreachable("x"), times=4)
    async with InformerHub(kube) as hub:
        controller = Controller("test", Recorder(), hub=hub, kind=GIZMO).maps(PART, lambda obj: [Key.of(obj)])
        task = asyncio.create_task(controller.run())
        while len([call for call in kube.calls if call.gvk == PART and call.verb == "list"]) < 4:
            await asyncio.sleep(0.1)
            assert not controller.ready.is_set()
        await controller.ready.wait()
        assert all(informer.synced.is_set() for informer in hub.informers())
        task.cancel()
        await asyncio.wait([task])


async def test_metrics_begin_at_zero_and_count_runs(kube, gizmo):
    def value(name, **labels):
        return REGISTRY.get_sample_value(f"lambent_{name}", {"controller": "counted", **labels})

    async with InformerHub(kube) as hub:
        controller = Controller("counted", Recorder(Retry("x")), hub=hub, kind=GIZMO)
        for outcome in ("done", "wait", "retry", "fail"):
            assert value("reconcile_total", outcome=outcome) == 0
        assert value("reconcile_seconds_count") == 0
        for priority in ("live", "resync"):
            for name in ("depth", "oldest_seconds", "retries_total", "wait_seconds_count"):
                assert value(f"workqueue_{name}", priority=priority) == 0
        kube.put(gizmo())
        task = asyncio.create_task(controller.run())
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.wait([task])
    assert [value("reconcile_total", outcome=outcome) for outcome in ("retry", "done")] == [1, 1]
    assert value("reconcile_seconds_count") == 2
    assert sum(value("workqueue_retries_total", priority=priority) for priority in ("live", "resync")) == 1
    assert sum(value("workqueue_wait_seconds_count", priority=priority) for priority in ("live", "resync")) == 2


async def test_shards_have_a_leader_each_and_pass_on_alone(kube, gizmo):
    """Two processes, two leases: whoever holds the lease of a shard reconciles its keys, and no other."""
    for number in range(12):
        kube.put(gizmo(f"g{number}"))
    done: list[tuple[str, int, str]] = []

    async def process(name, hub):
        async def lead(term, shard):
            async def reconcile(key, context):
                term.check()
                done.append((name, shard, key.name))
                return Done()

            await Controller(
                f"{name}-{shard}", reconcile, hub=hub, kind=GIZMO, selects=lambda key: shard_of(key, 2) == shard
            ).run()

        async with asyncio.TaskGroup() as group:
            for shard in range(2):
                elector = LeaderElector(kube, f"shard-{shard}", "default", name)
                group.create_task(elector.run(partial(lead, shard=shard)))

    async with InformerHub(kube) as hub:
        one = asyncio.create_task(process("one", hub))
        await asyncio.sleep(5)
        two = asyncio.create_task(process("two", hub))
        await asyncio.sleep(30)
        one.cancel()
        await asyncio.wait([one])
        await asyncio.sleep(5)
        two.cancel()
        await asyncio.wait([two])
    everything = {(shard_of(Key("default", f"g{number}"), 2), f"g{number}") for number in range(12)}
    for name in ("one", "two"):
        assert {(shard, key) for who, shard, key in done if who == name} == everything
    assert [who for who, *_ in done] == ["one"] * 12 + ["two"] * 12


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
