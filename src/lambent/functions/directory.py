"""What serves a function's invocations now, answered from the informers' caches.

The hot path is one dictionary lookup. Each change of a LambdaFunction makes a new frozen `Target`. A name the cache
does not know is asked of the API server once, so that a function is callable as soon as its creator has seen it.
Not here: HTTP, concurrency, running anything.
"""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

from lambent.aws.arn import LATEST, FunctionId, is_version
from lambent.functions import messages
from lambent.functions.aliases import AliasRecord, read_alias
from lambent.functions.artifacts import ArtifactStore
from lambent.functions.backend import Named
from lambent.functions.kinds import ALIAS, FUNCTION, FUNCTION_VERSION
from lambent.functions.lookup import resolve
from lambent.functions.record import FunctionRecord
from lambent.functions.specs import serving_spec
from lambent.functions.store import Fields, FunctionStore
from lambent.kube.informer import InformerHub
from lambent.kube.types import KubeObject
from lambent.runtime.function_spec import FunctionSpec

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
    on_success: str = ""
    on_failure: str = ""
    dead_letter: str = ""


class FunctionDirectory:
    """Satisfies `invoke.directory.Directory`."""

    def __init__(
        self, store: FunctionStore, artifacts: ArtifactStore, *, draw: Callable[[], float] = random.random
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._draw = draw
        self._versions: dict[tuple[FunctionId, str], Target] = {}
        self._objects: dict[tuple[FunctionId, str], str] = {}
        self._aliases: dict[tuple[FunctionId, str], AliasRecord] = {}
        self._qualified: defaultdict[FunctionId, dict[tuple[str, str], Target]] = defaultdict(dict)
        self._waiting: defaultdict[FunctionId, set[asyncio.Event]] = defaultdict(set)

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls, hub: InformerHub, store: FunctionStore, artifacts: ArtifactStore
    ) -> AsyncIterator["FunctionDirectory"]:
        """Follows the API server while the block runs."""
        directory = cls(store, artifacts)
        async with contextlib.AsyncExitStack() as stack:
            handlers = (
                (FUNCTION, directory.on_function),
                (FUNCTION_VERSION, directory.on_function),
                (ALIAS, directory.on_alias),
            )
            for gvk, handler in handlers:
                informer = await stack.enter_async_context(hub.use(gvk, store.namespace))
                stack.callback(informer.on_change(handler))
                await informer.synced.wait()
                if gvk == FUNCTION:
                    stack.enter_context(store.names.following(informer, lambda obj: store.read(obj).id))
            yield directory

    def resolve(self, function: FunctionId, qualifier: str | None) -> Target | None:
        """From the cache; None when it does not know. Each call draws anew for a weighted alias."""
        if qualifier is None:
            return self._versions.get((function, LATEST))
        version = qualifier
        if qualifier != LATEST and not is_version(qualifier):
            alias = self._aliases.get((function, qualifier))
            if alias is None:
                return None
            version = chosen_version(alias.version, alias.weights, self._draw)
        known = self._qualified[function]
        return known.get((qualifier, version)) or self._qualify(function, qualifier, version)

    def _qualify(self, function: FunctionId, qualifier: str, version: str) -> Target | None:
        target = self._versions.get((function, version))
        if target is None:
            return None
        latest = self._versions.get((function, LATEST))
        reserved = latest.reserved_concurrency if latest else None
        alias = self._aliases.get((function, qualifier))
        events = _event_settings(alias.spec) if alias else {}
        arn = function.qualified_arn(qualifier)
        made = replace(target, arn=arn, reserved_concurrency=reserved, **events)
        self._qualified[function][qualifier, version] = made
        return made

    async def look_up(self, function: FunctionId, qualifier: str | None) -> Target:
        """As `resolve`, asking the API server for a name the cache lacks; ResourceNotFoundException 404."""
        target = self.resolve(function, qualifier)
        if target is not None:
            return target
        await resolve(self._store, Named(function, qualifier or LATEST))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CATCH_UP_S):
                return await self._until(function, qualifier, lambda target: True)
        raise messages.function_not_found(function.qualified_arn(qualifier or LATEST))

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
        """Informers of functions and versions call this."""
        obj = new or old
        if obj is None:
            return
        record = self._store.read(obj)
        key, name = (record.id, record.version), obj["metadata"]["name"]
        if self._objects.get(key, name) != name and "serving" not in record.status:
            return  # a second object that claims the name; it never serves
        self._objects[key] = name
        if new is None or "deletionTimestamp" in new["metadata"]:
            self._versions.pop(key, None)
            self._objects.pop(key, None)
        else:
            self._versions[key] = self._target(record)
        self._changed(record.id)

    def on_alias(self, old: KubeObject | None, new: KubeObject | None) -> None:
        obj = new or old
        if obj is None:
            return
        alias = read_alias(self._store, obj)
        if new is None or "deletionTimestamp" in new["metadata"]:
            self._aliases.pop((alias.function, alias.name), None)
        else:
            self._aliases[alias.function, alias.name] = alias
        self._changed(alias.function)

    def _changed(self, function: FunctionId) -> None:
        self._qualified.pop(function, None)
        for changed in self._waiting.get(function, ()):
            changed.set()

    def _target(self, record: FunctionRecord) -> Target:
        serving = record.status.get("serving")
        return Target(
            arn=record.id.arn,
            state=record.status.get("state", "Pending"),
            spec=serving_spec(serving, record.id, self._artifacts) if serving else None,
            reason=record.status.get("stateReason", ""),
            reserved_concurrency=record.spec.get("reservedConcurrentExecutions"),
            dead_letter=record.spec.get("deadLetterConfig", {}).get("targetArn", ""),
            **_event_settings(record.spec),
        )


def _event_settings(spec: Fields) -> dict[str, Any]:
    """Target members of the event-invoke configuration of a function, version or alias; defaults where it is silent."""
    config = spec.get("eventInvokeConfig", {})
    destinations = config.get("destinationConfig", {})
    return {
        "max_retry_attempts": config.get("maximumRetryAttempts", 2),
        "max_event_age_s": float(config.get("maximumEventAgeInSeconds", 21_600)),
        "on_success": destinations.get("onSuccess", {}).get("destination", ""),
        "on_failure": destinations.get("onFailure", {}).get("destination", ""),
    }


def chosen_version(primary: str, weights: dict[str, float], draw: Callable[[], float]) -> str:
    """The version that one invocation of an alias gets; `draw` is uniform in [0, 1)."""
    if not weights:
        return primary
    drawn = draw()
    for version, share in weights.items():
        if drawn < share:
            return version
        drawn -= share
    return primary
