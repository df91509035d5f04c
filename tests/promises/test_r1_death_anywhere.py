"""R1: the controllers die before or after any outbound call, to Kubernetes or to AWS; the end is the undisturbed one.

One archive of the example is created, changed and deleted: a workflow of five steps, all four kinds of resources. The
servers outlive the process. Lost, doubled or left behind would show in the states after each part, and in the number
of creations that AWS saw.
"""

from collections import Counter
from functools import cache
from typing import Any

import pytest

from lambent.kube.fake.wire import Wire
from tests.promises.figures import IS_FULL, chosen, figure
from tests.promises.simulation import Simulation, life_of_an_archive, on_virtual_time

ONCE = {"CreateBucket": 1, "CreatePolicy": 1, "CreateRole": 1, "CreateFunction": 1}


def lived(dies_at: int | None) -> tuple[list[Any], Counter[str], Wire]:
    """The states, the creations and the first process' wire."""

    async def live() -> tuple[list[Any], Counter[str], Wire]:
        simulation, wire = Simulation(), Wire(dies_at=dies_at)
        states = await simulation.live(life_of_an_archive(simulation), first=wire)
        return states, simulation.creations(), wire

    found: tuple[list[Any], Counter[str], Wire] = on_virtual_time(live, seed=dies_at or 0)
    return found


@cache
def undisturbed() -> tuple[list[Any], Counter[str], Wire]:
    return lived(None)


def test_the_undisturbed_life_creates_everything_once_and_leaves_nothing():
    states, creations, wire = undisturbed()
    assert creations == ONCE
    assert [len(held) for held in states[0]["aws"]] == [1, 1, 1, 1]
    assert states[2] == {"kubernetes": [], "aws": [{}, {}, {}, {}]}
    assert not wire.died.is_set()


@pytest.mark.timeout(600)
def test_death_before_or_after_any_outbound_call_changes_nothing_in_the_end():
    ends, _, wire = undisturbed()
    points = range(2 * len(wire.calls))
    died, wrong = 0, []
    for point in chosen(points, short=48):
        states, creations, wire = lived(point)
        died += wire.died.is_set()
        if states != ends or creations != ONCE:
            wrong.append((point, wire.calls[-1:], creations))
    print(f"{died} deaths")
    assert wrong == []
    if IS_FULL:
        assert died >= figure("R1", r">= ([\d ]+) points")
