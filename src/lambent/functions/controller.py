"""Brings LambdaFunctions and their versions to where their specs want them.

    Pending --prepared--> Active          InProgress --prepared--> Successful (the new code serves)
            --refused---> Failed                     --refused---> Failed     (the former code serves on)

What serves is copied into `status.serving` in the write that settles a revision, so the former code serves while a
newer spec is prepared, and after a restart. A pool that serves no more is retired a moment later, because routers see
the change through a watch. Only errors of the code settle as Failed; an unreachable part is retried.
"""

import asyncio
import copy
import logging
from typing import Any

from lambent.aws.arn import LATEST, FunctionId
from lambent.aws.errors import ServiceError
from lambent.errors import LambentError
from lambent.functions.code import CodeIntake
from lambent.functions.executor import Executor
from lambent.functions.kinds import FINALIZER, FUNCTION, FUNCTION_LABEL, FUNCTION_VERSION, function_hash, object_name
from lambent.functions.record import CodeRef, FunctionRecord, source_digest
from lambent.functions.specs import pool_key, serving_fields, serving_spec
from lambent.functions.store import MANAGER, FunctionStore
from lambent.functions.sweeping import ArtifactSweeper
from lambent.kube.conditions import set_conditions
from lambent.kube.controller import Context, Controller
from lambent.kube.errors import NotFound
from lambent.kube.finalizers import has_finalizer, is_deleting, remove_finalizer
from lambent.kube.informer import InformerHub
from lambent.kube.outcome import Done, Fail, Outcome, Wait
from lambent.kube.types import GVK, Key
from lambent.runtime.function_spec import FunctionSpec, PoolKey

log = logging.getLogger(__name__)

_GRACE_S = 2.0  # a router's informer is milliseconds behind; seconds only under heavy load


class DuplicateFunction(LambentError):
    """Two objects say they are the same function; the one that was found first is it."""

    reason_code = "InvalidConfiguration"

    def __init__(self, function: FunctionId, other: str) -> None:
        super().__init__(f"function {function.name} is LambdaFunction {other} already; choose another functionName")
        self.message = str(self)


