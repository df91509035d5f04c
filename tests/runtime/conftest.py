"""Pools of fake runtimes in virtual time."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lambent.clock import VirtualTimeLoop
from lambent.runtime.fake import FakeLauncher, FakeRuntime, Script, nowhere
from lambent.runtime.function_spec import FunctionSpec, PoolKey, ZipCode
from lambent.runtime.invocation import Event, RequestId, Result
from lambent.runtime.pool import RuntimePool
from lambent.runtime.settings import PoolSettings

ARN = "arn:aws:lambda:us-east-1:123456789012:function:demo"


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
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
