"""The aws command line against the embedded AWS."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

AWS = shutil.which("aws", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(AWS is None, reason="the aws command line is not installed")]


@pytest.fixture
def cli(aws, tmp_path):
    """Runs one command; gives its output, parsed when it is JSON. Fails with what the command said."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
    }

    async def run(*arguments: str):
        assert AWS is not None  # the module is skipped otherwise
        process = await asyncio.create_subprocess_exec(
            AWS,
            *arguments,
            env=environment,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0, err.decode()
        return json.loads(out) if out.startswith(b"{") else out.decode()

    return run


async def test_files_go_to_a_bucket_and_come_back(cli, tmp_path):
    (tmp_path / "a b.txt").write_text("small")
    (tmp_path / "big").write_bytes(os.urandom(9_000_000))  # above the command line's limit for uploads in parts
    await cli("s3", "mb", "s3://docs")
    for name in ("a b.txt", "big"):
        await cli("s3", "cp", name, f"s3://docs/ü/{name}", "--no-progress")
    await cli("s3", "sync", "s3://docs/ü", "back", "--no-progress")
    for name in ("a b.txt", "big"):
        assert (tmp_path / "back" / name).read_bytes() == (tmp_path / name).read_bytes()
    listed = await cli("s3api", "list-objects-v2", "--bucket", "docs")
    assert [o["Key"] for o in listed["Contents"]] == ["ü/a b.txt", "ü/big"]
    await cli("s3", "rb", "s3://docs", "--force")


async def test_a_role_with_a_policy_is_made_as_the_example_workload_needs_it(cli):
    principal = {"Service": "lambda.amazonaws.com"}
    assume = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [assume]}
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    assert (await cli("sts", "get-caller-identity"))["Account"] == "123456789012"
    await cli("iam", "create-role", "--role-name", "r", "--assume-role-policy-document", json.dumps(trust))
    policy = await cli("iam", "create-policy", "--policy-name", "p", "--policy-document", json.dumps(allow))
    arn = policy["Policy"]["Arn"]
    await cli("iam", "attach-role-policy", "--role-name", "r", "--policy-arn", arn)
    attached = await cli("iam", "list-attached-role-policies", "--role-name", "r")
    assert attached["AttachedPolicies"] == [{"PolicyName": "p", "PolicyArn": arn}]
