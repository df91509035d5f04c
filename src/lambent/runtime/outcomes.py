"""The answers that a function's failure turns into, word for word as AWS gives them.

Each builder returns a `Result` with `is_error` true; its payload is what the caller reads. `Exit` says how a process
ended. Source: AWS Lambda developer guide, "Troubleshoot execution issues"; observed bodies of AWS.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from lambent.runtime.invocation import Result

RESPONSE_LIMIT_BYTES = 6_291_556
"""Largest response of a runtime: 6 MB plus the room AWS leaves for the envelope."""


Failure = Callable[[str], Result]
"""A function error still without the request id it is told to."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: its exit status, or the number of the signal that killed it."""

    status: int = 0
    signal: int = 0
    out_of_memory: bool = False

    def describe(self) -> str:
        if self.signal:
            return f"Runtime exited with error: signal: {_signal_name(self.signal)}"
        if self.status:
            return f"Runtime exited with error: exit status {self.status}"
        return "Runtime exited without providing a reason"

    @property
    def error_type(self) -> str:
        return "Runtime.OutOfMemory" if self.out_of_memory else "Runtime.ExitError"


def failure(error_type: str, message: str) -> Result:
    """A function error with a body of our own."""
    body = orjson.dumps({"errorType": error_type, "errorMessage": message})
    return Result(body, is_error=True, error_type=error_type)


def timed_out(request_id: str, timeout_s: float) -> Result:
    return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds")


def exited(request_id: str, how: Exit) -> Result:
    return failure(how.error_type, f"RequestId: {request_id} Error: {how.describe()}")


def too_large(limit_bytes: int = RESPONSE_LIMIT_BYTES) -> Result:
    text = f"Response payload size exceeded maximum allowed payload size ({limit_bytes} bytes)."
    return failure("Function.ResponseSizeTooLarge", text)


def truncated(request_id: str) -> Result:
    return failure("Runtime.TruncatedResponse", f"RequestId: {request_id} Error: Response body was cut short")


def _signal_name(number: int) -> str:
    """Words of the C library in lower case ("killed", "segmentation fault"), as AWS prints them."""
    try:
        text = signal.strsignal(number)
    except ValueError:
        text = None
    return (text or f"signal {number}").lower()
