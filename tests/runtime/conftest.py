"""Pools of fake runtimes in virtual time."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop

from lambent.clock import VirtualTimeLoop
from lambent.runtime.fake import FakeLauncher, FakeRuntime, Script, nowhere
from lambent.runtime.function_spec import FunctionSpec, PoolKey, ZipCode
from lambent.runtime.invocation import Event, RequestId, Result
from lambent.runtime.launcher import LaunchOrder, ProcessListener
from lambent.runtime.pool import RuntimePool
from lambent.runtime.settings import PoolSettings

ARN = "arn:aws:lambda:us-east-1:123456789012:function:demo"


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    module = item.getparent(pytest.Module)
    if module is not None and getattr(module.obj, "REAL_TIME", False):
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"virtual": VirtualTimeLoop}


def demo_spec(**changes: Any) -> FunctionSpec:
    return FunctionSpec(PoolKey("demo"), ARN, "demo", "$LATEST", ZipCode(Path("/nowhere.zip"), "00"), **changes)


@dataclass
class PoolBench:
    """A started pool; `answers` invokes several at once; `output` is what its log sink got."""

    pool: RuntimePool
    launcher: FakeLauncher
    output: list[bytes] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def invoke(self, payload: bytes = b"{}", **changes: Any) -> Result:
        return await self.pool.invoke(Event(RequestId(f"id-{next(self._numbers)}"), ARN, payload, **changes))

    async def answers(self, count: int, **changes: Any) -> list[Result]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.invoke(b"%d" % number, **changes)) for number in range(count)]
        return [task.result() for task in tasks]

    @property
    def launched(self) -> list[FakeRuntime]:
        return self.launcher.launched

    @property
    def text(self) -> str:
        return b"".join(self.output).decode()


@asynccontextmanager
async def pool_bench(
    *scripts: Script, timeout_s: float = 3.0, launcher: FakeLauncher | None = None, **settings: Any
) -> AsyncIterator[PoolBench]:
    output: list[bytes] = []
    chosen = launcher or FakeLauncher(*scripts)
    pool = RuntimePool(
        demo_spec(timeout_s=timeout_s),
        chosen,
        settings=PoolSettings(**settings),
        sink=lambda function, lines: output.append(lines),
        door=nowhere,
    )
    await pool.startup()
    try:
        yield PoolBench(pool, chosen, output)
    finally:
        await pool.shutdown()


@pytest.fixture
def bench() -> Callable[..., Any]:
    return pool_bench


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error_type(self) -> str:
        return str(json.loads(self.body)["errorType"])


class BareRuntime:
    """A runtime without a program: the test itself speaks to its API address."""

    pid = 1

    def __init__(self, order: LaunchOrder, listener: ProcessListener) -> None:
        self.order = order
        self.listener = listener

    async def connect(self) -> "Wire":
        host, _, port = self.order.api_address.partition(":")
        return Wire(*await asyncio.open_connection(host, int(port)))

    def is_alive(self) -> bool:
        return True

    def drain(self) -> None: ...

    def peak_memory_bytes(self) -> int:
        return 1

    async def stop(self, grace_s: float) -> None: ...


class BareLauncher:
    def __init__(self) -> None:
        self.launched: asyncio.Queue[BareRuntime] = asyncio.Queue()

    async def launch(self, order: LaunchOrder, listener: ProcessListener) -> BareRuntime:
        runtime = BareRuntime(order, listener)
        self.launched.put_nowait(runtime)
        return runtime


@dataclass
class Wire:
    """A connection to a Runtime API, in bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    def get(self, path: str) -> None:
        self.send(f"GET /2018-06-01{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def post(self, path: str, body: bytes, *headers: str) -> None:
        lines = "".join(f"{header}\r\n" for header in headers)
        head = f"POST /2018-06-01{path} HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        self.send(head.encode(), body)

    async def answer(self) -> Answer:
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(line.split()[1]), headers, body)

    async def is_closed(self) -> bool:
        async with asyncio.timeout(5):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True

    def close(self) -> None:
        self.writer.close()


@asynccontextmanager
async def wire_bench(*, timeout_s: float = 3.0, **settings: Any) -> AsyncIterator["WireBench"]:
    launcher = BareLauncher()
    pool = RuntimePool(demo_spec(timeout_s=timeout_s), launcher, settings=PoolSettings(drain_s=0, **settings))
    await pool.startup()
    it = WireBench(pool, launcher)
    try:
        yield it
    finally:
        for task in it.tasks:
            task.cancel()
        for wire in it.wires:
            wire.close()
        await pool.shutdown()
        await asyncio.wait([*it.tasks, asyncio.create_task(asyncio.sleep(0))])


@dataclass
class WireBench:
    """A pool whose runtimes are the test."""

    pool: RuntimePool
    launcher: BareLauncher
    tasks: list[asyncio.Task[Result]] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)

    def invoke(self, payload: bytes = b"{}", request_id: str = "id-1", **changes: Any) -> asyncio.Task[Result]:
        event = Event(RequestId(request_id), ARN, payload, **changes)
        self.tasks.append(asyncio.create_task(self.pool.invoke(event)))
        return self.tasks[-1]

    async def runtime(self) -> BareRuntime:
        async with asyncio.timeout(5):
            return await self.launcher.launched.get()

    async def wire(self, runtime: BareRuntime) -> Wire:
        self.wires.append(await runtime.connect())
        return self.wires[-1]

    async def busy(self, payload: bytes = b"{}", request_id: str = "id-1", **changes: Any) -> tuple[Any, ...]:
        """(invocation, wire, runtime) with the event handed over."""
        task = self.invoke(payload, request_id, **changes)
        runtime = await self.runtime()
        wire = await self.wire(runtime)
        wire.get("/runtime/invocation/next")
        answer = await wire.answer()
        assert (answer.status, answer.body) == (200, payload)
        return task, wire, runtime


@pytest.fixture
def wires() -> Callable[..., Any]:
    return wire_bench
