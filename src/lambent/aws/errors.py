"""Errors of AWS APIs, in both directions.

    AwsError        what an AWS API answered to a client of ours
    ServiceError    what our own Lambda API answers, in AWS's wire form

Source: AWS Lambda API reference, "Common Errors"; botocore's rest-json error shape.
"""

from lambent.errors import LambentError


class AwsError(LambentError):
    """An AWS API's refusal: `code` is AWS's error code, `status` the HTTP status (0 when no answer came)."""

    reason = "AwsError"

    def __init__(self, code: str, message: str, *, status: int = 0, operation: str = "", request_id: str = "") -> None:
        super().__init__(f"{operation}: {code}: {message}" if operation else f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.operation = operation
        self.request_id = request_id


class ServiceError(LambentError):
    """An answer of the Lambda API that is not a success.

    `capital_message` says whether the body's key is `Message` (AWS differs by error, and SDKs depend on it);
    `members` are further members of the error body (Reason, retryAfterSeconds).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        capital_message: bool = False,
        members: dict[str, str] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.capital_message = capital_message
        self.members = members or {}
        self.retry_after_s = retry_after_s
