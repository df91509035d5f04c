"""One suite for all clients: the fake, and both transports of the embedded server."""

import secrets
from typing import cast

import pytest

from lambent.kube.fake import FakeKube
from lambent.kube.http_client import HttpClient
from lambent.kube.kubeconfig import load
from lambent.kube.types import KubeObject
from lambent.kubeserver import KubeServer
from tests.kube.client_claims import WIDGETS, ApplyClaims, ClientClaims

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
