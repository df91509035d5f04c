"""What a runtime process inherits, and what it does not."""

import json
import os

import pytest

pytestmark = pytest.mark.e2e

SHOW = """import os, resource, signal
start = sorted(int(name) for name in os.listdir("/proc/self/fd"))
def handler(event, context):
    status = open("/proc/self/status").read()
    fields = dict(line.split(":\\t") for line in status.splitlines() if ":\\t" in line)
    return {"environ": dict(os.environ), "blocked": fields["SigBlk"], "session": os.getsid(0) == os.getpid(),
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0], "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "inherited": [os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1, 2)], "cwd": os.getcwd()}
"""


async def show(platform, **changes):
    return json.loads((await platform.invoke(platform.function(SHOW, **changes))).payload)


async def test_lambdas_variables_are_set_and_ours_are_not(platform, monkeypatch):
    monkeypatch.setenv("AMQP_PASSWORD", "secret")
    monkeypatch.setenv("LAMBENT_STATE", "/x")
    monkeypatch.setenv("AWS_PROFILE", "poisoned")
    monkeypatch.setenv("PYTHONHOME_X", "1")
    seen = (await show(platform, environment={"COLOR": "a=b\nc", "LAMBENT_X": "1"}))["environ"]
    assert {key for key in seen if key.startswith(("AMQP_", "LAMBENT_"))} == set()
    assert "AWS_PROFILE" not in seen
    assert "PYTHONHOME_X" not in seen
    assert seen["COLOR"] == "a=b\nc"
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "demo"
    assert seen["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/demo"
    assert seen["LAMBDA_TASK_ROOT"] == seen["PWD"]
    assert seen["TZ"] == ":UTC"
    assert "AWS_EXECUTION_ENV" not in seen
    assert "AWS_SESSION_TOKEN" not in seen


async def test_a_runtime_has_its_own_session_limits_and_descriptors(platform):
    leak = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(leak, True)
    try:
        seen = await show(platform)
    finally:
        os.close(leak)
    assert seen["session"]
    assert seen["blocked"] == "0" * 16
    assert (seen["core"], seen["files"]) == (0, 1024)
    assert seen["inherited"][0] == os.devnull
    assert all(link.startswith("pipe:") for link in seen["inherited"][1:])
    assert seen["cwd"] == seen["environ"]["LAMBDA_TASK_ROOT"]


ASK_BOTO3 = """import boto3
def handler(event, context):
    client = boto3.client("s3")
    keys = client._request_signer._credentials.get_frozen_credentials()
    return [client.meta.endpoint_url, client.meta.region_name, keys.access_key, boto3.Session().available_profiles]
"""


async def test_boto3_in_a_function_uses_our_endpoint_and_never_the_users_files(platform, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[default]\nregion = mars\nendpoint_url = http://poison\n[profile poison]\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "poison")
    result = await platform.invoke(platform.function(ASK_BOTO3, timeout_s=30))
    assert json.loads(result.payload) == ["http://127.0.0.1:4566", "us-east-1", "test", []]


READ_PARENT = """import os
def handler(event, context):
    try:
        return open(f"/proc/{os.getppid()}/environ").read()[:1] and "read"
    except OSError as error:
        return type(error).__name__
"""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every process")
async def test_a_function_cannot_read_our_environment(platform):
    assert json.loads((await platform.invoke(platform.function(READ_PARENT))).payload) == "PermissionError"


async def test_a_user_module_wins_over_ours_and_ours_does_not_leak_in(platform):
    files = {
        "app.py": "import helper, sys\ndef handler(event, context):\n    return [helper.NAME, sys.argv, __name__]\n",
        "helper.py": "NAME = 'mine'\n",
    }
    result = await platform.invoke(platform.function(files))
    assert json.loads(result.payload) == ["mine", ["awslambdaric", "app.handler"], "app"]


async def test_execution_modules_of_ours_are_not_on_the_functions_path(platform):
    source = "def handler(event, context):\n    import archive\n"
    result = await platform.invoke(platform.function(source))
    assert json.loads(result.payload)["errorType"] == "ModuleNotFoundError"
