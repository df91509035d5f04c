"""The environment of a runtime: one pure function from settings to variables.

Earlier groups win: what Lambda promises, then AWS access, then what the function's owner or image sets, then
defaults. Each key occurs once. Variables of ours and of our launcher never pass.

Source: AWS Lambda developer guide, "Working with Lambda environment variables", "Defined runtime environment
variables".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.launcher import LaunchOrder

_NEVER_PREFIXES = ("AMQP_", "LAMBENT_")
_NEVER = frozenset({"KUBERNETES_INIT_CONTAINER", "PYTHONHOME", "TERM", "SHLVL", "_", "_X_AMZN_TRACE_ID"})
_DEFAULTS: Mapping[str, str] = {
    "TZ": ":UTC",
    "LANG": "en_US.UTF-8",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/task:/var/task/lib:/opt/lib",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a back end adds: directories, the variables of the image, access to AWS.

    `aws` holds endpoint, keys and the like; empty values are left out. `defaults` are used where nobody else speaks.
    `execution_env` sets `AWS_EXECUTION_ENV`; "none" removes it even from an image.
    """

    task_root: str = "/var/task"
    runtime_directory: str = "/var/runtime"
    working_directory: str = "/var/task"
    container: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    execution_env: str = ""


def build_environment(spec: FunctionSpec, order: LaunchOrder, around: Surroundings) -> dict[str, str]:
    """Every variable of one instance's runtime."""
    promised = _promised(spec, order, around)
    aws = {key: value for key, value in around.aws.items() if value}
    owner = {key: value for key, value in {**around.container, **spec.environment}.items() if _may_pass(key)}
    variables = {**_DEFAULTS, **around.defaults, **owner, **aws, **promised}
    if around.execution_env == "none":
        variables.pop("AWS_EXECUTION_ENV", None)
    return variables


def _promised(spec: FunctionSpec, order: LaunchOrder, around: Surroundings) -> dict[str, str]:
    variables = {
        "AWS_LAMBDA_RUNTIME_API": order.api_address,
        "_HANDLER": spec.handler,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group or f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": order.log_stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": order.initialization_type,
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_EXECUTION_ENV": "" if around.execution_env == "none" else around.execution_env,
        "LAMBDA_TASK_ROOT": around.task_root,
        "LAMBDA_RUNTIME_DIR": around.runtime_directory,
        "INSTANCE": str(order.number),
        "_INSTANCE": str(order.number),
        "PWD": around.working_directory,
    }
    return {key: value for key, value in variables.items() if value}


def _may_pass(key: str) -> bool:
    return key not in _NEVER and not key.startswith(_NEVER_PREFIXES)
