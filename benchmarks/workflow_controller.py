"""The workflow controller with a thousand instances of the seed: memory of each, and how fast it reacts.

`run() -> dict`: a first controller makes the instances ready against the in-memory API and ends; then a second one
starts on them. Its growth in memory, divided by the instances, counts the caches of the API's objects too. Then single
instances change their image, and the time until the Function is patched is measured by the wall clock, with no network.
"""

import asyncio
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

from lambent.kube.fake import FakeKube
from lambent.kube.informer import InformerHub
from lambent.kube.types import GVK, KubeObject
from lambent.workflow.controller import WorkflowController
from lambent.workflow.crds import crds
from lambent.workflow.testing import load

SEED = Path(os.environ.get("LAMBENT_SHARED", Path(__file__).parents[2] / "shared")) / "seeds" / "lambda-workload"
INSTANCES = int(os.environ.get("LAMBENT_INSTANCES", "1000"))
CHANGES = 100
BARS = {"memory_per_instance_kb": 40.0, "reaction_p99_ms": 1000.0, "steady_writes": 0.0}
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

    for gvk in list(KINDS.values())[:4]:
        informer = await hub.use(gvk).__aenter__()
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

    async with InformerHub(kube) as hub, asyncio.TaskGroup() as group:
        workloads = await hub.use(WORKLOAD).__aenter__()
        workloads.on_change(on_change)
        tasks = [group.create_task(WorkflowController(kube, hub).run()), group.create_task(_provide(kube, hub))]
        async with asyncio.timeout(300):
            await filled.wait()
        for task in tasks:
            task.cancel()
    return time.perf_counter() - started


async def _measure() -> dict[str, float]:
    kube, namespace = _cluster()
    filled_s = await _fill(kube)
    kube.compact()
    tracemalloc.start()
    async with InformerHub(kube) as hub, asyncio.TaskGroup() as group:
        controller = WorkflowController(kube, hub)
        task = group.create_task(controller.run())
        await controller.ready.wait()
        writes = len(kube.writes())
        await asyncio.sleep(INSTANCES * 0.01 + 5)
        grown = _traced_kb()
        tracemalloc.stop()
        steady_writes = len(kube.writes()) - writes
        reactions = [
            await _reaction_s(kube, f"workload-{random.randrange(INSTANCES)}", namespace) for _ in range(CHANGES)
        ]
        task.cancel()
    return {
        "fill_s": filled_s,
        "memory_per_instance_kb": grown / INSTANCES,
        "steady_writes": steady_writes,
        "reaction_median_ms": median(reactions) * 1e3,
        "reaction_p99_ms": quantiles(reactions, n=100)[98] * 1e3,
    }


async def _reaction_s(kube: FakeKube, name: str, namespace: str) -> float:
    started, calls = time.perf_counter(), len(kube.calls)
    body = {"metadata": {"annotations": {"koreo.dev/last-manual-reconcile": str(started)}}}
    await kube.patch(WORKLOAD, name, body, namespace=namespace)
    while not any(call.verb == "get" and call.gvk == FUNCTION for call in kube.calls[calls:]):
        await asyncio.sleep(0)
        if time.perf_counter() - started > 10:
            break
    return time.perf_counter() - started


def run() -> dict[str, Any]:
    """Figures and which bars hold."""
    if not SEED.is_dir():
        return {"skipped": "the seed is not in ../shared/seeds/lambda-workload"}
    figures = asyncio.run(_measure())
    return {
        "instances": INSTANCES,
        "figures": {name: round(value, 3) for name, value in figures.items()},
        "bars": {name: figures[name] <= bar for name, bar in BARS.items()},
    }


def main() -> None:
    print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    main()
