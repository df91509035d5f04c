"""The embedded AWS through real SDK clients."""

import json

import pytest

from lambent.aws.embedded import issued_secret, may_wait
from lambent.aws.errors import AwsError


async def test_an_object_with_odd_names_comes_back_as_it_was_put(aws):
    s3 = await aws.clients().client("s3")
    await s3.create_bucket(Bucket="docs")
    key = "a b/ü%2F+&?#.json"
    await s3.put_object(Bucket="docs", Key=key, Body=b'{"a": 1}', Metadata={"my_key": "1", "other-key": "2"})
    answer = await s3.get_object(Bucket="docs", Key=key)
    assert await answer["Body"].read() == b'{"a": 1}'
    assert answer["Metadata"] == {"my_key": "1", "other-key": "2"}
    listed = await s3.list_objects_v2(Bucket="docs")
    assert [o["Key"] for o in listed["Contents"]] == [key]


async def test_a_bucket_is_encrypted_by_default_as_on_aws(aws):
    s3 = await aws.clients().client("s3")
    await s3.create_bucket(Bucket="docs")
    rules = (await s3.get_bucket_encryption(Bucket="docs"))["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


async def test_encryption_that_was_set_is_the_one_reported(aws):
    s3 = await aws.clients().client("s3")
    await s3.create_bucket(Bucket="docs")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/k"}}
    await s3.put_bucket_encryption(Bucket="docs", ServerSideEncryptionConfiguration={"Rules": [rule]})
    rules = (await s3.get_bucket_encryption(Bucket="docs"))["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


async def test_what_a_new_bucket_lacks_is_absent_and_never_a_listing(aws):
    clients = aws.clients()
    s3 = await clients.client("s3")
    await s3.create_bucket(Bucket="docs")
    await s3.put_object(Bucket="docs", Key="k", Body=b"x")
    for operation in (
        "ListBucketAnalyticsConfigurations",
        "ListBucketMetricsConfigurations",
        "ListBucketIntelligentTieringConfigurations",
    ):
        answer = await clients.call("s3", operation, Bucket="docs")
        assert answer["IsTruncated"] is False
        assert not [k for k in answer if k.endswith("ConfigurationList")]
    assert (await s3.get_bucket_request_payment(Bucket="docs"))["Payer"] == "BucketOwner"


@pytest.mark.parametrize(
    ("operation", "params", "code", "status"),
    [
        ("GetBucketAnalyticsConfiguration", {"Id": "a"}, "NoSuchConfiguration", 404),
        ("DeleteBucketMetricsConfiguration", {"Id": "a"}, "NoSuchConfiguration", 404),
        ("GetBucketMetadataTableConfiguration", {}, "NotImplemented", 501),
        ("PutBucketRequestPayment", {"RequestPaymentConfiguration": {"Payer": "Requester"}}, "NotImplemented", 501),
        ("GetObjectTorrent", {"Key": "k"}, "NotImplemented", 501),
        ("GetObjectRetention", {"Key": "k"}, "NoSuchObjectLockConfiguration", 404),
        ("GetObjectRetention", {"Key": "absent"}, "NoSuchKey", 404),
    ],
)
async def test_a_subresource_that_is_missing_is_an_error_and_changes_nothing(aws, operation, params, code, status):
    clients = aws.clients(max_attempts=1)
    await clients.call("s3", "CreateBucket", Bucket="docs")
    await clients.call("s3", "PutObject", Bucket="docs", Key="k", Body=b"x")
    with pytest.raises(AwsError) as refused:
        await clients.call("s3", operation, Bucket="docs", **params)
    assert (refused.value.code, refused.value.status) == (code, status)
    await clients.call("s3", "HeadObject", Bucket="docs", Key="k")


async def test_a_missing_bucket_is_said_to_be_missing_whatever_is_asked_of_it(aws):
    clients = aws.clients()
    for operation in ("GetBucketEncryption", "GetBucketRequestPayment", "ListBucketMetricsConfigurations"):
        with pytest.raises(AwsError) as refused:
            await clients.call("s3", operation, Bucket="nothing-here")
        assert refused.value.code == "NoSuchBucket"


async def test_accounts_follow_the_access_key_and_regions_the_scope(aws):
    async def where(clients, region):
        sqs = await clients.client("sqs", region)
        return (await sqs.create_queue(QueueName="q"))["QueueUrl"], await _account(clients)

    default = aws.clients()
    other = aws.account("111122223333")
    assert await _account(default) == "123456789012"
    assert await _account(other) == "111122223333"
    urls = {(await where(c, r))[0] for c in (default, other) for r in ("us-east-1", "eu-west-1")}
    assert {u.rsplit("/", 2)[1] for u in urls} == {"123456789012", "111122223333"}
    for clients in (default, other):
        for region in ("us-east-1", "eu-west-1"):
            listed = await clients.call("sqs", "ListQueues", region=region)
            assert len(listed["QueueUrls"]) == 1


async def _account(clients) -> str:
    return str((await clients.call("sts", "GetCallerIdentity"))["Account"])


async def test_a_key_issued_in_an_account_acts_in_it(aws):
    other = aws.account("111122223333")
    await other.call("iam", "CreateUser", UserName="u")
    key = (await other.call("iam", "CreateAccessKey", UserName="u"))["AccessKey"]
    assert issued_secret(key["AccessKeyId"]) == key["SecretAccessKey"]
    assert await _account(aws.account(key["AccessKeyId"])) == "111122223333"


async def test_an_assumed_role_acts_in_the_roles_account(aws):
    trust = {"Version": "2012-10-17", "Statement": []}
    role = await aws.account("111122223333").call(
        "iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=json.dumps(trust)
    )
    arn = role["Role"]["Arn"]
    session = await aws.clients().call("sts", "AssumeRole", RoleArn=arn, RoleSessionName="session")
    key = session["Credentials"]
    assert await _account(aws.account(key["AccessKeyId"])) == "111122223333"
    assert issued_secret(key["AccessKeyId"]) == key["SecretAccessKey"]
    assert issued_secret("nobody") is None


async def test_a_role_is_found_as_it_is_now_and_never_as_it_was(aws):
    """Lookups are remembered: deleting, making anew, a reset and other accounts must all be seen."""
    here, there = aws.clients(), aws.account("111122223333")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})

    async def ids():
        found = []
        for clients in (here, there):
            try:
                found.append((await clients.call("iam", "GetRole", RoleName="r"))["Role"]["RoleId"])
            except AwsError as error:
                found.append(error.code)
        return found

    first = (await here.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=trust))["Role"]["RoleId"]
    assert await ids() == await ids() == [first, "NoSuchEntity"]
    await here.call("iam", "DeleteRole", RoleName="r")
    assert await ids() == ["NoSuchEntity"] * 2
    second = (await here.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=trust))["Role"]["RoleId"]
    assert await ids() == [second, "NoSuchEntity"]
    await aws.embedded.reset()
    assert await ids() == ["NoSuchEntity"] * 2


async def test_lambda_never_reaches_moto(aws):
    with pytest.raises(AwsError) as refused:
        await aws.clients().call("lambda", "ListFunctions")
    assert refused.value.status == 404


async def test_reset_forgets_every_account(aws):
    for key in ("test", "111122223333"):
        await aws.account(key).call("s3", "CreateBucket", Bucket=f"b-{key}")
    await aws.embedded.reset()
    for key in ("test", "111122223333"):
        assert (await aws.account(key).call("s3", "ListBuckets"))["Buckets"] == []


@pytest.mark.parametrize(("service", "expected"), [("sqs", True), ("s3", False)])
def test_only_long_polls_may_wait(service, expected):
    header = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, Signature=0"
    assert may_wait(header.encode()) is expected


async def test_only_requests_that_may_change_state_count_as_changes(aws):
    s3 = await aws.clients().client("s3")
    await s3.create_bucket(Bucket="docs")
    before = aws.embedded.changes
    await s3.list_objects_v2(Bucket="docs")
    assert aws.embedded.changes == before
    await s3.put_object(Bucket="docs", Key="k", Body=b"")
    assert aws.embedded.changes == before + 1
