"""An invocation as every transport carries it: `Event` in, `Result` out.

HTTP, AMQP and the async queue all build an `Event` and read a `Result`, so behaviour cannot drift apart between them.
Payloads are bytes from edge to runtime and are never parsed here. Not here: how an event finds a pool (`invoke`), nor
how a pool runs it (`runtime.pool`).
"""

from dataclasses import dataclass, field
from typing import NewType

RequestId = NewType("RequestId", str)


@dataclass(frozen=True, slots=True)
class Event:
    """One invocation on its way to a runtime. `deadline_s` is the loop-clock time after which the caller has gone."""

    request_id: RequestId
    function_arn: str
    payload: bytes
    trace_id: str = ""
    client_context: str = ""
    tenant_id: str = ""
    wants_log_tail: bool = False
    deadline_s: float = float("inf")
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a runtime. `is_error` follows the Runtime API path that was used, never the payload's content."""

    payload: bytes
    is_error: bool = False
    log_tail: bytes = b""
    executed_version: str = "$LATEST"
    error_type: str = field(default="")
