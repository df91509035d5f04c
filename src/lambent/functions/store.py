"""Reads and conditional writes of LambdaFunction objects.

Every write is conditional on `resourceVersion`. A conflict is read again and re-applied with jitter, at most five
times; a caller's RevisionId that no longer matches is a 412 at once. Reads go to the API server, so two replicas read
each other's writes. A function applied with kubectl carries a name of its owner's choice and is found by it, or by the
label that its controller sets.
"""

import asyncio
import copy
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from lambent.aws.arn import FunctionId
from lambent.clock import WallClock, utc_now
from lambent.functions import messages
from lambent.functions.kinds import FINALIZER, FUNCTION, FUNCTION_LABEL, function_hash, object_name
from lambent.functions.record import FunctionRecord, read_record
from lambent.functions.stamps import NewId, aws_timestamp, new_id
from lambent.kube.client import KubeClient
from lambent.kube.errors import AlreadyExists, Conflict, NotFound
from lambent.kube.types import GVK, KubeObject, Selector

_ATTEMPTS = 5
_JITTER_S = 0.05
MANAGER = "lambent-functions"

Edit = Callable[[FunctionRecord], dict[str, Any]]
"""From the record to the whole new spec; raises `ServiceError` to refuse. Called again after a conflict."""


@dataclass(frozen=True, slots=True)
class FunctionStore:
    """Functions of all accounts and regions in one namespace."""

    kube: KubeClient
    namespace: str = "default"
    account: str = "123456789012"
    region: str = "us-east-1"
    clock: WallClock = utc_now
    new_id: NewId = new_id
    jitter: random.Random = field(default_factory=random.Random)

    def read(self, obj: KubeObject) -> FunctionRecord:
        return read_record(obj, account=self.account, region=self.region)

    async def find(self, function: FunctionId) -> FunctionRecord | None:
        for name in (object_name(function), function.name):
            try:
                record = self.read(await self.kube.get(FUNCTION, name, namespace=self.namespace))
            except NotFound:
                continue
            if record.id == function:
                return record
        async for record in self.list(FUNCTION, function=function):
            if record.id == function:
                return record
        return None

    async def get(self, function: FunctionId, *, shown_arn: str = "") -> FunctionRecord:
        """Raises ResourceNotFoundException naming `shown_arn` (default: the unqualified ARN)."""
        record = await self.find(function)
        if record is None or "deletionTimestamp" in record.obj["metadata"]:
            raise messages.function_not_found(shown_arn or function.arn)
        return record

    async def list(self, gvk: GVK = FUNCTION, *, function: FunctionId | None = None) -> AsyncIterator[FunctionRecord]:
        """Every object of the kind, or those of one function; deleted ones left out."""
        selector = Selector(labels=f"{FUNCTION_LABEL}={function_hash(function)}" if function else "")
        async for page in self.kube.list(gvk, namespace=self.namespace, selector=selector):
            for obj in page.items:
                if "deletionTimestamp" not in obj["metadata"]:
                    yield self.read(obj)

    async def create(self, function: FunctionId, spec: dict[str, Any]) -> FunctionRecord:
        """Raises ResourceConflictException when it is there already."""
        identity = {"functionName": function.name, "accountId": function.account, "region": function.region}
        obj: KubeObject = {
            "apiVersion": FUNCTION.api_version,
            "kind": FUNCTION.kind,
            "metadata": {
                "name": object_name(function),
                "namespace": self.namespace,
                "labels": {FUNCTION_LABEL: function_hash(function)},
                "finalizers": [FINALIZER],
            },
            "spec": {**identity, **spec, "revision": self._revision(self.new_id(), generation=1)},
        }
        try:
            return self.read(await self.kube.create(obj, manager=MANAGER))
        except AlreadyExists:
            raise messages.function_exists(function.name) from None

    async def change(
        self, function: FunctionId, edit: Edit, *, revision_id: str | None = None, keeps_revision: bool = False
    ) -> FunctionRecord:
        """`keeps_revision` for settings that are no part of a configuration (tags, concurrency)."""

        def new_object(record: FunctionRecord) -> KubeObject:
            revision = record.wanted_revision if keeps_revision else self.new_id()
            generation = record.obj["metadata"].get("generation", 1) + 1
            at = record.last_modified if keeps_revision else None
            spec = {**edit(record), "revision": self._revision(revision, generation=generation, at=at)}
            changed = copy.copy(record.obj)
            changed["spec"] = spec
            return changed

        return await self._write(function, new_object, revision_id=revision_id)

    async def change_status(
        self, function: FunctionId, edit: Edit, *, revision_id: str | None = None
    ) -> FunctionRecord:
        """As `change`, for the status that the facade itself keeps (the last published version)."""

        def new_object(record: FunctionRecord) -> KubeObject:
            changed = copy.copy(record.obj)
            changed["status"] = edit(record)
            return changed

        return await self._write(function, new_object, revision_id=revision_id, subresource="status")

    async def _write(
        self,
        function: FunctionId,
        new_object: Callable[[FunctionRecord], KubeObject],
        *,
        revision_id: str | None,
        subresource: str = "",
    ) -> FunctionRecord:
        for _ in range(_ATTEMPTS):
            record = await self.get(function)
            if revision_id is not None and revision_id != record.revision_id:
                raise messages.stale_revision()
            changed = new_object(record)
            try:
                return self.read(await self.kube.replace(changed, subresource=subresource, manager=MANAGER))
            except Conflict:
                await asyncio.sleep(self.jitter.random() * _JITTER_S)
        raise messages.too_many_conflicts()

    async def delete(self, record: FunctionRecord) -> None:
        """Marks the object; its finalizer stops the environments."""
        try:
            await self.kube.delete(
                FUNCTION, record.obj["metadata"]["name"], namespace=self.namespace, propagation="Background"
            )
        except NotFound:
            raise messages.function_not_found(record.id.arn) from None

    def _revision(self, revision: str, *, generation: int, at: str | None = None) -> dict[str, Any]:
        return {"id": revision, "generation": generation, "at": at or aws_timestamp(self.clock())}
