"""A cluster, an AWS and the controllers between them, all in memory: what tests of resources stand on.

`await world.start()` begins with empty stores, or with those of a world that crashed: `World(kube=.., aws=..)`;
`clients` puts a real endpoint in the place of `aws`, `client` a real API server in that of `kube`. Time is the loop's:
with a virtual one, hours pass at once.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from lambent.kube.client import KubeClient
from lambent.kube.controller import Controller, Selects
from lambent.kube.fake import FakeKube
from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK, KubeObject
from lambent.resources.controllers import controllers
from lambent.resources.crds import crds
from lambent.resources.declaration import Kind
from lambent.resources.fake.aws import Asked, FakeAws
from lambent.resources.kinds import TIER_1
from lambent.resources.port import Clients
from lambent.resources.settings import ResourceSettings

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def loop_clock() -> datetime:
    """A wall clock that follows the loop's time."""
    return _EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


class World:
    """`kube`, `aws` and the running controllers of `kinds`."""

    def __init__(
        self,
        *,
        kube: FakeKube | None = None,
        aws: FakeAws | None = None,
        settings: ResourceSettings | None = None,
        kinds: tuple[Kind, ...] = TIER_1,
        clients: Clients | None = None,
        client: KubeClient | None = None,
        selects: Selects | None = None,
    ) -> None:
        self.kube = kube or FakeKube(crds=crds(kinds), now=loop_clock)
        self.aws = aws or FakeAws(now=loop_clock)
        self.settings = settings or ResourceSettings(account_id=self.aws.account_id, region=self.aws.region)
        self._clients = clients or self.aws
        self._client: KubeClient = client or self.kube
        self._kinds = {kind.kind: kind for kind in kinds}
        self._selects = selects
        self._tasks: list[asyncio.Task[None]] = []
        self._hub: InformerHub | None = None
        self.controllers: list[Controller] = []

    async def start(self) -> None:
        """A new process over the stores as they are."""
        self._hub = InformerHub(self._client, linger_s=0, guard=True)
        self.controllers = controllers(
            self._client,
            self._hub,
            self._clients,
            self.settings,
            kinds=tuple(self._kinds.values()),
            selects=self._selects,
            now=loop_clock,
        )
        self._tasks = [asyncio.create_task(controller.run()) for controller in self.controllers]
        for controller in self.controllers:
            await controller.ready.wait()

    async def stop(self) -> None:
        """Kills the process: whatever runs is cut."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._hub is not None:
            await self._hub.close()

    @property
    def died(self) -> bool:
        return any(task.done() for task in self._tasks)

    def gvk(self, kind: str) -> GVK:
        return self._kinds[kind].gvk

    async def apply(
        self,
        kind: str,
        name: str,
        spec: Mapping[str, Any] | None = None,
        *,
        namespace: str = "default",
        annotations: Mapping[str, str] | None = None,
        **more: Any,
    ) -> KubeObject:
        """Creates an object, as a user would."""
        meta = {"name": name, "namespace": namespace, "annotations": dict(annotations or {})}
        obj = {"apiVersion": self.gvk(kind).api_version, "kind": kind, "metadata": meta, **more}
        if spec is not None:
            obj["spec"] = dict(spec)
        return await self._client.create(cast(KubeObject, obj))

    async def edit(
        self, kind: str, name: str, spec: dict[str, Any] | None = None, *, namespace: str = "default", **meta: Any
    ) -> KubeObject:
        """A merge patch of the spec, and of metadata."""
        body: dict[str, Any] = {"spec": spec} if spec is not None else {}
        if meta:
            body["metadata"] = meta
        return await self._client.patch(self.gvk(kind), name, body, namespace=namespace)

    async def delete(self, kind: str, name: str, *, namespace: str = "default") -> None:
        await self._client.delete(self.gvk(kind), name, namespace=namespace)

    def peek(self, kind: str, name: str, *, namespace: str = "default") -> KubeObject | None:
        return self.kube.peek(self.gvk(kind), name, namespace)

    def status(self, kind: str, name: str, *, namespace: str = "default") -> Mapping[str, Any]:
        obj = self.peek(kind, name, namespace=namespace)
        return (obj.get("status") or {}) if obj else {}

    def condition(self, kind: str, name: str, type_: str, *, namespace: str = "default") -> Mapping[str, Any]:
        found = self.status(kind, name, namespace=namespace).get("conditions") or ()
        return next((item for item in found if item["type"] == type_), {})

    def is_synced(self, kind: str, name: str, *, namespace: str = "default") -> bool:
        """Synced, and for the generation that is there now."""
        obj = self.peek(kind, name, namespace=namespace)
        seen = self.status(kind, name, namespace=namespace).get("observedGeneration")
        current = obj["metadata"].get("generation") if obj else None
        ready = self.condition(kind, name, "ACK.ResourceSynced", namespace=namespace).get("status") == "True"
        return ready and seen == current

    async def until(self, claim: Callable[[], bool], *, within_s: float = 60.0) -> None:
        """Waits in steps of 50 ms of the loop's time; AssertionError when the claim stays false."""
        deadline = asyncio.get_running_loop().time() + within_s
        while not claim():
            assert asyncio.get_running_loop().time() < deadline, f"not within {within_s} s: {self.describe()}"
            await asyncio.sleep(0.05)

    async def synced(self, kind: str, name: str, *, namespace: str = "default", within_s: float = 60.0) -> None:
        await self.until(lambda: self.is_synced(kind, name, namespace=namespace), within_s=within_s)

    async def gone(self, kind: str, name: str, *, namespace: str = "default", within_s: float = 60.0) -> None:
        await self.until(lambda: self.peek(kind, name, namespace=namespace) is None, within_s=within_s)

    def loop_time(self) -> float:
        return asyncio.get_running_loop().time()

    async def rest(self, seconds: float = 1.0) -> None:
        """Lets that much of the loop's time pass."""
        await asyncio.sleep(seconds)

    def writes_since(self, mark: int) -> list[Asked]:
        """AWS writes after the first `mark` calls."""
        return [call for call in self.aws.calls[mark:] if call.is_write]

    def describe(self) -> list[Any]:
        """Names and conditions of all objects, for the message of a failed wait."""
        found = [obj for kind in self._kinds for obj in self.kube.peek_all(self.gvk(kind))]
        return [(obj["kind"], obj["metadata"]["name"], (obj.get("status") or {}).get("conditions")) for obj in found]
