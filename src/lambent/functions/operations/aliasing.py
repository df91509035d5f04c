"""CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases."""

from typing import Any

from lambent.aws.arn import LATEST
from lambent.functions import messages
from lambent.functions.aliases import AliasRecord, aliases_of, change_alias, create_alias, find_alias
from lambent.functions.backend import Backend, Context, Parameters, Result, unqualified
from lambent.functions.paging import page_of
from lambent.functions.record import FunctionRecord
from lambent.functions.store import check_revision
from lambent.functions.versions import resolve_version


async def create(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = unqualified(context, parameters)
    version, weights = parameters["FunctionVersion"], _weights(parameters) or {}
    _check_weights(version, weights)
    current = await backend.store.get(function, shown_arn=function.qualified_arn(version))
    await _check_versions(backend, current, version, weights)
    spec = {
        "name": parameters["Name"],
        "functionVersion": version,
        "description": parameters.get("Description", ""),
        **_routing(weights),
    }
    return (await create_alias(backend.store, current, spec)).view()


async def get(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = unqualified(context, parameters)
    await backend.store.get(function)
    alias = await find_alias(backend.store, function, parameters["Name"])
    if alias is None:
        raise messages.alias_not_found(function.qualified_arn(parameters["Name"]))
    return alias.view()


async def update(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = unqualified(context, parameters)
    current = await backend.store.get(function)
    alias = await find_alias(backend.store, function, parameters["Name"])
    if alias is None:
        raise messages.alias_to_update_not_found(function.qualified_arn(parameters["Name"]))
    version = parameters.get("FunctionVersion", alias.version)
    given = _weights(parameters)
    _check_weights(version, alias.weights if given is None else given)
    await _check_versions(backend, current, version, given or {})

    def edit(now: AliasRecord) -> dict[str, Any]:
        check_revision(now.revision_id, parameters.get("RevisionId"))
        rest = {key: value for key, value in now.spec.items() if key != "routingConfig"}
        weights = now.weights if given is None else given
        description = parameters.get("Description", now.spec.get("description", ""))
        new_version = parameters.get("FunctionVersion", now.version)
        return {**rest, "functionVersion": new_version, "description": description, **_routing(weights)}

    return (await change_alias(backend.store, alias, edit)).view()


async def delete(backend: Backend, context: Context, parameters: Parameters) -> Result:
    """An alias that is not there is deleted already."""
    function = unqualified(context, parameters)
    await backend.store.get(function)
    alias = await find_alias(backend.store, function, parameters["Name"])
    if alias is not None:
        await backend.store.delete(alias.obj)
    return {}


async def list_all(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = unqualified(context, parameters)
    await backend.store.get(function)
    version = parameters.get("FunctionVersion")
    found = [a for a in await aliases_of(backend.store, function) if version is None or _names(a, version)]
    scope = f"{context.operation}:{function.arn}:{version}"
    page, marker = page_of(found, key=lambda alias: alias.name, parameters=parameters, scope=scope)
    return {"Aliases": [alias.view() for alias in page], "NextMarker": marker}


def _names(alias: AliasRecord, version: str) -> bool:
    return version == alias.version or version in alias.weights


def _weights(parameters: Parameters) -> dict[str, float] | None:
    """None when the request says nothing of them."""
    routing = parameters.get("RoutingConfig")
    return None if routing is None else dict(routing.get("AdditionalVersionWeights", {}))


def _routing(weights: dict[str, float]) -> dict[str, Any]:
    return {"routingConfig": {"additionalVersionWeights": weights}} if weights else {}


def _check_weights(version: str, weights: dict[str, float]) -> None:
    if len(weights) > 1:
        raise messages.too_many_weights()
    if version in weights:
        raise messages.weight_of_primary(version)
    if weights and version == LATEST:
        raise messages.latest_not_weighted()


async def _check_versions(backend: Backend, current: FunctionRecord, version: str, weights: dict[str, float]) -> None:
    for each in (version, *weights):
        await resolve_version(backend.store, current, each)
