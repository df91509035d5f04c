"""What a configuration must satisfy beyond the shapes of the model: one check each, in AWS's order.

Order: role and runtime, environment, what belongs to the package type. Nothing here writes.
"""

from typing import Any

import orjson

from lambent.functions import messages
from lambent.functions.backend import Backend
from lambent.functions.configuration import Configuration
from lambent.functions.runtimes import check_runtime

_RESERVED_VARIABLES = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    )
)


async def check_configuration(backend: Backend, given: dict[str, Any], whole: Configuration) -> None:
    """`given` is what the request sets, `whole` the configuration it would lead to."""
    if given.get("Runtime"):
        check_runtime(given["Runtime"])
    if whole["PackageType"] == "Zip" and not (whole.get("Handler") and whole.get("Runtime")):
        raise messages.invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    if whole["PackageType"] == "Image" and (given.get("Handler") or given.get("Runtime") or given.get("Layers")):
        raise messages.invalid_parameter(
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
        )
    check_environment(backend, given.get("Environment", {}).get("Variables", {}))
    check_layers(backend, given.get("Layers", []))
    if given.get("Role") and not await backend.roles.may_assume(given["Role"]):
        raise messages.role_not_assumable()


def check_environment(backend: Backend, variables: dict[str, str]) -> None:
    reserved = sorted(_RESERVED_VARIABLES & variables.keys())
    if reserved:
        raise messages.reserved_variables(reserved)
    measured = orjson.dumps(variables)
    if len(measured) > backend.limits.environment:
        raise messages.environment_too_large(measured.decode())


def check_layers(backend: Backend, layers: list[str]) -> None:
    if len(layers) > backend.limits.layers:
        raise messages.invalid_parameter(f"Cannot reference more than {backend.limits.layers} layers.")
    if layers:
        raise messages.invalid_parameter(f"Layer version {layers[0]} does not exist.")
