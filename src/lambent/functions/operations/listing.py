"""ListFunctions, page by page in order of names."""

from lambent.aws.arn import LATEST
from lambent.functions.backend import Backend, Context, Parameters, Result
from lambent.functions.paging import page_of
from lambent.functions.views import list_entry


async def list_functions(backend: Backend, context: Context, parameters: Parameters) -> Result:
    records = [
        record
        async for record in backend.store.list()
        if (record.id.account, record.id.region) == (context.account, context.region)
    ]
    shows_versions = parameters.get("FunctionVersion") == "ALL"
    page, marker = page_of(
        sorted(records, key=lambda record: record.id.name),
        key=lambda record: record.id.name,
        parameters=parameters,
        scope=f"{context.operation}:{context.account}:{context.region}:{shows_versions}",
    )
    entries = [list_entry(record, qualifier=LATEST if shows_versions else None) for record in page]
    return {"Functions": entries, "NextMarker": marker}
