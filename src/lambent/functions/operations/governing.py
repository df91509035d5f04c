"""Small settings beside the configuration: recursion, runtime management, and the code signing a function has not.

Recursion detection and automatic runtime updates are AWS's machinery: the settings are kept and answered, and change
nothing here.
"""

import logging
from typing import Any

from lambent.aws.arn import LATEST
from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Parameters, Result, named, unqualified
from lambent.functions.holders import Holder, change_holder
from lambent.functions.lookup import resolve
from lambent.functions.record import FunctionRecord
from lambent.functions.store import Fields

log = logging.getLogger(__name__)


async def get_code_signing(backend: Backend, context: Context, parameters: Parameters) -> Result:
    """No function has a signing configuration yet; AWS answers an empty object then."""
    await backend.store.get(named(context, parameters).id)
    return {}


async def get_recursion(backend: Backend, context: Context, parameters: Parameters) -> Result:
    record = await backend.store.get(unqualified(context, parameters))
    return {"RecursiveLoop": record.spec.get("recursiveLoop", "Terminate")}


async def put_recursion(backend: Backend, context: Context, parameters: Parameters) -> Result:
    function = unqualified(context, parameters)
    wanted = parameters["RecursiveLoop"]

    def edit(record: FunctionRecord) -> dict[str, Any]:
        return {**record.spec, "recursiveLoop": wanted}

    await backend.store.change_settings(function, edit, keeps_revision=True)
    log.info("recursion is stored only: loops are not detected", extra={"function": function.name})
    return {"RecursiveLoop": wanted}


async def get_runtime_management(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    record = await resolve(backend.store, wanted)
    arn = wanted.id.qualified_arn(wanted.qualifier or LATEST)
    return _management(arn, record.spec.get("runtimeManagement", {}))


async def put_runtime_management(backend: Backend, context: Context, parameters: Parameters) -> Result:
    wanted = named(context, parameters)
    await resolve(backend.store, wanted)
    mode, version = parameters["UpdateRuntimeOn"], parameters.get("RuntimeVersionArn")
    if mode == "Manual" and not version:
        raise messages.runtime_version_needed()
    stored = {"updateRuntimeOn": mode, **({"runtimeVersionArn": version} if version else {})}

    def new_spec(holder: Holder) -> Fields:
        return {**holder.spec, "runtimeManagement": stored}

    await change_holder(backend.store, wanted, new_spec)
    log.info("runtime management is stored only: runtimes are this machine's", extra={"function": wanted.id.name})
    return _management(wanted.id.qualified_arn(wanted.qualifier or LATEST), stored)


def _management(arn: str, stored: Fields) -> Result:
    return {
        "UpdateRuntimeOn": stored.get("updateRuntimeOn", "Auto"),
        "RuntimeVersionArn": stored.get("runtimeVersionArn"),
        "FunctionArn": arn,
    }
