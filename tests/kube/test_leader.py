"""Leader election: one leader at a time, a short gap, and no write after the term."""

import asyncio
import random

import pytest

from lambent.errors import UsageError
from lambent.kube.client import KubeClient
from lambent.kube.errors import Unreachable
from lambent.kube.fake import FakeKube
from lambent.kube.fencing import FencedClient, current_fence
from lambent.kube.leader import LeaderElector, LeadershipLost, LeaseTimes, Term, shard_of
from lambent.kube.types import GVK, Key
from lambent.telemetry import REGISTRY
from tests.kube.conftest import gizmo

LEASE = GVK("coordination.k8s.io", "v1", "Lease")


Log = list[tuple[float, str, str, int]]


def now():
    return asyncio.get_running_loop().time()


class Link:
    """A process's way to the server, which can be cut."""

    def __init__(self, kube):
        self.kube = kube
        self.is_cut = False

    def __getattr__(self, verb):
        async def call(*args, **options):
            if self.is_cut:
                raise Unreachable("cut")
            return await getattr(self.kube, verb)(*args, **options)

        return call


class Candidate:
    """One process that wants to lead and notes when it did."""

    def __init__(self, kube, name, log):
        self.link = Link(kube)
        self.elector = LeaderElector(self.link, "l", "default", name, rng=random.Random(name))
        self.name, self.log = name, log
        self.task = asyncio.create_task(self.elector.run(self.lead))

    async def lead(self, term):
        self.log.append((asyncio.get_running_loop().time(), self.name, "start", term.number))
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append((asyncio.get_running_loop().time(), self.name, "stop", term.number))

    async def die(self):
        """Without releasing."""
        self.link.is_cut = True
        await self.stop()

    async def stop(self):
        self.task.cancel()
        await asyncio.wait([self.task])


async def test_a_released_lease_passes_on_within_a_retry(kube):
    log: Log = []
    first = Candidate(kube, "one", log)
    await asyncio.sleep(1)
    second = Candidate(kube, "two", log)
    await asyncio.sleep(60)
    await first.stop()
    stopped = asyncio.get_running_loop().time()
    await asyncio.sleep(5)
    await second.stop()
    assert [(name, what, number) for _, name, what, number in log] == [
        ("one", "start", 0),
        ("one", "stop", 0),
        ("two", "start", 1),
        ("two", "stop", 1),
    ]
    assert log[2][0] - stopped < 3.5


async def test_a_leader_that_cannot_renew_stops_five_seconds_before_another_may_start(kube):
    log: Log = []
    first = Candidate(kube, "one", log)
    await asyncio.sleep(1)
    kube.fail("replace", LEASE, Unreachable("x"), times=1000)
    second = Candidate(kube, "two", log)
    await asyncio.sleep(11)
    kube.faults.clear()
    await asyncio.sleep(30)
    assert log[1][1:3] == ("one", "stop")
    assert log[1][0] - log[0][0] <= 10.1
    assert all(start >= log[1][0] + 4.9 for start, _, what, number in log if what == "start" and number)
    await first.stop()
    await second.stop()


async def test_takeover_after_a_death_takes_at_most_the_lease_and_a_retry(kube):
    log: Log = []
    first = Candidate(kube, "one", log)
    await asyncio.sleep(1)
    second = Candidate(kube, "two", log)
    await asyncio.sleep(60)
    await first.die()
    died = asyncio.get_running_loop().time()
    await asyncio.sleep(60)
    assert log[2][1:3] == ("two", "start")
    assert log[2][0] - died <= 15 + 2
    await second.stop()


async def test_a_renewal_whose_answer_was_lost_keeps_the_lease(kube):
    log: Log = []
    only = Candidate(kube, "one", log)
    await asyncio.sleep(1)
    kube.fail("replace", LEASE, Unreachable("x"), times=2, after=True)
    await asyncio.sleep(60)
    assert len(log) == 1
    await only.stop()


async def test_a_deleted_lease_ends_the_term(kube):
    log: Log = []
    only = Candidate(kube, "one", log)
    await asyncio.sleep(1)
    await kube.delete(LEASE, "l", namespace="default")
    await asyncio.sleep(3)
    assert [what for _, _, what, _ in log][:2] == ["start", "stop"]
    await only.stop()


