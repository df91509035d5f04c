"""The workflow controller with a thousand instances of the seed: what a pass costs, memory, and how fast it reacts.

`run() -> dict`: a first controller makes the instances ready against the in-memory API and ends; then a second one
starts on them. Its growth in memory, divided by the instances, counts the caches of the API's objects too. Single
instances change their image, and the time until the Function is patched is measured by the wall clock, with no network.
A third controller with a resync of a few seconds gives steady passes: their CPU (of the process, with the fake API's
own) and their requests.
"""

import asyncio
import contextlib
import copy
import gc
import json
import os
import random
import time
import tracemalloc
from pathlib import Path
from statistics import median, quantiles
from typing import Any, cast

from benchmarks._bars import bar
from lambent.kube.fake import FakeKube
from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK, KubeObject
from lambent.workflow.controller import ControllerSettings, WorkflowController
from lambent.workflow.controller.metrics import PASSES
from lambent.workflow.crds import crds
from lambent.workflow.testing import load

SEED = Path(os.environ.get("LAMBENT_SHARED", Path(__file__).parents[2] / "shared")) / "seeds" / "lambda-workload"
INSTANCES = int(os.environ.get("LAMBENT_INSTANCES", "1000"))
CHANGES = 100
RESYNC_S, WINDOW_S = 4.0, 12.0
BARS = {
    "memory_per_instance_kb": 40.0,
    "reaction_p99_ms": 1000.0,
    "steady_writes": 0.0,
    "steady_pass_requests": 0.0,
    "steady_pass_cpu_ms": 1.0,
}
WORKLOAD = GVK("example.koreo.dev", "v1", "LambdaWorkload")
FUNCTION = GVK("lambda.services.k8s.aws", "v1alpha1", "Function")
KINDS = {
    "buckets": GVK("s3.services.k8s.aws", "v1alpha1", "Bucket"),
    "policies": GVK("iam.services.k8s.aws", "v1alpha1", "Policy"),
    "roles": GVK("iam.services.k8s.aws", "v1alpha1", "Role"),
    "functions": FUNCTION,
    "lambdaworkloads": WORKLOAD,
}
STATUS = {"ackResourceMetadata": {"arn": "arn:aws:x", "ownerAccountID": "123456789012"}, "policyID": "id"}


