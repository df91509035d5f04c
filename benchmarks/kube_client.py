"""The Kubernetes client and controller core: requests, watch events, lists, import, 10 000 objects reconciled.

`run() -> dict`: medians of five rounds. The server is canned bytes in a process of its own, so that the figures are
the client's. `get_over_bare_aiohttp`: our rate over that of the HTTP library alone. `control_10k_s`: 10 000 custom
resources, each status-written once by informer, queue and eight workers, through the embedded server without a socket;
`control_10k_http_s`: the same over HTTP with the server in a process of its own, its store on disk. `*_cpu_s`: CPU
seconds of the controller's process (in process, the server's too), `*_server_cpu_s` of the other; `*_rest_cpu`: its
share of a core with no work.
"""

import asyncio
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import aiohttp
import orjson
import uvloop

from benchmarks._bars import bar
from benchmarks._compiled import compile_package
from benchmarks.kubeserver import Server
from lambent.kube.client import KubeClient
from lambent.kube.controller import Context, Controller
from lambent.kube.credentials import StaticCredentials
from lambent.kube.http_client import HttpClient
from lambent.kube.informer import InformerHub
from lambent.kube.kubeconfig import ClusterConfig
from lambent.kube.outcome import Done, Outcome
from lambent.kube.types import GVK, Key, KubeObject, WatchOptions
from lambent.kube.watch import WatchDecoder
from lambent.kubeserver import KubeServer
from lambent.platform.daemon import spare_the_collector

ROUNDS = 5
GIZMO = GVK("bench.example.org", "v1", "Gizmo")
NAMESPACE = "default"
EVENTS = 20_000
CONTROLLED = 10_000
REST_S = 3


