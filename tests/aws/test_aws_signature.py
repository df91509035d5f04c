"""Signatures: AWS's published answers, requests that botocore signed, and what is changed on the way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambent.aws.errors import ServiceError
from lambent.aws.signature import SignedRequest, verify

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SECRETS = {KEY: SECRET}.get
EMPTY = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
IN_2013 = datetime(2013, 5, 24, tzinfo=UTC)
HOST = (b"host", b"examplebucket.s3.amazonaws.com")


def _authorization(signed: str, signature: str) -> tuple[bytes, bytes]:
    scope = f"{KEY}/20130524/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256 Credential={scope},SignedHeaders={signed},Signature={signature}"
    return (b"authorization", text.encode())


GET_RANGE = SignedRequest(
    "GET",
    b"/test.txt",
    b"",
    [
        HOST,
        (b"range", b"bytes=0-9"),
        (b"x-amz-content-sha256", EMPTY),
        (b"x-amz-date", b"20130524T000000Z"),
        _authorization(
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
    ],
)
PUT_OBJECT = SignedRequest(
    "PUT",
    b"/test$file.text",
    b"",
    [
        HOST,
        (b"date", b"Fri, 24 May 2013 00:00:00 GMT"),
        (b"x-amz-date", b"20130524T000000Z"),
        (b"x-amz-storage-class", b"REDUCED_REDUNDANCY"),
        (b"x-amz-content-sha256", b"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
        _authorization(
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
    ],
    b"Welcome to Amazon S3.",
)
GET_LIFECYCLE = SignedRequest(
    "GET",
    b"/",
    b"lifecycle",
    [
        HOST,
        (b"x-amz-content-sha256", EMPTY),
        (b"x-amz-date", b"20130524T000000Z"),
        _authorization(
            "host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        ),
    ],
)
PRESIGNED = SignedRequest(
    "GET",
    b"/test.txt",
    b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    b"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    b"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    [HOST],
)


def _chunk(data: bytes, signature: str) -> bytes:
    return b"%x;chunk-signature=%b\r\n%b\r\n" % (len(data), signature.encode(), data)


CHUNKED = SignedRequest(
    "PUT",
    b"/examplebucket/chunkObject.txt",
    b"",
    [
        (b"host", b"s3.amazonaws.com"),
        (b"x-amz-date", b"20130524T000000Z"),
        (b"x-amz-storage-class", b"REDUCED_REDUNDANCY"),
        (b"x-amz-content-sha256", b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        (b"content-encoding", b"aws-chunked"),
        (b"x-amz-decoded-content-length", b"66560"),
        (b"content-length", b"66824"),
        _authorization(
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
            "x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
    ],
    _chunk(b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648")
    + _chunk(b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497")
    + _chunk(b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)


@pytest.mark.parametrize(
    "request_",
    [GET_RANGE, PUT_OBJECT, GET_LIFECYCLE, PRESIGNED, CHUNKED],
    ids=["get", "put", "subresource", "presigned", "chunks"],
)
def test_the_published_examples_are_right(request_):
    scope = verify(request_, SECRETS, now=IN_2013)
    assert (scope.access_key, scope.service, scope.region) == (KEY, "s3", "us-east-1")


def _signed(
    url: str, *, service: str = "lambda", query: bool = False, method: str = "POST", body: bytes = b""
) -> SignedRequest:
    """A request that botocore signed now."""
    request = AWSRequest(
        method=method, url=url, data=b"" if query else body, headers={"X-Amz-Log-Type": "Tail", "X-Odd": " a   b "}
    )
    signers = {
        ("lambda", False): SigV4Auth,
        ("lambda", True): SigV4QueryAuth,
        ("s3", False): S3SigV4Auth,
        ("s3", True): S3SigV4QueryAuth,
    }
    signers[service, query](Credentials(KEY, SECRET), service, "eu-west-1").add_auth(request)
    parts = urlsplit(request.url)
    headers = [(k.lower().encode(), v.encode() if isinstance(v, str) else v) for k, v in request.headers.items()]
    if not any(name == b"host" for name, _ in headers):
        headers.append((b"host", parts.netloc.encode()))
    return SignedRequest(method, parts.path.encode(), parts.query.encode(), headers, b"" if query else body)


URLS = [
    "http://localhost:4566/2015-03-31/functions/my-fn/invocations",
    "http://localhost:4566/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af%3A%24LATEST/invocations?Qualifier=%24LATEST&a=",
    "http://localhost:4566/2015-03-31/functions/?Marker=x%20y%2Fz&MaxItems=1&FunctionVersion=ALL",
    "http://localhost:4566/",
    "http://localhost:4566/a//b/../c/",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("query", [False, True], ids=["header", "presigned"])
def test_what_botocore_signs_for_lambda_is_right(url, query):
    request = _signed(url, query=query, body=b'{"a": 1}')
    assert verify(request, SECRETS, now=datetime.now(UTC)).service == "lambda"


@pytest.mark.parametrize("query", [False, True], ids=["header", "presigned"])
def test_what_botocore_signs_for_s3_is_right(query):
    request = _signed("http://localhost:4566/docs/a%20b/%C3%BC%2F%2F..%2F%2B?versionId=x", service="s3", query=query)
    assert verify(request, SECRETS, now=datetime.now(UTC)).service == "s3"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda r: replace(r, method="PUT"), id="method"),
        pytest.param(lambda r: replace(r, path=r.path.replace(b"my-fn", b"my-fm")), id="path"),
        pytest.param(lambda r: replace(r, query=b"Qualifier=2"), id="query"),
        pytest.param(lambda r: replace(r, body=b'{"a": 2}'), id="body"),
        pytest.param(
            lambda r: replace(r, headers=[(n, b"None" if n == b"x-amz-log-type" else v) for n, v in r.headers]),
            id="signed header",
        ),
        pytest.param(
            lambda r: replace(
                r, headers=[(n, v[:-1] + bytes([v[-1] ^ 1]) if n == b"authorization" else v) for n, v in r.headers]
            ),
            id="signature",
        ),
    ],
)
def test_one_change_makes_the_signature_wrong(change):
    request = _signed(URLS[0], body=b'{"a": 1}')
    with pytest.raises(ServiceError, match="does not match the signature you provided") as refused:
        verify(change(request), SECRETS, now=datetime.now(UTC))
    assert (refused.value.code, refused.value.status) == ("InvalidSignatureException", 403)


@pytest.mark.parametrize("at", [100, 65_700, 66_600])
def test_a_changed_or_missing_chunk_makes_the_signature_wrong(at):
    for body in (CHUNKED.body[:at] + b"b" + CHUNKED.body[at + 1 :], CHUNKED.body[:at]):
        with pytest.raises(ServiceError, match="does not match"):
            verify(replace(CHUNKED, body=body), SECRETS, now=IN_2013)


@pytest.mark.parametrize(
    ("request_", "now", "code"),
    [
        pytest.param(GET_RANGE, IN_2013 + timedelta(minutes=4), None, id="4 minutes late"),
        pytest.param(GET_RANGE, IN_2013 + timedelta(minutes=6), "InvalidSignatureException", id="6 minutes late"),
        pytest.param(GET_RANGE, IN_2013 - timedelta(minutes=6), "InvalidSignatureException", id="6 minutes early"),
        pytest.param(PRESIGNED, IN_2013 + timedelta(hours=23), None, id="presigned for a day"),
        pytest.param(PRESIGNED, IN_2013 + timedelta(hours=25), "ExpiredTokenException", id="presigned and expired"),
        pytest.param(replace(GET_RANGE, headers=[HOST]), IN_2013, "MissingAuthenticationTokenException", id="unsigned"),
        pytest.param(
            replace(PUT_OBJECT, body=b"else"), IN_2013, "XAmzContentSHA256Mismatch", id="body is not what its hash says"
        ),
        pytest.param(
            replace(GET_RANGE, headers=[HOST, _authorization("range", "0" * 64)]),
            IN_2013,
            "InvalidSignatureException",
            id="host not signed",
        ),
    ],
)
def test_time_and_form_are_checked(request_, now, code):
    if code is None:
        verify(request_, SECRETS, now=now)
        return
    with pytest.raises(ServiceError) as refused:
        verify(request_, SECRETS, now=now)
    assert refused.value.code == code


def test_a_key_that_nobody_issued_is_not_recognised():
    with pytest.raises(ServiceError, match="security token included in the request is invalid") as refused:
        verify(GET_RANGE, lambda key: None, now=IN_2013)
    assert refused.value.code == "UnrecognizedClientException"
