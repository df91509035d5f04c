"""The record that a destination receives, and the attributes of a dead letter, as pure functions.

Source: AWS Lambda developer guide, "Retaining records of asynchronous invocations"; recorded messages of AWS.
"""

from datetime import UTC, datetime
from typing import Any

import orjson

from lambent.invoke.async_store import StoredEvent
from lambent.invoke.retries import Condition
from lambent.runtime.invocation import Result

Attributes = dict[str, tuple[str, str]]
"""Message attributes: name to (data type, value)."""

_MESSAGE_BYTES = 1024


def destination_record(
    event: StoredEvent,
    arn: str,
    *,
    condition: Condition,
    invoke_count: int,
    result: Result | None,
    now: datetime,
) -> bytes:
    """`arn` as invoked; an unqualified one is shown with `:$LATEST`. Response members are absent when it never ran."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": arn if event.qualifier else f"{arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": invoke_count,
        },
        "requestPayload": orjson.Fragment(event.payload),
    }
    if result is not None:
        error = {"functionError": "Unhandled"} if result.is_error else {}
        record["responseContext"] = {"statusCode": 200, "executedVersion": result.executed_version, **error}
        record["responsePayload"] = _as_json(result.payload)
    return orjson.dumps(record)


def _as_json(payload: bytes) -> Any:
    """A runtime may post what is no JSON; it is told as text then."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload.decode("utf-8", "replace")


def dead_letter_attributes(event: StoredEvent, result: Result | None, condition: Condition) -> Attributes:
    """RequestID, ErrorCode (an HTTP status), ErrorMessage (its first kilobyte)."""
    text = condition if result is None else _error_message(result)
    return {
        "RequestID": ("String", event.request_id),
        "ErrorCode": ("Number", "200" if result is not None else "429"),
        "ErrorMessage": ("String", text.encode()[:_MESSAGE_BYTES].decode("utf-8", "ignore")),
    }


def _error_message(result: Result) -> str:
    body = _as_json(result.payload)
    return str(body.get("errorMessage", "")) if isinstance(body, dict) else str(body)
