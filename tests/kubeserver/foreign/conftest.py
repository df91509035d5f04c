"""A server on a free port with the custom kind of these tests, reached as foreign clients reach it: by kubeconfig."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from lambent.kube.types import KubeObject
from lambent.kubeserver import KubeServer
from tests.kubeserver.foreign.gadgets import CRD


@dataclass(frozen=True)
class Cluster:
    """Where the server is; `kubeconfig` names a TLS address, its CA and a token."""

    server: KubeServer
    kubeconfig: Path


@pytest.fixture
async def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    server = KubeServer(state_dir=tmp_path / "state")
    await server.startup("127.0.0.1", 0)
    server.write_kubeconfig(tmp_path / "config")
    await server.local_client().create(cast(KubeObject, CRD))
    yield Cluster(server, tmp_path / "config")
    await server.shutdown()
