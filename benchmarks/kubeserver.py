"""The embedded API server: requests over loopback and in process, lists, watchers, memory, time to ready.

`run() -> dict`: medians of five rounds. The server is a process of its own with its store on disk; `per_core` figures
are requests by CPU second of that process, so that the client's share does not count; beside a bar of wall time stands
the CPU time it took, which another load on the machine moves less. Objects have about 3 kB.
With 100 watchers, rounds without and with them take turns, `kept` is the one over the other, and another process reads;
a delivery is timed from before its PUT is sent. `put_per_core_kept_by_bare_sends` is what would be kept if the watches
cost no more than the system takes to copy their bytes: the most that this share can be at this PUT rate. A PUT in
process is also told as a multiple of what its JSON alone takes, in turns, which moves less with the machine.
"""

import asyncio
import gc
import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import orjson
import uvloop

from benchmarks._bare_sends import cpu_us_per_change
from benchmarks._bars import bar
from benchmarks._compiled import compile_package
from lambent.kube.types import KubeObject
from lambent.kubeserver import KubeServer
from lambent.kubeserver.reads.channels import LONGEST_PAUSE_S
from lambent.platform.daemon import spare_the_collector

ROUNDS = 5
TABLES = 25
IN_FLIGHT = 32
OBJECTS = 10_000
WATCHERS = 100
DELIVERY_S = 1.0
_TICKS = os.sysconf("SC_CLK_TCK")
_ROOT = "/apis/bench.example.org/v1/namespaces/default/gizmos"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

