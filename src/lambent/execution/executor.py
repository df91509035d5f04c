"""The process back end as its users see it: prepare a function version, invoke it, retire it.

One pool per `pool_key`; code is unpacked once per archive. Everything runs on the loop of the main thread, because
runtimes are its children. `invoke` with a spec that was not prepared prepares it first (after a restart the stored
state says Active, but this process has unpacked nothing yet).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambent.execution.code import PreparedCode
from lambent.execution.codestore import CodeStore
from lambent.execution.images import ImageSource
from lambent.execution.process import ProcessLauncher
from lambent.execution.settings import ExecutionSettings
from lambent.execution.supervision import Supervisor
from lambent.runtime.errors import PoolClosed
from lambent.runtime.function_spec import FunctionSpec, PoolKey
from lambent.runtime.invocation import Event, Result
from lambent.runtime.logs import LogSink, discard
from lambent.runtime.pool import RuntimePool


@dataclass(frozen=True, slots=True)
class _Ready:
    pool: RuntimePool
    code: PreparedCode


class ProcessExecutor:
    """`aws_environment` is what every function gets to reach AWS: endpoint and keys; empty values are left out."""

    def __init__(
        self,
        directory: Path,
        *,
        settings: ExecutionSettings | None = None,
        aws_environment: Mapping[str, str] | None = None,
        images: ImageSource | None = None,
        sink: LogSink = discard,
    ) -> None:
        self._settings = settings or ExecutionSettings()
        self._aws = dict(aws_environment or {})
        self._sink = sink
        self._store = CodeStore(directory, settings=self._settings, images=images)
        self._supervisor = Supervisor()
        self._ready: dict[PoolKey, _Ready] = {}
        self._locks: dict[PoolKey, asyncio.Lock] = {}
        self._is_open = False

    async def startup(self) -> None:
        await self._store.startup()
        await self._supervisor.startup()
        self._is_open = True

    async def prepare(self, spec: FunctionSpec) -> None:
        """Unpacks the code and opens the pool; again is harmless. Raises `CodeError`, `PoolClosed`."""
        if not self._is_open:
            raise PoolClosed("the process back end is not running")
        async with self._locks.setdefault(spec.pool_key, asyncio.Lock()):
            if spec.pool_key in self._ready:
                return
            code = await self._store.acquire(spec)
            pool = RuntimePool(spec, self._launcher(spec, code), settings=self._settings.pool, sink=self._sink)
            await pool.startup()
            self._ready[spec.pool_key] = _Ready(pool, code)

    async def invoke(self, target: FunctionSpec | PoolKey, event: Event) -> Result:
        """Runs one event. Raises `PoolClosed` for a key that is not prepared, `PoolFull`, and what `prepare` raises."""
        key = target.pool_key if isinstance(target, FunctionSpec) else target
        ready = self._ready.get(key)
        if ready is None:
            if not isinstance(target, FunctionSpec):
                raise PoolClosed("the function version is not prepared")
            await self.prepare(target)
            ready = self._ready.get(key)
            if ready is None:
                raise PoolClosed("the function version was retired meanwhile")
        return await ready.pool.invoke(event)

    async def retire(self, pool_key: PoolKey) -> None:
        """Drains and stops the pool, then lets go of its code; an unknown key is harmless."""
        async with self._locks.setdefault(pool_key, asyncio.Lock()):
            ready = self._ready.pop(pool_key, None)
            if ready is not None:
                await ready.pool.shutdown()
                await self._store.release(ready.code.root)
        self._locks.pop(pool_key, None)

    async def shutdown(self, drain_s: float | None = None) -> None:
        """Drains all pools at once, ends every process, then the threads. Unpacked code stays for the next start.

        Again is harmless; an executor is not started twice.
        """
        if not self._is_open:
            return
        self._is_open = False
        async with asyncio.TaskGroup() as group:
            for ready in self._ready.values():
                group.create_task(ready.pool.shutdown(drain_s))
        self._ready.clear()
        await self._supervisor.shutdown()
        await self._store.shutdown()

    def _launcher(self, spec: FunctionSpec, code: PreparedCode) -> ProcessLauncher:
        return ProcessLauncher(
            spec, code, supervisor=self._supervisor, settings=self._settings, aws_environment=self._aws
        )
