"""The error table: class, condition and next try of each row, shown by injected errors."""

import pytest

from lambent.aws.errors import AwsError
from lambent.kube.types import Key
from lambent.resources.failures import Failure, classify
from lambent.resources.kinds import BUCKET, FUNCTION, ROLE
from lambent.resources.requeue import TABLE, Patience
from lambent.resources.verdicts import Trouble, situation_of, verdict_of

KEY = Key("n", "a")
ROWS = [
    ("NoSuchEntity", "", 404, Failure.NOT_FOUND),
    ("ResourceNotFoundException", "", 404, Failure.NOT_FOUND),
    ("NoSuchBucket", "", 404, Failure.NOT_FOUND),
    ("404", "Not Found", 404, Failure.NOT_FOUND),
    ("ThrottlingException", "", 400, Failure.THROTTLED),
    ("TooManyRequestsException", "", 429, Failure.THROTTLED),
    ("SlowDown", "", 503, Failure.THROTTLED),
    ("RequestLimitExceeded", "", 503, Failure.THROTTLED),
    ("InternalError", "", 500, Failure.TRANSIENT),
    ("ServiceException", "", 500, Failure.TRANSIENT),
    ("SomethingNew", "", 503, Failure.TRANSIENT),
    ("EndpointConnectionError", "", 0, Failure.TRANSIENT),
    ("ConnectionResetError", "", 0, Failure.TRANSIENT),
    ("ParamValidationError", "unknown parameter", 0, Failure.INVALID),
    ("InvalidParameterValueException", "The role ... cannot be assumed by Lambda.", 400, Failure.TRANSIENT),
    ("KMSInvalid", "KMS key not found", 400, Failure.TRANSIENT),
    ("ResourceConflictException", "An update is in progress", 409, Failure.CONFLICT),
    ("PreconditionFailedException", "", 412, Failure.CONFLICT),
    ("OperationAborted", "", 409, Failure.CONFLICT),
    ("DeleteConflict", "", 409, Failure.CONFLICT),
    ("BucketNotEmpty", "", 409, Failure.CONFLICT),
    ("AccessDenied", "", 403, Failure.DENIED),
    ("AccessDeniedException", "", 403, Failure.DENIED),
    ("403", "Forbidden", 403, Failure.DENIED),
    ("ExpiredToken", "", 400, Failure.DENIED),
    ("SignatureDoesNotMatch", "", 403, Failure.DENIED),
    ("EntityAlreadyExists", "", 409, Failure.EXISTS),
    ("BucketAlreadyOwnedByYou", "", 409, Failure.EXISTS),
    ("ResourceConflictException", "Function already exist: x", 409, Failure.EXISTS),
    ("BucketAlreadyExists", "", 409, Failure.INVALID),
    ("ValidationException", "", 400, Failure.INVALID),
    ("InvalidParameterValueException", "Value x failed to satisfy constraint", 400, Failure.INVALID),
    ("InvalidParameterValueException", "Source image x does not exist.", 400, Failure.DEPENDENT),
    ("InvalidParameterValueException", "The subnet subnet-1 does not exist", 400, Failure.DEPENDENT),
    (
        "InvalidParameterValueException",
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
        400,
        Failure.DEPENDENT,
    ),
    (
        "InvalidParameterValueException",
        "Error occurred while GetObject. S3 Error Code: NoSuchBucket: The specified bucket does not exist",
        400,
        Failure.DEPENDENT,
    ),
    ("InvalidParameterValueException", "Layer version arn:x does not exist.", 400, Failure.DEPENDENT),
    ("InvalidParameterValueException", "Could not unzip uploaded file.", 400, Failure.INVALID),
    ("AccessControlListNotSupported", "The bucket does not allow ACLs", 400, Failure.INVALID),
    ("MalformedPolicyDocument", "Syntax errors in policy.", 400, Failure.INVALID),
    ("MalformedPolicyDocument", 'Invalid principal in policy: "AWS":"arn:x"', 400, Failure.DEPENDENT),
    ("InvalidBucketName", "", 400, Failure.INVALID),
    ("IllegalLocationConstraintException", "", 400, Failure.INVALID),
    ("MalformedXML", "", 400, Failure.INVALID),
    ("PermanentRedirect", "", 301, Failure.INVALID),
    ("301", "Moved Permanently", 301, Failure.INVALID),
    ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", 409, Failure.QUOTA),
    ("LimitExceeded", "Maximum policy size of 10240 bytes exceeded", 409, Failure.INVALID),
    ("TooManyBuckets", "", 400, Failure.QUOTA),
    ("TotallyUnknown", "", 400, Failure.UNKNOWN),
]
LASTING = [
    (Failure.THROTTLED, "Throttling", 6, 10.0, "ACK.Recoverable"),
    (Failure.THROTTLED, "Throttling", 5, 10.0, None),
    (Failure.TRANSIENT, "InternalError", 3, 10.0, "ACK.Recoverable"),
    (Failure.TRANSIENT, "InternalError", 2, 10.0, None),
    (Failure.CONFLICT, "ResourceConflictException", 9, 29.0, None),
    (Failure.CONFLICT, "ResourceConflictException", 9, 31.0, "ACK.Recoverable"),
    (Failure.DENIED, "AccessDenied", 1, 0.0, "ACK.Recoverable"),
    (Failure.INVALID, "ValidationException", 1, 0.0, "ACK.Terminal"),
    (Failure.QUOTA, "TooManyBuckets", 1, 0.0, "ACK.Recoverable"),
    (Failure.UNKNOWN, "TotallyUnknown", 1, 0.0, "ACK.Recoverable"),
]


