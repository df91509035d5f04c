"""The claims every client must meet, on both transports of the embedded server."""

import itertools
from typing import cast

import pytest

from lambent.kube.types import KubeObject
from lambent.kubeserver import KubeServer
from tests.kube.client_claims import WIDGETS, ClientClaims

_numbers = itertools.count(1)


class TestLocal(ClientClaims):
    @pytest.fixture
    async def client(self, server: KubeServer):
        client = server.local_client()
        await client.create(WIDGETS)
        return client

    @pytest.fixture
    async def ns(self, client):
        name = f"claims-{next(_numbers)}"
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await client.create(cast(KubeObject, obj))
        return name
