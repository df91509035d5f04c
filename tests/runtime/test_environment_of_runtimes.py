"""The variables of a runtime, as a pure function: what is set, who wins, what never passes."""

import pytest

from lambent.runtime.api import RuntimeApi
from lambent.runtime.environment import Surroundings, build_environment
from lambent.runtime.function_spec import FunctionSpec, PoolKey, ZipCode
from lambent.runtime.launcher import LaunchOrder


@pytest.fixture
def build(tmp_path):
    api = RuntimeApi(None, response_limit_bytes=1, error_limit_bytes=1)  # type: ignore[arg-type] # never called
    order = LaunchOrder(3, "127.0.0.1:9001", "2026/01/02/[7]abc", "on-demand", api)

    def run(environment=None, **around):
        spec = FunctionSpec(
            PoolKey("k"), "arn", "demo", "7", ZipCode(tmp_path, "00"), handler="a.b", memory_mb=512, region="eu-west-1",
            environment=environment or {},
        )  # fmt: skip
        return build_environment(spec, order, Surroundings(**around))

    return run


def test_lambdas_own_variables_are_all_there(build):
    assert (
        build().items()
        >= {
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
            "_HANDLER": "a.b",
            "AWS_LAMBDA_FUNCTION_NAME": "demo",
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/demo",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[7]abc",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "TZ": ":UTC",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "INSTANCE": "3",
            "_INSTANCE": "3",
            "PWD": "/var/task",
        }.items()
    )


@pytest.mark.parametrize(
    "key",
    [
        "AMQP_URI",
        "AMQP_PASSWORD",
        "LAMBENT_STATE",
        "KUBERNETES_INIT_CONTAINER",
        "PYTHONHOME",
        "TERM",
        "SHLVL",
        "_",
        "_X_AMZN_TRACE_ID",
    ],
)
def test_variables_of_ours_never_pass(build, key):
    assert key not in build({key: "x"}, container={key: "x"})


@pytest.mark.parametrize(
    ("key", "environment", "around", "value"),
    [
        ("_HANDLER", {"_HANDLER": "mine"}, {}, "a.b"),
        ("AWS_REGION", {"AWS_REGION": "x"}, {"aws": {"AWS_REGION": "y"}}, "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", {"AWS_ACCESS_KEY_ID": "mine"}, {"aws": {"AWS_ACCESS_KEY_ID": "role"}}, "role"),
        ("AWS_SESSION_TOKEN", {}, {"aws": {"AWS_SESSION_TOKEN": ""}}, None),
        ("COLOR", {"COLOR": "a=b\nc"}, {"container": {"COLOR": "image"}}, "a=b\nc"),
        ("TZ", {"TZ": "Europe/Paris"}, {}, "Europe/Paris"),
        ("PATH", {}, {"container": {"PATH": "/image"}}, "/image"),
        ("AWS_EXECUTION_ENV", {}, {}, None),
        ("AWS_EXECUTION_ENV", {}, {"container": {"AWS_EXECUTION_ENV": "image"}}, "image"),
        ("AWS_EXECUTION_ENV", {}, {"container": {"AWS_EXECUTION_ENV": "image"}, "execution_env": "none"}, None),
        ("AWS_EXECUTION_ENV", {}, {"container": {"AWS_EXECUTION_ENV": "image"}, "execution_env": "x"}, "x"),
    ],
)
def test_the_earlier_group_wins(build, key, environment, around, value):
    assert build(environment, **around).get(key) == value
