"""Errors of the runtime layer that its callers handle.

    LambentError
    ├── PoolClosed     503  the pool drains or is gone; the event surely did not run
    ├── PoolFull       429  the line of waiting events is full, or the caller's time ended in it; it did not run
    ├── EventTooLarge  413  the payload exceeds what a runtime may be given
    └── LaunchError    502  a runtime cannot be started (no such program, no such directory)

What a *function* did wrong (raised, timed out, exited) is no error here but a `Result` (`runtime.outcomes`).
"""

from lambent.errors import LambentError


class PoolClosed(LambentError):
    """The pool takes no events any more."""

    http_status = 503
    aws_code = "ServiceException"
    reason = "PoolClosed"


class PoolFull(LambentError):
    """No runtime came free for the event in time or in the room there is; the event was not handed over."""

    http_status = 429
    aws_code = "TooManyRequestsException"
    reason = "ConcurrentInvocationLimitExceeded"


class EventTooLarge(LambentError):
    """The payload exceeds the limit of an event."""

    http_status = 413
    aws_code = "RequestEntityTooLargeException"
    reason = "RequestEntityTooLarge"


class LaunchError(LambentError):
    """A runtime cannot be started; `error_type` is the Lambda word for it (`Runtime.InvalidEntrypoint`)."""

    http_status = 502
    aws_code = "InvalidRuntimeException"
    reason = "InvalidRuntime"

    def __init__(self, message: str, *, error_type: str = "Runtime.InvalidEntrypoint") -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