def gizmo(number: int, size_bytes: int = 2_500) -> KubeObject:
    """A custom resource of about that size as JSON."""
    meta = {"name": f"g{number:05}", "namespace": NAMESPACE, "resourceVersion": str(number + 1), "uid": f"u{number}"}
    spec = {f"member{index}": "x" * 90 for index in range(size_bytes // 108)}
    return cast(KubeObject, {"apiVersion": GIZMO.api_version, "kind": "Gizmo", "metadata": meta, "spec": spec})


def _head(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length


class _Canned(asyncio.Protocol):
    """Answers by the path alone."""

    answers: dict[bytes, bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        path = data.split(b" ", 2)[1].split(b"?", 1)[0]
        if b"watch=1" in data:
            path = b"watch"
        self._transport.write(self.answers[path])


def _answers() -> dict[bytes, bytes]:
    resources = [{"name": "gizmos", "kind": "Gizmo", "namespaced": True, "verbs": ["get", "list", "watch"]}]
    documents = {
        "/api": {},
        "/apis": {},
        "/apis/bench.example.org/v1": {"groupVersion": "bench.example.org/v1", "resources": resources},
        "/apis/bench.example.org/v1/namespaces/default/gizmos/a": gizmo(1),
        "/apis/bench.example.org/v1/namespaces/default/gizmos": {
            "items": [gizmo(number) for number in range(1000)],
            "metadata": {"resourceVersion": "9"},
        },
    }
    bodies = {path.encode(): orjson.dumps(document) for path, document in documents.items()}
    bodies[b"watch"] = _events()
    return {path: _head(len(body)) + body for path, body in bodies.items()}


def _events() -> bytes:
    return b"".join(orjson.dumps({"type": "ADDED", "object": gizmo(n)}) + b"\n" for n in range(EVENTS))


def _serve(ports: "multiprocessing.Queue[int]") -> None:
    async def main() -> None:
        _Canned.answers = _answers()
        server = await asyncio.get_running_loop().create_server(_Canned, "127.0.0.1", 0)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


async def _rate(call: Callable[[], Awaitable[object]], *, count: int, at_once: int) -> float:
    async def worker() -> None:
        for _ in range(count // at_once):
            await call()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return count / (time.perf_counter() - started)


async def _client_figures(port: int) -> dict[str, float]:
    url = f"http://127.0.0.1:{port}"
    async with HttpClient(ClusterConfig(url)) as client, aiohttp.ClientSession() as session:
        path = (await client.resolve(GIZMO)).path(NAMESPACE, "a")

        async def get() -> object:
            return await client.get(GIZMO, "a")

        async def bare_get() -> object:
            async with session.get(url + path) as response:
                return orjson.loads(await response.read())

        async def list_all() -> object:
            return [page async for page in client.list(GIZMO, namespace=NAMESPACE, limit=1000)]

        async def watch() -> object:
            return [None async for _ in client.watch(GIZMO, namespace=NAMESPACE, options=WatchOptions("1"))]

        await _rate(get, count=200, at_once=1)
        pairs = [[await _rate(one, count=4_000, at_once=1) for one in (get, bare_get)] for _ in range(ROUNDS)]
        figures = {
            "get_per_s_c1": [ours for ours, _ in pairs],
            "get_over_bare_aiohttp": [ours / bare for ours, bare in pairs],
            "get_per_s_c32": [await _rate(get, count=8_000, at_once=32) for _ in range(ROUNDS)],
            "watch_events_per_s": [EVENTS * await _rate(watch, count=1, at_once=1) for _ in range(ROUNDS)],
            "list_1000_ms": [1000 / await _rate(list_all, count=2, at_once=1) for _ in range(ROUNDS)],
        }
    return {name: round(statistics.median(values), 2) for name, values in figures.items()}


def _decoder_rate() -> float:
    data = _events()
    chunks = [data[start : start + 65_536] for start in range(0, len(data), 65_536)]
    rates = []
    for _ in range(ROUNDS):
        decoder, started = WatchDecoder(), time.perf_counter()
        count = sum(len(decoder.feed(chunk)) for chunk in chunks)
        rates.append(count / (time.perf_counter() - started))
    return round(statistics.median(rates), 1)


def _crd() -> KubeObject:
    open_object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": open_object, "status": open_object}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    names = {"kind": "Gizmo", "plural": "gizmos", "singular": "gizmo", "listKind": "GizmoList"}
    spec = {"group": GIZMO.group, "scope": "Namespaced", "names": names, "versions": [version]}
    crd: dict[str, Any] = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return cast(KubeObject, {**crd, "metadata": {"name": f"gizmos.{GIZMO.group}"}, "spec": spec})


async def _fill(client: KubeClient, count: int) -> None:
    await client.create(_crd())
    for start in range(0, count, 100):
        objects = [gizmo(number) for number in range(start, start + 100)]
        for obj in objects:
            del obj["metadata"]["resourceVersion"]
        await asyncio.gather(*(client.create(obj) for obj in objects))


async def _control(client: KubeClient, count: int) -> tuple[float, float, float]:
    """Seconds and CPU seconds until each object's status is written; the share of a core taken at rest after it."""
    await _fill(client, count)
    finished, done = 0, asyncio.Event()

    async def reconcile(key: Key, context: Context) -> Outcome:
        nonlocal finished
        obj = context.informer.get(key)
        if obj is None or (obj.get("status") or {}).get("seen"):
            return Done()
        body = {"status": {"seen": True}}
        await client.patch(GIZMO, key.name, body, namespace=key.namespace, subresource="status")
        finished += 1
        if finished == count:
            done.set()
        return Done()

    started, started_cpu = time.perf_counter(), time.process_time()
    async with InformerHub(client) as hub:
        controller = Controller("bench", reconcile, hub=hub, kind=GIZMO)
        run = asyncio.create_task(controller.run())
        await done.wait()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
        await asyncio.sleep(2)  # the last events are still on their way
        cpu = time.process_time()
        await asyncio.sleep(REST_S)
        share = (time.process_time() - cpu) / REST_S
        await controller.shutdown()
        await run
    return seconds, cpu_seconds, share


async def _control_in_process(count: int = CONTROLLED) -> tuple[float, float, float]:
    spare_the_collector()  # as in a daemon
    server = KubeServer(state_dir=None)
    await server.open()
    try:
        return await _control(server.local_client(), count)
    finally:
        await server.shutdown()


async def _control_over_http(count: int = CONTROLLED) -> tuple[float, float, float, float]:
    """The server is another process with its store on disk; last its CPU seconds, those for making the objects too."""
    with tempfile.TemporaryDirectory() as name:
        async with Server(Path(name)) as server:
            config = ClusterConfig(f"http://127.0.0.1:{server.port}", StaticCredentials(token=server.token))
            async with HttpClient(config) as client:
                measured = await _control(client, count)
                return *measured, server.cpu_s()


def _import_ms(clock: str) -> float:
    """Of the client's module, beyond a bare interpreter, by a clock of `time`."""
    code = f"from time import {clock} as now; t = now(); import lambent.kube.http_client; print(now() - t)"
    times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(ROUNDS)]
    return round(statistics.median(times) * 1000, 1)


def _control_figures(prefix: str, measured: tuple[float, ...]) -> dict[str, float]:
    names = (f"{prefix}_s", f"{prefix}_cpu_s", f"{prefix}_rest_cpu", f"{prefix}_server_cpu_s")
    return {name: round(value, 4) for name, value in zip(names, measured, strict=False)}


def _bars(figures: dict[str, float]) -> dict[str, Any]:
    return {
        "get_per_s_c1": bar(figures["get_per_s_c1"], 6_000, at_least=True),
        "watch_events_per_s": bar(figures["watch_events_per_s"], 80_000, at_least=True),
        "import_ms": bar(figures["import_ms"], 200),
        "control_10k_s": bar(figures["control_10k_s"], 5),
        "control_10k_http_s": bar(figures["control_10k_http_s"], 10),
    }


def run() -> dict[str, object]:
    compile_package()
    context = multiprocessing.get_context("spawn")
    ports: multiprocessing.Queue[int] = context.Queue()
    server = context.Process(target=_serve, args=(ports,), daemon=True)
    server.start()
    try:
        figures = dict(uvloop.run(_client_figures(ports.get(timeout=30))))
    finally:
        server.terminate()
        server.join(5)
    figures["decoder_events_per_s"] = _decoder_rate()
    figures["import_ms"], figures["import_cpu_ms"] = _import_ms("perf_counter"), _import_ms("process_time")
    figures |= _control_figures("control_10k", uvloop.run(_control_in_process()))
    figures |= _control_figures("control_10k_http", uvloop.run(_control_over_http()))
    return figures | {"bars": _bars(figures)}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
