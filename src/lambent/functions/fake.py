"""An execution back end without processes: for tests of the service and of the Invoke path."""

import asyncio
from collections.abc import Callable

import orjson

from lambent.errors import LambentError
from lambent.runtime.function_spec import FunctionSpec, PoolKey
from lambent.runtime.invocation import Event, Result


class Refused(LambentError):
    """As a back end refuses code."""

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.message = message


def echo(spec: FunctionSpec, event: Event) -> Result:
    """The event, and the digest of the code that ran."""
    sha256 = getattr(spec.code, "sha256", "") or getattr(spec.code, "digest", "")
    return Result(orjson.dumps({"event": orjson.loads(event.payload), "code": sha256}), executed_version=spec.version)


class FakeExecutor:
    """Satisfies `functions.executor.Executor` and an Invoke transport. `gate` holds back `prepare` while cleared."""

    def __init__(self, handler: Callable[[FunctionSpec, Event], Result] = echo) -> None:
        self.handler = handler
        self.prepared: dict[PoolKey, FunctionSpec] = {}
        self.retired: list[PoolKey] = []
        self.events: list[Event] = []
        self.refusal: LambentError | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def prepare(self, spec: FunctionSpec) -> None:
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        self.prepared[spec.pool_key] = spec

    async def retire(self, pool_key: PoolKey) -> None:
        self.prepared.pop(pool_key, None)
        self.retired.append(pool_key)

    async def invoke(self, spec: FunctionSpec, event: Event) -> Result:
        self.events.append(event)
        return self.handler(spec, event)
