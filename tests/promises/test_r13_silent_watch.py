"""R13: a watch that goes silent without ending is noticed: a new list, and the metric and readiness say so."""

import asyncio
from typing import Any

from lambent.kube.errors import Unreachable
from lambent.kube.informer import InformerHub
from lambent.telemetry import REGISTRY
from tests.promises.figures import figure
from tests.promises.simulation import Simulation, on_virtual_time

NOTICED_S = figure("R13", r"<= ([\d ]+) s")


def stalls() -> float:
    labels = {"kind": "EventArchive", "why": "Stalled"}
    return REGISTRY.get_sample_value("lambent_informer_restarts_total", labels) or 0.0


def age_s() -> float:
    return REGISTRY.get_sample_value("lambent_informer_age_seconds", {"kind": "EventArchive"}) or 0.0


def told(story: Any) -> Any:
    """The result of a story that begins with an archive at rest."""

    async def tell(simulation: Simulation) -> Any:
        simulation.create()
        await simulation.until(simulation.is_ready, within_s=120)
        await asyncio.sleep(10)
        assert simulation.hub is not None
        assert simulation.hub.is_ready()
        return await story(simulation, simulation.hub)

    async def live() -> Any:
        simulation = Simulation()
        return await simulation.live(tell(simulation))

    return on_virtual_time(live, seed=1)


def test_a_change_behind_a_silent_watch_is_acted_on_within_a_minute():
    async def story(simulation: Simulation, hub: InformerHub) -> tuple[float, float, float]:
        before, start = stalls(), asyncio.get_running_loop().time()
        simulation.kube.stall_watches()
        simulation.change(image="my-lambda-image:0.0.3")
        oldest_s = 0.0
        while not any(call.operation == "UpdateFunctionCode" for call in simulation.aws.calls):
            await asyncio.sleep(0.5)
            oldest_s = max(oldest_s, age_s())
        return asyncio.get_running_loop().time() - start, stalls() - before, oldest_s

    passed_s, restarts, oldest_s = told(story)
    assert passed_s <= NOTICED_S
    assert restarts == 1
    assert oldest_s > 0.5 * NOTICED_S


def test_while_the_server_stays_silent_the_process_is_not_ready():
    async def story(simulation: Simulation, hub: InformerHub) -> tuple[bool, bool]:
        for verb in ("list", "watch"):
            simulation.kube.fail(verb, None, Unreachable("no route to host"), times=1_000_000)
        simulation.kube.stall_watches()
        await asyncio.sleep(NOTICED_S + 1)
        in_silence = hub.is_ready()
        await asyncio.sleep(600)
        simulation.kube.faults.clear()
        await simulation.until(hub.is_ready, within_s=NOTICED_S)
        simulation.change(image="my-lambda-image:0.0.3")
        await asyncio.sleep(1)
        await simulation.until(simulation.is_ready, within_s=60)
        return in_silence, hub.is_ready()

    assert told(story) == (False, True)
