"""Changes go straight to a connection that waits; what it refuses is yielded, and each is told once, in order."""

import asyncio
from contextlib import AsyncExitStack, aclosing

import orjson
import pytest

from tests.kubeserver.asking import CONFIGMAPS, configmap

CHANGES = 40


class Reader:
    """Stands for a connection: `told` is what it sent, pushed or yielded; it refuses each push that `refuses` names."""

    def __init__(self, refuses=()):
        self.refuses = set(refuses)
        self.chunks = []
        self.pushed = []
        self.tries = 0

    def push(self, chunk):
        self.tries += 1
        if self.tries in self.refuses:
            return False
        self.pushed.append(chunk)
        self.chunks.append(chunk)
        return True

    async def read(self, ask, query):
        _, stream = await ask("GET", f"{CONFIGMAPS}?watch=1&{query}")
        stream.attach(self.push)
        async with aclosing(stream):
            async for chunk in stream:
                self.chunks.append(chunk)

    @property
    def told(self):
        lines = [orjson.loads(line) for chunk in self.chunks for line in chunk.splitlines()]
        return [(line["type"], line["object"]["metadata"]["name"]) for line in lines if line["type"] != "BOOKMARK"]


async def _burst(ask, readers, query="resourceVersion=0", *, pause_s=0.001):
    """Forty new objects while these read."""
    async with AsyncExitStack() as stack:
        for reader in readers:
            task = asyncio.create_task(reader.read(ask, query))
            stack.callback(task.cancel)
        await asyncio.sleep(0.1)
        for number in range(CHANGES):
            await ask("POST", CONFIGMAPS, configmap(f"c{number:03}", labels={"odd": str(number % 2)}))
            await asyncio.sleep(pause_s)
        await asyncio.sleep(1)


WANTED = [("ADDED", f"c{number:03}") for number in range(CHANGES)]


async def test_a_change_is_pushed_to_a_reader_that_waits(ask):
    reader = Reader()
    await _burst(ask, [reader])
    assert reader.told == WANTED
    assert len(reader.pushed) == CHANGES


@pytest.mark.parametrize("refuses", [range(1, 999), range(1, 999, 2), (1,), (5, 6, 7, 30)], ids=str)
@pytest.mark.parametrize("pause_s", [0.001, 0], ids=["slowly", "at once"])
async def test_what_is_refused_is_yielded_in_its_place(ask, refuses, pause_s):
    reader = Reader(refuses)
    await _burst(ask, [reader], pause_s=pause_s)
    assert reader.told == WANTED


async def test_all_readers_of_one_view_are_pushed_the_same_bytes(ask):
    readers = [Reader() for _ in range(40)]
    await _burst(ask, readers)
    assert all(reader.told == WANTED for reader in readers)
    first = readers[0].pushed
    assert all([*map(id, reader.pushed)] == [*map(id, first)] for reader in readers)
    assert len(first) < CHANGES, "each change was told alone"


async def test_a_reader_that_selects_is_told_its_own(ask):
    reader = Reader()
    await _burst(ask, [reader, Reader()], "resourceVersion=0&labelSelector=odd=1")
    assert reader.told == WANTED[1::2]
    assert reader.pushed == []


async def test_a_bookmark_follows_what_was_pushed(ask):
    reader = Reader()
    await _burst(ask, [reader], "resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=3", pause_s=0.05)
    _, found = await ask("GET", f"{CONFIGMAPS}?limit=1")
    await asyncio.sleep(5)
    last = orjson.loads(reader.chunks[-1])
    assert reader.told == WANTED
    assert last["type"] == "BOOKMARK"
    assert last["object"]["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]
