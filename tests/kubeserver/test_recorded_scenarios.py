"""Scenarios of our own, held against what kube-apiserver 1.34 answered to them.

`scenarios/differences.json` names the steps that still differ, each with its reason; it may only shrink.
`make test-cluster` asks a real server again and compares with its present answers.
"""

import asyncio

import pytest

from lambent.clock import utc_now
from lambent.kubeserver import KubeServer
from tests.kubeserver.scenarios import groups
from tests.kubeserver.scenarios.asking import Target

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
REAL_TIME = True
# They wait for seconds of real time; the cluster's run has them.
SLOW = frozenset({"definition changes", "watches", "namespace", "lists", "versions"})


async def test_the_embedded_server_answers_as_recorded():
    # The order of managers follows the clock's seconds, and a write that changes it counts: one second for all.
    moment = utc_now()
    server = KubeServer(state_dir=None, clock=lambda: moment)
    await server.startup("127.0.0.1", 0)
    try:
        target = Target(server.url, server.token)
        got = await asyncio.to_thread(groups.answers, target, pace=0.0, without=SLOW)
    finally:
        await server.shutdown()
    want = {name: steps for name, steps in groups.load("recorded.json").items() if name not in SLOW}
    found = groups.differing(want, got)
    known = {name for name in groups.load("differences.json") if name.partition("/")[0] not in SLOW}
    assert {name: lines for name, lines in found.items() if name not in known} == {}
    assert known - found.keys() == set(), "these no longer differ: take them off differences.json"


def test_every_difference_has_a_reason():
    assert [name for name, reason in groups.load("differences.json").items() if not reason.strip()] == []
