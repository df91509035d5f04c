"""A `ServiceError` in rest-json's wire form: status, headers, body.

Modelled errors carry `Type` (User for 4xx, Service for 5xx) and the message under `Message` or `message`, as the error
says; unmodelled ones carry only `message`. Plain tuples, because this kit does not know our HTTP kit.
Source: recorded answers of AWS; botocore's rest-json error parser.
"""

import orjson

from lambent.aws.errors import ServiceError

_UNMODELLED = frozenset(
    (
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "NotImplementedException",
        "RequestEntityTooLargeException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
    )
)

WireHeaders = list[tuple[bytes, bytes]]


def encode_error(error: ServiceError, request_id: str, *, typed: bool = True) -> tuple[int, WireHeaders, bytes]:
    """`typed=False` leaves `Type` out, as AWS does for a few errors that its model types."""
    body: dict[str, str | None] = dict(error.members)
    if typed and error.code not in _UNMODELLED:
        body["Type"] = "User" if error.status < 500 else "Service"
    body["Message" if error.capital_message else "message"] = error.message or None
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", error.code.encode()),
        (b"x-amzn-requestid", request_id.encode()),
    ]
    if error.retry_after_s is not None:
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    return error.status, headers, orjson.dumps(body)
