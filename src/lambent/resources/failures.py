"""What an AWS error means for us: one table from code and text to a class.

The class decides the condition (`verdict`) and the next try (`requeue`). Rows are tried in order. Source: the error
sections of the S3, IAM and Lambda API references. Not here: errors of Kubernetes, which the controller runner judges.
"""

import re
from enum import Enum
from typing import NamedTuple

from lambent.aws.errors import AwsError


class Failure(Enum):
    """The classes; the value is the word used in logs."""

    NOT_FOUND = "not-found"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    CONFLICT = "conflict"
    DENIED = "denied"
    EXISTS = "exists"
    INVALID = "invalid"
    DEPENDENT = "dependent"
    QUOTA = "quota"
    UNKNOWN = "unknown"


class Row(NamedTuple):
    """`codes` and `text` are regular expressions; an empty `text` matches any."""

    codes: str
    text: str
    failure: Failure


TABLE: tuple[Row, ...] = (
    Row("ResourceNotFoundException|NoSuchEntity|NoSuchBucket|404|NotFound", "", Failure.NOT_FOUND),
    Row(
        "ThrottlingException|TooManyRequestsException|Throttling|ThrottledException|SlowDown|RequestLimitExceeded",
        "",
        Failure.THROTTLED,
    ),
    Row("ResourceConflictException", "already exist", Failure.EXISTS),
    Row("EntityAlreadyExists|BucketAlreadyOwnedByYou", "", Failure.EXISTS),
    Row("BucketAlreadyExists", "", Failure.INVALID),
    Row(
        "ResourceConflictException|PreconditionFailedException|PreconditionFailed|OperationAborted"
        "|ConcurrentModification|ConcurrentModificationException|DeleteConflict|BucketNotEmpty|ResourceInUseException",
        "",
        Failure.CONFLICT,
    ),
    Row(
        "AccessDenied.*|ExpiredToken.*|UnrecognizedClient.*|InvalidClientTokenId|SignatureDoesNotMatch|403|Forbidden",
        "",
        Failure.DENIED,
    ),
    Row("InvalidParameterValueException", "cannot be assumed by Lambda", Failure.TRANSIENT),
    Row(".*", "KMS .*not found", Failure.TRANSIENT),
    Row("MalformedPolicyDocument|MalformedPolicy", "Invalid principal", Failure.DEPENDENT),
    Row(
        "InvalidParameterValueException|ValidationException|ValidationError",
        r"(?i)(role|key|subnet|security group|layer|image|bucket|file system)\b.*"
        r"(does not exist|not exist|not found|doesn't exist|valid source image|cannot find|no such)",
        Failure.DEPENDENT,
    ),
    Row(
        "ValidationException|ValidationError|InvalidParameterValueException|InvalidParameterCombination|InvalidInput"
        "|MalformedPolicyDocument|MalformedPolicy|InvalidBucketName|IllegalLocationConstraintException"
        "|InvalidLocationConstraint|MalformedXML|PermanentRedirect|301|InvalidArgument|InvalidRequest"
        "|InvalidRequestContentException|ParamValidationError|InvalidTag|UnmodifiableEntity"
        "|CodeStorageExceededException|RequestTooLargeException|RequestEntityTooLargeException"
        "|UnsupportedMediaTypeException|NotImplementedException|InvalidBucketState|AccessControlListNotSupported"
        "|InvalidBucketAclWithObjectOwnership",
        "",
        Failure.INVALID,
    ),
    Row("LimitExceeded", "(?i)(length|size|characters|bytes)", Failure.INVALID),
    Row("LimitExceeded|LimitExceededException|TooManyBuckets", "", Failure.QUOTA),
    Row(
        "InternalError|InternalFailure|ServiceException|ServiceUnavailable|ServiceFailure|RequestTimeout|5[0-9][0-9]"
        "|EndpointConnectionError|ConnectTimeoutError|ReadTimeoutError|ConnectionClosedError|HTTPClientError"
        "|ConnectionError|TimeoutError|ClientConnectorError|ServerDisconnectedError",
        "",
        Failure.TRANSIENT,
    ),
)


def classify(error: AwsError) -> Failure:
    """The class of an error; without a row, 5xx and lost answers are transient and the rest is unknown."""
    for row in TABLE:
        if re.fullmatch(row.codes, error.code) and (not row.text or re.search(row.text, error.message)):
            return row.failure
    return Failure.TRANSIENT if error.status >= 500 or error.status == 0 else Failure.UNKNOWN


def told(error: AwsError) -> str:
    """What a condition says of the error: code, text, request id."""
    request = f" (RequestID: {error.request_id})" if error.request_id else ""
    return f"{error.code}: {error.message}{request}"[:500]
