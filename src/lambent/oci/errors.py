"""What can be wrong with an image, and what a registry answers.

    ImageError            an image that cannot be read, built or unpacked
    RegistryError         an answer of the distribution API, with its code and status

Source: OCI distribution specification 1.1, "Error Codes".
"""

from lambent.errors import LambentError


class ImageError(LambentError):
    """An image is missing, broken or hostile; the message says which and why."""

    http_status = 400
    aws_code = "InvalidParameterValueException"
    reason = "InvalidImage"


class RegistryError(LambentError):
    """`code` is one of the specification's (`BLOB_UNKNOWN`), `status` its HTTP status."""

    reason = "RegistryError"

    def __init__(self, code: str, message: str, *, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
