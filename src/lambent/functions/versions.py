"""Published versions: frozen copies of a function's configuration and code, numbered without gaps being filled.

A version is a LambdaFunctionVersion object owned by its function. Its name holds its number, so two publishers that
choose the same number meet at the API server, and the one that comes second reads again and finds the other's work.
"""

import asyncio
from typing import Any

from lambent.aws.arn import LATEST, FunctionId
from lambent.functions import messages
from lambent.functions.kinds import ALIAS, FINALIZER, FUNCTION, FUNCTION_VERSION, version_name
from lambent.functions.record import FunctionRecord
from lambent.functions.store import MANAGER, FunctionStore
from lambent.kube.errors import AlreadyExists
from lambent.kube.types import KubeObject, OwnerReference

_ATTEMPTS = 20
_PAUSE_S = 0.02  # the other publisher finishes, or a version of a deleted function goes
_NOT_CONFIGURATION = frozenset(
    (
        "bornActive",
        "code",
        "description",
        "eventInvokeConfig",
        "policy",
        "recursiveLoop",
        "reservedConcurrentExecutions",
        "revision",
        "runtimeManagement",
        "sourceDescription",
        "tags",
        "version",
    )
)


async def find_version(store: FunctionStore, function: FunctionId, number: str) -> FunctionRecord | None:
    obj = await store.get_object(FUNCTION_VERSION, version_name(function, int(number)))
    if obj is None or "deletionTimestamp" in obj["metadata"] or store.read(obj).version != number:
        return None
    return store.read(obj)


async def versions_of(store: FunctionStore, function: FunctionId) -> list[FunctionRecord]:
    """In order of their numbers."""
    records = [store.read(obj) async for obj in store.list_objects(FUNCTION_VERSION, function=function)]
    return sorted((r for r in records if r.id == function), key=lambda record: int(record.version))


async def delete_dependents(store: FunctionStore, function: FunctionId) -> None:
    """Versions and aliases, at once: the garbage collector would take them too, but later, and a new function of the
    same name must not find them."""
    for gvk in (ALIAS, FUNCTION_VERSION):
        async for obj in store.list_objects(gvk, function=function):
            await store.delete(obj)


async def publish(
    store: FunctionStore, function: FunctionId, *, description: str | None = None, expects: Any = None
) -> FunctionRecord:
    """The version that holds the function's present code and configuration; a new one only if none does.

    `expects(record)` is asked of each state that is read and raises to refuse.
    """
    for _ in range(_ATTEMPTS):
        current = await store.get(function)
        if expects is not None:
            expects(current)
        known = await versions_of(store, function)
        if known and _holds(known[-1], current, description):
            return known[-1]
        number = max(current.last_version, *(int(record.version) for record in known), 0) + 1
        try:
            made = await store.kube.create(_object(store, current, number, description), manager=MANAGER)
        except AlreadyExists:
            await asyncio.sleep(_PAUSE_S)
            continue
        await _note(store, function, number)
        return store.read(made)
    raise messages.too_many_conflicts()


async def _note(store: FunctionStore, function: FunctionId, number: int) -> None:
    """A number is never used again, also after its version is deleted; publishing changes the RevisionId."""

    def edit(record: FunctionRecord) -> dict[str, Any]:
        last = max(number, record.last_version)
        return {**record.status, "lastVersion": last, "revisionId": store.new_id()}

    await store.change_status(function, edit)


def _holds(version: FunctionRecord, current: FunctionRecord, description: str | None) -> bool:
    """A description given to the version counts only against the version's own; the function's own against what it
    was then."""
    if description is not None and description != _description(version):
        return False
    described_alike = str(version.spec.get("sourceDescription", "")) == _description(current)
    return described_alike and bool(_content(version) == _content(current))


def _description(record: FunctionRecord) -> str:
    return str(record.configuration["Description"])


def _content(record: FunctionRecord) -> Any:
    configuration = {key: value for key, value in record.configuration.items() if key != "Description"}
    return configuration, record.code and record.code.to_fields()


def _object(store: FunctionStore, current: FunctionRecord, number: int, description: str | None) -> KubeObject:
    frozen = {key: value for key, value in current.spec.items() if key not in _NOT_CONFIGURATION}
    code = current.code
    spec = {
        **frozen,
        "version": str(number),
        "bornActive": current.is_settled and current.status.get("state") == "Active",
        "sourceDescription": _description(current),
        "description": description if description is not None else _description(current),
        "code": code.to_fields() if code else current.spec.get("code", {}),
        "revision": store.revision(store.new_id(), generation=1, at=current.last_modified),
    }
    obj = store.new_object(FUNCTION_VERSION, version_name(current.id, number), current.id, spec)
    obj["metadata"]["finalizers"] = [FINALIZER]
    obj["metadata"]["ownerReferences"] = [owner_reference(current)]
    return obj


def owner_reference(function: FunctionRecord) -> OwnerReference:
    meta = function.obj["metadata"]
    return {
        "apiVersion": FUNCTION.api_version,
        "kind": FUNCTION.kind,
        "name": meta["name"],
        "uid": meta.get("uid", ""),
    }


async def resolve_version(store: FunctionStore, current: FunctionRecord, version: str) -> FunctionRecord:
    """`$LATEST` or a number; raises ResourceNotFoundException naming it."""
    if version == LATEST:
        return current
    found = await find_version(store, current.id, version)
    if found is None:
        raise messages.function_not_found(current.id.qualified_arn(version))
    return found
