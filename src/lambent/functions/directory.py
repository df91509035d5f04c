"""What serves a function's invocations now, answered from the informers' caches.

The hot path is one dictionary lookup. Each change of a LambdaFunction makes a new frozen `Target`. A name the cache
does not know is asked of the API server once, so that a function is callable as soon as its creator has seen it.
Not here: HTTP, concurrency, running anything.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from lambent.aws.arn import LATEST, FunctionId
from lambent.functions import messages
from lambent.functions.artifacts import ArtifactStore
from lambent.functions.kinds import FUNCTION
from lambent.functions.record import FunctionRecord
from lambent.functions.specs import serving_spec
from lambent.functions.store import FunctionStore
from lambent.kube.informer import InformerHub
from lambent.kube.types import KubeObject
from lambent.runtime.function_spec import FunctionSpec

log = logging.getLogger(__name__)

_CATCH_UP_S = 2.0  # how long a cache may trail the API server before "not found" is said after all


@dataclass(frozen=True, slots=True)
class Target:
    """What an invocation of one qualifier meets. `spec` is None while nothing can serve (Pending, Failed)."""

    arn: str
    state: str
    spec: FunctionSpec | None = None
    reason: str = ""
    reserved_concurrency: int | None = None
    max_retry_attempts: int = 2
    max_event_age_s: float = 21_600.0


class FunctionDirectory:
    """Satisfies `invoke.directory.Directory`."""

    def __init__(self, store: FunctionStore, artifacts: ArtifactStore) -> None:
        self._store = store
        self._artifacts = artifacts
        self._latest: dict[FunctionId, Target] = {}
        self._waiting: defaultdict[FunctionId, set[asyncio.Event]] = defaultdict(set)

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls, hub: InformerHub, store: FunctionStore, artifacts: ArtifactStore
    ) -> AsyncIterator["FunctionDirectory"]:
        """Follows the API server while the block runs."""
        directory = cls(store, artifacts)
        async with hub.use(FUNCTION, store.namespace) as informer:
            stop = informer.on_change(directory.on_function)
            try:
                await informer.synced.wait()
                yield directory
            finally:
                stop()

    def resolve(self, function: FunctionId, qualifier: str | None) -> Target | None:
        """From the cache; None when it does not know."""
        if qualifier is None or qualifier == LATEST:
            return self._latest.get(function)
        return None

    async def look_up(self, function: FunctionId, qualifier: str | None) -> Target:
        """As `resolve`, asking the API server for a name the cache lacks; ResourceNotFoundException 404."""
        target = self.resolve(function, qualifier)
        if target is not None:
            return target
        shown = function.qualified_arn(qualifier or LATEST)
        await self._store.get(function, shown_arn=shown)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CATCH_UP_S):
                return await self._until(function, qualifier, lambda target: True)
        raise messages.function_not_found(shown)

    async def until_ready(self, function: FunctionId, qualifier: str | None, timeout_s: float) -> Target:
        """Waits while the function is Pending, then gives it as it is; also after `timeout_s`."""
        target = await self.look_up(function, qualifier)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                return await self._until(function, qualifier, lambda target: target.state != "Pending")
        return self.resolve(function, qualifier) or target

    async def _until(self, function: FunctionId, qualifier: str | None, is_enough: Callable[[Target], bool]) -> Target:
        changed = asyncio.Event()
        self._waiting[function].add(changed)
        try:
            while True:
                target = self.resolve(function, qualifier)
                if target is not None and is_enough(target):
                    return target
                changed.clear()
                await changed.wait()
        finally:
            self._waiting[function].discard(changed)
            if not self._waiting[function]:
                del self._waiting[function]

    def on_function(self, old: KubeObject | None, new: KubeObject | None) -> None:
        """The informer's handler."""
        obj = new or old
        if obj is None:
            return
        record = self._store.read(obj)
        if new is None or "deletionTimestamp" in new["metadata"]:
            self._latest.pop(record.id, None)
        else:
            self._latest[record.id] = self._target(record)
        for changed in self._waiting.get(record.id, ()):
            changed.set()

    def _target(self, record: FunctionRecord) -> Target:
        serving = record.status.get("serving")
        return Target(
            arn=record.id.arn,
            state=record.status.get("state", "Pending"),
            spec=serving_spec(serving, record.id, self._artifacts) if serving else None,
            reason=record.status.get("stateReason", ""),
            reserved_concurrency=record.spec.get("reservedConcurrentExecutions"),
        )
