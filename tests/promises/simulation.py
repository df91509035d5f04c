"""The example workload in a simulator: cluster and AWS in memory, and the life of the controller process between them.

The servers outlive the process. A story is what a user does (create, change, delete, look); `live` starts processes
for it, a new one whenever the last has died, until the story is told. Everything runs on virtual time.
"""

import asyncio
import copy
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from lambent import resources
from lambent.clock import VirtualTimeLoop
from lambent.kube.events import EventRecorder
from lambent.kube.fake import FakeKube
from lambent.kube.fake.wire import Wire, WiredKube
from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK, KubeObject
from lambent.resources.fake.aws import FakeAws
from lambent.resources.fake.wired import WiredClients
from lambent.resources.kinds import TIER_1
from lambent.workflow.controller import WorkflowController
from lambent.workflow.crds import crds as workflow_crds
from lambent.workflow.spec import load_paths

EXAMPLE = Path(__file__).parents[2] / "examples" / "lambda-workload"
ARCHIVE = GVK("example.lambent.dev", "v1", "EventArchive")
KINDS = {kind.kind: kind.gvk for kind in TIER_1}
NAMESPACE = "archives"
RESTART_S = 1.0
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_CREATIONS = ("CreateBucket", "CreatePolicy", "CreateRole", "CreateFunction")
_VOLATILE_META = ("uid", "resourceVersion", "creationTimestamp", "generation")
# Identities and moments; and what a resource shows of others, which follows at its next look, or of its past.
_VOLATILE = ("Id", "ID", "CreateDate", "UpdateDate", "created", "observedGeneration", "attachmentCount",
             "astUpdateStatus")  # fmt: skip
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+0000)")


