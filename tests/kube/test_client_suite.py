"""One suite for all clients: the fake, and both transports of the embedded server."""

import asyncio
import secrets
from typing import cast

import pytest

from lambent.kube.errors import Conflict
from lambent.kube.fake import FakeKube
from lambent.kube.fencing import FencedClient
from lambent.kube.http_client import HttpClient
from lambent.kube.kubeconfig import load
from lambent.kube.leader import Term
from lambent.kube.types import KubeObject
from lambent.kubeserver import KubeServer
from tests.kube.client_claims import WIDGETS, ApplyClaims, ClientClaims, widget

REAL_TIME = True


class TestFake(ClientClaims, ApplyClaims):
    """The fake promises the same; only its schema knows nothing."""

    @pytest.fixture
    def client(self):
        return FakeKube(crds=[WIDGETS])

    @pytest.fixture
    def ns(self):
        return "default"


class EmbeddedClaims(ClientClaims, ApplyClaims):
    @pytest.fixture
    async def ns(self, client):
        name = f"kit-{secrets.token_hex(4)}"
        await client.create(WIDGETS)
        await client.create(cast(KubeObject, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        return name


class TestInProcess(EmbeddedClaims):
    """Without a socket."""

    @pytest.fixture
    async def client(self):
        server = KubeServer(state_dir=None)
        await server.open()
        yield server.local_client()
        await server.shutdown()


class TestOverHttps(EmbeddedClaims):
    """Over TLS, through the kubeconfig that the server writes."""

    @pytest.fixture
    async def client(self, tmp_path):
        server = KubeServer(state_dir=None)
        await server.startup(port=0)
        server.write_kubeconfig(tmp_path / "config")
        async with HttpClient(load(tmp_path / "config"), component="test") as client:
            yield client
        await server.shutdown()

    async def test_a_write_under_an_older_term_is_refused(self, client, ns):
        meta = {"name": "l", "namespace": ns}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}
        await client.create(cast(KubeObject, {**lease, "spec": {"leaseTransitions": 5}}))
        far = asyncio.get_running_loop().time() + 1000
        old, present = (FencedClient(client, Term(f"{ns}/l", number, far)) for number in (4, 5))
        with pytest.raises(Conflict):
            await old.create(widget(ns))
        await present.create(widget(ns))
