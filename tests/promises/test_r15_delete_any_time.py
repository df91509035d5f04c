"""R15: an archive deleted at any moment of its life goes, with everything that belongs to it; no finalizer stays.

A moment is an outbound call of the controllers: the deletion is requested before each of them, from the first list to
the last write of an update, and in each phase that AWS can hold a resource in.
"""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from lambent.kube.fake.wire import Wire
from tests.promises.figures import IS_FULL, chosen, figure
from tests.promises.simulation import KINDS, NAMESPACE, Simulation, on_virtual_time

SHARE = figure("R15", r"(\d+) % of phases")
NOTHING: dict[str, Any] = {"kubernetes": [], "aws": [{}, {}, {}, {}]}


class Watched(Wire):
    """`act` is called before call number `at` leaves."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at
        self.act: Callable[[], None] = lambda: None

    def leave(self, what: str) -> int:
        if len(self.calls) == self._at:
            self.act()
        return super().leave(what)


async def created_and_changed(simulation: Simulation) -> None:
    simulation.create()
    await simulation.until(lambda: simulation.is_ready() or simulation.is_gone(), within_s=600)
    await asyncio.sleep(10)
    if not simulation.is_gone():
        simulation.change(image="my-lambda-image:0.0.3")
        await asyncio.sleep(60)


def deleted_at(call: int) -> tuple[dict[str, Any], list[str]]:
    """What is left when the archive was deleted before that call, and the calls."""

    async def live() -> tuple[dict[str, Any], list[str]]:
        simulation = Simulation()
        wire = Watched(call)
        wire.act = simulation.delete

        async def story() -> None:
            await created_and_changed(simulation)
            await simulation.until(simulation.is_gone, within_s=600)

        await simulation.live(story(), first=wire)
        return simulation.state(), wire.calls

    found: tuple[dict[str, Any], list[str]] = on_virtual_time(live, seed=call)
    return found


@cache
def calls_of_a_life() -> int:
    async def live() -> int:
        simulation, wire = Simulation(), Wire()
        await simulation.live(created_and_changed(simulation), first=wire)
        return len(wire.calls)

    found: int = on_virtual_time(live, seed=0)
    return found


@pytest.mark.timeout(600)
def test_a_deletion_requested_before_any_outbound_call_ends():
    assert SHARE == 100
    calls = range(1, calls_of_a_life())
    stuck = []
    for call in chosen(calls, short=30):
        left, made = deleted_at(call)
        if left != NOTHING:
            stuck.append((call, made[call], left))
    assert stuck == []
    if IS_FULL:
        assert len(calls) > 100


@pytest.mark.parametrize("operation", ["DeleteFunction", "DeleteRole", "DeletePolicy", "DeleteBucket"])
@pytest.mark.parametrize(
    ("code", "status"),
    [("Throttling", 400), ("ServiceUnavailable", 503), ("DeleteConflict", 409), ("AccessDenied", 403)],
)
def test_a_deletion_that_aws_refuses_for_a_while_ends(operation, code, status):
    async def live() -> dict[str, Any]:
        simulation = Simulation()

        async def story() -> None:
            await created_and_changed(simulation)
            simulation.aws.fail(operation, code, "not now", status=status, times=3)
            simulation.delete()
            await simulation.until(simulation.is_gone, within_s=1800)

        await simulation.live(story())
        return simulation.state()

    assert on_virtual_time(live, seed=1) == NOTHING


def test_a_deletion_that_aws_refuses_for_good_ends_when_the_user_abandons_it():
    async def live() -> list[Any]:
        simulation = Simulation()

        async def story() -> list[Any]:
            await created_and_changed(simulation)
            simulation.aws.fail("DeleteRole", "AccessDenied", "never", status=403, times=1_000_000)
            simulation.delete()
            await asyncio.sleep(3600)
            role = simulation.kube.peek(KINDS["Role"], "orders", NAMESPACE)
            assert role is not None
            role["metadata"].setdefault("annotations", {})["lambent.dev/abandon"] = "true"
            simulation.kube.put(role)
            await simulation.until(simulation.is_gone, within_s=600)
            return simulation.kubernetes_state()

        found: list[Any] = await simulation.live(story())
        return found

    assert on_virtual_time(live, seed=1) == []
