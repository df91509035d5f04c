"""One controller on several replicas at once: N leases, and the keys of a shard belong to whoever holds its lease.

    election = Election(client, "my-controller", "my-namespace", shards=4)
    await election.run(lead)        # lead(shard, term), for each shard that this process holds

What it guarantees, by the leases alone: a shard has one leader at a time, as `kube.leader` says, and no two replicas
with different N work at the same time (`kube.roster`: the terms of the shards lie within the term of the layout).

What it aims at, and what nothing depends on: an even spread. The roster gives every replica the same list of those who
live, and with it each its share: N / replicas, the remainder to the first of them. A free lease is taken by those below
their share. What stays free anybody takes: very soon where a holder died (`_EXPIRED_RETRIES`), so that takeover has the
bound of one lease, and later where one gave it up (`FREE_RETRIES`), so that no shard waits for a replica that cannot
lead. Who has more than its share for a while (`SETTLE_RETRIES`) gives up what is above, in good order: its work drains
while the lease is renewed.

With one shard this is a `LeaderElector` and nothing else: the same lease, the same requests.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from lambent.clock import WallClock, utc_now
from lambent.kube.client import KubeClient
from lambent.kube.controller import Selects
from lambent.kube.leader import LeaderElector, LeaseTimes, Term, new_identity, shard_of, takes, waits
from lambent.kube.roster import Roster, layout_holder, refusal
from lambent.kube.types import Key

Lead = Callable[[int, Term], Awaitable[None]]

# In retries of the lease, which are 2 s. The first two are less than one together, with some to spare for requests: a
# look at most so long after a renewal, and leaving to others what is above the share, cost no more than one look does
# where there is one lease.
_LOOK = 0.6
_EXPIRED_RETRIES = 0.2
FREE_RETRIES = 2.5
SETTLE_RETRIES = 5
# After one took what another was to take and did not: a handover would only bring it back, until the other can.
_CALM_RETRIES = 60


@dataclass
class Election:
    """`name` is the lease of the layout, and with one shard that of the leader; the others are `<name>-<i>-of-<N>`."""

    client: KubeClient
    name: str
    namespace: str
    shards: int = 1
    identity: str = field(default_factory=new_identity)
    times: LeaseTimes = field(default_factory=LeaseTimes)
    now: WallClock = utc_now
    rng: random.Random = field(default_factory=random.Random)
    _has_renewed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _over_since: float | None = field(default=None, init=False)
    _calm_until: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.shards < 1:
            raise ValueError(f"{self.shards} shards: at least one is needed")
        self._electors = [self._elector(shard) for shard in range(self.shards)]
        self._roster = Roster(
            self.client,
            self.name,
            self.namespace,
            identity=layout_holder(self.shards),
            member=self.identity,
            times=self.times,
            now=self.now,
            rng=self.rng,
            refuses=refusal(self.shards),
            on_renewal=self._renewed,
        )

    def _elector(self, shard: int) -> LeaderElector:
        is_alone = self.shards == 1
        return LeaderElector(
            self.client,
            self.name if is_alone else f"{self.name}-{shard}-of-{self.shards}",
            self.namespace,
            identity=self.identity,
            times=self.times,
            now=self.now,
            rng=self.rng,
            refuses=refusal(self.shards) if is_alone else waits,
            admits=takes if is_alone else self._admits,
            look=1.0 if is_alone else _LOOK,
        )

    @property
    def held(self) -> list[int]:
        """The shards that this process leads."""
        return [shard for shard, elector in enumerate(self._electors) if elector.is_leader]

    @property
    def knows_leaders(self) -> bool:
        """Whether each lease has been read: it is held by us or by somebody else."""
        return all(elector.knows_leader for elector in self._electors)

    @property
    def share(self) -> int:
        """How many shards this process is to hold, among the replicas that live."""
        members = self._roster.members()
        least, more = divmod(self.shards, len(members))
        return least + (members.index(self.identity) < more)

    async def run(self, lead: Lead) -> None:
        """Until cancelled, or until `lead` returns. Leaving for either reason releases all. Raises WrongHolder."""
        if self.shards == 1:
            await self._electors[0].run(partial(lead, 0))
        else:
            await self._roster.run(partial(self._lead, lead))

    async def _lead(self, lead: Lead, layout: Term) -> None:
        # So that replicas which start together know of each other before the first has taken everything.
        self._has_renewed.clear()
        await self._has_renewed.wait()
        async with asyncio.TaskGroup() as group:
            runs = set()
            for shard, elector in enumerate(self._electors):
                elector.within = layout
                runs.add(group.create_task(elector.run(partial(lead, shard)), name=f"shard {shard}"))
            await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED)
            for run in runs:
                run.cancel()

    def _admits(self, held_back_s: float, has_expired: bool) -> bool:
        if self._count() < self.share:
            return True
        if held_back_s < (_EXPIRED_RETRIES if has_expired else FREE_RETRIES) * self.times.retry_s:
            return False
        if not has_expired:
            self._calm_until = _time() + _CALM_RETRIES * self.times.retry_s
        return True

    def _count(self) -> int:
        return sum(elector.is_leader or elector.is_taking for elector in self._electors)

    def _renewed(self) -> None:
        """The roster is as new as can be: gives up what has been above the share for long enough."""
        self._has_renewed.set()
        excess, now = self._count() - self.share, _time()
        if excess <= 0 or now < self._calm_until:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = now
        elif now - self._over_since >= SETTLE_RETRIES * self.times.retry_s:
            for shard in self.held[-excess:]:
                self._electors[shard].resign()


def selects_shard(shard: int, shards: int) -> Selects:
    """For a controller: whether a key is of the shard."""

    def selects(key: Key) -> bool:
        return shard_of(key, shards) == shard

    return selects


def _time() -> float:
    return asyncio.get_running_loop().time()