class FunctionReconciler:
    """For one kind: LambdaFunction or LambdaFunctionVersion."""

    def __init__(self, gvk: GVK, store: FunctionStore, intake: CodeIntake, executor: Executor) -> None:
        self._gvk = gvk
        self._store = store
        self._intake = intake
        self._executor = executor
        self._ready: dict[Key, FunctionSpec] = {}
        self._outdated: dict[Key, dict[PoolKey, float]] = {}

    async def reconcile(self, key: Key, context: Context | None = None) -> Outcome:
        try:
            obj = await self._store.kube.get(self._gvk, key.name, namespace=key.namespace)
        except NotFound:
            return await self._gone(key)
        record = self._store.read(obj)
        if is_deleting(obj):
            return await self._delete(key, record)
        if not has_finalizer(obj, FINALIZER) or FUNCTION_LABEL not in obj["metadata"].get("labels", {}):
            await self._adopt(record)
            return Wait(1.0, "adopted; its own change wakes the next run")
        if record.is_settled:
            return await self._serve(key, record)
        rival = await self._rival(record)
        if rival is not None:
            return await self._settled_badly(record, rival)
        return await self._settle(key, record)

    async def _rival(self, record: FunctionRecord) -> "DuplicateFunction | None":
        """Another object that is this function already; only one with a name of its owner's choice can have it."""
        own = record.obj["metadata"]
        if self._gvk != FUNCTION or own["name"] == object_name(record.id):
            return None
        found = await self._store.find(record.id)
        other = found.obj["metadata"] if found else own
        return None if other.get("uid") == own.get("uid") else DuplicateFunction(record.id, other["name"])

    async def _adopt(self, record: FunctionRecord) -> None:
        """Finalizer and label, before anything is prepared."""
        meta = record.obj["metadata"]
        body = {
            "metadata": {
                "resourceVersion": meta["resourceVersion"],
                "finalizers": list({*meta.get("finalizers", []), FINALIZER}),
                "labels": {FUNCTION_LABEL: function_hash(record.id)},
            }
        }
        await self._store.kube.patch(self._gvk, meta["name"], body, namespace=meta.get("namespace"), manager=MANAGER)

    async def _settle(self, key: Key, record: FunctionRecord) -> Outcome:
        try:
            code = await self._code(record)
            serving = serving_fields(record.spec, code, revision=record.content)
            spec = serving_spec(serving, record.id, self._intake.artifacts)
            await self._executor.prepare(spec)
        except LambentError as error:
            if not _is_final(error):
                raise
            return await self._settled_badly(record, error)
        await self._write(record, Done(), _good_status(record, code, serving))
        self._outdate(key, record)
        self._ready[key] = spec
        return Wait(_GRACE_S, "a former pool ends") if self._outdated.get(key) else Done()

    async def _code(self, record: FunctionRecord) -> CodeRef:
        known = record.code
        return known or await self._intake.take_fields(record.spec.get("code", {}), region=record.id.region)

    async def _settled_badly(self, record: FunctionRecord, error: LambentError) -> Outcome:
        reason = str(getattr(error, "reason_code", "InternalError"))
        text = str(getattr(error, "message", error))
        log.warning("function not prepared: %s", reason, extra={"function": record.id.name})
        outcome = Fail(f"{reason}: {text}")
        await self._write(record, outcome, _bad_status(record, reason, text))
        return outcome

    async def _serve(self, key: Key, record: FunctionRecord) -> Outcome:
        """Settled: after a restart the executor does not know the pool yet; a former pool ends when its time is up."""
        serving = record.status.get("serving")
        if serving and key not in self._ready:
            spec = serving_spec(serving, record.id, self._intake.artifacts)
            await self._executor.prepare(spec)
            self._ready[key] = spec
        now = asyncio.get_running_loop().time()
        outdated = self._outdated.get(key, {})
        for pool, since in list(outdated.items()):
            if now - since >= _GRACE_S:
                del outdated[pool]
                await self._executor.retire(pool)
        if outdated:
            return Wait(_GRACE_S, "a former pool ends")
        return Done() if record.status.get("state") == "Active" else Fail("Failed: see status")

    def _outdate(self, key: Key, record: FunctionRecord) -> None:
        serving = record.status.get("serving")
        if serving:
            pool = pool_key(record.id, record.version, serving["revision"])
            self._outdated.setdefault(key, {})[pool] = asyncio.get_running_loop().time()

    async def _delete(self, key: Key, record: FunctionRecord) -> Outcome:
        await self._gone(key)
        serving = record.status.get("serving")
        revisions = {record.content, *([serving["revision"]] if serving else [])}
        for revision in revisions:
            await self._executor.retire(pool_key(record.id, record.version, revision))
        await remove_finalizer(self._store.kube, record.obj, FINALIZER)
        return Done()

    async def _gone(self, key: Key) -> Outcome:
        spec = self._ready.pop(key, None)
        pools = [*self._outdated.pop(key, {}), *([spec.pool_key] if spec else [])]
        for pool in pools:
            await self._executor.retire(pool)
        return Done()

    async def _write(self, record: FunctionRecord, outcome: Outcome, status: dict[str, Any]) -> None:
        generation = record.obj["metadata"].get("generation", 1)
        conditions = set_conditions(
            record.status.get("conditions", []), outcome, generation=generation, now=self._store.clock()
        )
        changed = copy.copy(record.obj)
        changed["status"] = {
            **record.status,
            **status,
            "functionArn": _shown_arn(record.id, record.version),
            "settledRevision": record.content,
            "revisionId": self._store.new_id() if record.version == LATEST else record.revision_id,
            "observedGeneration": generation,
            "conditions": conditions,
        }
        await self._store.kube.replace(changed, subresource="status", manager=MANAGER)


def _shown_arn(function: FunctionId, version: str) -> str:
    return function.arn if version == LATEST else function.qualified_arn(version)


def _is_final(error: LambentError) -> bool:
    """Whether trying the same code again is pointless: it was refused, as opposed to a part that did not answer."""
    return isinstance(error, ServiceError) or hasattr(error, "reason_code")


def _good_status(record: FunctionRecord, code: CodeRef, serving: dict[str, Any]) -> dict[str, Any]:
    fetched = {**code.to_fields(), "source": source_digest(record.spec.get("code", {}))}
    return {
        "state": "Active",
        "stateReason": "",
        "stateReasonCode": "",
        "lastUpdateStatus": "Successful",
        "lastUpdateStatusReason": "",
        "lastUpdateStatusReasonCode": "",
        "code": fetched,
        "serving": serving,
    }


def _bad_status(record: FunctionRecord, reason: str, text: str) -> dict[str, Any]:
    if record.status.get("serving"):
        return {
            "lastUpdateStatus": "Failed",
            "lastUpdateStatusReason": text,
            "lastUpdateStatusReasonCode": reason,
        }
    return {"state": "Failed", "stateReason": text, "stateReasonCode": reason}


def controllers(
    hub: InformerHub, store: FunctionStore, intake: CodeIntake, executor: Executor
) -> list[Controller | ArtifactSweeper]:
    """What runs behind the API: a controller per kind and the sweeper; each has `run()` and `shutdown(drain_s)`."""
    made: list[Controller | ArtifactSweeper] = [ArtifactSweeper(store, intake.artifacts)]
    for name, gvk in (("functions", FUNCTION), ("function-versions", FUNCTION_VERSION)):
        reconciler = FunctionReconciler(gvk, store, intake, executor)
        made.append(Controller(name, reconciler.reconcile, hub=hub, kind=gvk, namespace=store.namespace))
    return made