@pytest.mark.parametrize(("code", "message", "status", "expected"), ROWS)
def test_the_class_of_an_error(code, message, status, expected):
    assert classify(AwsError(code, message, status=status)) is expected


@pytest.mark.parametrize(("failure", "code", "tries", "lasted_s", "condition"), LASTING)
def test_which_condition_tells_of_it_and_when(failure, code, tries, lasted_s, condition):
    error = AwsError(code, "text", status=400)
    assert classify(error) is failure
    verdict = verdict_of(ROLE, Trouble(error), tries=tries, lasted_s=lasted_s)
    told = "ACK.Terminal" if verdict.terminal else "ACK.Recoverable" if verdict.recoverable else None
    assert told == condition


def test_an_error_while_observing_leaves_synced_unknown_with_the_error_as_reason():
    verdict = verdict_of(ROLE, Trouble(AwsError("AccessDenied", "no", status=403), observing=True), tries=1, lasted_s=0)
    assert (verdict.synced, verdict.reason) == (None, "AccessDenied: no")


def test_a_failed_write_of_a_bucket_names_the_property():
    trouble = Trouble(AwsError("AccessDenied", "no", status=403), field="cors")
    verdict = verdict_of(BUCKET, trouble, tries=1, lasted_s=0)
    assert verdict.recoverable == "Error syncing property 'cors': AccessDenied: no"


def test_waiting_for_a_role_or_an_image_is_told_without_a_failure():
    for text, situation in (("cannot be assumed by Lambda", "role"), ("Provide a valid source image", "image")):
        trouble = Trouble(AwsError("InvalidParameterValueException", text, status=400))
        assert situation_of(FUNCTION, trouble) == situation
        verdict = verdict_of(FUNCTION, trouble, tries=99, lasted_s=9999)
        assert (verdict.synced, verdict.recoverable, verdict.terminal) == (False, "", "")


WAITS = [
    ("settling", [0.3, 0.6, 1.2, 2.4, 4.8, 5.0]),
    ("role", [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]),
    ("image", [2.0, 3.0, 4.5, 6.75, 10.125, 15.0]),
    ("denied", [30.0, 60.0, 120.0, 240.0, 300.0]),
    ("blocked", [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]),
    ("unsynced", [30.0, 30.0]),
    ("reference", [60.0, 60.0]),
]


@pytest.mark.parametrize(("situation", "expected"), WAITS)
def test_waits_grow_as_the_table_says(situation, expected):
    patience = Patience()
    found = []
    for _ in expected:
        patience.note(KEY, situation, generation=1, now_s=0.0)
        found.append(pytest.approx(patience.delay_s(KEY)))
    assert found == expected


@pytest.mark.parametrize("situation", [name for name, row in TABLE.items() if row.jitter])
def test_jitter_stays_within_the_row(situation):
    patience, row = Patience(), TABLE[situation]
    for count in range(200):
        patience.note(KEY, situation, generation=1, now_s=float(count))
        assert row.first_s * 0.49 <= patience.delay_s(KEY) <= row.cap_s * 1.1


def test_another_situation_or_generation_begins_anew():
    patience = Patience()
    counts = [
        patience.note(KEY, situation, generation=generation, now_s=0.0)[0]
        for situation, generation in (("role", 1), ("role", 1), ("image", 1), ("role", 1), ("role", 1), ("role", 2))
    ]
    assert counts == [1, 2, 1, 1, 2, 1]


def test_a_repair_under_way_does_not_make_the_failures_forgotten():
    patience = Patience()
    counts = [
        patience.note(KEY, situation, generation=1, now_s=0.0)[0]
        for situation in ("failed", "settling", "failed", "settling", "synced", "failed")
    ]
    assert counts == [1, 1, 2, 1, 1, 1]
