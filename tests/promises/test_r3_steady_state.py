"""R3: at rest nothing is written, neither to Kubernetes nor to AWS, however often everything is looked at again."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from lambent.resources import ResourceSettings
from tests.promises.figures import IS_FULL, figure
from tests.promises.simulation import ARCHIVE, KINDS, Simulation, on_virtual_time

OBJECTS, RESYNCS = figure("R3", r"([\d ]+) objects"), figure("R3", r"x (\d+) resyncs")
# The longest of the two controllers' resyncs, with its jitter.
RESYNC_S = 1200.0 * 1.1


def written(simulation: Simulation) -> Sequence[Any]:
    return [*simulation.kube.writes(), *simulation.aws.writes()]


async def rest(instances: int) -> tuple[Simulation, int, int]:
    """The simulation, the number of its writes when all was ready, and the reads of AWS since."""
    simulation = Simulation()

    async def story() -> tuple[int, int]:
        names = [f"archive-{number}" for number in range(instances)]
        for name in names:
            simulation.create(name)
        await simulation.until(lambda: all(map(simulation.is_ready, names)), within_s=600, every_s=10)
        # The first look after the last write may still record what it sees.
        await asyncio.sleep(RESYNC_S)
        settled, looks = len(written(simulation)), len(simulation.aws.calls)
        await asyncio.sleep(RESYNCS * RESYNC_S)
        return settled, len(simulation.aws.calls) - looks

    settled, looks = await simulation.live(story())
    return simulation, settled, looks


@pytest.mark.timeout(3600 if IS_FULL else 600)
def test_what_is_ready_is_looked_at_ten_times_and_never_written():
    kinds = (ARCHIVE, *KINDS.values())
    instances = (OBJECTS if IS_FULL else 50) // len(kinds)
    simulation, settled, looks = on_virtual_time(lambda: rest(instances), seed=1)
    assert sum(len(simulation.kube.peek_all(gvk)) for gvk in kinds) == instances * len(kinds)
    assert looks >= RESYNCS * instances * len(KINDS)
    assert ResourceSettings(account_id="").resync_s * 1.1 <= RESYNC_S
    assert written(simulation)[settled:] == []