class Simulation:
    """`kube` and `aws` are the servers; `clock_offset_s` moves the wall clock of the processes."""

    def __init__(self) -> None:
        self.clock_offset_s = 0.0
        self.kube = FakeKube(crds=[*workflow_crds(), *resources.crds()], now=server_now)
        self.aws = FakeAws(now=server_now)
        self.aws.functions.settling_reads = 1
        self.hub: InformerHub | None = None
        self.lives = 0
        for obj in manifests():
            self.kube.put(copy.deepcopy(obj))

    def now(self) -> datetime:
        """The wall clock of the processes."""
        return server_now() + timedelta(seconds=self.clock_offset_s)

    async def live(self, story: Awaitable[Any], *, first: Wire | None = None, wire: Callable[[], Wire] = Wire) -> Any:
        """The story's result. `first` is the first process' wire, `wire` makes those of the others."""
        telling = asyncio.ensure_future(story)
        try:
            await self._one_life(first or wire(), telling)
            while not telling.done():
                await asyncio.sleep(RESTART_S)
                await self._one_life(wire(), telling)
            return await telling
        finally:
            telling.cancel()

    async def _one_life(self, wire: Wire, telling: "asyncio.Future[Any]") -> None:
        """Until the process dies or the story is told; a controller that ends by itself is a defect."""
        self.lives += 1
        kube = WiredKube(self.kube, wire)
        self.hub = hub = InformerHub(kube, linger_s=0)
        settings = resources.ResourceSettings(account_id=self.aws.account_id, region=self.aws.region)
        recorder = EventRecorder(kube, "lambent-workflow", now=self.now)
        controllers: list[Any] = [
            WorkflowController(kube, hub, recorder=recorder, now=self.now),
            *resources.controllers(kube, hub, WiredClients(self.aws, wire), settings, now=self.now),
        ]
        tasks = [asyncio.ensure_future(controller.run()) for controller in controllers]
        died = asyncio.ensure_future(wire.died.wait())
        try:
            await asyncio.wait({telling, died, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            if not wire.died.is_set() and not telling.done():
                await asyncio.gather(*(task for task in tasks if task.done()))
                raise AssertionError("a controller ended by itself")
        finally:
            for task in (died, *tasks):
                task.cancel()
            await asyncio.gather(died, *tasks, return_exceptions=True)
            await hub.close()

    def create(self, name: str = "orders", **spec: Any) -> None:
        """An archive, as the example's user asks for it; what the CRD's schema would default is said."""
        asked = {"image": "my-lambda-image:0.0.2", "bucket": name, "uniqueSuffix": False, "access": "write", **spec}
        meta = {"name": name, "namespace": NAMESPACE}
        self.kube.put(
            cast(
                KubeObject,
                {"apiVersion": ARCHIVE.api_version, "kind": ARCHIVE.kind, "metadata": meta, "spec": asked},
            )
        )

    def change(self, name: str = "orders", **spec: Any) -> None:
        archive = self.kube.peek(ARCHIVE, name, NAMESPACE)
        assert archive is not None
        archive["spec"].update(spec)
        self.kube.put(archive)

    def delete(self, name: str = "orders") -> None:
        self.kube.terminate(ARCHIVE, name, NAMESPACE)

    def is_ready(self, name: str = "orders") -> bool:
        """The archive is, for its present spec; so are the four resources."""
        places = [(ARCHIVE, "Ready"), *((gvk, "ACK.ResourceSynced") for gvk in KINDS.values())]
        return all(self._is_true(gvk, name, type_) for gvk, type_ in places)

    def _is_true(self, gvk: GVK, name: str, type_: str) -> bool:
        obj = self.kube.peek(gvk, name, NAMESPACE)
        status: dict[str, Any] = (obj.get("status") or {}) if obj else {}
        if obj is None or status.get("observedGeneration") != obj["metadata"]["generation"]:
            return False
        return any(item["type"] == type_ and item["status"] == "True" for item in status.get("conditions") or ())

    def is_gone(self) -> bool:
        return not any(self.kube.peek_all(gvk) for gvk in (ARCHIVE, *KINDS.values()))

    async def until(self, claim: Callable[[], bool], *, within_s: float, every_s: float = 0.1) -> None:
        """Waits in steps of the loop's time; AssertionError with what is there when that is not enough."""
        deadline = asyncio.get_running_loop().time() + within_s
        while not claim():
            assert asyncio.get_running_loop().time() < deadline, f"not within {within_s} s: {self.kubernetes_state()}"
            await asyncio.sleep(every_s)

    def state(self) -> dict[str, Any]:
        """Everything on both servers that must be equal whatever happened on the way."""
        return {"kubernetes": self.kubernetes_state(), "aws": self.aws_state()}

    def kubernetes_state(self) -> list[Any]:
        return [_plain_object(obj) for gvk in (ARCHIVE, *KINDS.values()) for obj in self.kube.peek_all(gvk)]

    def aws_state(self) -> list[Any]:
        held = (self.aws.s3.buckets, self.aws.iam.policies, self.aws.iam.roles, self.aws.functions.functions)
        return [_plain(one) for one in held]

    def creations(self) -> Counter[str]:
        """How often each creation reached AWS."""
        return Counter(call.operation for call in self.aws.calls if call.operation in _CREATIONS)


def server_now() -> datetime:
    return _EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


async def life_of_an_archive(simulation: Simulation, *, within_s: float = 600.0) -> list[Any]:
    """Create, change, delete; the state at rest after each."""
    states = []
    simulation.create()
    await simulation.until(simulation.is_ready, within_s=within_s)
    await asyncio.sleep(30)
    states.append(simulation.state())
    simulation.change(image="my-lambda-image:0.0.3")
    await simulation.until(simulation.is_ready, within_s=within_s)
    await asyncio.sleep(30)
    states.append(simulation.state())
    simulation.delete()
    await simulation.until(simulation.is_gone, within_s=within_s)
    await asyncio.sleep(30)
    return [*states, simulation.state()]


def on_virtual_time(make: Callable[[], Awaitable[Any]], *, seed: int) -> Any:
    """Runs it on a loop of its own, with the process' random numbers from `seed`."""
    random.seed(seed)
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(make(), 1e6))
    finally:
        loop.close()


_MANIFESTS: list[KubeObject] = []


def manifests() -> Iterator[KubeObject]:
    """The example's, CRDs first, without its tests."""
    if not _MANIFESTS:
        documents, problems = load_paths([EXAMPLE / "manifests"])
        assert not problems
        kept = [document.value for document in documents if document.identity.kind != "FunctionTest"]
        _MANIFESTS.extend(
            cast(list[KubeObject], sorted(kept, key=lambda obj: obj["kind"] != "CustomResourceDefinition"))
        )
    yield from _MANIFESTS


def _plain_object(obj: KubeObject) -> Any:
    meta = {name: value for name, value in obj["metadata"].items() if name not in _VOLATILE_META}
    return _plain({**obj, "metadata": meta})


def _plain(value: Any) -> Any:
    """Without what differs between two runs in which the same happens: identities and moments."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if not key.endswith(_VOLATILE)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _STAMP.sub("<time>", _UID.sub("<uid>", value)) if isinstance(value, str) else value