_MEMBER = {"type": "string"}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gizmos.bench.example.org"},
    "spec": {
        "group": "bench.example.org",
        "scope": "Namespaced",
        "names": {"plural": "gizmos", "kind": "Gizmo"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "additionalProperties": _MEMBER},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


def gizmo(number: int, turn: int = 0, version: str = "") -> dict[str, Any]:
    spec = {f"member{index:02}": "x" * 80 for index in range(26)} | {"turn": str(turn)}
    meta = {"name": f"g{number:05}", "namespace": "default", "resourceVersion": version}
    return {"apiVersion": "bench.example.org/v1", "kind": "Gizmo", "metadata": meta, "spec": spec}


class Wire(asyncio.Protocol):
    """One keep-alive connection that sends whole requests and reads whole answers, one at a time.

    It does as little as it can, since it has to share the machine with the server.
    """

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        self._got = bytearray()
        self._body = 0
        self._length = 0
        self._answer: asyncio.Future[bytes]

    async def open(self) -> "Wire":
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
        self._write = transport.write
        return self

    def data_received(self, data: bytes) -> None:
        if self._answer.done():  # the events of a watch
            return
        self._got += data
        if not self._body:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            self._body = end + 4
            given = self._got[: self._body].lower().partition(b"content-length: ")[2]
            self._length = int(given.partition(b"\r\n")[0] or 0)
        if len(self._got) >= self._body + self._length:
            self._answer.set_result(bytes(self._got[self._body :]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed the connection"))

    async def ask(self, method: str, path: str, raw: bytes = b"", *, accept: str = "application/json") -> bytes:
        """The body of the answer; `raw` is the request's."""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Accept: {accept}\r\nContent-Length: {len(raw)}\r\n\r\n"
        return await self._sent(head.encode() + raw)

    async def begin(self, path: str) -> None:
        """Sends a GET and waits for the head of its answer."""
        await self._sent(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())

    async def _sent(self, request: bytes) -> bytes:
        self._got.clear()
        self._body = self._length = 0
        self._answer = asyncio.get_running_loop().create_future()
        self._write(request)
        return await self._answer


_TURN = re.compile(rb'"turn":"(\d{6,})"')


class _Reader(asyncio.BufferedProtocol):
    """One watch: counts the events, and times them from before their PUT was sent if `late_ms` is a list.

    It looks at each byte as little as it can, since the readers have to share the machine with the server: a line ends
    in a newline alone, and what frames it in one after a carriage return.
    """

    _buffer = bytearray(1 << 18)  # of all of them, as each read is looked at before the next

    def __init__(self, head: bytes, late_ms: list[float] | None) -> None:
        self.count = 0
        self._head = head
        self._late_ms = late_ms

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._head)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.count += self._buffer.count(b"\n", 0, nbytes) - self._buffer.count(b"\r", 0, nbytes)
        if self._late_ms is not None:
            now = time.perf_counter_ns()
            self._late_ms += [(now - int(turn)) / 1e6 for turn in _TURN.findall(self._buffer, 0, nbytes)]


async def _read_watches(port: int, token: str, version: str) -> None:
    """A process of a hundred watches; says when they are open, and after a line of input what they have seen."""
    head = f"GET {_ROOT}?watch=1&resourceVersion={version}&timeoutSeconds=300 HTTP/1.1\r\nHost: localhost\r\n"
    raw = f"{head}Authorization: Bearer {token}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    late_ms: list[float] = []
    readers: list[_Reader] = []

    def reader() -> _Reader:
        readers.append(_Reader(raw, None if readers else late_ms))
        return readers[-1]

    for _ in range(WATCHERS):
        await loop.create_connection(reader, "127.0.0.1", port)
    print("open", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    await asyncio.sleep(DELIVERY_S)
    late_ms.sort()
    times = [late_ms[int(len(late_ms) * part)] for part in (0.5, 0.99)] if late_ms else [0, 0]
    print(json.dumps([sum(one.count for one in readers), *times]), flush=True)


class Server:
    """The server process: `lambent kubeserver` with this state directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def __aenter__(self) -> "Server":
        started = time.perf_counter()
        command = (sys.executable, "-m", "lambent", "kubeserver", "--state", str(self._directory), "--kube-port", "0")
        self._process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert self._process.stdout is not None
        await self._process.stdout.readline()
        found = re.search(r"https://127.0.0.1:(\d+)", (self._directory / "kubeconfig").read_text())
        assert found is not None
        self.port = int(found[1])
        self.token = (self._directory / "token").read_text()
        assert await (await self.wire()).ask("GET", "/readyz") == b"ok"
        self.ready_s = time.perf_counter() - started
        self.ready_cpu_s = self.cpu_s()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.wait()

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mb(self) -> float:
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    async def wire(self) -> Wire:
        return await Wire(self.port, self.token).open()

    async def spread(self, total: int, work: Any) -> tuple[float, float]:
        """`work(wire, number)` for each number over 32 connections; (per second, per CPU second of the server)."""
        wires = [await self.wire() for _ in range(IN_FLIGHT)]
        numbers = iter(range(total))
        began, cpu = time.perf_counter(), self.cpu_s()

        async def one(wire: Wire) -> None:
            for number in numbers:
                await work(wire, number)

        await asyncio.gather(*(one(wire) for wire in wires))
        return total / (time.perf_counter() - began), total / max(self.cpu_s() - cpu, 1e-3)


_VERSION = re.compile(rb'"resourceVersion":"(\d+)"')
_PUT = orjson.dumps(gizmo(99_999, 88_888, "77777"))
_PUT = _PUT.replace(b"g99999", b"g%05d").replace(b'"88888"', b'"%d"').replace(b'"77777"', b'"%b"')


def _version_in(answer: bytes) -> bytes:
    found = _VERSION.search(answer)
    assert found is not None, answer
    return found[1]


async def _puts(server: Server, count: int) -> tuple[float, float]:
    versions: dict[int, bytes] = {}

    async def work(wire: Wire, number: int) -> None:
        at = number % 500
        if at not in versions:
            versions[at] = _version_in(await wire.ask("GET", f"{_ROOT}/g{at:05}"))
        body = _PUT % (at, versions.pop(at), time.perf_counter_ns())
        versions[at] = _version_in(await wire.ask("PUT", f"{_ROOT}/g{at:05}", body))

    return await server.spread(count, work)


async def _empty_starts(directory: Path) -> dict[str, float]:
    """From the start of a process to its first 200 on /readyz."""
    starts = []
    for number in range(ROUNDS):
        async with Server(directory / f"empty{number}") as server:
            starts.append((server.ready_s, server.ready_cpu_s))
    wall, cpu = (statistics.median(one) for one in zip(*starts, strict=True))
    return {"ready_empty_s": wall, "ready_empty_cpu_s": cpu}


async def _over_http(directory: Path) -> dict[str, Any]:
    async with Server(directory) as server:
        wire = await server.wire()
        out: dict[str, Any] = {}
        await wire.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", orjson.dumps(CRD))
        await server.spread(OBJECTS, lambda w, n: w.ask("POST", _ROOT, orjson.dumps(gizmo(n))))
        five = [await server.wire() for _ in range(5)]
        for one in five:
            await one.begin(f"{_ROOT}?watch=1&resourceVersion={OBJECTS}&timeoutSeconds=5")
        out["rss_mb_10k_objects_5_watchers"] = server.resident_mb()
        gets = [await server.spread(4_000, lambda w, n: w.ask("GET", f"{_ROOT}/g{n:05}")) for _ in range(ROUNDS)]
        puts = [await _puts(server, 3_000) for _ in range(ROUNDS)]
        out["get_per_s"], out["get_per_core"] = (statistics.median(one) for one in zip(*gets, strict=True))
        out["put_per_s"], out["put_per_core"] = (statistics.median(one) for one in zip(*puts, strict=True))
        tables = []
        cpu = server.cpu_s()
        for _ in range(TABLES):
            began = time.perf_counter()
            await wire.ask("GET", f"{_ROOT}?limit=500", accept=_TABLE)
            tables.append(time.perf_counter() - began)
        out["table_500_ms"] = statistics.median(tables) * 1e3
        out["table_500_cpu_ms"] = (server.cpu_s() - cpu) / TABLES * 1e3
        out["event_bytes"] = len(await wire.ask("GET", f"{_ROOT}/g00001")) + len('{"type":"MODIFIED","object":}\n')
        rounds = [await _watched(server) for _ in range(ROUNDS)]
        out |= {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        out["events_delivered"] = min(one["events_delivered"] for one in rounds)
    async with Server(directory) as again:
        out |= {"ready_10k_s": again.ready_s, "ready_10k_cpu_s": again.ready_cpu_s}
    return out


async def _watched(server: Server, puts: int = 3_000) -> dict[str, float]:
    """One round: PUTs without watches, then with a hundred that another process reads."""
    free, free_per_core = await _puts(server, puts)
    found = orjson.loads(await (await server.wire()).ask("GET", f"{_ROOT}?limit=1"))
    command = (sys.executable, "-m", "benchmarks.kubeserver", "watch", str(server.port), server.token)
    pipe = asyncio.subprocess.PIPE
    version = found["metadata"]["resourceVersion"]
    process = await asyncio.create_subprocess_exec(*command, version, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdout.readline()
    per_s, per_core = await _puts(server, puts)
    process.stdin.write(b"all sent\n")
    count, median_ms, p99_ms = orjson.loads(await process.stdout.readline())
    await process.wait()
    return {
        "put_per_s_100_watchers": per_s,
        "put_per_core_100_watchers": per_core,
        "put_rate_kept": per_s / free,
        "put_per_core_kept": per_core / free_per_core,
        "events_delivered": count / (puts * WATCHERS),
        "delivery_ms": median_ms,
        "delivery_p99_ms": p99_ms,
    }


async def _in_process(directory: Path) -> tuple[float, float]:
    """Mean microseconds of wall and CPU of a PUT without a socket, 32 in flight, the caller's coding included."""
    gc.collect()  # the round before, which no daemon has in its memory
    server = KubeServer(state_dir=directory)
    await server.open()
    client = server.local_client()
    await client.create(cast(KubeObject, CRD))
    objects = [await client.create(cast(KubeObject, gizmo(number))) for number in range(500)]
    numbers = iter(range(6_000))
    began, cpu = time.perf_counter(), time.process_time()

    async def one() -> None:
        for number in numbers:
            obj = objects[number % 500]
            obj["spec"]["turn"] = str(number)
            objects[number % 500] = await client.replace(obj)

    await asyncio.gather(*(one() for _ in range(IN_FLIGHT)))
    spent, spent_cpu = time.perf_counter() - began, time.process_time() - cpu
    await server.shutdown()
    return spent / 6_000 * 1e6, spent_cpu / 6_000 * 1e6


def _bare_codings() -> float:
    """Mean microseconds that JSON alone takes of such a PUT: the caller writes and reads it, and so does the server."""
    objects: list[Any] = [gizmo(number) for number in range(500)]
    history: list[bytes] = []
    began = time.perf_counter()
    for number in range(6_000):
        obj = objects[number % 500]
        obj["spec"]["turn"] = str(number)
        history.append(bytes(memoryview(orjson.dumps(orjson.loads(orjson.dumps(obj))))))
        objects[number % 500] = orjson.loads(history[-1])
    return (time.perf_counter() - began) / 6_000 * 1e6


def run() -> dict[str, Any]:
    """All figures, and the bars."""
    with tempfile.TemporaryDirectory() as name:
        compile_package()
        results: dict[str, Any] = uvloop.run(_empty_starts(Path(name)))
        results |= uvloop.run(_over_http(Path(name) / "http"))
        spare_the_collector()  # as a daemon does once: callers without a socket are in one
        inner = [(*uvloop.run(_in_process(Path(name) / f"in{turn}")), _bare_codings()) for turn in range(ROUNDS)]
    changes = int(results["put_per_s_100_watchers"] * LONGEST_PAUSE_S)
    sends = [cpu_us_per_change(WATCHERS, changes, results["event_bytes"]) for _ in range(ROUNDS)]
    results["bare_sends_us"] = statistics.median(sends)
    results["put_per_core_kept_by_bare_sends"] = 1 / (1 + results["bare_sends_us"] * results["put_per_core"] / 1e6)
    results["put_in_process_us"] = statistics.median(wall for wall, _, _ in inner)
    results["put_in_process_cpu_us"] = statistics.median(cpu for _, cpu, _ in inner)
    results["put_in_process_by_bare_codings"] = statistics.median(wall / bare for wall, _, bare in inner)
    return {key: round(value, 2) for key, value in results.items()} | {"name": "kubeserver", "bars": _bars(results)}


def _bars(results: dict[str, Any]) -> dict[str, Any]:
    return {
        "put_per_core": bar(results["put_per_core"], 2_000, at_least=True),
        "get_per_core": bar(results["get_per_core"], 6_000, at_least=True),
        "put_in_process_us": bar(results["put_in_process_us"], 131),
        "table_500_ms": bar(results["table_500_ms"], 30),
        "ready_empty_s": bar(results["ready_empty_s"], 0.3),
        "ready_10k_s": bar(results["ready_10k_s"], 1.0),
        "rss_mb_10k_objects_5_watchers": bar(results["rss_mb_10k_objects_5_watchers"], 200),
        "put_rate_kept": bar(results["put_rate_kept"], 0.8, at_least=True),
        "events_delivered": bar(results["events_delivered"], 1.0, at_least=True),
    }


def main() -> None:
    """Print the figures as JSON."""
    print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["watch"]:
        uvloop.run(_read_watches(int(sys.argv[2]), sys.argv[3], sys.argv[4]))
    else:
        main()
