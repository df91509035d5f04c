"""Shards: one leader each, spread over the replicas that live, and never two numbers of shards at work."""

import asyncio
import contextlib
import json
import random

import pytest

from lambent.errors import UsageError
from lambent.kube.leader import LeaderElector, LeadershipLost, LeaseTimes, WrongHolder
from lambent.kube.roster import MEMBERS
from lambent.kube.sharding import FREE_RETRIES, SETTLE_RETRIES, Election
from lambent.kube.types import GVK
from lambent.telemetry import REGISTRY
from tests.kube.conftest import gizmo
from tests.kube.test_leader import Link

LEASE = GVK("coordination.k8s.io", "v1", "Lease")
STEPS = [*range(24), *range(24, 200, 11)]
FREE_S = FREE_RETRIES * LeaseTimes().retry_s
# Besides settling: a retry to be heard of, one more until it is looked at, one to be taken.
SPREAD_S = SETTLE_RETRIES * LeaseTimes().retry_s + 8.0


def now():
    return asyncio.get_running_loop().time()


class Replica:
    """One process; `log` has every start and stop of a shard anywhere."""

    def __init__(self, kube, name, shards, log, *, drain_s=0.0):
        self.link = Link(kube)
        self.name, self.log, self.drain_s = name, log, drain_s
        self.election = Election(self.link, "l", "default", shards, name, rng=random.Random(name))
        self.task = asyncio.create_task(self.election.run(self.lead))

    async def lead(self, shard, term):
        self.log.append((now(), self.name, shard, "start"))
        try:
            await asyncio.Event().wait()
        finally:
            if self.drain_s:
                await asyncio.sleep(self.drain_s)
            self.log.append((now(), self.name, shard, "stop"))

    @property
    def held(self):
        return len(self.election.held)

    async def stop(self):
        self.task.cancel()
        await asyncio.wait([self.task])

    async def die(self):
        """Without releasing."""
        self.link.is_cut = True
        await self.stop()


@contextlib.asynccontextmanager
async def replicas(kube, names, shards, **options):
    log: list[tuple] = []
    found = {name: Replica(kube, name, shards, log, **options) for name in names}
    try:
        yield found, log
    finally:
        for one in found.values():
            await one.stop()


def spread(found):
    return sorted(one.held for one in found.values())


async def forever(shard, term):
    await asyncio.Event().wait()


async def test_one_shard_is_one_leader_request_for_request(kube):
    async def requests_of(elector, other):
        kube.calls.clear()
        for lease in kube.peek_all(LEASE):
            await kube.delete(LEASE, lease["metadata"]["name"], namespace="default")
        kube.calls.clear()
        start, seen = now(), []

        async def lead(*_):
            seen.append(round(now() - start, 6))
            await asyncio.Event().wait()

        one = asyncio.create_task(elector.run(lead))
        await asyncio.sleep(5)
        two = asyncio.create_task(other.run(lead))
        for task in (one, two):
            await asyncio.sleep(30)
            task.cancel()
            await asyncio.wait([task])
        return list(kube.calls), seen

    alone = [LeaderElector(kube, "l", "default", name, rng=random.Random(name)) for name in "ab"]
    sharded = [Election(kube, "l", "default", 1, name, rng=random.Random(name)) for name in "ab"]
    assert await requests_of(*alone) == await requests_of(*sharded)


@pytest.mark.parametrize(("shards", "names"), [(8, "ab"), (8, "abc"), (4, "abc"), (2, "abc"), (5, "abcde")])
async def test_replicas_that_start_together_share_at_once(kube, shards, names):
    async with replicas(kube, names, shards) as (found, log):
        await asyncio.sleep(6)
        least, more = divmod(shards, len(names))
        assert spread(found) == [least] * (len(names) - more) + [least + 1] * more
        assert [what for *_, what in log] == ["start"] * shards


