"""Event-invoke configurations: retries, age and destinations of asynchronous invocations, per qualifier."""

from datetime import UTC, datetime
from typing import Any

from lambent.aws.arn import LATEST, FunctionId, parse_function_name
from lambent.aws.service_model import lambda_model
from lambent.clock import parse_rfc3339, rfc3339
from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Named, Parameters, Result, named
from lambent.functions.holders import Holder, change_holder, find_holder, holders_of
from lambent.functions.paging import page_of
from lambent.functions.spelling import from_fields, to_fields
from lambent.functions.store import Fields

_FIELD = "eventInvokeConfig"
_MEMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
_TARGET_SERVICES = frozenset(("lambda", "sqs", "sns", "events", "s3"))
_LARGEST_PAGE = 50


async def put(backend: Backend, context: Context, parameters: Parameters) -> Result:
    """Replaces the whole configuration."""
    return await _write(backend, context, parameters, merges=False)


async def update(backend: Backend, context: Context, parameters: Parameters) -> Result:
    """Changes the given members only; the configuration must be there."""
    return await _write(backend, context, parameters, merges=True)


async def get(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    holder = await find_holder(backend.store, wanted)
    if holder is None or _FIELD not in holder.spec:
        raise messages.no_event_invoke_config(_arn(wanted))
    return _view(_arn(wanted), holder.spec[_FIELD])


async def delete(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    holder = await find_holder(backend.store, wanted)
    if holder is None or _FIELD not in holder.spec:
        raise messages.no_event_invoke_config(_arn(wanted))

    def new_spec(now: Holder) -> Fields:
        return {key: value for key, value in now.spec.items() if key != _FIELD}

    await change_holder(backend.store, wanted, new_spec)
    return {}


async def list_all(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = named(context, parameters).id
    current = await backend.store.find(function)
    if current is None:
        raise messages.no_such_function()
    found = [
        (index, _view(function.qualified_arn(qualifier), holder.spec[_FIELD]))
        for index, (qualifier, holder) in enumerate(await holders_of(backend.store, current))
        if _FIELD in holder.spec
    ]
    page, marker = page_of(
        found,
        key=lambda entry: entry[0],
        parameters=parameters,
        scope=f"{context.operation}:{function.arn}",
        largest=_LARGEST_PAGE,
    )
    return {"FunctionEventInvokeConfigs": [view for _, view in page], "NextMarker": marker}


async def _write(backend: Backend, context: Context, parameters: Parameters, *, merges: bool) -> Result:
    wanted = named(context, parameters)
    given = {key: parameters[key] for key in _MEMBERS if key in parameters}
    if not given:
        raise messages.empty_event_invoke_config()
    holder = await find_holder(backend.store, wanted)
    if holder is None:
        raise messages.no_such_function()
    if merges and _FIELD not in holder.spec:
        raise messages.no_event_invoke_config(_arn(wanted))
    await _check_destinations(backend, wanted.id, given.get("DestinationConfig", {}))
    fields = {**to_fields(_shape(), given), "lastModified": rfc3339(backend.store.clock())}
    written: list[Fields] = []

    def new_spec(now: Holder) -> Fields:
        written[:] = [{**now.spec.get(_FIELD, {}), **fields} if merges else fields]
        return {**now.spec, _FIELD: written[0]}

    await change_holder(backend.store, wanted, new_spec)
    return _view(_arn(wanted), written[0])


def _shape() -> Any:
    return lambda_model().shape_for("FunctionEventInvokeConfig")


def _arn(wanted: Named) -> str:
    return wanted.id.qualified_arn(wanted.qualifier or LATEST)


def _view(arn: str, fields: Fields) -> Result:
    shown = from_fields(_shape(), {key: value for key, value in fields.items() if key != "lastModified"})
    destinations = shown.get("DestinationConfig", {})
    at = fields.get("lastModified")
    return {
        **shown,
        "DestinationConfig": {name: destinations.get(name, {}) for name in ("OnSuccess", "OnFailure")},
        "FunctionArn": arn,
        "LastModified": parse_rfc3339(at) if at else datetime.now(UTC),
    }


async def _check_destinations(backend: Backend, function: FunctionId, config: dict[str, Any]) -> None:
    """A function as destination must be there and another one; of other services only the kind is checked."""
    targets = {name: config.get(name, {}).get("Destination") for name in ("OnSuccess", "OnFailure")}
    for arn in filter(None, targets.values()):
        service = arn.split(":")[2] if arn.count(":") > 2 else ""
        if service not in _TARGET_SERVICES:
            raise messages.destination_unsupported(targets["OnSuccess"], targets["OnFailure"])
        if service == "lambda":
            await _check_function(backend, function, arn)


async def _check_function(backend: Backend, function: FunctionId, arn: str) -> None:
    parsed = parse_function_name(arn)
    if parsed is None or parsed.account is None or parsed.region is None:
        raise messages.destination_missing(arn)
    target = FunctionId(parsed.account, parsed.region, parsed.name)
    if target == function:
        raise messages.destination_recursive()
    if await find_holder(backend.store, Named(target, parsed.qualifier)) is None:
        raise messages.destination_missing(arn)
