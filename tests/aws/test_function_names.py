"""Every form in which a function may be named, and what is no name."""

import pytest

from lambent.aws.arn import FunctionId, FunctionName, function_id, parse_function_name, partition_of
from lambent.aws.caller import Caller, CallerReader

ACCOUNT = "123456789012"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:hello"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("hello", FunctionName("hello")),
        ("hello:prod", FunctionName("hello", "prod")),
        ("hello:$LATEST", FunctionName("hello", "$LATEST")),
        ("hello:7", FunctionName("hello", "7")),
        ("function:hello", FunctionName("hello")),
        ("function:hello:prod", FunctionName("hello", "prod")),
        (f"{ACCOUNT}:function:hello", FunctionName("hello", None, ACCOUNT)),
        (f"{ACCOUNT}:function:hello:7", FunctionName("hello", "7", ACCOUNT)),
        (ARN, FunctionName("hello", None, ACCOUNT, "us-east-1")),
        (f"{ARN}:prod", FunctionName("hello", "prod", ACCOUNT, "us-east-1")),
        (
            f"arn:aws-us-gov:lambda:us-gov-west-1:{ACCOUNT}:function:h",
            FunctionName("h", None, ACCOUNT, "us-gov-west-1"),
        ),
        ("arn:aws:lambda:us-east-1:123:function:hello", FunctionName("hello", None, "000000000123", "us-east-1")),
        ("123:prod", FunctionName("123", "prod")),
        (f"arn:aws:lambda:us-east-1:{ACCOUNT}:function", FunctionName("function", None, ACCOUNT, "us-east-1")),
    ],
)
def test_a_name_is_read_in_all_its_forms(text: str, meant: FunctionName) -> None:
    assert parse_function_name(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "my-function!",
        "invalid-account:function:f",
        f"{ARN}:1:2",
        "function:f:$LATEST:extra",
        "f:$latest",
        f"{ARN}:$LATES",
        f"arn:aws:lambda::{ACCOUNT}:function:f",
        "arn:aws:lambda:us-east-1::function:f",
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance:i-1",
        f"arn:aws:lambda:invalid-region:{ACCOUNT}:function:f",
    ],
)
def test_what_has_no_form_is_no_name(text: str) -> None:
    assert parse_function_name(text) is None


def test_an_arn_and_its_function_say_the_same() -> None:
    assert function_id(f"{ARN}:prod") == FunctionId(ACCOUNT, "us-east-1", "hello")
    assert function_id(ARN).arn == ARN
    with pytest.raises(ValueError, match="not a function ARN"):
        function_id("hello")


def test_the_partition_follows_from_the_region() -> None:
    regions = ("eu-central-1", "cn-north-1", "us-gov-east-1", "us-isob-east-1")
    assert [partition_of(region) for region in regions] == ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"]


def _signed(key: str, region: str) -> bytes:
    return f"AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/lambda/aws4_request, SignedHeaders=host".encode()


@pytest.mark.parametrize(
    ("header", "caller"),
    [
        (b"", Caller(ACCOUNT, "us-east-1")),
        (b"Bearer x", Caller(ACCOUNT, "us-east-1")),
        (_signed("AKIA", "eu-west-1"), Caller(ACCOUNT, "eu-west-1", "lambda")),
        (_signed("111122223333", "eu-west-1"), Caller("111122223333", "eu-west-1", "lambda")),
        (_signed("mapped", "us-east-1"), Caller("999999999999", "us-east-1", "lambda")),
    ],
)
def test_account_and_region_come_from_the_credential_scope(header: bytes, caller: Caller) -> None:
    reader = CallerReader(accounts={"mapped": "999999999999"})
    assert reader.read(header) == caller
    assert reader.read(header) == caller
