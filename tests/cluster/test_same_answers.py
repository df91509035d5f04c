"""One list of requests, asked of the cluster that KUBECONFIG names and of the embedded server: the answers agree.

What is known to differ stands in `tests/kubeserver/scenarios/differences.json`.
"""

import asyncio

import pytest

from lambent.kube.kubeconfig import load
from lambent.kubeserver import KubeServer
from tests.kubeserver.scenarios import groups
from tests.kubeserver.scenarios.asking import Target

pytestmark = [pytest.mark.real_k8s, pytest.mark.timeout(400)]


async def test_the_embedded_server_answers_as_the_cluster_does():
    config = load()
    headers = await config.credentials.headers()
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    if not token:
        pytest.skip("this kubeconfig has no bearer token, which the comparison speaks with")
    want = await asyncio.to_thread(groups.answers, Target(config.server, token))
    server = KubeServer(state_dir=None)
    await server.startup("127.0.0.1", 0)
    try:
        got = await asyncio.to_thread(groups.answers, Target(server.url, server.token), pace=0.2)
    finally:
        await server.shutdown()
    known = set(groups.load("differences.json"))
    found = groups.differing(want, got)
    assert {name: lines for name, lines in found.items() if name not in known} == {}
