"""R4: leaders are killed and paused, and nobody writes beside its successor; the gap between two is short.

Three candidates of one Lease, with the times of the product, on the embedded API server; whoever leads writes to one
object. A pause may begin between the check of a write and its departure, and end in the moment in which somebody else
has taken the lease and not yet written. Such a write is refused by our server; another one, which does not know the
header, may take it, but never after the successor's first. `tests/kube/test_leader_processes.py` does it to processes.
"""

import asyncio
import contextlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest

from lambent.kube.client import KubeClient
from lambent.kube.errors import KubeError
from lambent.kube.fencing import FencedClient, current_fence
from lambent.kube.leader import LeaderElector, LeadershipLost, LeaseTimes, Term
from lambent.kube.types import GVK, KubeObject
from lambent.kubeserver import KubeServer
from tests.promises.figures import figure
from tests.promises.links import Link, pause_in_flight
from tests.promises.processes import Process, Processes

DISTURBANCES = figure("R4", r"(\d+) kills and pauses")
OVERLAPPING = figure("R4", r"(\d+) overlapping")
LEASE_S = LeaseTimes().duration_s
TAKEOVER_S = LEASE_S + figure("R4", r"lease \+ (\d+) s")
LEDGER = GVK("", "v1", "ConfigMap")
WRITE_S = 0.5


@dataclass(frozen=True)
class Write:
    """One that the server took: when, whose, and the terms that the writer and the lease were in."""

    at: float
    holder: str
    term: int
    lease_term: int


class World:
    """The server, its processes, and what was written. `has_fence` False: as on a server without our header."""

    def __init__(self, processes: Processes, *, seed: int, has_fence: bool) -> None:
        self.processes, self.rng, self.has_fence = processes, random.Random(seed), has_fence
        self.writes: list[Write] = []
        self.lease_term = 0
        self.pauses_in_flight = False
        self._count = 0
        server = KubeServer(state_dir=None)
        self.kube: KubeClient = server.local_client()
        self.server = processes.start("server", lambda _: self._serve(server))
        processes.run(1)

    async def _serve(self, server: KubeServer) -> None:
        await server.open()
        meta = {"name": "ledger", "namespace": "default"}
        await self.kube.create(cast(KubeObject, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}))
        try:
            await asyncio.Event().wait()
        finally:
            await server.shutdown()

    def add_candidate(self) -> None:
        self._count += 1
        self.processes.start(f"c{self._count}", self._stand)

    async def _stand(self, process: Process) -> None:
        link = cast(KubeClient, ServerLink(self, process))

        async def lead(term: Term) -> None:
            await write_forever(FencedClient(link, term), process.name)

        await LeaderElector(link, "ledger", "default", process.name, rng=random.Random(process.name)).run(lead)

    def took(self, obj: KubeObject) -> None:
        """The server has taken this write."""
        held = cast(dict[str, Any], obj)
        if obj["kind"] == "Lease":
            self.lease_term = held["spec"]["leaseTransitions"]
        else:
            data = held["data"]
            self.writes.append(Write(self.processes.now_s, data["holder"], int(data["term"]), self.lease_term))

    def leader(self) -> Process:
        """Whoever wrote last."""
        return next(one for one in self.processes.living if one.name == self.writes[-1].holder)

    def until(self, claim: Callable[[], bool]) -> None:
        assert self.processes.run_until(claim, within_s=5 * LEASE_S), "it never came"

    def until_written_by_other_than(self, name: str) -> None:
        known = len(self.writes)
        self.until(lambda: any(one.holder != name for one in self.writes[known:]))


class ServerLink(Link):
    """To the server in its own loop, with or without the header of the term."""

    def __init__(self, world: World, process: Process) -> None:
        super().__init__(world, process)
        self._server, self._has_fence = world.server, world.has_fence

    async def _asked(self, verb: str, *args: Any, **options: Any) -> Any:
        if not self._has_fence:
            current_fence.set("")
        return await self._server.do(super()._asked(verb, *args, **options))


async def write_forever(client: FencedClient, name: str) -> None:
    while True:
        with contextlib.suppress(KubeError, LeadershipLost):
            ledger = await client.get(LEDGER, "ledger", namespace="default")
            data = {"holder": name, "term": str(client.term.number)}
            await client.replace(cast(KubeObject, {**ledger, "data": data}))
        await asyncio.sleep(WRITE_S)


def kill(world: World) -> Process:
    leader = world.leader()
    world.processes.kill(leader)
    world.add_candidate()
    return leader


def pause(world: World) -> Process:
    leader = world.leader()
    leader.is_paused = True
    return leader


def disturb(world: World) -> float | None:
    """One kill or pause of the leader; seconds until another wrote, None where the pause was too short for that."""
    start_s, known = world.processes.now_s, len(world.writes)
    hit = world.rng.choice((kill, pause, pause_in_flight))(world)
    match world.rng.randrange(3):
        case 0 if hit.is_paused:
            world.processes.run(world.rng.uniform(0.1, LEASE_S))
        case 1:
            term = world.lease_term
            world.until(lambda: world.lease_term != term)
            hit.is_paused = False
            world.until_written_by_other_than(hit.name)
        case _:
            world.until_written_by_other_than(hit.name)
            world.processes.run(world.rng.uniform(0, LEASE_S))
    hit.is_paused = False
    after = [one.at for one in world.writes[known:] if one.holder != hit.name]
    world.processes.run(world.rng.uniform(5, 10))
    return after[0] - start_s if after else None


@pytest.mark.parametrize("has_fence", [True, False], ids=["our server", "any server"])
def test_killed_and_paused_leaders_never_write_beside_their_successor(has_fence):
    with Processes() as processes:
        world = World(processes, seed=int(os.environ.get("LAMBENT_SEED", "1")), has_fence=has_fence)
        for _ in range(3):
            world.add_candidate()
        world.until_written_by_other_than("")
        gaps = [disturb(world) for _ in range(DISTURBANCES)]
    terms = [one.term for one in world.writes]
    overlapping = [one for one in world.writes if one.term != one.lease_term]
    took_over = [gap for gap in gaps if gap is not None]
    print(
        f"{len(world.writes)} writes, {len(set(terms))} terms, {len(overlapping)} overlapping, {max(took_over):.1f} s"
    )
    assert terms == sorted(terms)
    assert len({(one.holder, one.term) for one in world.writes}) == len(set(terms))
    if has_fence:
        assert len(overlapping) == OVERLAPPING
    assert len(took_over) > DISTURBANCES / 2
    assert max(took_over) <= TAKEOVER_S
