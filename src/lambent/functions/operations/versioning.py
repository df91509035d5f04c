"""PublishVersion and ListVersionsByFunction."""

from lambent.aws.arn import LATEST
from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Parameters, Result, named, unqualified
from lambent.functions.operations.updating import check_idle
from lambent.functions.paging import page_of
from lambent.functions.record import FunctionRecord
from lambent.functions.store import check_revision
from lambent.functions.versions import publish, versions_of
from lambent.functions.views import configuration_view, list_entry


async def publish_version(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = unqualified(context, parameters)

    def check(current: FunctionRecord) -> None:
        check_idle(current)
        check_revision(current.revision_id, parameters.get("RevisionId"))
        have = current.code.code_sha256 if current.code else ""
        if parameters.get("CodeSha256") not in (None, have):
            raise messages.code_sha_mismatch(parameters["CodeSha256"], have)

    description = parameters.get("Description")
    return configuration_view(await publish(backend.store, function, description=description, expects=check))


async def list_versions_by_function(backend: Backend, context: Context, parameters: Parameters) -> Result:
    """`$LATEST` first, then by number."""
    function = named(context, parameters).id
    latest = await backend.store.get(function)
    records = [latest, *await versions_of(backend.store, function)]

    def number(record: FunctionRecord) -> int:
        return 0 if record.version == LATEST else int(record.version)

    scope = f"{context.operation}:{function.arn}"
    page, marker = page_of(records, key=number, parameters=parameters, scope=scope)
    return {"Versions": [list_entry(record, qualifier=record.version) for record in page], "NextMarker": marker}
