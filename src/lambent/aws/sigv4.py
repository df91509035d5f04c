"""SigV4 as it is read from a request: the credential scope, in the Authorization header or a presigned URL.

The scope tells which service and region a request is for and whose key signed it; nothing is verified here.
Source: AWS General Reference, "Elements of an AWS API request signature".
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_HEADER = re.compile(rb"^AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256)\s.*?Credential=([^,\s]+)")
_QUERY = re.compile(rb"(?:^|&)X-Amz-Credential=([^&]+)")
_VERSION_2 = re.compile(rb"(?:^|&)AWSAccessKeyId=([^&]+)")


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """`AKID/20260101/us-east-1/s3/aws4_request`, taken apart; `service` in lower case."""

    access_key: str
    date: str
    region: str
    service: str


def credential_scope(authorization: bytes, raw_query: bytes = b"") -> CredentialScope | None:
    """The scope of a request, or None when it has none that can be read (unsigned, Basic, Bearer)."""
    found = _HEADER.match(authorization)
    if found is None and not authorization:
        found = _QUERY.search(raw_query)
    if found is not None:
        return _parse(unquote_to_bytes(found[1]))
    old = _VERSION_2.search(raw_query)
    if old is None:
        return None
    # Presigned URLs of signature version 2 exist for S3 alone.
    return CredentialScope(unquote_to_bytes(old[1]).decode("latin-1"), "", "", "s3")


def _parse(credential: bytes) -> CredentialScope | None:
    parts = credential.decode("latin-1").rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request":
        return None
    return CredentialScope(parts[0], parts[1], parts[2].lower(), parts[3].lower())
