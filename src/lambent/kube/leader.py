"""Leader election over a Lease, and the Term that fences a leader which does not know that it is none.

A lease expires when its record has not changed for its duration *by the local monotonic clock*; clocks of machines are
never compared. A call that fails, also for want of credentials, is tried again. A holder that could not renew for
`renew_deadline_s` stops leading, 5 s before anyone else may start.
A process that was paused wakes up believing it leads: `Term.check()` runs immediately before every write
(`FencedClient`) and raises once the deadline has passed; preconditions on every write carry the rest of the promise.
Several leases for one controller are in `kube.sharding`. Source: client-go leaderelection; Kubernetes documentation,
"Leases".
"""

import asyncio
import hashlib
import logging
import os
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from lambent.clock import WallClock, rfc3339_micro, utc_now
from lambent.errors import LambentError, UsageError
from lambent.kube import metrics
from lambent.kube.client import KubeClient
from lambent.kube.errors import AlreadyExists, Conflict, NotFound
from lambent.kube.types import GVK, Key, KubeObject

_log = logging.getLogger(__name__)
_LEASE = GVK("coordination.k8s.io", "v1", "Lease")
_RELEASED_DURATION_S = 1
# Of one who leaves a free lease to others, in the time of a retry: the other may be slow, or have enough meanwhile.
_HELD_BACK_TRIES = 8


class LeadershipLost(LambentError):
    """A write was about to happen under a term that is over."""

    http_status = 503
    reason = "LeadershipLost"


