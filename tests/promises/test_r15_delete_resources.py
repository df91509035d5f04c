"""R15 for one resource alone: deleted before any outbound call of its life, or in a state that nothing would end.

Bucket, Policy, Role and Function, each created, changed and at rest. Nothing is left of it, in the cluster or in AWS.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from lambent.kube.errors import NotFound
from lambent.kube.fake import FakeKube
from lambent.kube.fake.wire import Wire, WiredKube
from lambent.resources import crds
from lambent.resources.fake.aws import FakeAws
from lambent.resources.fake.wired import WiredClients
from lambent.resources.fake.world import World, loop_clock
from tests.promises.figures import figure
from tests.promises.simulation import on_virtual_time
from tests.promises.test_r15_delete_any_time import Watched
from tests.resources.test_crashes import EDITS, SPECS, everything, only

SHARE = figure("R15", r"(\d+) % of phases")
NOTHING: list[Any] = [{}, {}, {}, {}]
FOREVER = 1_000_000


def wired(kind: str, wire: Wire) -> World:
    """A world of this kind alone, whose process calls through the wire."""
    kube, aws = FakeKube(crds=crds(only(kind)), now=loop_clock), FakeAws(now=loop_clock)
    aws.functions.settling_reads = 1
    return World(kube=kube, aws=aws, kinds=only(kind), client=WiredKube(kube, wire), clients=WiredClients(aws, wire))


async def life(world: World, kind: str) -> None:
    """Created, synced, changed, synced, at rest; it ends early for an object that has been deleted."""
    with suppress(NotFound):
        await world.apply(kind, "o", SPECS[kind])
        await world.until(lambda: world.is_synced(kind, "o") or world.peek(kind, "o") is None)
        await world.edit(kind, "o", EDITS[kind])
        await world.until(lambda: world.is_synced(kind, "o") or world.peek(kind, "o") is None)
        await world.rest(60)


def deleted_at(kind: str, call: int | None) -> tuple[list[Any], list[str]]:
    """What AWS holds when the object was deleted before that call and has gone, and the calls."""

    async def live() -> tuple[list[Any], list[str]]:
        wire = Watched(-1 if call is None else call)
        world = wired(kind, wire)
        wire.act = lambda: world.kube.terminate(world.gvk(kind), "o", "default")
        await world.start()
        await life(world, kind)
        if call is not None:
            await world.gone(kind, "o", within_s=600)
        await world.stop()
        return everything(world.aws), wire.calls

    found: tuple[list[Any], list[str]] = on_virtual_time(live, seed=call or 0)
    return found


@pytest.mark.parametrize("kind", SPECS)
def test_a_resource_deleted_before_any_outbound_call_goes(kind):
    assert SHARE == 100
    held, calls = deleted_at(kind, None)
    assert held != NOTHING
    points = range(calls.index(f"create {kind} o") + 1, len(calls))
    assert len(points) >= 20
    assert [(calls[point], left) for point in points if (left := deleted_at(kind, point)[0]) != NOTHING] == []


def refused(code: str, status: int = 400) -> Callable[[World, str], None]:
    def arrange(world: World, kind: str) -> None:
        world.aws.fail(f"Create{kind}", code, "not like this", status=status, times=FOREVER)

    return arrange


def created_unheard(world: World, kind: str) -> None:
    world.aws.lose(f"Create{kind}")
    world.aws.fail(READS[kind], "ServiceUnavailable", "later", status=503, times=6, after=True)


def pending(world: World, kind: str) -> None:
    world.aws.functions.settling_reads = FOREVER


def failed(world: World, kind: str) -> None:
    world.aws.functions.fails_with = "ImageAccessDenied"


READS = {"Bucket": "HeadBucket", "Policy": "GetPolicy", "Role": "GetRole", "Function": "GetFunction"}
WAITING: dict[str, dict[str, Any]] = {
    "Role": {"policyRefs": [{"from": {"name": "missing"}}], "policies": None},
    "Function": {"roleRef": {"from": {"name": "missing"}}, "role": None},
}
STATES: dict[str, Callable[[World, str], None]] = {
    "terminal": refused("ValidationException"),
    "denied": refused("AccessDenied", 403),
    "throttled": refused("Throttling"),
    "unavailable": refused("ServiceUnavailable", 503),
    "over quota": refused("LimitExceededException"),
    "created unheard": created_unheard,
    "pending": pending,
    "failed": failed,
}
CASES = [
    (kind, state) for kind in SPECS for state in STATES if kind == "Function" or state not in ("pending", "failed")
]


def left_of(world: World, kind: str, spec: dict[str, Any]) -> list[Any]:
    """What AWS holds after an object that does not come to rest was deleted and has gone."""

    async def live() -> list[Any]:
        await world.start()
        await world.apply(kind, "o", spec)
        await world.rest(5)
        assert not world.is_synced(kind, "o")
        await world.delete(kind, "o")
        await world.gone(kind, "o", within_s=600)
        await world.stop()
        held: list[Any] = everything(world.aws)
        return held

    left: list[Any] = on_virtual_time(live, seed=1)
    return left


@pytest.mark.parametrize(("kind", "state"), CASES)
def test_a_resource_deleted_in_a_state_that_nothing_ends_goes(kind, state):
    world = World(kinds=only(kind))
    STATES[state](world, kind)
    assert left_of(world, kind, SPECS[kind]) == NOTHING


@pytest.mark.parametrize("kind", WAITING)
def test_a_resource_deleted_while_it_waits_for_another_goes(kind):
    wanted = {name: value for name, value in {**SPECS[kind], **WAITING[kind]}.items() if value is not None}
    world = World()
    assert left_of(world, kind, wanted) == NOTHING
    assert [call.operation for call in world.aws.writes()] == []
