"""Two `lambent controller --shards 4` on one API server: both work; when one is killed the other does everything."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from lambent.kube.client import KubeClient
from lambent.kube.types import GVK, KubeObject
from lambent.kubeserver import KubeServer
from lambent.platform.crds import apply_crds
from tests.e2e.programs import Running

pytestmark = pytest.mark.e2e

NOTE, COPY, LEASE = (
    GVK("shards.example.org", "v1", "Note"),
    GVK("shards.example.org", "v1", "Copy"),
    GVK("coordination.k8s.io", "v1", "Lease"),
)
NAMES = [f"note-{number}" for number in range(16)]
DOCUMENTS = """
apiVersion: koreo.dev/v1beta1
kind: Workflow
metadata: {name: copying, namespace: default}
spec:
  crdRef: {apiGroup: shards.example.org, version: v1, kind: Note}
  steps:
  - label: copy
    ref: {kind: ResourceFunction, name: copy}
    inputs: {name: =parent.metadata.name, size: =parent.spec.size}
---
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: copy, namespace: default}
spec:
  apiConfig: {apiVersion: shards.example.org/v1, kind: Copy, name: =inputs.name, namespace: default}
  resource: {spec: {size: =inputs.size}}
"""


def crd(gvk: GVK) -> KubeObject:
    plural = {"Note": "notes", "Copy": "copies"}[gvk.kind]
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": gvk.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    made: Any = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{gvk.group}"},
        "spec": {
            "group": gvk.group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": gvk.kind},
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }
    return cast(KubeObject, made)


class Replica(Running):
    """One controller process; a short lease, so that the test need not wait for a long one."""

    def __init__(self, kubeconfig: Path, *words: str) -> None:
        super().__init__("controller", "--kubeconfig", str(kubeconfig), "--admin-port", "0", "--controllers-lease", "3",
                         "--aws-endpoint", "http://127.0.0.1:9", *words)  # fmt: skip

    def wait_until_up(self) -> None:
        self._url = self.wait_for_line("is up").split()[-1]

    async def ask(self, path: str) -> str:
        def read() -> str:
            with urllib.request.urlopen(f"{self._url}/{path}", timeout=30) as answer:
                return str(answer.read().decode())

        return await asyncio.to_thread(read)

    async def held(self) -> list[str]:
        told = (await self.ask("healthz")).splitlines()[1]
        return told.removeprefix("leads shards: ").removesuffix(" of 4").replace("none", "").split(", ")

    async def passes(self) -> bool:
        return "\nlambent_workflow_passes_total{" in await self.ask("metrics")


@pytest.fixture
async def kube(tmp_path: Path) -> AsyncIterator[KubeClient]:
    server = KubeServer(state_dir=None)
    await server.startup(port=0)
    server.write_kubeconfig(tmp_path / "config")
    kube = server.local_client()
    await apply_crds(kube)
    for gvk in (NOTE, COPY):
        await kube.create(crd(gvk))
    for document in yaml.safe_load_all(DOCUMENTS):
        await kube.create(document)
    for name in NAMES:
        meta = {"name": name, "namespace": "default"}
        note = {"apiVersion": NOTE.api_version, "kind": NOTE.kind, "metadata": meta, "spec": {"size": 1}}
        await kube.create(cast(KubeObject, note))
    yield kube
    await server.shutdown()


async def until(claim: Callable[[], Awaitable[bool]]) -> None:
    """Asks until it holds; the limit is the test's."""
    while not await claim():  # noqa: ASYNC110 - of other processes nobody tells
        await asyncio.sleep(0.1)


async def sizes(kube: KubeClient) -> list[int]:
    pages = [page async for page in kube.list(COPY, namespace="default")]
    return [cast(dict[str, Any], obj)["spec"]["size"] for page in pages for obj in page.items]


async def test_the_other_does_everything_when_one_is_killed(kube: KubeClient, tmp_path: Path) -> None:
    replicas = [Replica(tmp_path / "config", "--shards", "4") for _ in range(2)]
    one, two = replicas
    try:
        for replica in replicas:
            await asyncio.to_thread(replica.wait_until_up)

        async def both_work() -> bool:
            held = [await replica.held() for replica in replicas]
            return [len(each) for each in held] == [2, 2] and all([await replica.passes() for replica in replicas])

        await until(both_work)

        async def all_is_copied() -> bool:
            return await sizes(kube) == [1] * len(NAMES)

        await until(all_is_copied)
        other = Replica(tmp_path / "config", "--shards", "2")
        assert await asyncio.to_thread(other.process.wait, 45) == 2
        assert "works with 4 shards and this process with 2" in "".join(other.lines)
        one.kill()
        for name in NAMES:
            await kube.patch(NOTE, name, {"spec": {"size": 2}}, namespace="default")

        async def all_is_copied_again() -> bool:
            return await sizes(kube) == [2] * len(NAMES)

        await until(all_is_copied_again)
        assert await two.held() == ["0", "1", "2", "3"]
        assert (await two.ask("readyz")).startswith("ok\n")
        assert await asyncio.to_thread(two.stop) == 0
    finally:
        for replica in replicas:
            if replica.process.poll() is None:
                replica.kill()
    leases = [obj async for page in kube.list(LEASE, namespace="lambent-system") for obj in page.items]
    # The killed one is still on the list of members, so the lease of the number of shards runs out by itself.
    holders = {obj["metadata"]["name"]: cast(dict[str, Any], obj)["spec"]["holderIdentity"] for obj in leases}
    assert holders.pop("lambent-controller") in ("", "shards/4")
    assert holders == {f"lambent-controller-{shard}-of-4": "" for shard in range(4)}