@pytest.mark.parametrize(("shards", "names"), [(8, "ab"), (4, "abc"), (3, "abc"), (7, "abcd")])
async def test_a_replica_that_joins_has_its_share_soon(kube, shards, names):
    async with replicas(kube, names[:-1], shards) as (found, log):
        await asyncio.sleep(20)
        found[names[-1]] = Replica(kube, names[-1], shards, log)
        await asyncio.sleep(SPREAD_S)
        least, more = divmod(shards, len(names))
        assert spread(found) == [least] * (len(names) - more) + [least + 1] * more
        changes = len(log)
        await asyncio.sleep(200)
        assert len(log) == changes


async def test_a_shard_is_handed_over_when_its_work_has_ended(kube):
    async with replicas(kube, "a", 4, drain_s=12) as (found, log):
        await asyncio.sleep(20)
        found["b"] = Replica(kube, "b", 4, log)
        await asyncio.sleep(SPREAD_S + 12)
        assert spread(found) == [2, 2]
        for shard in found["b"].election.held:
            assert [(name, what) for _, name, of, what in log if of == shard] == [
                ("a", "start"),
                ("a", "stop"),
                ("b", "start"),
            ]


async def test_who_leaves_in_good_order_is_replaced_within_two_retries(kube):
    async with replicas(kube, "abc", 8) as (found, log):
        await asyncio.sleep(20)
        await found.pop("b").stop()
        left = now()
        await asyncio.sleep(30)
        assert spread(found) == [4, 4]
        assert max(at for at, _, _, what in log if what == "start") - left <= 4.5


@pytest.mark.parametrize("deaths", [1, 2])
@pytest.mark.parametrize("seed", range(4))
async def test_what_the_dead_held_is_taken_within_the_lease_and_a_retry(kube, seed, deaths):
    """Also when a new replica comes between, to which a share belongs and which has not seen the leases so long."""
    rng = random.Random(seed)
    async with replicas(kube, "abc", 8) as (found, log):
        await asyncio.sleep(20 + rng.uniform(0, 4))
        lost = set()
        for name in rng.sample("abc", deaths):
            lost |= set(found[name].election.held)
            await found.pop(name).die()
        died = now()
        await asyncio.sleep(rng.uniform(0, 10))
        found["d"] = Replica(kube, "d", 8, log)
        await asyncio.sleep(17 + SPREAD_S)
        starts = [(shard, at) for at, _, shard, what in log if what == "start" and at > died]
        took = {shard: at for shard, at in reversed(starts) if shard in lost}
        assert took.keys() == lost
        assert max(took.values()) - died <= 15 + 2
        assert spread(found) == ([2, 3, 3] if deaths == 1 else [4, 4])


async def test_losing_a_shard_ends_the_work_of_that_shard_alone(kube):
    async with replicas(kube, "a", 3) as (found, log):
        await asyncio.sleep(10)
        await kube.delete(LEASE, "l-1-of-3", namespace="default")
        await asyncio.sleep(10)
        assert [(shard, what) for _, _, shard, what in log[3:]] == [(1, "stop"), (1, "start")]
        assert found["a"].election.held == [0, 1, 2]


async def test_a_shard_that_nobody_takes_is_taken_by_anybody_and_kept(kube):
    """The roster names a replica that renews and never takes its share."""
    async with replicas(kube, "a", 4) as (found, log):
        for beat in range(60):
            await asyncio.sleep(1)
            lease = kube.peek(LEASE, "l")
            if lease is not None:
                known = json.loads(lease["metadata"]["annotations"][MEMBERS])
                lease["metadata"]["annotations"][MEMBERS] = json.dumps({**known, "idle": beat})
                kube.put(lease)
        assert found["a"].election.share == 2
        assert found["a"].held == 4
        started = [at for at, *_, what in log if what == "start"]
        assert FREE_S <= started[-1] - started[0] <= FREE_S + 3
        assert len(log) == 4


