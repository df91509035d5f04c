"""The event queue under kill -9: what was acknowledged is there afterwards."""

import random
from pathlib import Path

import pytest

from lambent.invoke import EventStore
from tests.promises.killing import KILLS, WRITERS, Program

REAL_TIME = True

WRITER = f"""
import asyncio
from pathlib import Path
from lambent.aws.arn import FunctionId
from lambent.invoke import AsyncQueue, EventStore, GroupCommitter
from lambent.invoke.fake import FakeDirectory, FakeTransport

async def main(path):
    queue = AsyncQueue(GroupCommitter(EventStore(Path(path))), FakeDirectory(), FakeTransport(None))

    async def accept(name):
        for number in range(100000):
            await queue.accept(f"{{name}}-{{number}}", FunctionId("1", "us-east-1", name), None, b"{{}}")
            print(f"{{name}}-{{number}}", flush=True)

    await asyncio.gather(*(accept(f"c{{number}}") for number in range({WRITERS})))

def write(path):
    asyncio.run(main(path))
"""


@pytest.mark.e2e
@pytest.mark.timeout(30 + 6 * KILLS)
def test_no_acknowledged_event_is_lost_by_a_kill(tmp_path: Path) -> None:
    chance = random.Random(1)
    with Program(WRITER, tmp_path) as program:
        for number in range(KILLS):
            path = tmp_path / f"async-{number}.db"
            acknowledged = program.killed_after(chance.randrange(1, 400), path)
            store = EventStore(path)
            kept = {row[0] for row in store.connection.execute("SELECT request_id FROM events")}
            store.close()
            assert set(acknowledged) <= kept
