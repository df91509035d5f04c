"""DeleteFunction: marks the object.

Owner references take versions and aliases along; the finalizer stops the environments.
"""

from lambent.aws.arn import LATEST, is_version
from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Parameters, Result, named


async def delete_function(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    if wanted.qualifier == LATEST:
        raise messages.latest_not_deletable()
    if wanted.qualifier and not is_version(wanted.qualifier):
        raise messages.alias_not_deletable()
    record = await backend.store.get(wanted.id)
    if wanted.qualifier:
        raise messages.function_not_found(wanted.shown_arn)
    await backend.store.delete(record)
    return {}
