"""Every refusal of the Invoke API, in AWS's words. Source: recorded answers of AWS; `lambent` where AWS is silent."""

import regex

from lambent.aws.errors import ServiceError
from lambent.aws.service_model import constraint
from lambent.errors import LambentError

_CAPITAL_MESSAGE = frozenset(
    ("ServiceException", "ResourceNotFoundException", "InvalidRuntimeException", "InvalidZipFileException")
)
_PROBLEM = "Value '{value}' at '{path}' failed to satisfy constraint: Member must {text}"


def function_not_found(arn: str) -> ServiceError:
    text = f"Function not found: {arn}"
    return ServiceError("ResourceNotFoundException", text, status=404, capital_message=True)


def invalid_request(problems: list[str]) -> ServiceError:
    """Several violations of the model at once, as `violations` tells them."""
    noun = "error" if len(problems) == 1 else "errors"
    return ServiceError("ValidationException", f"{len(problems)} validation {noun} detected: " + "; ".join(problems))


def violations(value: str, path: str, shape: str) -> list[str]:
    """What of a string shape of the service model a value breaks, in AWS's words."""
    longest, pattern = constraint(shape, "max"), constraint(shape, "pattern")
    texts = []
    if len(value) > longest:
        texts.append(f"have length less than or equal to {longest}")
    if not regex.fullmatch(pattern, value, regex.ASCII):
        texts.append(f"satisfy regular expression pattern: {pattern}")
    return [_PROBLEM.format(value=value, path=path, text=text) for text in texts]


def invalid_type(value: str) -> ServiceError:
    text = "satisfy enum value set: [Event, RequestResponse, DryRun]"
    return ServiceError(
        "InvalidParameterValueException", _PROBLEM.format(value=value, path="invocationType", text=text)
    )


def invalid_log_type(value: str) -> ServiceError:
    text = "satisfy enum value set: [None, Tail]"
    return _invalid_enum(_PROBLEM.format(value=value, path="logType", text=text))


def _invalid_enum(problem: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", f"1 validation error detected: {problem}")


def qualifier_mismatch() -> ServiceError:
    text = "The derived qualifier from the function name does not match the specified qualifier."
    return ServiceError("InvalidParameterValueException", text)


def other_region(region: str, own: str) -> ServiceError:
    text = f"Functions from '{region}' are not reachable in this region ('{own}')"
    return ServiceError("ResourceNotFoundException", text, status=404, capital_message=True)


def other_account() -> ServiceError:
    return ServiceError("AccessDeniedException", "", status=403)


def not_json(why: str) -> ServiceError:
    text = f"Could not parse request body into json: Could not parse payload into json: {why}"
    return ServiceError("InvalidRequestContentException", text)


def bad_client_context(why: str) -> ServiceError:
    return ServiceError(
        "InvalidRequestContentException", f"Client context must be a valid Base64-encoded JSON object: {why}"
    )


def too_large(limit: int, operation: str) -> ServiceError:
    text = f"Request must be smaller than {limit} bytes for the {operation} operation"
    return ServiceError("RequestEntityTooLargeException", text, status=413)


def not_ready(arn: str, state: str, reason: str) -> ServiceError:
    """Pending beyond the start budget, or Failed."""
    text = f"The operation cannot be performed at this time. The function is currently in the following state: {state}"
    return ServiceError("ResourceConflictException", f"{text}. {reason}" if reason else text, status=409)


def throttled(reason: str) -> ServiceError:
    members = {"Reason": reason}
    return ServiceError("TooManyRequestsException", "Rate Exceeded.", status=429, members=members, retry_after_s=1)


def unknown_fate(arn: str) -> ServiceError:
    text = f"No answer from {arn} within its time; the event may have run"
    return ServiceError("ServiceException", text, status=504, capital_message=True)


def not_accepted(why: str) -> ServiceError:
    text = f"The event was not accepted: {why}"
    return ServiceError("ServiceException", text, status=503, capital_message=True, retry_after_s=1)


def internal() -> ServiceError:
    return ServiceError("ServiceException", "An internal error occurred.", status=500, capital_message=True)


def of_part(error: LambentError) -> ServiceError:
    """A transport's refusal: its class knows status and code."""
    status, code = error.http_status, error.aws_code
    if status == 429:
        return throttled(error.reason)
    retry = 1 if status == 503 else None
    return ServiceError(code, str(error), status=status, capital_message=code in _CAPITAL_MESSAGE, retry_after_s=retry)