class WrongHolder(UsageError):
    """The lease is alive and held by one with whom this candidate must not work."""


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds. `renew_deadline_s` is shorter than `duration_s` by the time the old leader has to stop."""

    duration_s: int = 15
    renew_deadline_s: float = 10.0
    retry_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.retry_s < self.renew_deadline_s < self.duration_s:
            raise ValueError("a lease needs retry < renew deadline < duration")

    @classmethod
    def lasting(cls, duration_s: int) -> "LeaseTimes":
        """All of them in the proportions of the defaults."""
        return cls(duration_s, duration_s * 2 / 3, duration_s * 2 / 15)


@dataclass(slots=True)
class Term:
    """One period of leadership under `lease` (namespace/name). `number` is the lease's count of transitions, so a later
    leader has a higher one. It ends with the term `within` which it lies, if there is one.
    """

    lease: str
    number: int
    valid_until: float
    is_over: bool = False
    within: "Term | None" = None

    @property
    def is_valid(self) -> bool:
        """Whether the last renewal is recent enough."""
        if self.within is not None and not self.within.is_valid:
            return False
        return not self.is_over and _time() < self.valid_until

    def check(self) -> None:
        """Raises LeadershipLost unless the term is valid. Call it right before each write."""
        if not self.is_valid:
            raise LeadershipLost(f"term {self.number} of lease {self.lease} is over")

    def __str__(self) -> str:
        return f"{self.lease}/{self.number}"


Lead = Callable[[Term], Awaitable[None]]


def new_identity() -> str:
    """Unique per process: two processes of one host must not share a lease."""
    return f"{os.uname().nodename}_{os.getpid()}_{secrets.token_hex(4)}"


def takes(held_back_s: float, has_expired: bool) -> bool:
    """Every free lease."""
    return True


def waits(holder: str) -> str:
    """For every holder."""
    return ""


def shard_of(key: Key, shards: int) -> int:
    """Which of `shards` leases guards this object; the same in every process and release."""
    return int.from_bytes(hashlib.sha256(str(key).encode()).digest()[:8]) % shards


@dataclass
class LeaderElector:
    """`run(lead)` leads whenever it can: `lead(term)` is cancelled when its term ends, and started with the next.

    `within` is the term in which those of this lease lie. `admits` is asked before a lease that is free is taken: with
    the seconds for which it has said no, and whether the holder has not released but lost it. `refuses` is asked why
    not to wait for a holder that lives, empty to wait. Who waits looks again after `look` of a retry.
    """

    client: KubeClient
    name: str
    namespace: str
    identity: str = field(default_factory=new_identity)
    times: LeaseTimes = LeaseTimes()
    now: WallClock = utc_now
    rng: random.Random = field(default_factory=random.Random)
    within: Term | None = None
    admits: Callable[[float, bool], bool] = takes
    refuses: Callable[[str], str] = waits
    look: float = 1.0
    term: Term | None = field(default=None, init=False)
    is_taking: bool = field(default=False, init=False)
    _lease: KubeObject | None = field(default=None, init=False)
    _changed_at: float = field(default=0.0, init=False)
    _is_seen_alive: bool = field(default=False, init=False)
    _held_back_since: float | None = field(default=None, init=False)
    _resigned: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def is_leader(self) -> bool:
        return self.term is not None

    @property
    def knows_leader(self) -> bool:
        """Whether the lease has been read since the last term: it is held by us or by somebody else."""
        return self._lease is not None

    async def run(self, lead: Lead) -> None:
        """Until cancelled, or until `lead` returns; either way the lease is released. Raises WrongHolder."""
        self._tell()
        while True:
            term = await self._acquire()
            try:
                is_over = await self._lead(term, lead)
            finally:
                self._end(term)
                await self._release()
            if not is_over:
                return

    def resign(self) -> None:
        """Ends the present term in good order: its work drains while the lease is renewed, then the lease is free."""
        self._resigned.set()

    async def _acquire(self) -> Term:
        while True:
            try:
                if (term := await self._try_acquire()) is not None:
                    self.term = term
                    self._tell()
                    _log.info("leading", extra={"lease": self.name, "term": term.number})
                    return term
            except WrongHolder:
                raise
            except LambentError as error:
                _log.warning("cannot take the lease: %s", error, extra={"lease": self.name})
            await asyncio.sleep(self._wait_s())

    async def _try_acquire(self) -> Term | None:
        """One try; None while somebody else holds the lease, or is to take it."""
        started = _time()
        lease = await self._read()
        spec: dict[str, Any] = (lease and lease.get("spec")) or {}
        if self._is_held(spec) or not self._is_admitted(has_expired=bool(spec.get("holderIdentity"))):
            return None
        number = 0 if lease is None else int(spec.get("leaseTransitions") or 0) + 1
        self.is_taking = True
        try:
            if lease is None:
                self._observe(await self.client.create(self._new_lease()))
            else:
                self._observe(await self.client.replace(self._held(lease, number=number, is_new=True)))
        except (AlreadyExists, Conflict):
            return None
        finally:
            self.is_taking = False
        return self._term(number, started)

    def _term(self, number: int, started: float) -> Term:
        until = started + self.times.renew_deadline_s
        return Term(f"{self.namespace}/{self.name}", number, until, within=self.within)

    def _is_held(self, spec: dict[str, Any]) -> bool:
        holder = spec.get("holderIdentity")
        if not holder or self._is_expired(spec):
            return False
        self._held_back_since = None
        if self._is_seen_alive and (why := self.refuses(holder)):
            raise WrongHolder(f"lease {self.namespace}/{self.name} is held by {holder}: {why}")
        return True

    def _is_admitted(self, *, has_expired: bool) -> bool:
        since = self._held_back_since if self._held_back_since is not None else _time()
        is_admitted = self.admits(_time() - since, has_expired)
        self._held_back_since = None if is_admitted else since
        return is_admitted

    async def _read(self) -> KubeObject | None:
        try:
            lease = await self.client.get(_LEASE, self.name, namespace=self.namespace)
        except NotFound:
            return None
        self._observe(lease)
        return lease

    def _observe(self, lease: KubeObject) -> None:
        """Notes when the record was last seen to change."""
        if self._lease is None or lease.get("spec") != self._lease.get("spec"):
            self._changed_at = _time()
            self._is_seen_alive = self._lease is not None
        self._lease = lease

    def _is_expired(self, spec: dict[str, Any]) -> bool:
        return _time() >= self._expires_at(spec)

    def _expires_at(self, spec: dict[str, Any]) -> float:
        return self._changed_at + float(spec.get("leaseDurationSeconds") or 0)

    def _wait_s(self) -> float:
        """Until the next try to acquire: at the latest when the lease, as last seen, expires."""
        if self._held_back_since is not None:
            return self._retry_s() / _HELD_BACK_TRIES
        spec = (self._lease and self._lease.get("spec")) or {}
        left_s = self._expires_at(spec) - _time()
        next_s = self._retry_s() * self.look
        return min(next_s, left_s) if left_s > 0 else next_s

    async def _lead(self, term: Term, lead: Lead) -> bool:
        """True when the term was lost or given up, False when `lead` returned by itself."""
        self._resigned.clear()
        async with asyncio.TaskGroup() as group:
            work = group.create_task(_awaited(lead(term)), name=f"lead {self.name}")
            renewal = group.create_task(self._renew(term), name=f"renew {self.name}")
            resignation = group.create_task(self._resigned.wait(), name=f"resign {self.name}")
            try:
                await asyncio.wait({work, renewal, resignation}, return_when=asyncio.FIRST_COMPLETED)
                is_over = not work.done()
                if is_over and not renewal.done():
                    await _drain(work, renewal)
            except asyncio.CancelledError:
                await _drain(work, renewal)
                raise
            self._end(term)
            for task in (work, renewal, resignation):
                task.cancel()
        return is_over

    async def _renew(self, term: Term) -> None:
        """Returns when the term is lost."""
        while True:
            try:
                async with asyncio.timeout_at(term.valid_until):
                    await asyncio.sleep(self._retry_s())
                    started = _time()
                    is_held = await self._renew_once(term)
            except TimeoutError:
                _log.error("lost the lease: no renewal in time", extra={"lease": self.name})
                return
            except LambentError as error:
                _log.warning("cannot renew the lease: %s", error, extra={"lease": self.name})
                continue
            if not is_held:
                _log.error("lost the lease to another holder", extra={"lease": self.name})
                return
            # From before the request: the server may have written it any time since.
            term.valid_until = started + self.times.renew_deadline_s

    async def _renew_once(self, term: Term) -> bool:
        """False when somebody else holds the lease. A write whose answer was lost shows as a conflict of our own."""
        assert self._lease is not None
        try:
            self._observe(await self.client.replace(self._held(self._lease, number=term.number, is_new=False)))
        except Conflict:
            lease = await self._read()
            spec = (lease and lease.get("spec")) or {}
            if spec.get("holderIdentity") != self.identity or spec.get("leaseTransitions") != term.number:
                return False
            self._observe(await self.client.replace(self._held(self._lease, number=term.number, is_new=False)))
        except NotFound:
            return False
        return True

    async def _release(self) -> None:
        """Lets the next leader start at once; a failure only costs the others the lease's duration."""
        lease, self._lease = self._lease, None
        if lease is None or (lease.get("spec") or {}).get("holderIdentity") != self.identity:
            return
        try:
            async with asyncio.timeout(self.times.retry_s):
                await self.client.replace(released(lease))
        except (LambentError, TimeoutError) as error:
            _log.info("could not release the lease: %s", error, extra={"lease": self.name})

    def _end(self, term: Term) -> None:
        term.is_over = True
        self.term = None
        self._tell()

    def _tell(self) -> None:
        """Metrics, from zero."""
        transitions = metrics.LEADER_TRANSITIONS.labels(self.name)
        leader = metrics.LEADER.labels(self.name)
        if self.is_leader:
            transitions.inc()
        leader.set(self.is_leader)

    def _new_lease(self) -> KubeObject:
        meta = {"name": self.name, "namespace": self.namespace}
        empty = cast(KubeObject, {"apiVersion": _LEASE.api_version, "kind": "Lease", "metadata": meta, "spec": {}})
        return self._held(empty, number=0, is_new=True)

    def _held(self, lease: KubeObject, *, number: int, is_new: bool) -> KubeObject:
        stamp = rfc3339_micro(self.now())
        spec: dict[str, Any] = {
            **(lease.get("spec") or {}),
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self.times.duration_s,
            "leaseTransitions": number,
            "renewTime": stamp,
        }
        if is_new:
            spec["acquireTime"] = stamp
        return cast(KubeObject, {**lease, "spec": spec})

    def _retry_s(self) -> float:
        # Jitter only shortens: takeover is promised within the lease's duration and one retry.
        return self.times.retry_s * self.rng.uniform(0.8, 1.0)


def released(lease: KubeObject) -> KubeObject:
    """The lease as a holder leaves it that has ended its work."""
    spec = {**lease.get("spec", {}), "holderIdentity": "", "leaseDurationSeconds": _RELEASED_DURATION_S}
    return cast(KubeObject, {**lease, "spec": spec})


async def _drain(work: "asyncio.Task[None]", renewal: "asyncio.Task[None]") -> None:
    """The lease is renewed while the work drains: nobody else may start before it is done."""
    if not work.cancelling():
        work.cancel()
    await asyncio.wait({work, renewal}, return_when=asyncio.FIRST_COMPLETED)


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _time() -> float:
    return asyncio.get_running_loop().time()
