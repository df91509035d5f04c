"""A small cluster in memory for the controller: our CRDs, the kinds that workflows manage, and a provider.

The provider stands for whoever makes resources ready: some seconds after a managed object appears it sets a status.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any, cast

from lambent.kube.events import EventRecorder
from lambent.kube.fake import FakeKube
from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK, KubeObject
from lambent.workflow.controller import ControllerSettings, WorkflowController
from lambent.workflow.crds import crds

BUCKET = GVK("s3.services.k8s.aws", "v1alpha1", "Bucket")
POLICY = GVK("iam.services.k8s.aws", "v1alpha1", "Policy")
ROLE = GVK("iam.services.k8s.aws", "v1alpha1", "Role")
FUNCTION = GVK("lambda.services.k8s.aws", "v1alpha1", "Function")
THING = GVK("example.org", "v1", "Thing")
TRIGGER = GVK("example.org", "v1", "Trigger")
EVENT = GVK("", "v1", "Event")
PROVIDED = {
    "ackResourceMetadata": {"arn": "arn:aws:x", "ownerAccountID": "123456789012"},
    "policyID": "id",
    "ready": True,
}


class Cluster:
    """`kube` is the server; `ready_after_s` None leaves managed resources without a status."""

    def __init__(
        self,
        *,
        ready_after_s: float | None = None,
        settings: ControllerSettings | None = None,
        kube: FakeKube | None = None,
    ) -> None:
        self.kube = kube or FakeKube(crds=crds())
        for gvk, plural in ((BUCKET, "buckets"), (POLICY, "policies"), (ROLE, "roles"), (FUNCTION, "functions")):
            self.kube.register(gvk, plural)
        self.kube.register(THING, "things")
        self.kube.register(TRIGGER, "triggers")
        self._ready_after_s = ready_after_s
        self._settings = settings

    def put(self, objects: Iterable[dict[str, Any]]) -> None:
        for obj in objects:
            self.kube.put(cast(KubeObject, obj))

    def get(self, gvk: GVK, name: str, namespace: str = "default") -> dict[str, Any]:
        found = self.kube.peek(gvk, name, namespace)
        assert found is not None, f"{gvk.kind} {name} does not exist"
        return cast(dict[str, Any], found)

    def condition(self, gvk: GVK, name: str, type_: str = "Ready", namespace: str = "default") -> dict[str, Any]:
        conditions = (self.get(gvk, name, namespace).get("status") or {}).get("conditions") or []
        return next((item for item in conditions if item["type"] == type_), {})

    def mutations(self) -> list[str]:
        """Writes without Events and leases, as `verb Kind`."""
        return [f"{call.verb} {call.gvk.kind}" for call in self.kube.writes() if call.gvk != EVENT]

    @contextlib.asynccontextmanager
    async def running(self, watched: Iterable[GVK] = ()) -> AsyncIterator[WorkflowController]:
        """The controller, until the block ends, in a process that also watches these kinds."""
        # Guarded: what passes read from the caches is everyone's.
        async with InformerHub(self.kube, guard=True) as hub, contextlib.AsyncExitStack() as stack:
            for gvk in watched:
                await stack.enter_async_context(hub.use(gvk))
            recorder = EventRecorder(self.kube, "test", now=_now)
            controller = WorkflowController(self.kube, hub, settings=self._settings, recorder=recorder, now=_now)
            tasks = [asyncio.create_task(controller.run())]
            if self._ready_after_s is not None:
                # As another process, with watches of its own.
                others = await stack.enter_async_context(InformerHub(self.kube))
                tasks.append(asyncio.create_task(self._provide(others)))
            try:
                await controller.ready.wait()
                yield controller
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _provide(self, hub: InformerHub) -> None:
        loop = asyncio.get_running_loop()

        def provide(obj: KubeObject) -> None:
            metadata = obj["metadata"]
            current = self.kube.peek(GVK.of(obj), metadata["name"], metadata.get("namespace"))
            if current is not None:
                self.kube.put(cast(KubeObject, {**current, "status": PROVIDED}))

        def on_change(old: KubeObject | None, new: KubeObject | None) -> None:
            if new is not None and not new.get("status"):
                loop.call_later(self._ready_after_s or 0, provide, new)

        async with contextlib.AsyncExitStack() as stack:
            for gvk in (BUCKET, POLICY, ROLE, FUNCTION, THING):
                informer = await stack.enter_async_context(hub.use(gvk))
                informer.on_change(on_change)
            await asyncio.Event().wait()


def _now() -> datetime:
    """Wall clock of the virtual loop."""
    return datetime.fromtimestamp(1_700_000_000 + asyncio.get_running_loop().time(), UTC)