async def test_a_roster_that_is_none_is_an_empty_one(kube):
    async with replicas(kube, "ab", 4) as (found, _):
        for text in ("no json", "[1]", '{"a": "x"}', "{}"):
            lease = kube.peek(LEASE, "l")
            if lease is not None:
                lease["metadata"]["annotations"] = {MEMBERS: text}
                kube.put(lease)
            await asyncio.sleep(5)
        assert spread(found) == [2, 2]


@pytest.mark.parametrize(("running", "other"), [(8, 4), (4, 8), (4, 1), (1, 4)])
async def test_another_number_of_shards_is_refused_while_one_is_at_work(kube, running, other):
    async with replicas(kube, "ab", running) as (_, log):
        await asyncio.sleep(10)
        newcomer = Replica(kube, "c", other, log)
        with pytest.raises(WrongHolder, match=f"works with {running} shards and this process with {other}; --shards"):
            async with asyncio.timeout(10):
                await newcomer.task
        assert issubclass(WrongHolder, UsageError)
        assert "c" not in {name for _, name, *_ in log}


@pytest.mark.parametrize("seed", range(8))
async def test_of_two_numbers_of_shards_that_start_together_one_works(kube, seed):
    rng = random.Random(seed)
    log: list[tuple] = []
    started = []
    kube.chaos(seed, 0.1)
    for name in rng.sample(["a1", "b4", "c4", "d8"], 4):
        started.append(Replica(kube, name, int(name[1]), log))
        await asyncio.sleep(rng.choice((0, 0, 0.01, 2)))
    await asyncio.sleep(60)
    kube.faults.clear()
    await asyncio.sleep(30)
    assert len({name[1] for _, name, *_ in log}) == 1
    refused = [one for one in started if one.task.done()]
    for one in refused:
        with pytest.raises(WrongHolder):
            await one.task
    assert {one.name[1] for one in refused}.isdisjoint({log[0][1][1]})
    assert sum(one.held for one in started) == int(log[0][1][1])
    for one in started:
        await one.stop()


@pytest.mark.parametrize(("before", "after"), [(4, 8), (4, 1), (1, 4)])
async def test_the_number_of_shards_may_change_when_all_have_stopped(kube, before, after):
    async with replicas(kube, "ab", before):
        await asyncio.sleep(10)
    async with replicas(kube, "c", after) as (found, _):
        await asyncio.sleep(5)
        assert found["c"].held == after


async def test_the_number_of_shards_may_change_when_the_leases_of_the_dead_have_expired(kube):
    async with replicas(kube, "ab", 4) as (found, log):
        await asyncio.sleep(20)
        for one in found.values():
            await one.die()
        died = now()
        found["c"] = Replica(kube, "c", 8, log)
        await asyncio.sleep(25)
        assert found["c"].held == 8
        assert min(at for at, name, *_ in log if name == "c") - died >= 10


async def test_a_term_of_a_shard_ends_with_the_layout(kube):
    """Whoever cannot renew the layout writes no more in any shard, although the leases of the shards are renewed."""
    terms = []

    async def lead(shard, term):
        terms.append(term)
        await asyncio.Event().wait()

    election = Election(kube, "l", "default", 2, "a")
    run = asyncio.create_task(election.run(lead))
    await asyncio.sleep(5)
    lease = kube.peek(LEASE, "l")
    lease["spec"] |= {"holderIdentity": "shards/3", "leaseTransitions": 1}
    kube.put(lease)
    await asyncio.sleep(2.5)
    assert len(terms) == 2
    for term in terms:
        with pytest.raises(LeadershipLost):
            term.check()
    assert election.held == []
    stamps = iter(f"19{year}-01-01T00:00:00.000000Z" for year in range(10, 99))
    while not run.done():
        lease = kube.peek(LEASE, "l")
        lease["spec"]["renewTime"] = next(stamps)
        kube.put(lease)
        await asyncio.sleep(1)
    with pytest.raises(WrongHolder):
        await run


