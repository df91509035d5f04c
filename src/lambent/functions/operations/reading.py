"""GetFunction and GetFunctionConfiguration."""

from lambent.aws.arn import LATEST
from lambent.functions.backend import Backend, Context, Parameters, Result, named
from lambent.functions.lookup import resolve
from lambent.functions.record import FunctionRecord
from lambent.functions.views import code_view, configuration_view


async def get_function(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    record = await resolve(backend.store, wanted)
    result: Result = {
        "Configuration": configuration_view(record, qualifier=wanted.qualifier),
        "Code": code_view(backend, context, record),
    }
    return {**result, **await _of_the_function(backend, record)}


async def _of_the_function(backend: Backend, record: FunctionRecord) -> Result:
    """What belongs to the function whatever the qualifier: its tags and reservation, only if it has any."""
    function = record if record.version == LATEST else await backend.store.get(record.id)
    shown: Result = {}
    if function.spec.get("tags"):
        shown["Tags"] = function.spec["tags"]
    reserved = function.spec.get("reservedConcurrentExecutions")
    if reserved is not None:
        shown["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
    return shown


async def get_function_configuration(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    return configuration_view(await resolve(backend.store, wanted), qualifier=wanted.qualifier)
