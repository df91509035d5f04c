"""CreateFunction: check, take the code in, write one object; the controller makes it Active."""

from typing import Any

from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Parameters, Result, named
from lambent.functions.checks import check_configuration
from lambent.functions.configuration import loaded, stored
from lambent.functions.record import CodeRef
from lambent.functions.versions import publish
from lambent.functions.views import configuration_view


async def create_function(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = named(context, parameters).id
    if len(function.name) > backend.limits.function_name:
        raise messages.name_too_long(function.name)
    fields = stored(parameters)
    whole = loaded(fields, function.name)
    await check_configuration(backend, parameters, whole)
    if len(parameters.get("Tags", {})) > backend.limits.tags:
        raise messages.too_many_tags()
    _check_code(parameters["Code"], whole["PackageType"])
    if await backend.store.exists(function):
        raise messages.function_exists(function.name)
    code = await backend.intake.take(parameters["Code"], region=context.region)
    record = await backend.store.create(function, _spec(fields, parameters, code))
    if parameters.get("Publish"):
        version = await publish(backend.store, function)
        return {**configuration_view(record), "Version": version.version}
    return configuration_view(record)


def _spec(fields: dict[str, Any], parameters: Parameters, code: CodeRef) -> dict[str, Any]:
    tags = {"tags": parameters["Tags"]} if parameters.get("Tags") else {}
    return {**fields, "code": code.to_fields(), **tags}


def _check_code(code: dict[str, Any], package_type: str) -> None:
    sources = [code.get("ZipFile") is not None, bool(code.get("S3Bucket") or code.get("S3Key"))]
    if package_type == "Image":
        if not code.get("ImageUri") or any(sources):
            raise messages.invalid_parameter("Please provide ImageUri when PackageType is Image.")
    elif code.get("ImageUri"):
        raise messages.invalid_parameter("Please don't provide ImageUri when PackageType is Zip.")
    elif sum(sources) != 1:
        raise messages.invalid_parameter("Please provide exactly one source for function code.")
