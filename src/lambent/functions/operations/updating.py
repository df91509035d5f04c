"""UpdateFunctionCode and UpdateFunctionConfiguration.

Both answer `LastUpdateStatus: InProgress`; the former code goes on serving until the controller has the new one ready.
Another update meanwhile is a conflict.
"""

from typing import Any

from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Parameters, Result, unqualified
from lambent.functions.checks import check_configuration
from lambent.functions.configuration import loaded, stored
from lambent.functions.record import CodeRef, FunctionRecord
from lambent.functions.store import check_revision
from lambent.functions.versions import publish
from lambent.functions.views import configuration_view


async def update_function_configuration(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = unqualified(context, parameters)
    fields = stored(parameters)
    current = await backend.store.get(function)
    check_idle(current)
    await check_configuration(backend, parameters, loaded({**current.spec, **fields}, function.name))

    def edit(record: FunctionRecord) -> dict[str, Any]:
        check_idle(record)
        return {**record.spec, **_merged(record.spec, fields)}

    record = await backend.store.change(function, edit, revision_id=parameters.get("RevisionId"))
    return configuration_view(record)


def _merged(spec: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Given settings replace; of the logging settings only the given members do."""
    if "loggingConfig" not in fields:
        return fields
    return {**fields, "loggingConfig": {**spec.get("loggingConfig", {}), **fields["loggingConfig"]}}


async def update_function_code(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = unqualified(context, parameters)
    current = await backend.store.get(function)
    check_idle(current)
    _check_package(parameters, current.configuration["PackageType"])
    check_revision(current.revision_id, parameters.get("RevisionId"))
    dry_run = bool(parameters.get("DryRun"))
    code = await backend.intake.take(parameters, region=context.region, keep=not dry_run)
    if dry_run:
        return _dry_run_view(current, code)

    def edit(record: FunctionRecord) -> dict[str, Any]:
        check_idle(record)
        return {**record.spec, **stored(parameters), "code": code.to_fields()}

    record = await backend.store.change(function, edit, revision_id=parameters.get("RevisionId"))
    if parameters.get("Publish"):
        record = await publish(backend.store, function)
    return configuration_view(record)


def _dry_run_view(record: FunctionRecord, code: CodeRef) -> Result:
    return {**configuration_view(record), "CodeSha256": code.code_sha256, "CodeSize": code.size}


def check_idle(record: FunctionRecord) -> None:
    """Raises ResourceConflictException while the function is being created or updated."""
    if record.is_pending:
        raise messages.still_pending()
    if not record.is_settled:
        raise messages.update_in_progress(record.id)


def _check_package(parameters: Parameters, package_type: str) -> None:
    if package_type == "Image" and not parameters.get("ImageUri"):
        raise messages.image_uri_needed()
    if package_type == "Zip" and parameters.get("ImageUri"):
        raise messages.image_uri_unwanted()
