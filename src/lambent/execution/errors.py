"""Errors of preparing a function's code."""

from lambent.errors import LambentError


class CodeError(LambentError):
    """The code of a function cannot be run.

    `reason_code` is Lambda's `StateReasonCode` (InvalidZipFileException, InvalidImage, InvalidRuntime, InternalError);
    `status` is the HTTP status of an upload that is refused for it.
    """

    http_status = 400
    aws_code = "InvalidParameterValueException"
    reason = "CodeError"

    def __init__(self, reason_code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.message = message
        self.status = status
