"""GetFunction and GetFunctionConfiguration."""

from lambent.functions.backend import Backend, Context, Parameters, Result, named
from lambent.functions.lookup import resolve
from lambent.functions.views import code_view, configuration_view


async def get_function(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    record = await resolve(backend, wanted)
    reserved = record.spec.get("reservedConcurrentExecutions")
    result: Result = {
        "Configuration": configuration_view(record, qualifier=wanted.qualifier),
        "Code": code_view(backend, context, record),
    }
    if record.spec.get("tags"):
        result["Tags"] = record.spec["tags"]
    if reserved is not None:
        result["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
    return result


async def get_function_configuration(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    return configuration_view(await resolve(backend, wanted), qualifier=wanted.qualifier)
