"""PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency, GetAccountSettings."""

from typing import Any

from lambent.aws.arn import LATEST
from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Parameters, Result, unqualified
from lambent.functions.kinds import FUNCTION_VERSION
from lambent.functions.record import FunctionRecord

_FIELD = "reservedConcurrentExecutions"


async def put(backend: Backend, context: Context, parameters: Parameters) -> Result:
    """0 blocks every invocation; the pool of all other functions stays at 100 at least."""
    function = unqualified(context, parameters)
    shown = function.qualified_arn(LATEST)
    await backend.store.get(function, shown_arn=shown)
    wanted = parameters["ReservedConcurrentExecutions"]
    limits = backend.limits
    others = [r for r in await backend.store.list(account=context.account, region=context.region) if r.id != function]
    reserved = sum(record.spec.get(_FIELD, 0) for record in others)
    if wanted and limits.concurrency - reserved - wanted < limits.unreserved_concurrency:
        raise messages.unreserved_too_low(limits.unreserved_concurrency)

    def edit(record: FunctionRecord) -> dict[str, Any]:
        return {**record.spec, _FIELD: wanted}

    await backend.store.change_settings(function, edit, keeps_revision=True, shown_arn=shown)
    return {"ReservedConcurrentExecutions": wanted}


async def get(backend: Backend, context: Context, parameters: Parameters) -> Result:
    record = await backend.store.get(unqualified(context, parameters))
    return {"ReservedConcurrentExecutions": record.spec.get(_FIELD)}


async def delete(backend: Backend, context: Context, parameters: Parameters) -> Result:
    def edit(record: FunctionRecord) -> dict[str, Any]:
        return {key: value for key, value in record.spec.items() if key != _FIELD}

    await backend.store.change_settings(unqualified(context, parameters), edit, keeps_revision=True)
    return {}


async def get_account_settings(backend: Backend, context: Context, parameters: Parameters) -> Result:
    """Limits of the account and what it uses now, versions included."""
    functions = await backend.store.list(account=context.account, region=context.region)
    versions = [backend.store.read(obj) async for obj in backend.store.list_objects(FUNCTION_VERSION)]
    own = [*functions, *(v for v in versions if (v.id.account, v.id.region) == (context.account, context.region))]
    limits = backend.limits
    reserved = sum(record.spec.get(_FIELD, 0) for record in functions)
    return {
        "AccountLimit": {
            "TotalCodeSize": limits.total_code_size,
            "CodeSizeUnzipped": limits.unzipped,
            "CodeSizeZipped": limits.zipped,
            "ConcurrentExecutions": limits.concurrency,
            "UnreservedConcurrentExecutions": limits.concurrency - reserved,
        },
        "AccountUsage": {
            "TotalCodeSize": sum(record.code.size for record in own if record.code),
            "FunctionCount": len(functions),
        },
    }
