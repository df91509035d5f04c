"""The lease that all replicas of a sharded controller hold together, and who they are.

Its holder is no process but a layout, `shards/<N>`: whoever has the same number of shards joins it, renews it and works
under its term; whoever has another number finds it held. So two layouts never work at the same time, whichever way
their processes start, pause or die: the layout is one holder, and all that is true of leaders (`kube.leader`) is true
of it. A process without shards takes the very same lease for itself, as a layout of one.

An annotation counts each member's renewals. A member whose count rests is silent: first it has no share of the shards
any more (fairness alone depends on that), later it is struck off. The last member who leaves in good order releases the
lease; after any other end the next layout waits for its expiry.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from lambent.errors import LambentError
from lambent.kube.errors import Conflict
from lambent.kube.leader import LeaderElector, Term, released
from lambent.kube.types import KubeObject

_log = logging.getLogger(__name__)
MEMBERS = "lambent.dev/replicas"
_LAYOUT = "shards/"
# Without a renewal for so many retries a member has no share, long before what it holds expires.
_SILENT_RETRIES = 3
# Members write at the same time; of so many tries in a row one is alone.
_TRIES = 5


def layout_holder(shards: int) -> str:
    """No process is called so: a host's name has no slash."""
    return f"{_LAYOUT}{shards}"


def shards_of_holder(holder: str) -> int:
    """The layout in which the holder of the lease works."""
    number = holder.removeprefix(_LAYOUT)
    return int(number) if number != holder and number.isdecimal() else 1


def refusal(shards: int) -> Callable[[str], str]:
    """For `LeaderElector.refuses`: why a process with so many shards does not wait for a holder."""

    def refuses(holder: str) -> str:
        theirs = shards_of_holder(holder)
        if theirs == shards:
            return ""
        return (
            f"it works with {theirs} shards and this process with {shards}; --shards must be the same for all replicas,"
            " so stop them all before it changes"
        )

    return refuses


@dataclass
class Roster(LeaderElector):
    """`identity` is the layout, `member` this process. `on_renewal` is called after each renewal."""

    member: str = ""
    on_renewal: Callable[[], None] = lambda: None
    _beats: dict[str, tuple[int, float]] = field(default_factory=dict, init=False)
    """Of each member: its count, and when it was last seen to change."""

    def members(self) -> list[str]:
        """Those who are not silent, this process among them, in an order that is the same for all."""
        heard = self._heard_within(_SILENT_RETRIES * self.times.retry_s)
        return sorted({*heard, self.member})

    def _heard_within(self, seconds: float) -> dict[str, int]:
        since = _time() - seconds
        return {name: beat for name, (beat, at) in self._beats.items() if at > since}

    async def _try_acquire(self) -> Term | None:
        """Joins the layout if it has the lease, else takes the lease for it."""
        for _ in range(_TRIES):
            started, lease = _time(), await self._read()
            if lease is None or not self._is_ours(lease):
                term = await super()._try_acquire()
                if term is not None or lease is not None:
                    return term
                continue
            number = int(lease["spec"].get("leaseTransitions") or 0)
            try:
                self._observe(await self.client.replace(self._held(lease, number=number, is_new=False)))
            except Conflict:
                continue
            return self._term(number, started)
        return None

    async def _renew_once(self, term: Term) -> bool:
        """As a leader's, but others write too: what is written was read just before."""
        for _ in range(_TRIES):
            lease = await self._read()
            if lease is None or not self._is_ours(lease) or lease["spec"].get("leaseTransitions") != term.number:
                return False
            try:
                self._observe(await self.client.replace(self._held(lease, number=term.number, is_new=False)))
            except Conflict:
                continue
            self.on_renewal()
            return True
        raise Conflict("another member wrote the lease each time", code=409, status_reason="Conflict")

    async def _release(self) -> None:
        """Strikes this process off, so that the others share what it had, and lets go of the lease as the last."""
        try:
            async with asyncio.timeout(self.times.retry_s):
                for _ in range(_TRIES):
                    lease = await self._read()
                    if lease is None or not self._is_ours(lease) or await self._has_left(lease):
                        break
        except (LambentError, TimeoutError) as error:
            _log.info("could not leave the lease: %s", error, extra={"lease": self.name})
        self._lease = None

    async def _has_left(self, lease: KubeObject) -> bool:
        others = {name: beat for name, beat in _members_of(lease).items() if name != self.member}
        try:
            await self.client.replace(_with_members(lease if others else released(lease), others))
        except Conflict:
            return False
        return True

    def _is_ours(self, lease: KubeObject) -> bool:
        return bool((lease.get("spec") or {}).get("holderIdentity") == self.identity)

    def _observe(self, lease: KubeObject) -> None:
        super()._observe(lease)
        before, now = self._beats, _time()
        self._beats = {
            name: before[name] if name in before and before[name][0] == beat else (beat, now)
            for name, beat in _members_of(lease).items()
        }

    def _held(self, lease: KubeObject, *, number: int, is_new: bool) -> KubeObject:
        kept = {} if is_new else self._heard_within(self.times.duration_s)
        members = {**kept, self.member: kept.get(self.member, 0) + 1}
        return _with_members(super()._held(lease, number=number, is_new=is_new), members)

    def _tell(self) -> None:
        """No metric: who joined a layout leads nothing yet."""


def _members_of(lease: KubeObject) -> dict[str, int]:
    """What is no roster, by whoever's hand, is an empty one."""
    try:
        told = json.loads((lease["metadata"].get("annotations") or {}).get(MEMBERS) or "{}")
    except ValueError:
        return {}
    return {name: beat for name, beat in told.items() if isinstance(beat, int)} if isinstance(told, dict) else {}


def _with_members(lease: KubeObject, members: dict[str, int]) -> KubeObject:
    metadata = lease["metadata"]
    annotations = {**(metadata.get("annotations") or {}), MEMBERS: json.dumps(members, sort_keys=True)}
    return cast(KubeObject, {**lease, "metadata": {**metadata, "annotations": annotations}})


def _time() -> float:
    return asyncio.get_running_loop().time()
