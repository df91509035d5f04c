"""What outlives the process."""

import json

import pytest

from lambent.aws.embedded import EmbeddedAws
from lambent.aws.embedded.snapshot import Snapshot
from lambent.aws.errors import AwsError

BIG = b"0123456789" * 10_000
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


async def _restart(aws, directory) -> None:
    """Saves, forgets everything, and reads what was saved."""
    snapshot = Snapshot(directory)
    snapshot.write(snapshot.copy())
    await aws.embedded.reset()
    assert Snapshot(directory).restore() == []


async def _body(clients, bucket: str, key: str, **which) -> bytes:
    answer = await clients.call("s3", "GetObject", Bucket=bucket, Key=key, **which)
    async with answer["Body"] as body:
        return bytes(await body.read())


async def test_objects_small_and_large_survive_with_versions_and_metadata(aws, tmp_path):
    clients = aws.clients()
    await clients.call("s3", "CreateBucket", Bucket="docs")
    status = {"Status": "Enabled"}
    await clients.call("s3", "PutBucketVersioning", Bucket="docs", VersioningConfiguration=status)
    old = await clients.call("s3", "PutObject", Bucket="docs", Key="k", Body=BIG, Metadata={"a": "b"})
    await clients.call("s3", "PutObject", Bucket="docs", Key="k", Body=b"small")
    await _restart(aws, tmp_path)
    assert await _body(clients, "docs", "k") == b"small"
    assert await _body(clients, "docs", "k", VersionId=old["VersionId"]) == BIG
    head = await clients.call("s3", "HeadObject", Bucket="docs", Key="k", VersionId=old["VersionId"])
    assert (head["ETag"], head["Metadata"]) == (old["ETag"], {"a": "b"})
    await clients.call("s3", "PutObject", Bucket="docs", Key="after", Body=b"x")


async def test_roles_policies_and_issued_keys_survive(aws, tmp_path):
    other = aws.account("111122223333")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    await other.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=TRUST)
    policy = await other.call("iam", "CreatePolicy", PolicyName="p", PolicyDocument=json.dumps(document))
    await other.call("iam", "AttachRolePolicy", RoleName="r", PolicyArn=policy["Policy"]["Arn"])
    await other.call("iam", "CreateUser", UserName="u")
    key = (await other.call("iam", "CreateAccessKey", UserName="u"))["AccessKey"]["AccessKeyId"]
    await _restart(aws, tmp_path)
    issued = aws.account(key)
    assert (await issued.call("sts", "GetCallerIdentity"))["Account"] == "111122223333"
    attached = await issued.call("iam", "ListAttachedRolePolicies", RoleName="r")
    assert [p["PolicyName"] for p in attached["AttachedPolicies"]] == ["p"]


async def test_an_unfinished_upload_in_parts_can_be_finished_after_a_restart(aws, tmp_path):
    clients = aws.clients()
    await clients.call("s3", "CreateBucket", Bucket="docs")
    upload = (await clients.call("s3", "CreateMultipartUpload", Bucket="docs", Key="k"))["UploadId"]
    part = await clients.call("s3", "UploadPart", Bucket="docs", Key="k", UploadId=upload, PartNumber=1, Body=BIG)
    await _restart(aws, tmp_path)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    await clients.call("s3", "CompleteMultipartUpload", Bucket="docs", Key="k", UploadId=upload, MultipartUpload=parts)
    assert await _body(clients, "docs", "k") == BIG
    await _restart(aws, tmp_path)
    assert await _body(clients, "docs", "k") == BIG


async def test_tables_topics_and_secrets_survive_and_queues_do_not(aws, tmp_path):
    clients = aws.clients()
    schema = [{"AttributeName": "a", "KeyType": "HASH"}]
    types = [{"AttributeName": "a", "AttributeType": "S"}]
    await clients.call(
        "dynamodb", "CreateTable", TableName="t", KeySchema=schema, AttributeDefinitions=types,
        BillingMode="PAY_PER_REQUEST",
    )  # fmt: skip
    await clients.call("dynamodb", "PutItem", TableName="t", Item={"a": {"S": "1"}})
    await clients.call("sns", "CreateTopic", Name="topic")
    await clients.call("secretsmanager", "CreateSecret", Name="s", SecretString="x")
    await clients.call("sqs", "CreateQueue", QueueName="q")
    await _restart(aws, tmp_path)
    assert (await clients.call("dynamodb", "GetItem", TableName="t", Key={"a": {"S": "1"}}))["Item"]
    assert len((await clients.call("sns", "ListTopics"))["Topics"]) == 1
    assert (await clients.call("secretsmanager", "GetSecretValue", SecretId="s"))["SecretString"] == "x"
    assert "QueueUrls" not in await clients.call("sqs", "ListQueues")


async def test_contents_are_written_once_and_deleted_with_their_last_object(aws, tmp_path):
    clients = aws.clients()
    await clients.call("s3", "CreateBucket", Bucket="docs")
    for key in ("a", "b"):
        await clients.call("s3", "PutObject", Bucket="docs", Key=key, Body=BIG)
    snapshot = Snapshot(tmp_path)
    snapshot.write(snapshot.copy())
    assert len(list((tmp_path / "contents").iterdir())) == 1
    for key, left in (("a", 1), ("b", 0)):
        await clients.call("s3", "DeleteObject", Bucket="docs", Key=key)
        snapshot.write(snapshot.copy())
        assert len(list((tmp_path / "contents").iterdir())) == left


async def test_a_stop_saves_and_a_start_restores(aws, tmp_path):
    clients = aws.clients()
    first = EmbeddedAws(directory=tmp_path / "aws")
    await first.startup()
    await clients.call("s3", "CreateBucket", Bucket="docs")
    first.changes += aws.embedded.changes
    await first.shutdown()
    await aws.embedded.reset()
    second = EmbeddedAws(directory=tmp_path / "aws")
    await second.startup()
    assert [b["Name"] for b in (await clients.call("s3", "ListBuckets"))["Buckets"]] == ["docs"]
    await second.shutdown()


async def test_a_reset_is_saved_like_any_change(aws, tmp_path):
    clients = aws.clients()
    await clients.call("s3", "CreateBucket", Bucket="docs")
    snapshot = Snapshot(tmp_path)
    snapshot.write(snapshot.copy())
    await aws.embedded.reset()
    snapshot.write(snapshot.copy())
    Snapshot(tmp_path).restore()
    assert (await clients.call("s3", "ListBuckets"))["Buckets"] == []


async def test_a_broken_file_costs_its_service_only_and_is_kept(aws, tmp_path, caplog):
    clients = aws.clients()
    await clients.call("s3", "CreateBucket", Bucket="docs")
    await clients.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=TRUST)
    snapshot = Snapshot(tmp_path)
    snapshot.write(snapshot.copy())
    saved = next(tmp_path.glob("moto-*/s3.pickle"))
    saved.write_bytes(b"broken")
    await aws.embedded.reset()
    assert Snapshot(tmp_path).restore() == ["s3"]
    await clients.call("iam", "GetRole", RoleName="r")
    with pytest.raises(AwsError):
        await clients.call("s3", "HeadBucket", Bucket="docs")
    assert saved.with_suffix(".unreadable").read_bytes() == b"broken"
