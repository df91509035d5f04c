"""TagResource, UntagResource, ListTags on functions.

Tags are no part of a configuration: they change the RevisionId, but nothing has to settle. Mappings, layers, signing
configs and capacity providers are not kept yet, so their ARNs are never found.
"""

from typing import Any

from lambent.aws.arn import FunctionId, parse_function_name
from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Parameters, Result
from lambent.functions.record import FunctionRecord

_OTHER_KINDS = {
    "event-source-mapping": "Event source mapping",
    "code-signing-config": "Code signing config",
    "capacity-provider": "Capacity provider",
    "layer": "Layer",
}


async def tag_resource(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = _tagged_function(context, parameters["Resource"])
    if not parameters["Tags"]:
        raise messages.no_tags()

    def edit(record: FunctionRecord) -> dict[str, Any]:
        tags = {**record.spec.get("tags", {}), **parameters["Tags"]}
        if len(tags) > backend.limits.tags:
            raise messages.too_many_tags()
        return {**record.spec, "tags": tags}

    await backend.store.change_settings(function, edit)
    return {}


async def untag_resource(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = _tagged_function(context, parameters["Resource"])

    def edit(record: FunctionRecord) -> dict[str, Any]:
        left = {k: v for k, v in record.spec.get("tags", {}).items() if k not in parameters["TagKeys"]}
        return {**record.spec, "tags": left}

    await backend.store.change_settings(function, edit)
    return {}


async def list_tags(backend: Backend, context: Context, parameters: Parameters) -> Result:
    record = await backend.store.get(_tagged_function(context, parameters["Resource"]))
    return {"Tags": record.spec.get("tags", {})}


def _tagged_function(context: Context, arn: str) -> FunctionId:
    kind = arn.split(":")[5]
    if kind in _OTHER_KINDS:
        raise messages.unknown_resource(_OTHER_KINDS[kind], arn)
    parsed = parse_function_name(arn)
    if parsed is None:
        raise messages.function_not_found(arn)
    if parsed.qualifier:
        raise messages.tags_on_qualifier()
    if parsed.region != context.region:
        raise messages.other_region(parsed.region or "", context.region)
    if parsed.account != context.account:
        raise messages.other_account()
    return FunctionId(context.account, context.region, parsed.name)
