"""The Kubernetes kit against the cluster that KUBECONFIG names."""

import asyncio
import contextlib
import secrets
from typing import cast

import pytest

from lambent.kube.errors import AlreadyExists, NotFound
from lambent.kube.http_client import HttpClient
from lambent.kube.informer import InformerHub
from lambent.kube.kubeconfig import load
from lambent.kube.leader import LeaderElector
from lambent.kube.types import GVK, KubeObject
from tests.kube.client_claims import WIDGET, WIDGETS, ApplyClaims, ClientClaims, widget

pytestmark = [pytest.mark.real_k8s, pytest.mark.timeout(180)]
NAMESPACE = GVK("", "v1", "Namespace")
CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")


async def until_served(client: HttpClient) -> None:
    """A new CRD is served a moment after its creation."""
    async with asyncio.timeout(20):
        while True:
            try:
                await client.resolve(WIDGET)
                return
            except NotFound:
                await asyncio.sleep(0.1)


@pytest.fixture
async def client():
    async with HttpClient(load(), component="test") as client:
        with contextlib.suppress(AlreadyExists):
            await client.create(WIDGETS)
        await until_served(client)
        yield client


@pytest.fixture
async def ns(client):
    name = f"kit-{secrets.token_hex(4)}"
    await client.create(cast(KubeObject, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
    yield name
    await client.delete(NAMESPACE, name)


class TestCluster(ClientClaims, ApplyClaims):
    """Every claim of the suite. The garbage collector looks for new kinds each 30 s."""

    collection_s = 100.0


async def test_an_informer_follows_the_collection(client, ns):
    async with InformerHub(client) as hub, hub.use(WIDGET, ns) as informer, asyncio.timeout(20):
        await informer.synced.wait()
        changes: asyncio.Queue[tuple[bool, bool]] = asyncio.Queue()
        informer.on_change(lambda old, new: changes.put_nowait((old is not None, new is not None)))
        await client.create(widget(ns))
        assert await changes.get() == (False, True)
        await client.patch(WIDGET, "a", {"spec": {"n": 1}}, namespace=ns)
        assert await changes.get() == (True, True)
        assert [obj["spec"] for obj in informer.list()] == [{"n": 1}]
        await client.delete(WIDGET, "a", namespace=ns)
        assert await changes.get() == (True, False)
        assert len(informer) == 0


async def test_leadership_passes_on_when_it_is_released(client, ns):
    terms: asyncio.Queue[int] = asyncio.Queue()

    async def lead(term):
        term.check()
        terms.put_nowait(term.number)
        await asyncio.Event().wait()

    electors = [LeaderElector(client, "kit", ns) for _ in range(2)]
    async with asyncio.timeout(30):
        first = asyncio.create_task(electors[0].run(lead))
        assert await terms.get() == 0
        second = asyncio.create_task(electors[1].run(lead))
        first.cancel()
        await asyncio.wait([first])
        assert await terms.get() == 1
        second.cancel()
        await asyncio.wait([second])
