"""A hundred watchers of one kind are told of a burst in runs, in order, completely, and soon."""

import asyncio

import orjson

from lambent.kubeserver.reads.channels import FEW_WATCHERS, LONGEST_PAUSE_S
from tests.kubeserver.asking import CONFIGMAPS, configmap

WATCHERS, CHANGES = 100, 30


async def _names(ask, count):
    """Names in the order in which one watch shows them, and the number of pieces they came in."""
    _, stream = await ask("GET", f"{CONFIGMAPS}?watch=1&resourceVersion=0")
    names, pieces = [], 0
    async for chunk in stream:
        pieces += 1
        names += [orjson.loads(line)["object"]["metadata"]["name"] for line in chunk.splitlines()]
        if len(names) >= count:
            await stream.aclose()
            return names, pieces


async def test_each_of_many_watchers_sees_all_changes_in_order(ask):
    assert WATCHERS > FEW_WATCHERS
    wanted = [f"c{number:03}" for number in range(CHANGES)]
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        watches = [group.create_task(_names(ask, CHANGES)) for _ in range(WATCHERS)]
        await asyncio.sleep(0.1)
        for name in wanted:
            await ask("POST", CONFIGMAPS, configmap(name))
            await asyncio.sleep(0.001)
    assert all(watch.result()[0] == wanted for watch in watches)
    assert all(watch.result()[1] < CHANGES for watch in watches), "each change was told alone"


async def test_the_last_change_of_a_burst_is_told_within_the_pause(ask):
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        watches = [group.create_task(_names(ask, 2)) for _ in range(WATCHERS)]
        await asyncio.sleep(0.1)
        await ask("POST", CONFIGMAPS, configmap("a"))
        await ask("POST", CONFIGMAPS, configmap("b"))
        written = loop.time()
    assert all(watch.done() for watch in watches)
    assert loop.time() - written <= LONGEST_PAUSE_S
