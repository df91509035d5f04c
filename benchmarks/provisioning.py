"""Provisioning at scale: instances of the example's five-step workflow from nothing to Ready, on `lambent up`.

One process holds all parts, state on disk, moto behind the AWS port, as a user has it. `run() -> dict`: seconds until
the last instance is Ready, seconds until one more is among them, and where the time went. 100 instances, or the
promise's 1000 with `--full` (or LAMBENT_PROMISES=full); the smaller run has its share of the limit. One process uses
one core, so `cpu_ms_per_instance` and `requests_per_instance` (some 50 together) tell more than seconds do where the
machine is busy.
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from benchmarks._sampling import Sampling
from lambent.kube.informer import Informer, InformerHub
from lambent.kube.types import GVK, Key, KubeObject
from lambent.platform import images
from lambent.platform.apply import Applier, read_manifests
from lambent.platform.daemon import run as run_loop
from lambent.platform.daemon import spare_the_collector
from lambent.platform.up import Up
from lambent.settings import Settings
from lambent.telemetry import REGISTRY

FULL, SHORT = 1000, 100
LIMIT_S, ONE_MORE_LIMIT_S = 60.0, 2.0
EXAMPLE = Path(__file__).parent.parent / "examples" / "lambda-workload"
ARCHIVE = GVK("example.lambent.dev", "v1", "EventArchive")
NAMESPACE = "archives"
IN_FLIGHT = 32
# Beyond it the run is broken, not slow.
BOUND_S = 280.0


def is_full() -> bool:
    return "--full" in sys.argv or os.environ.get("LAMBENT_PROMISES") == "full"


def archive(name: str) -> KubeObject:
    meta = {"name": name, "namespace": NAMESPACE}
    spec = {"image": "my-lambda-image:0.0.2", "bucket": name}
    found = {"apiVersion": ARCHIVE.api_version, "kind": ARCHIVE.kind, "metadata": meta, "spec": spec}
    return cast(KubeObject, found)


async def start(directory: Path, **controllers: Any) -> Up:
    """A platform with the example's definitions and image, and no instance."""
    settings = Settings(state=directory)
    settings = replace(
        settings,
        aws=replace(settings.aws, port=0),
        kube=replace(settings.kube, port=0),
        controllers=replace(settings.controllers, **controllers),
    )
    up = Up(settings, echo=None)
    await up.startup()
    spare_the_collector()
    await images.build_and_push(
        EXAMPLE / "app", handler="archive.handler", tag="my-lambda-image:0.0.2", registry=up.endpoints.aws
    )
    refused = await Applier(up.kube, create_namespace=False, tell=lambda text: None).apply(
        read_manifests([EXAMPLE / "manifests"])
    )
    assert not refused
    return up


async def create(up: Up, names: list[str]) -> None:
    limit = asyncio.Semaphore(IN_FLIGHT)

    async def one(name: str) -> None:
        async with limit:
            await up.kube.create(archive(name))

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(one(name))


class Readiness:
    """Follows the archives: which are Ready."""

    def __init__(self, informer: Informer) -> None:
        self._ready: set[str] = set()
        self._changed = asyncio.Event()
        informer.on_change(self._note)

    def _note(self, old: KubeObject | None, new: KubeObject | None) -> None:
        if new is not None and _is_ready(new):
            self._ready.add(Key.of(new).name)
            self._changed.set()

    async def all_of(self, names: list[str]) -> None:
        async with asyncio.timeout(BOUND_S):
            while not self._ready.issuperset(names):
                self._changed.clear()
                await self._changed.wait()


def _is_ready(obj: KubeObject) -> bool:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def requests() -> Counter[str]:
    """What was asked of the two APIs so far: each AWS operation, each verb and resource of Kubernetes."""
    return counted("lambent_aws_requests_total", "lambent_kubeserver_requests_total")


def counted(*metrics: str) -> Counter[str]:
    """Samples of counters by their labels, of whatever code."""
    found: Counter[str] = Counter()
    for metric in REGISTRY.collect():
        if metric.name in metrics:
            for sample in metric.samples:
                names = [value for key, value in sample.labels.items() if key != "code"]
                found[" ".join(names)] += int(sample.value)
    return found


def passes() -> int:
    """Of all workflows so far."""
    return counted("lambent_workflow_passes_total").total()


async def measure(instances: int) -> dict[str, Any]:
    names = [f"bench-{number:04}" for number in range(instances)]
    with tempfile.TemporaryDirectory(prefix="lambent-bench-") as directory:
        up = await start(Path(directory) / "state")
        try:
            async with InformerHub(up.kube) as hub, hub.use(ARCHIVE) as informer:
                await informer.synced.wait()
                readiness = Readiness(informer)
                before, passed = requests(), passes()
                with Sampling() as sampling:
                    begin, cpu = time.perf_counter(), time.process_time()
                    await create(up, names)
                    created_s = time.perf_counter() - begin
                    await readiness.all_of(names)
                    seconds, cpu_s = time.perf_counter() - begin, time.process_time() - cpu
                asked, passed = requests() - before, passes() - passed
                await asyncio.sleep(1)
                begin = time.perf_counter()
                await create(up, ["bench-one-more"])
                await readiness.all_of(["bench-one-more"])
                one_more_s = time.perf_counter() - begin
        finally:
            await up.shutdown()
    return {
        "instances": instances,
        "seconds": round(seconds, 2),
        "created_s": round(created_s, 2),
        "cpu_s": round(cpu_s, 2),
        "cpu_ms_per_instance": round(cpu_s / instances * 1e3, 1),
        "one_more_s": round(one_more_s, 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "passes_per_instance": round(passed / instances, 2),
        "requests_per_instance": {
            name: round(count / instances, 2) for name, count in asked.most_common() if count * 2 >= instances
        },
        "busy_percent_by_part": sampling.shares(),
    }


def bar(value: float, limit: float) -> dict[str, Any]:
    return {"value": value, "limit": limit, "ok": value <= limit}


def run() -> dict[str, Any]:
    instances = FULL if is_full() else SHORT
    figures = run_loop(lambda: measure(instances))
    return {
        **figures,
        "bars": {
            "all_ready_s": bar(figures["seconds"], LIMIT_S * instances / FULL),
            "one_more_s": bar(figures["one_more_s"], ONE_MORE_LIMIT_S),
        },
    }


def main() -> None:
    print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    main()
