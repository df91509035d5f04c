"""Body limits of the AWS port, by who will answer, and refusals in AWS's form.

Source: AWS Lambda quotas (6 MB payload; a 50 MB archive arrives as base64 in JSON); the rest is bounded by what one
machine should hold in memory, since the embedded AWS takes bodies whole.
"""

from lambent.aws.answers import encode_error
from lambent.aws.errors import ServiceError
from lambent.http.limits import MIB, Limits
from lambent.http.message import Headers, Request, Response
from lambent.invoke import is_invoke_path

# One byte above the service's own limits, so that the service gives its own error for what is just too large.
_INVOKE_BYTES = 6_291_456 + 1
_LAMBDA_BYTES = 70_167_211 + 1
_UPLOAD_BYTES = 1024 * MIB
_CODES = {
    400: ("InvalidRequestContentException", "The request is not valid HTTP/1.1"),
    408: ("RequestTimeoutException", "The request did not arrive in time"),
    413: ("RequestEntityTooLargeException", "Request must be smaller than the limit of this operation"),
    431: ("InvalidRequestContentException", "The request's headers are larger than 64 KiB"),
    503: ("ServiceException", "lambent is stopping or has too many requests; try again"),
}


def body_limit(method: str, target: bytes, headers: Headers) -> int:
    path = target.partition(b"?")[0]
    if is_invoke_path(path):
        return _INVOKE_BYTES
    return _LAMBDA_BYTES if path.startswith(b"/2015-03-31/") else _UPLOAD_BYTES


def refuse(request: Request, status: int) -> Response:
    code, message = _CODES.get(status, ("ServiceException", "internal error"))
    return Response(*encode_error(ServiceError(code, message, status=status), ""))


AWS_LIMITS = Limits(body=body_limit, refuse=refuse)