@pytest.mark.parametrize("seed", range(8))
async def test_under_faults_and_deaths_there_are_never_two_leaders(kube, seed):
    rng = random.Random(seed)
    log: Log = []
    kube.chaos(seed, 0.3)
    candidates = [Candidate(kube, f"{index}", log) for index in range(3)]
    for round_ in range(12):
        await asyncio.sleep(rng.uniform(1, 40))
        victim = next((index for index, one in enumerate(candidates) if one.elector.is_leader), 0)
        match rng.choice(["stop", "die", "cut", "mend"]):
            case "stop":
                await candidates[victim].stop()
                candidates[victim] = Candidate(kube, f"{victim}-{round_}", log)
            case "die":
                await candidates[victim].die()
                candidates[victim] = Candidate(kube, f"{victim}-{round_}", log)
            case "cut":
                candidates[victim].link.is_cut = True
            case "mend":
                for candidate in candidates:
                    candidate.link.is_cut = False
    for candidate in candidates:
        await candidate.stop()
    assert [what for _, _, what, _ in log] == ["start", "stop"] * (len(log) // 2)
    numbers = [number for _, _, what, number in log if what == "start"]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 3


async def test_no_write_leaves_after_the_term(kube):
    """Not one of the verbs that change anything, whoever adds one."""
    term = Term("l", 1, asyncio.get_running_loop().time() + 10)
    client: KubeClient = FencedClient(kube, term)
    await client.create(gizmo("a"))
    await asyncio.sleep(10)
    writes = {
        "create": client.create(gizmo("b")),
        "replace": client.replace(gizmo("a")),
        "apply": client.apply(gizmo("b"), manager="m"),
        "patch": client.patch(GVK.of(gizmo()), "a", {}),
        "delete": client.delete(GVK.of(gizmo()), "a"),
    }
    for write in writes.values():
        with pytest.raises(LeadershipLost):
            await write
    assert len(kube.writes()) == 1
    reads = {"get", "list", "watch", "resolve", "close"}
    assert {name for name in vars(KubeClient) if not name.startswith("_")} == reads | set(writes)


async def test_a_write_under_way_is_told_its_term(kube):
    seen: list[str] = []

    class Looking(FakeKube):
        async def create(self, obj, **options):
            seen.append(current_fence.get())
            return await super().create(obj, **options)

    looking = Looking()
    looking.register(GVK.of(gizmo()), "gizmos")
    await FencedClient(looking, Term("n/l", 7, now() + 10)).create(gizmo("a"))
    await looking.create(gizmo("b"))
    assert seen == ["n/l/7", ""]


async def test_the_lease_is_kept_while_a_leader_drains(kube):
    async def lead(term):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(40)
            term.check()
            drained.append(asyncio.get_running_loop().time())
            raise

    drained: list[float] = []
    log: Log = []
    first = asyncio.create_task(LeaderElector(kube, "l", "default", "one").run(lead))
    await asyncio.sleep(1)
    second = Candidate(kube, "two", log)
    await asyncio.sleep(10)
    first.cancel()
    await asyncio.wait([first])
    await asyncio.sleep(3)
    assert log[0][0] >= drained[0]
    await second.stop()


async def test_clocks_are_never_compared(kube):
    """A lease counts from when its record was last seen to change, whatever time stands in it."""
    for name, stamp in (("past", "1990-01-01T00:00:00.000000Z"), ("future", "2190-01-01T00:00:00.000000Z")):
        spec = {"holderIdentity": "other", "leaseDurationSeconds": 15, "leaseTransitions": 3, "renewTime": stamp}
        kube.put(gizmo(name, gvk=LEASE, spec=spec))
        started = now()
        taken: list[tuple[float, int]] = []

        async def lead(term, taken=taken, started=started):
            taken.append((now() - started, term.number))

        await LeaderElector(kube, name, "default", "one").run(lead)
        ((after_s, number),) = taken
        assert 15 <= after_s <= 17
        assert number == 4


async def test_a_holder_that_renews_keeps_its_lease_whatever_its_clock(kube):
    stamps = iter(f"19{year}-01-01T00:00:00.000000Z" for year in range(99, 10, -1))
    log: Log = []
    spec = {"holderIdentity": "other", "leaseDurationSeconds": 15, "leaseTransitions": 3}
    kube.put(gizmo("l", gvk=LEASE, spec=spec))
    waiting = Candidate(kube, "one", log)
    for _ in range(20):
        kube.put(gizmo("l", gvk=LEASE, spec=spec | {"renewTime": next(stamps)}))
        await asyncio.sleep(10)
    assert log == []
    await waiting.stop()


async def test_a_leader_and_whoever_waits_know_who_leads(kube):
    log: Log = []
    kube.fail("get", LEASE, Unreachable("x"), times=3)
    first = Candidate(kube, "one", log)
    await asyncio.sleep(1)
    assert not first.elector.knows_leader
    await asyncio.sleep(10)
    second = Candidate(kube, "two", log)
    await asyncio.sleep(5)
    assert [one.elector.knows_leader for one in (first, second)] == [True, True]
    assert [one.elector.is_leader for one in (first, second)] == [True, False]
    await second.stop()
    await first.stop()


async def test_a_plugin_that_gives_no_credentials_for_a_while_ends_no_process(kube, caplog):
    log: Log = []
    kube.fail("get", LEASE, UsageError("exec plug-in failed"), times=3)
    only = Candidate(kube, "one", log)
    await asyncio.sleep(10)
    kube.fail("replace", LEASE, UsageError("exec plug-in failed"), times=3)
    await asyncio.sleep(30)
    assert [what for _, _, what, _ in log] == ["start"]
    kube.fail("replace", LEASE, UsageError("exec plug-in failed"), times=1000)
    await asyncio.sleep(12)
    assert [what for _, _, what, _ in log] == ["start", "stop"]
    assert not only.task.done()
    assert "exec plug-in failed" in caplog.text
    await only.stop()


async def test_metrics_tell_who_leads_and_begin_at_zero(kube):
    def value(name, lease):
        return REGISTRY.get_sample_value(f"lambent_{name}", {"lease": lease})

    kube.put(gizmo("m", gvk=LEASE, spec={"holderIdentity": "other", "leaseDurationSeconds": 15}))
    elector = LeaderElector(kube, "m", "default", "one")

    async def lead(term):
        assert (value("leader", "m"), value("leader_transitions_total", "m")) == (1, 1)

    run = asyncio.create_task(elector.run(lead))
    await asyncio.sleep(5)
    assert (value("leader", "m"), value("leader_transitions_total", "m")) == (0, 0)
    await run
    assert (value("leader", "m"), value("leader_transitions_total", "m")) == (0, 1)


async def test_a_lead_that_fails_frees_the_lease_and_is_told(kube):
    async def lead(term):
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await LeaderElector(kube, "l", "default", "one").run(lead)
    lease = kube.peek(LEASE, "l")
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseDurationSeconds"]) == ("", 1)


async def test_a_term_names_its_lease_and_number(kube):
    async def lead(term):
        seen.append(str(term))

    seen: list[str] = []
    for _ in range(2):
        await LeaderElector(kube, "l", "default", "one").run(lead)
    assert seen == ["default/l/0", "default/l/1"]


def test_the_times_are_those_of_the_specification():
    times = LeaseTimes()
    assert (times.duration_s, times.renew_deadline_s, times.retry_s) == (15, 10, 2)
    assert LeaseTimes.lasting(15) == times
    assert LeaseTimes.lasting(3) == LeaseTimes(3, 2.0, 0.4)


def test_times_that_would_let_two_lead_are_refused():
    with pytest.raises(ValueError, match="retry < renew deadline < duration"):
        LeaseTimes(duration_s=10, renew_deadline_s=10)


def test_shards_are_stable_and_even():
    counts = [0] * 4
    for number in range(4000):
        counts[shard_of(Key("ns", f"n{number}"), 4)] += 1
    assert min(counts) > 900
    # The same in every process and release: processes of two versions must agree while one replaces the other.
    assert [shard_of(Key("a", name), 7) for name in "bcd"] == [6, 1, 4]
