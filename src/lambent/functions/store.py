"""Reads and conditional writes of the service's objects.

Every write is conditional on `resourceVersion`. A conflict is read again and re-applied with jitter, at most five
times; a caller's RevisionId that no longer matches is a 412 at once. Reads go to the API server, so two replicas read
each other's writes. A function applied with kubectl carries a name of its owner's choice and is found by it, or as
`names` has it; where nobody follows the informers, by the label that its controller sets.
"""

import asyncio
import contextlib
import copy
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from lambent.aws.arn import FunctionId
from lambent.clock import WallClock, utc_now
from lambent.functions import messages
from lambent.functions.kinds import FINALIZER, FUNCTION, FUNCTION_LABEL, function_hash, object_name
from lambent.functions.naming import ChosenNames
from lambent.functions.record import FunctionRecord, read_record
from lambent.functions.stamps import NewId, aws_timestamp, new_id
from lambent.kube.client import KubeClient
from lambent.kube.errors import AlreadyExists, Conflict, NotFound
from lambent.kube.types import GVK, KubeObject, Preconditions, Selector

_ATTEMPTS = 5
_JITTER_S = 0.05
_DELETION_S = 10.0  # environments drain before a deleted function is gone
MANAGER = "lambent-functions"

Fields = dict[str, Any]
Edit = Callable[[FunctionRecord], Fields]
"""From the record to the whole new spec (or status); raises `ServiceError` to refuse. Called again on a conflict."""


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
    names: ChosenNames = field(default_factory=ChosenNames)

    def read(self, obj: KubeObject) -> FunctionRecord:
        return read_record(obj, account=self.account, region=self.region)

    async def get_object(self, gvk: GVK, name: str) -> KubeObject | None:
        try:
            return await self.kube.get(gvk, name, namespace=self.namespace)
        except NotFound:
            return None

    async def find(self, function: FunctionId) -> FunctionRecord | None:
        known = self.names.of(function)
        for name in dict.fromkeys((object_name(function), function.name, *(known or ()))):
            obj = await self.get_object(FUNCTION, name)
            if obj is not None and self.read(obj).id == function:
                return self.read(obj)
        if known is not None:
            return None
        async for obj in self.list_objects(FUNCTION, function=function):
            if self.read(obj).id == function:
                return self.read(obj)
        return None

    async def get(self, function: FunctionId, *, shown_arn: str = "") -> FunctionRecord:
        """Raises ResourceNotFoundException naming `shown_arn` (default: the unqualified ARN)."""
        record = await self.find(function)
        if record is None or "deletionTimestamp" in record.obj["metadata"]:
            raise messages.function_not_found(shown_arn or function.arn)
        return record

    async def list_objects(self, gvk: GVK, *, function: FunctionId | None = None) -> AsyncIterator[KubeObject]:
        """Every object of the kind, or those of one function; deleted ones left out."""
        selector = Selector(labels=f"{FUNCTION_LABEL}={function_hash(function)}" if function else "")
        async for page in self.kube.list(gvk, namespace=self.namespace, selector=selector):
            for obj in page.items:
                if "deletionTimestamp" not in obj["metadata"]:
                    yield obj

    async def list(self, *, account: str, region: str) -> list[FunctionRecord]:
        """The functions of one account in one region."""
        records = [self.read(obj) async for obj in self.list_objects(FUNCTION)]
        return [record for record in records if (record.id.account, record.id.region) == (account, region)]

    def new_object(self, gvk: GVK, name: str, function: FunctionId, spec: Fields) -> KubeObject:
        """An object of the function's, with the label that finds it."""
        identity = {"functionName": function.name, "accountId": function.account, "region": function.region}
        labels = {FUNCTION_LABEL: function_hash(function)}
        metadata = {"name": name, "namespace": self.namespace, "labels": labels}
        made = {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": metadata, "spec": {**identity, **spec}}
        return cast(KubeObject, made)

    async def create(self, function: FunctionId, spec: Fields) -> FunctionRecord:
        """Raises ResourceConflictException when it is there already. One of that name that is being deleted is
        waited for."""
        obj = self.new_object(FUNCTION, object_name(function), function, spec)
        obj["spec"]["revision"] = self.revision(self.new_id(), generation=1)
        obj["metadata"]["finalizers"] = [FINALIZER]
        waited_s = 0.0
        while True:
            try:
                return self.read(await self.kube.create(obj, manager=MANAGER))
            except AlreadyExists:
                if waited_s >= _DELETION_S or await self.exists(function):
                    raise messages.function_exists(function.name) from None
            await asyncio.sleep(_JITTER_S)
            waited_s += _JITTER_S

    async def exists(self, function: FunctionId) -> bool:
        """One that is being deleted does not."""
        record = await self.find(function)
        return record is not None and "deletionTimestamp" not in record.obj["metadata"]

    async def change(self, function: FunctionId, edit: Edit, *, revision_id: str | None = None) -> FunctionRecord:
        """A change of code or configuration: the function has to settle again."""

        def changed(record: FunctionRecord) -> KubeObject:
            check_revision(record.revision_id, revision_id)
            revision = self.revision(self.new_id(), generation=_next_generation(record.obj))
            return _with(record.obj, "spec", {**edit(record), "revision": revision})

        return self.read(await self.rewrite(lambda: self._read(function), lambda obj: changed(self.read(obj))))

    async def change_settings(
        self, function: FunctionId, edit: Edit, *, keeps_revision: bool = False, shown_arn: str = ""
    ) -> FunctionRecord:
        """A change of what is no part of a configuration: nothing has to settle. `keeps_revision`: nor does the
        RevisionId change (a policy has its own)."""

        def changed(record: FunctionRecord) -> KubeObject:
            return _with(
                record.obj,
                "spec",
                {**edit(record), "revision": self._settings_revision(record, keeps_id=keeps_revision)},
            )

        return self.read(
            await self.rewrite(lambda: self._read(function, shown_arn), lambda obj: changed(self.read(obj)))
        )

    async def change_version_settings(self, version: FunctionRecord, edit: Edit) -> FunctionRecord:
        """As `change_settings` for a published version, whose RevisionId stays."""

        async def read() -> KubeObject:
            obj = await self.get_object(GVK.of(version.obj), version.obj["metadata"]["name"])
            if obj is None:
                raise messages.function_not_found(version.id.qualified_arn(version.version))
            return obj

        def changed(obj: KubeObject) -> KubeObject:
            record = self.read(obj)
            return _with(obj, "spec", {**edit(record), "revision": self._settings_revision(record, keeps_id=True)})

        return self.read(await self.rewrite(read, changed))

    async def change_status(self, function: FunctionId, edit: Edit) -> FunctionRecord:
        """For the part of the status that the facade keeps (the last published version)."""

        def changed(obj: KubeObject) -> KubeObject:
            return _with(obj, "status", edit(self.read(obj)))

        return self.read(await self.rewrite(lambda: self._read(function), changed, subresource="status"))

    async def rewrite(
        self,
        read: Callable[[], Awaitable[KubeObject]],
        change: Callable[[KubeObject], KubeObject],
        *,
        subresource: str = "",
    ) -> KubeObject:
        """Read, change, write; again on a conflict. Raises TooManyRequestsException after five conflicts."""
        for _ in range(_ATTEMPTS):
            changed = change(await read())
            try:
                return await self.kube.replace(changed, subresource=subresource, manager=MANAGER)
            except Conflict:
                await asyncio.sleep(self.jitter.random() * _JITTER_S)
        raise messages.too_many_conflicts()

    async def delete(self, obj: KubeObject) -> None:
        """Marks the object; its finalizer, if it has one, stops the environments. Absent is fine.

        Only the object that was read: one that was made since under its name stays, and the conflict says that this
        one is gone. Its revision does not matter, for it is to go whatever its status has become.
        """
        metadata = obj["metadata"]
        with contextlib.suppress(NotFound, Conflict):
            await self.kube.delete(
                GVK.of(obj),
                metadata["name"],
                namespace=self.namespace,
                propagation="Background",
                preconditions=Preconditions(uid=metadata.get("uid")),
            )

    async def _read(self, function: FunctionId, shown_arn: str = "") -> KubeObject:
        return (await self.get(function, shown_arn=shown_arn)).obj

    def revision(
        self, id_: str, *, generation: int, content: str = "", supersedes: str = "", at: str | None = None
    ) -> Fields:
        """`spec.revision` of the write that creates `generation`."""
        made = {"content": content or id_, "id": id_, "generation": generation}
        return {**made, "at": at or aws_timestamp(self.clock()), **({"supersedes": supersedes} if supersedes else {})}

    def _settings_revision(self, record: FunctionRecord, *, keeps_id: bool) -> Fields:
        given = record.status.get("revisionId", "")
        return self.revision(
            record.revision_id if keeps_id else self.new_id(),
            generation=_next_generation(record.obj),
            content=record.content,
            supersedes=given,
            at=record.last_modified,
        )


def check_revision(current: str, given: str | None, *, api: str = "GetFunction/GetAlias") -> None:
    """Raises PreconditionFailedException when a caller's RevisionId is not the current one."""
    if given is not None and given != current:
        raise messages.stale_revision(api)


def _next_generation(obj: KubeObject) -> int:
    return obj["metadata"].get("generation", 1) + 1


def _with(obj: KubeObject, member: str, value: Fields) -> KubeObject:
    changed = copy.copy(obj)
    changed[member] = value  # type: ignore[literal-required] # spec or status
    return changed
