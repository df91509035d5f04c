"""Nothing of a function outlives its environment: not after a stop, a crash, a timeout, nor lambent's own death."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from lambent.execution import procfs

pytestmark = pytest.mark.e2e

# A child in the group, one in a session of its own, and a daemon: forked twice, new session, empty environment.
FAMILY = """import json, os, subprocess, time

def daemon():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, b"%d" % os.getpid())
            os.closerange(0, 64)
            os.execve("/bin/sleep", ["sleep", "300"], {})
        os._exit(0)
    os.wait()
    return int(os.read(reading, 32))

def handler(event, context):
    near = subprocess.Popen(["/bin/sleep", "300"]).pid
    far = subprocess.Popen(["/bin/sleep", "300"], start_new_session=True, env={}).pid
    pids = [os.getpid(), near, far, daemon()]
    print("FAMILY", json.dumps(pids), flush=True)
    if event == "crash":
        os._exit(1)
    if event == "hang":
        time.sleep(300)
    return pids
"""

LAMBENT = """import asyncio, sys
from pathlib import Path
from lambent.execution import ProcessExecutor
from lambent.runtime import Event, FunctionSpec, PoolKey, RequestId, ZipCode

async def main(directory, event):
    code = ZipCode(directory / "family.zip", "ab" * 32)
    spec = FunctionSpec(PoolKey("k"), "arn", "f", "1", code, handler="app.handler", runtime="python3.12", timeout_s=60)
    show = lambda name, lines: (sys.stdout.write(lines.decode()), sys.stdout.flush())
    executor = ProcessExecutor(directory / "code", sink=show)
    await executor.startup()
    await executor.invoke(spec, Event(RequestId("r"), "arn", event.encode()))
    await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


async def gone(pids: Iterable[int], *, limit_s: float = 5.0) -> bool:
    """Waits on pidfds until all these processes have ended."""
    for pid in pids:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        ended = await asyncio.to_thread(poll.poll, limit_s * 1000)
        os.close(pidfd)
        if not ended:
            return False
    return True


def alive(pids: Iterable[int]) -> list[int]:
    """Those that exist, be it as zombies."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A process of ours that the supervisor knows nothing of, and its output."""
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def family(text: str) -> list[int]:
    [line] = [line for line in text.splitlines() if line.startswith("FAMILY")]
    return list(json.loads(line.partition(" ")[2]))


@pytest.mark.parametrize("event", ["stay", "crash", "hang"], ids=["retired", "crashed", "timed out"])
async def test_all_descendants_go_with_their_environment(platform, event):
    spec = platform.function(FAMILY, timeout_s=0.5)
    await platform.invoke(spec, event)
    await platform.executor.retire(spec.pool_key)
    pids = family(platform.text)
    assert len(set(pids)) == 4
    assert alive(pids) == []


async def test_another_functions_family_is_left_alone(platform):
    doomed, other = platform.function(FAMILY), platform.function({"app.py": FAMILY, "x": ""})
    await platform.invoke(doomed)
    pids = json.loads((await platform.invoke(other)).payload)
    await platform.executor.retire(doomed.pool_key)
    assert alive(pids) == pids


async def test_a_child_of_other_code_is_left_alone(platform):
    with started("/bin/sleep", "60") as (stranger, _):
        spec = platform.function(FAMILY)
        await platform.invoke(spec)
        await platform.executor.retire(spec.pool_key)
        assert stranger.poll() is None


async def test_an_orphan_that_ends_by_itself_leaves_no_zombie(platform):
    source = """import os
def handler(event, context):
    reading, writing = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            os.write(writing, b"%d" % os.getpid())
        os._exit(0)
    os.wait()
    return int(os.read(reading, 32))
"""
    pid = json.loads((await platform.invoke(platform.function(source))).payload)
    for _ in range(100):
        if not alive([pid]):
            break
        await asyncio.sleep(0.01)
    assert not procfs.is_zombie(pid)


@pytest.mark.parametrize("event", ['"stay"', '"hang"'], ids=["idle", "busy"])
async def test_nothing_outlives_a_killed_lambent(platform, event):
    platform.function(FAMILY).code.path.rename(platform.directory / "family.zip")
    with started(sys.executable, "-c", LAMBENT, str(platform.directory), event) as (lambent, output):
        pids = family(next(line for line in output if line.startswith("FAMILY")))
        guardian = await _guardian(lambent.pid)
        lambent.send_signal(signal.SIGKILL)
        assert await gone([*pids, guardian])


async def _guardian(parent: int) -> int:
    """A process that has just been started shows its command line a moment later."""
    for _ in range(500):
        found = [pid for pid in procfs.children(parent) if procfs.runs(pid, "_guardian.py")]
        if found:
            break
        await asyncio.sleep(0.01)
    assert len(found) == 1
    return found[0]


async def test_a_killed_guardian_is_replaced(platform):
    guardian = await _guardian(os.getpid())
    os.kill(guardian, signal.SIGKILL)
    assert await gone([guardian])
    assert await _guardian(os.getpid()) != guardian


async def test_crashed_environments_leave_no_descriptor_and_no_process(platform):
    spec = platform.function("import os\ndef handler(event, context):\n    os._exit(event)\n")
    await platform.invoke(spec, 1)
    await asyncio.sleep(0.1)
    descriptors, children = len(os.listdir("/proc/self/fd")), len(procfs.children(os.getpid()))
    for _ in range(10):
        await platform.invoke(spec, 1)
    await platform.executor.retire(spec.pool_key)
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert len(procfs.children(os.getpid())) <= children
