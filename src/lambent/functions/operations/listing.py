"""ListFunctions, page by page in order of names; with FunctionVersion=ALL each version is an entry of its own."""

from lambent.aws.arn import LATEST
from lambent.functions.backend import Backend, Context, Parameters, Result
from lambent.functions.kinds import FUNCTION_VERSION
from lambent.functions.paging import page_of
from lambent.functions.record import FunctionRecord
from lambent.functions.views import list_entry


async def list_functions(backend: Backend, context: Context, parameters: Parameters) -> Result:
    records = await backend.store.list(account=context.account, region=context.region)
    shows_versions = parameters.get("FunctionVersion") == "ALL"
    if shows_versions:
        versions = [backend.store.read(obj) async for obj in backend.store.list_objects(FUNCTION_VERSION)]
        records += [v for v in versions if (v.id.account, v.id.region) == (context.account, context.region)]
    page, marker = page_of(
        sorted(records, key=_place),
        key=_place,
        parameters=parameters,
        scope=f"{context.operation}:{context.account}:{context.region}:{shows_versions}",
    )
    entries = [list_entry(record, qualifier=record.version if shows_versions else None) for record in page]
    return {"Functions": entries, "NextMarker": marker}


def _place(record: FunctionRecord) -> list[str | int]:
    return [record.id.name, 0 if record.version == LATEST else int(record.version)]
