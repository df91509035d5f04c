"""The event queue under kill -9: what was acknowledged is there afterwards."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lambent.invoke import EventStore

REAL_TIME = True

PROGRAM = """
import asyncio, sys
from pathlib import Path
from lambent.aws.arn import FunctionId
from lambent.invoke import AsyncQueue, EventStore, GroupCommitter
from lambent.invoke.fake import FakeDirectory, FakeTransport

async def main():
    committer = GroupCommitter(EventStore(Path(sys.argv[1])))
    queue = AsyncQueue(committer, FakeDirectory(), FakeTransport(None))
    async def client(name):
        for number in range(100000):
            await queue.accept(f"{name}-{number}", FunctionId("1", "us-east-1", name), None, b"{}")
            print(f"{name}-{number}", flush=True)
    await asyncio.gather(*(client(f"c{n}") for n in range(8)))

asyncio.run(main())
"""


@pytest.mark.e2e
@pytest.mark.parametrize("acknowledged", [1, 50, 400])
def test_no_acknowledged_event_is_lost_by_a_kill(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "async.db"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline().strip() for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        seen += [line.strip() for line in process.stdout if line.endswith("\n")]
    store = EventStore(path)
    kept = {row[0] for row in store.connection.execute("SELECT request_id FROM events")}
    store.close()
    assert len(seen) >= acknowledged
    assert set(seen) <= kept
