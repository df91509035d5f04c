"""Clients: what they read, what they share, how they fail."""

import asyncio

import pytest

from lambent.aws.clients import AwsClients
from lambent.aws.errors import AwsError
from lambent.telemetry import REGISTRY


@pytest.fixture
def poisoned(monkeypatch, tmp_path):
    """A shell and a home directory that send every AWS client somewhere else."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(
        "[default]\nregion = poison-1\nendpoint_url = http://127.0.0.1:1\noutput = nonsense\n"
        "s3 =\n  addressing_style = virtual\nretry_mode = nonsense\n"
    )
    (tmp_path / ".aws" / "credentials").write_text("[default]\naws_access_key_id = POISON\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {
        "AWS_PROFILE": "does-not-exist",
        "AWS_DEFAULT_REGION": "poison-1",
        "AWS_REGION": "poison-1",
        "AWS_ACCESS_KEY_ID": "999999999999",
        "AWS_SECRET_ACCESS_KEY": "poison",
        "AWS_SESSION_TOKEN": "poison",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/does/not/exist",
        "AWS_MAX_ATTEMPTS": "x",
        "AWS_RETRY_MODE": "nonsense",
        "AWS_CONFIG_FILE": str(tmp_path / ".aws" / "config"),
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "MOTO_ACCOUNT_ID": "999999999999",
    }.items():
        monkeypatch.setenv(name, value)


async def test_a_poisoned_profile_and_shell_are_never_read(poisoned, aws):
    clients = aws.clients()
    identity = await clients.call("sts", "GetCallerIdentity")
    assert identity["Account"] == "123456789012"
    sqs = await clients.client("sqs")
    assert sqs.meta.region_name == "us-east-1"
    await clients.call("s3", "CreateBucket", Bucket="docs")
    assert [b["Name"] for b in (await clients.call("s3", "ListBuckets"))["Buckets"]] == ["docs"]


async def test_everyone_who_asks_at_once_shares_one_client(aws):
    clients = aws.clients()
    got = await asyncio.gather(*(clients.client("sqs") for _ in range(10)))
    assert len(set(map(id, got))) == 1
    assert await clients.client("sqs", "eu-west-1") is not got[0]


async def test_a_refusal_becomes_an_aws_error_with_its_code_and_status(aws):
    with pytest.raises(AwsError) as refused:
        await aws.clients().call("iam", "GetRole", RoleName="absent")
    error = refused.value
    assert (error.code, error.status, error.operation) == ("NoSuchEntity", 404, "GetRole")


async def test_no_answer_is_an_aws_error_with_status_0(unused_tcp_port):
    clients = AwsClients(f"http://127.0.0.1:{unused_tcp_port}", max_attempts=1)
    try:
        with pytest.raises(AwsError) as refused:
            await clients.call("sqs", "ListQueues")
    finally:
        await clients.aclose()
    assert (refused.value.code, refused.value.status) == ("EndpointConnectionError", 0)


async def test_requests_are_counted_with_the_status_that_came(aws, unused_tcp_port):
    def count(operation: str, code: str) -> float:
        labels = {"service": "iam", "operation": operation, "code": code}
        return REGISTRY.get_sample_value("lambent_aws_requests_total", labels) or 0.0

    before = (count("ListRoles", "200"), count("GetRole", "404"), count("GetRole", "EndpointConnectionError"))
    clients = aws.clients()
    await clients.call("iam", "ListRoles")
    gone = AwsClients(f"http://127.0.0.1:{unused_tcp_port}", max_attempts=1)
    for asked in (clients, gone):
        with pytest.raises(AwsError):
            await asked.call("iam", "GetRole", RoleName="absent")
    await gone.aclose()
    after = (count("ListRoles", "200"), count("GetRole", "404"), count("GetRole", "EndpointConnectionError"))
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]


async def test_wrong_parameters_are_an_aws_error_before_anything_is_sent(aws):
    with pytest.raises(AwsError) as refused:
        await aws.clients().call("iam", "GetRole")
    assert refused.value.code == "ParamValidationError"
