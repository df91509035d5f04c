"""Aliases: a name for a version, with at most one further version that gets a share of the invocations.

A LambdaAlias object per alias, owned by its function. An alias has a RevisionId of its own.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lambent.aws.arn import FunctionId
from lambent.functions import messages
from lambent.functions.kinds import ALIAS, alias_name
from lambent.functions.record import FunctionRecord, read_record
from lambent.functions.store import MANAGER, Fields, FunctionStore
from lambent.functions.versions import owner_reference
from lambent.kube.errors import AlreadyExists
from lambent.kube.types import KubeObject


@dataclass(frozen=True)
class AliasRecord:
    """`weights` maps further versions to their share in [0, 1]."""

    obj: KubeObject
    function: FunctionId

    @property
    def spec(self) -> Fields:
        return self.obj["spec"]

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def arn(self) -> str:
        return self.function.qualified_arn(self.name)

    @property
    def version(self) -> str:
        return str(self.spec["functionVersion"])

    @property
    def weights(self) -> dict[str, float]:
        return dict(self.spec.get("routingConfig", {}).get("additionalVersionWeights", {}))

    @cached_property
    def revision_id(self) -> str:
        """As a function's: derived when somebody edited the object directly."""
        return read_record(self.obj, account="", region="").revision.id

    def view(self) -> dict[str, Any]:
        """AliasConfiguration."""
        routing = {"RoutingConfig": {"AdditionalVersionWeights": self.weights}} if self.weights else {}
        return {
            "AliasArn": self.arn,
            "Name": self.name,
            "FunctionVersion": self.version,
            "Description": self.spec.get("description", ""),
            "RevisionId": self.revision_id,
            **routing,
        }


def read_alias(store: FunctionStore, obj: KubeObject) -> AliasRecord:
    return AliasRecord(obj, store.read(obj).id)


async def find_alias(store: FunctionStore, function: FunctionId, name: str) -> AliasRecord | None:
    obj = await store.get_object(ALIAS, alias_name(function, name))
    if obj is not None and "deletionTimestamp" not in obj["metadata"]:
        return read_alias(store, obj)
    return next((alias for alias in await aliases_of(store, function) if alias.name == name), None)


async def aliases_of(store: FunctionStore, function: FunctionId) -> list[AliasRecord]:
    """In order of their names."""
    records = [read_alias(store, obj) async for obj in store.list_objects(ALIAS, function=function)]
    return sorted((r for r in records if r.function == function), key=lambda alias: alias.name)


async def create_alias(store: FunctionStore, function: FunctionRecord, spec: Fields) -> AliasRecord:
    """Raises ResourceConflictException when the function has one of that name."""
    name = spec["name"]
    whole = {**spec, "revision": store.revision(store.new_id(), generation=1)}
    obj = store.new_object(ALIAS, alias_name(function.id, name), function.id, whole)
    obj["metadata"]["ownerReferences"] = [owner_reference(function)]
    try:
        return read_alias(store, await store.kube.create(obj, manager=MANAGER))
    except AlreadyExists:
        raise messages.alias_exists(function.id.qualified_arn(name)) from None


async def change_alias(
    store: FunctionStore, alias: AliasRecord, edit: Any, *, keeps_revision: bool = False
) -> AliasRecord:
    """`edit(alias) -> spec`, as `FunctionStore.change`."""

    async def read() -> KubeObject:
        found = await find_alias(store, alias.function, alias.name)
        if found is None:
            raise messages.alias_not_found(alias.arn)
        return found.obj

    def changed(obj: KubeObject) -> KubeObject:
        now = read_alias(store, obj)
        generation = obj["metadata"].get("generation", 1) + 1
        revision = store.revision(now.revision_id if keeps_revision else store.new_id(), generation=generation)
        return {**obj, "spec": {**edit(now), "revision": revision}}

    return read_alias(store, await store.rewrite(read, changed))
