"""Many objects at rest: writes, CPU and memory of the API server and the controllers in one process.

Instances of the example's workflow, five objects each, on the embedded API server in memory, against an AWS in memory
(moto's own cost would hide ours). `run() -> dict`: after all are Ready, the CPU of a window in which nothing is due;
then controllers are started anew, so that each object is looked at once, and the CPU of that is spread over the default
resync. 10 000 objects, or LAMBENT_OBJECTS; of fewer each bears more of what is there once.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.provisioning import ARCHIVE, EXAMPLE, Readiness, archive, bar
from lambent import resources
from lambent.kube.informer import InformerHub
from lambent.kubeserver import KubeServer
from lambent.platform.apply import Applier, read_manifests
from lambent.platform.crds import apply_crds
from lambent.platform.daemon import run as run_loop
from lambent.platform.daemon import spare_the_collector
from lambent.resources.fake import FakeAws
from lambent.workflow.controller import WorkflowController

OBJECTS = int(os.environ.get("LAMBENT_OBJECTS", "10000"))
PER_INSTANCE = 5
CORE_PERCENT_LIMIT, KB_LIMIT = 3.0, 40.0
IDLE_S = 8.0
RESYNC_S = 600.0  # the default
IN_FLIGHT = 64


def rss_kb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4.0


@asynccontextmanager
async def controlled(kube: Any, hub: InformerHub, aws: FakeAws) -> AsyncIterator[None]:
    """The controllers as a process that has just started has them, at the default resync."""
    settings = resources.ResourceSettings(account_id=aws.account_id, resync_s=RESYNC_S)
    built: list[Any] = [WorkflowController(kube, hub), *resources.controllers(kube, hub, aws, settings)]
    running = [asyncio.ensure_future(controller.run()) for controller in built]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def measure(instances: int) -> dict[str, Any]:
    server, aws = KubeServer(state_dir=None), FakeAws()
    await server.open()
    kube = server.local_client()
    await apply_crds(kube)
    assert not await Applier(kube, create_namespace=False, tell=lambda text: None).apply(
        read_manifests([EXAMPLE / "manifests"])
    )
    spare_the_collector()
    before_kb = rss_kb()
    async with InformerHub(kube) as hub:
        async with controlled(kube, hub, aws), hub.use(ARCHIVE) as informer:
            await informer.synced.wait()
            ready_s = await _provision(kube, Readiness(informer), instances)
            await _until_quiet(aws)
            aws.calls.clear()
            gc.collect()
            memory_kb = rss_kb() - before_kb
            idle_percent, looks_meanwhile = await _cpu_percent(IDLE_S), len(aws.calls)
        # The first look after the last write may still record what it sees.
        async with controlled(kube, hub, aws):
            await _until_quiet(aws)
        aws.calls.clear()
        version, cpu = await _version(kube), time.process_time()
        async with controlled(kube, hub, aws):
            await _until_quiet(aws)
        look_cpu_s = time.process_time() - cpu
        writes = len(aws.writes()) + await _version(kube) - version
    await server.shutdown()
    return {
        "objects": instances * PER_INSTANCE,
        "ready_s": round(ready_s, 1),
        "idle_core_percent": round(idle_percent, 2),
        "reads_while_idle": looks_meanwhile,
        "cpu_ms_per_look": round(look_cpu_s * 1e3 / (instances * (PER_INSTANCE - 1)), 2),
        "core_percent": round(idle_percent + look_cpu_s / RESYNC_S * 100, 2),
        "aws_reads": len(aws.calls),
        "writes": writes,
        "rss_kb_per_object": round(memory_kb / (instances * PER_INSTANCE), 1),
    }


async def _provision(kube: Any, readiness: Readiness, instances: int) -> float:
    names = [f"bench-{number:05}" for number in range(instances)]
    begin, limit = time.perf_counter(), asyncio.Semaphore(IN_FLIGHT)

    async def create(name: str) -> None:
        async with limit:
            await kube.create(archive(name))

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(create(name))
    await readiness.all_of(names)
    return time.perf_counter() - begin


async def _until_quiet(aws: FakeAws) -> None:
    """Until nothing has been asked of AWS for three seconds."""
    seen = -1
    while seen != len(aws.calls):
        seen = len(aws.calls)
        await asyncio.sleep(3)


async def _version(kube: Any) -> int:
    """The server's counter of committed changes."""
    async for page in kube.list(ARCHIVE, limit=1):
        return int(page.resource_version)
    raise AssertionError("a list has a page")


async def _cpu_percent(seconds: float) -> float:
    begin, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    return 100 * (time.process_time() - cpu) / (time.perf_counter() - begin)


def run() -> dict[str, Any]:
    figures = run_loop(lambda: measure(OBJECTS // PER_INSTANCE))
    return {
        **figures,
        "python": sys.version.split()[0],
        "bars": {
            "writes": bar(figures["writes"], 0),
            "core_percent": bar(figures["core_percent"], CORE_PERCENT_LIMIT),
            "rss_kb_per_object": bar(figures["rss_kb_per_object"], KB_LIMIT),
        },
    }


def main() -> None:
    print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    main()
