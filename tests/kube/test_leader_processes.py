"""Leaders that are killed, or paused and woken: never two writers, and a short gap."""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK, KubeObject
from lambent.kubeserver import KubeServer

REAL_TIME = True
ROOT = Path(__file__).parents[2]
LEDGER = GVK("", "v1", "ConfigMap")
# 50 in the nightly run.
ROUNDS = int(os.environ.get("LAMBENT_LEADER_ROUNDS", "6"))
# How soon is for tests/promises/test_r4_one_writer.py, on virtual time: here a busy machine starts Pythons.
LIMIT_S = 60.0

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300 + 10 * ROUNDS)]


class Candidates:
    """The processes, by name."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.processes: dict[str, asyncio.subprocess.Process] = {}
        self.count = 0

    async def start(self) -> None:
        self.count += 1
        command = [sys.executable, "-m", "tests.kube.leader_candidate", str(self.kubeconfig), f"c{self.count}"]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
        self.processes[f"c{self.count}"] = process

    def signal(self, name: str, number: signal.Signals) -> None:
        self.processes[name].send_signal(number)

    async def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        await process.wait()


class Ledger:
    """What was written, in the order of the server."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, int]] = []
        self.changed = asyncio.Event()

    def on_change(self, old: KubeObject | None, new: KubeObject | None) -> None:
        data = cast(dict[str, Any], new or {}).get("data") or {}
        if data.get("holder"):
            self.writes.append((data["holder"], int(data["term"])))
            self.changed.set()

    async def until_written_by_other_than(self, name: str, *, within_s: float) -> str:
        async with asyncio.timeout(within_s):
            while not self.writes or self.writes[-1][0] == name:
                self.changed.clear()
                await self.changed.wait()
        return self.writes[-1][0]


@pytest.fixture
async def server(tmp_path):
    server = KubeServer(state_dir=None)
    await server.startup(port=0)
    server.write_kubeconfig(tmp_path / "config")
    yield server
    await server.shutdown()


async def test_killed_and_paused_leaders_never_write_beside_their_successor(server, tmp_path):
    client = server.local_client()
    meta = {"name": "ledger", "namespace": "default"}
    await client.create(cast(KubeObject, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}))
    candidates, ledger, rng = Candidates(tmp_path / "config"), Ledger(), random.Random(1)
    for _ in range(3):
        await candidates.start()
    try:
        async with InformerHub(client) as hub, hub.use(LEDGER, "default") as informer:
            informer.on_change(ledger.on_change)
            leader = await ledger.until_written_by_other_than("", within_s=LIMIT_S)
            for _ in range(ROUNDS):
                leader = await _disturb(candidates, ledger, leader, is_kill=rng.random() < 0.5)
    finally:
        for name in list(candidates.processes):
            await candidates.kill(name)
    terms = [term for _, term in ledger.writes]
    assert terms == sorted(terms)
    assert len({term for term in terms}) >= ROUNDS
    assert len(set(ledger.writes)) == len(set(terms))


async def _disturb(candidates: Candidates, ledger: Ledger, leader: str, *, is_kill: bool) -> str:
    """Kills the leader, or pauses it until another leads and a little longer; gives the new leader."""
    if is_kill:
        await candidates.kill(leader)
        await candidates.start()
        return await ledger.until_written_by_other_than(leader, within_s=LIMIT_S)
    candidates.signal(leader, signal.SIGSTOP)
    successor = await ledger.until_written_by_other_than(leader, within_s=LIMIT_S)
    candidates.signal(leader, signal.SIGCONT)
    await asyncio.sleep(0.5)
    return ledger.writes[-1][0] or successor
