"""DeleteFunction: marks the object.

Owner references take versions and aliases along; the finalizer stops the environments.
"""

from lambent.aws.arn import LATEST, FunctionId, is_version
from lambent.functions import messages
from lambent.functions.aliases import aliases_of
from lambent.functions.backend import Backend, Context, Parameters, Result, named
from lambent.functions.versions import delete_dependents, find_version


async def delete_function(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    if wanted.qualifier == LATEST:
        raise messages.latest_not_deletable()
    names_version = bool(wanted.qualifier and is_version(wanted.qualifier))
    if wanted.qualifier and not names_version and "$" not in wanted.qualifier:
        raise messages.alias_not_deletable()
    record = await backend.store.get(wanted.id)
    if wanted.qualifier and not names_version:
        raise messages.function_not_found(wanted.shown_arn)
    if wanted.qualifier:
        await _delete_version(backend, wanted.id, wanted.qualifier)
    else:
        await backend.store.delete(record.obj)
        await delete_dependents(backend.store, wanted.id)
    return {}


async def _delete_version(backend: Backend, function: FunctionId, version: str) -> None:
    """A version that is not there is deleted already; one that an alias names stays."""
    aliases = await aliases_of(backend.store, function)
    users = [alias.name for alias in aliases if version == alias.version or version in alias.weights]
    if users:
        raise messages.version_in_use(users)
    found = await find_version(backend.store, function, version)
    if found is not None:
        await backend.store.delete(found.obj)
