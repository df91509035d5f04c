"""Reading the credential scope."""

import pytest

from lambent.aws.sigv4 import CredentialScope, credential_scope

SCOPE = CredentialScope("AKID", "20260101", "eu-west-1", "s3")


@pytest.mark.parametrize(
    ("authorization", "query", "expected"),
    [
        pytest.param(
            b"AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0",
            b"",
            SCOPE,
            id="header",
        ),
        pytest.param(
            b"AWS4-HMAC-SHA256 SignedHeaders=host,Credential=AKID/20260101/eu-west-1/S3/aws4_request,Signature=0",
            b"",
            SCOPE,
            id="another order",
        ),
        pytest.param(
            b"", b"a=b&X-Amz-Credential=AKID%2F20260101%2Feu-west-1%2Fs3%2Faws4_request", SCOPE, id="presigned"
        ),
        pytest.param(
            b"", b"AWSAccessKeyId=AK%2FID&Signature=x", CredentialScope("AK/ID", "", "", "s3"), id="version 2"
        ),
        pytest.param(b"", b"", None, id="unsigned"),
        pytest.param(b"Basic dGVzdDp0ZXN0", b"", None, id="basic"),
        pytest.param(b"Bearer Credential=AKID/20260101/eu-west-1/s3/aws4_request", b"", None, id="bearer"),
        pytest.param(b"AWS4-HMAC-SHA256 Credential=AKID/s3", b"", None, id="too short"),
        pytest.param(b"AWS4-HMAC-SHA256", b"", None, id="no credential"),
    ],
)
def test_the_scope_is_read_from_header_or_query(authorization, query, expected):
    assert credential_scope(authorization, query) == expected


def test_an_access_key_may_contain_slashes():
    header = b"AWS4-HMAC-SHA256 Credential=a/b/c/20260101/us-east-1/iam/aws4_request, Signature=0"
    assert credential_scope(header) == CredentialScope("a/b/c", "20260101", "us-east-1", "iam")