def _traced_kb() -> float:
    """Memory that Python objects made since the tracing began still hold."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1024


def _cluster() -> tuple[FakeKube, str]:
    """The API with definitions and instances, and the namespace of these."""
    kube = FakeKube(crds=crds())
    for plural, gvk in KINDS.items():
        kube.register(gvk, plural)
    workload: dict[str, Any] = {}
    for document in load([SEED]).documents:
        if document.identity.kind == "LambdaWorkload":
            workload = document.value
        elif document.identity.kind in ("Workflow", "ValueFunction", "ResourceFunction"):
            kube.put(cast(KubeObject, document.value))
    for index in range(INSTANCES):
        one = copy.deepcopy(workload)
        one["metadata"]["name"] = f"workload-{index}"
        kube.put(cast(KubeObject, one))
    return kube, workload["metadata"].get("namespace", "default")


async def _provide(kube: FakeKube, hub: InformerHub) -> None:
    """Makes every managed object ready at once."""

    def on_change(old: KubeObject | None, new: KubeObject | None) -> None:
        if new is not None and not new.get("status"):
            kube.put(cast(KubeObject, {**new, "status": STATUS}))

    async with contextlib.AsyncExitStack() as stack:
        for gvk in list(KINDS.values())[:4]:
            informer = await stack.enter_async_context(hub.use(gvk))
            informer.on_change(on_change)
        await asyncio.Event().wait()


async def _fill(kube: FakeKube) -> float:
    """Seconds until all instances have published what their last resource gave."""
    started, filled = time.perf_counter(), asyncio.Event()
    done: set[str] = set()

    def on_change(old: KubeObject | None, new: KubeObject | None) -> None:
        status = cast(dict[str, Any], new or {}).get("status") or {}
        ready = [one for one in status.get("conditions") or () if one["type"] == "Ready"]
        if new is not None and ready and ready[0]["status"] == "True":
            done.add(new["metadata"]["name"])
        if len(done) == INSTANCES:
            filled.set()

    async with InformerHub(kube) as hub, hub.use(WORKLOAD) as workloads, asyncio.TaskGroup() as group:
        workloads.on_change(on_change)
        tasks = [group.create_task(WorkflowController(kube, hub).run()), group.create_task(_provide(kube, hub))]
        async with asyncio.timeout(300):
            await filled.wait()
        for task in tasks:
            task.cancel()
    return time.perf_counter() - started


async def _measure() -> dict[str, float]:
    kube, namespace = _cluster()
    cpu_s = time.process_time()
    filled_s = await _fill(kube)
    cpu_s = time.process_time() - cpu_s
    fill_requests = len(kube.calls) / INSTANCES
    kube.compact()
    tracemalloc.start()
    async with InformerHub(kube) as hub, asyncio.TaskGroup() as group:
        controller = WorkflowController(kube, hub)
        task = group.create_task(controller.run())
        await controller.ready.wait()
        calls = len(kube.calls)
        await _until_passes(INSTANCES)
        start_requests = (len(kube.calls) - calls) / INSTANCES
        grown = _traced_kb()
        tracemalloc.stop()
        numbers = random.sample(range(INSTANCES), min(CHANGES, INSTANCES))
        reactions = [await _reaction_s(kube, f"workload-{number}", namespace) for number in numbers]
        task.cancel()
    return {
        "fill_s": filled_s,
        "fill_cpu_ms_per_instance": cpu_s / INSTANCES * 1e3,
        "fill_requests_per_instance": fill_requests,
        "start_requests_per_instance": start_requests,
        "memory_per_instance_kb": grown / INSTANCES,
        "reaction_median_ms": median(reactions) * 1e3,
        "reaction_p99_ms": quantiles(reactions, n=100)[98] * 1e3,
        **await _steady(kube),
    }


def _passes() -> float:
    """Passes of this process so far, of whatever outcome."""
    return sum(sample.value for sample in PASSES.samples)


async def _until_passes(more: int) -> None:
    wanted = _passes() + more
    async with asyncio.timeout(300):
        while _passes() < wanted:  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0.05)


async def _steady(kube: FakeKube) -> dict[str, float]:
    """Of the passes in a window in which nothing changes."""
    async with InformerHub(kube) as hub, asyncio.TaskGroup() as group:
        settings = ControllerSettings(resync_s=RESYNC_S)
        task = group.create_task(WorkflowController(kube, hub, settings=settings).run())
        # The first passes still publish what the last changes came to.
        await _until_passes(3 * INSTANCES)
        found = await _window(kube)
        task.cancel()
    return found


async def _window(kube: FakeKube) -> dict[str, float]:
    calls, writes, passes, cpu = len(kube.calls), len(kube.writes()), _passes(), time.process_time()
    await asyncio.sleep(WINDOW_S)
    done = _passes() - passes
    watches = sum(call.verb == "watch" for call in kube.calls[calls:])
    return {
        "steady_passes": done,
        "steady_pass_cpu_ms": (time.process_time() - cpu) / done * 1e3,
        "steady_pass_requests": (len(kube.calls) - calls - watches) / done,
        "steady_writes": len(kube.writes()) - writes,
    }


async def _reaction_s(kube: FakeKube, name: str, namespace: str) -> float:
    """Seconds from the change of an image to the patch of the Function."""
    started, calls = time.perf_counter(), len(kube.calls)
    await kube.patch(WORKLOAD, name, {"spec": {"image": "my-lambda-image:0.0.9"}}, namespace=namespace)
    async with asyncio.timeout(10):
        while not any(  # noqa: ASYNC110 - the fake tells nobody
            call.verb == "patch" and call.gvk == FUNCTION for call in kube.calls[calls:]
        ):
            await asyncio.sleep(0)
    return time.perf_counter() - started


def run() -> dict[str, Any]:
    """Figures and which bars hold."""
    if not SEED.is_dir():
        return {"skipped": "the seed is not in ../shared/seeds/lambda-workload"}
    figures = asyncio.run(_measure())
    return {
        "instances": INSTANCES,
        "figures": {name: round(value, 3) for name, value in figures.items()},
        "bars": {name: bar(figures[name], limit) for name, limit in BARS.items()},
    }


def main() -> None:
    print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    main()