async def test_the_last_to_leave_releases_the_layout(kube):
    async with replicas(kube, "ab", 4) as (found, _):
        await asyncio.sleep(10)
        await found.pop("a").stop()
        lease = kube.peek(LEASE, "l")
        assert (lease["spec"]["holderIdentity"], json.loads(lease["metadata"]["annotations"][MEMBERS]).keys()) == (
            "shards/4",
            {"b"},
        )
    assert {lease["spec"]["holderIdentity"] for lease in kube.peek_all(LEASE)} == {""}


async def test_metrics_and_the_election_tell_which_shards_are_led(kube):
    def value(lease):
        return REGISTRY.get_sample_value("lambent_leader", {"lease": lease})

    kube.put(gizmo("told-1-of-2", gvk=LEASE, spec={"holderIdentity": "other", "leaseDurationSeconds": 15}))
    election = Election(kube, "told", "default", 2, "a")
    assert not election.knows_leaders
    run = asyncio.create_task(election.run(forever))
    await asyncio.sleep(5)
    assert (election.knows_leaders, election.held) == (True, [0])
    assert [value(lease) for lease in ("told-0-of-2", "told-1-of-2", "told")] == [1, 0, None]
    run.cancel()
    await asyncio.wait([run])
    assert value("told-0-of-2") == 0


async def test_a_shard_that_fails_ends_all_and_releases_them(kube):
    async def lead(shard, term):
        await asyncio.sleep(shard)
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await Election(kube, "l", "default", 3, "a").run(lead)
    assert {lease["spec"]["holderIdentity"] for lease in kube.peek_all(LEASE)} == {""}


@pytest.mark.parametrize("count", STEPS)
async def test_an_election_cut_at_any_step_leaves_no_holder(kube, count):
    run = asyncio.create_task(Election(kube, "l", "default", 3, "a").run(forever))
    if count >= 24:
        await asyncio.sleep(1.5)
    for _ in range(count):
        await asyncio.sleep(0 if count < 24 else 0.02)
    run.cancel()
    await asyncio.wait([run], timeout=30)
    assert {lease["spec"]["holderIdentity"] for lease in kube.peek_all(LEASE)} <= {""}
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_weather_a_shard_has_one_leader(kube, seed):
    """Cut links, deaths, stops and a server that fails: each shard's starts and stops alternate."""
    rng = random.Random(seed)
    kube.chaos(seed, 0.2)
    async with replicas(kube, "abc", 5) as (found, log):
        for round_ in range(12):
            await asyncio.sleep(rng.uniform(1, 40))
            name = rng.choice(sorted(found))
            match rng.choice(["stop", "die", "cut", "mend"]):
                case "stop":
                    await found.pop(name).stop()
                    found[f"{round_}"] = Replica(kube, f"{round_}", 5, log)
                case "die":
                    await found.pop(name).die()
                    found[f"{round_}"] = Replica(kube, f"{round_}", 5, log)
                case "cut":
                    found[name].link.is_cut = True
                case _:
                    for one in found.values():
                        one.link.is_cut = False
    for shard in range(5):
        told = [what for _, _, of, what in log if of == shard]
        assert told == ["start", "stop"] * (len(told) // 2)
        assert len(told) >= 4


def test_no_shards_are_refused(kube):
    with pytest.raises(ValueError, match="at least one"):
        Election(kube, "l", "default", 0)


async def test_a_replica_that_is_cut_off_stops_before_others_take_its_shards(kube):
    async with replicas(kube, "ab", 4) as (found, log):
        await asyncio.sleep(20)
        found["a"].link.is_cut = True
        await asyncio.sleep(10.5)
        assert found["a"].held == 0
        stopped = now()
        await asyncio.sleep(10)
        assert spread(found) == [0, 4]
        assert [at for at, name, _, what in log if (name, what) == ("b", "start")][-2] >= stopped + 3.9
