"""The controller process with shards: what it refuses, what its role grants it, and how a part ends."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.clock import VirtualTimeLoop
from lambent.errors import UsageError
from lambent.kube.fake import FakeKube
from lambent.kube.leader import LeadershipLost, Term
from lambent.kube.sharding import Election
from lambent.platform.controller import ControllerDaemon, FencedAws
from lambent.platform.controllers import Controllers
from lambent.platform.manifests import LEASE_RULES, NAMESPACE
from lambent.settings import Settings

KUBECONFIG = (
    '{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k"}}],'
    ' "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:1"}}]}'
)
VERBS = {"get": "get", "create": "create", "replace": "update", "list": "list", "watch": "watch"}


@pytest.mark.parametrize(
    ("shards", "lease", "has_election", "told"),
    [(0, 15, True, "at least 1"), (2, 0, True, "at least 1"), (2, 15, False, "needs --controllers-leader-election")],
)
def test_what_cannot_be_divided_is_refused(
    tmp_path: Path, shards: int, lease: int, has_election: bool, told: str
) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    settings = Settings(kubeconfig=str(tmp_path / "config"))
    controllers = replace(settings.controllers, shards=shards, lease=lease, leader_election=has_election)
    with pytest.raises(UsageError, match=told):
        ControllerDaemon(replace(settings, controllers=controllers))


def test_the_shipped_role_grants_what_an_election_of_shards_asks_for() -> None:
    kube = FakeKube()

    async def life() -> None:
        elections = [Election(kube, "lambent-controller", NAMESPACE, 4, name) for name in "ab"]
        runs = [asyncio.create_task(each.run(lambda shard, term: asyncio.sleep(1e9))) for each in elections]
        await asyncio.sleep(60)
        for run in runs:
            run.cancel()
            await asyncio.wait([run])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(life())
    made = {(call.gvk.group, "leases", VERBS[call.verb]) for call in kube.calls}
    granted = {
        (group, resource, verb)
        for rule in LEASE_RULES
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert made == granted
    assert {call.namespace for call in kube.calls} == {NAMESPACE}


async def test_no_call_to_aws_begins_after_the_term() -> None:
    class Clients:
        async def client(self, service: str, region: str | None = None) -> str:
            return f"{service} of {region}"

    term = Term("n/l", 1, asyncio.get_running_loop().time() + 100)
    clients = FencedAws(Clients(), term)
    assert await clients.client("s3", "here") == "s3 of here"
    term.is_over = True
    with pytest.raises(LeadershipLost):
        await clients.client("s3", "here")


class Endless:
    """Runs until cancelled; a drain lasts as long as it may."""

    def __init__(self) -> None:
        self.drains: list[float] = []
        self.is_running = False

    async def run(self) -> None:
        self.is_running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.is_running = False

    async def shutdown(self, drain_s: float) -> None:
        self.drains.append(drain_s)
        if drain_s:
            await asyncio.Event().wait()


async def test_what_ends_at_once_drains_nothing() -> None:
    endless = Endless()
    controllers = Controllers([endless], drain_s=20)
    controllers.start()
    await asyncio.sleep(0.01)
    await controllers.shutdown(at_once=True)
    assert (endless.drains, endless.is_running) == ([0], False)


async def test_a_drain_that_is_cut_short_leaves_nothing_running() -> None:
    endless = Endless()
    controllers = Controllers([endless], drain_s=20)
    controllers.start()
    await asyncio.sleep(0.01)
    draining = asyncio.create_task(controllers.shutdown())
    await asyncio.sleep(0.01)
    assert endless.is_running
    draining.cancel()
    await asyncio.wait([draining])
    await asyncio.sleep(0)
    assert (endless.drains, endless.is_running) == ([20], False)
