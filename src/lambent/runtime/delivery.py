"""The head of the answer to `GET /next`: what a runtime learns about an event besides its payload.

The part that is the same for each event of an instance is made once. Header values that would break the head
(control characters) are dropped to spaces: they come from callers. Source: AWS Lambda developer guide, "Using the
Lambda runtime API", "Next invocation".
"""

import random
import time

from lambent.runtime.invocation import Event

_LINES = (
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "Lambda-Runtime-Aws-Request-Id: {request_id}\r\n"
    "Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
    "Lambda-Runtime-Invoked-Function-Arn: {arn}\r\n"
    "Lambda-Runtime-Trace-Id: {trace_id}\r\n"
    "Lambda-Runtime-Invocation-Id: {token}\r\n"
    "{extra}Content-Length: {length}\r\n\r\n"
)
_CONTROLS = {code: " " for code in [*range(32), 127]}
_numbers = random.Random()


def new_trace_id(now_s: float) -> str:
    """A trace header of our own: not sampled, so that no tracer sends anything."""
    root = f"1-{int(now_s):08x}-{_numbers.getrandbits(96):024x}"
    return f"Root={root};Parent={_numbers.getrandbits(64):016x};Sampled=0"


def delivery_head(event: Event, *, deadline_ms: int, token: str) -> bytes:
    """Bytes up to and with the blank line; `deadline_ms` is epoch time."""
    extra = _optional(event) if event.client_context or event.tenant_id else ""
    head = _LINES.format(
        request_id=_clean(event.request_id),
        deadline_ms=deadline_ms,
        arn=_clean(event.function_arn),
        trace_id=_clean(event.trace_id or new_trace_id(time.time())),
        token=token,
        extra=extra,
        length=len(event.payload),
    )
    return head.encode("utf-8")


def _optional(event: Event) -> str:
    context = f"Lambda-Runtime-Client-Context: {_clean(event.client_context)}\r\n" if event.client_context else ""
    tenant = f"Lambda-Runtime-Aws-Tenant-Id: {_clean(event.tenant_id)}\r\n" if event.tenant_id else ""
    return context + tenant


def _clean(text: str) -> str:
    return text if text.isprintable() else text.translate(_CONTROLS)
