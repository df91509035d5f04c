"""Requests to AWS as metrics, counted per attempt at the one place all of them pass: botocore's events, or our own
client of an AWS in the same process.

`code` is the HTTP status that came, or the name of the exception when none did. A cancelled request is not counted.
"""

import time
from functools import cache
from typing import Any

from lambent.telemetry import Counter, Histogram, counter, histogram

_requests = counter("aws_requests_total", "Attempts of requests to AWS APIs.", ("service", "operation", "code"))
_seconds = histogram("aws_request_seconds", "Duration of an attempt until its answer.", ("service", "operation"))
_BEGAN = "lambent_began"


def count_request(service: str, operation: str, code: str, seconds: float) -> None:
    _counted(service, operation, code).inc()
    _timed(service, operation).observe(seconds)


@cache
def _counted(service: str, operation: str, code: str) -> Counter:
    return _requests.labels(service, operation, code)


@cache
def _timed(service: str, operation: str) -> Histogram:
    return _seconds.labels(service, operation)


def count_requests(session: Any) -> None:
    """Counts every request of the session's clients (untyped library)."""
    session.register("request-created", _begin)
    session.register("response-received", _end)


def _begin(request: Any, **_: Any) -> None:
    request.context[_BEGAN] = time.perf_counter()


def _end(
    event_name: str, response_dict: dict[str, Any] | None, context: dict[str, Any], exception: Any = None, **_: Any
) -> None:
    service, operation = event_name.split(".", 2)[1:]
    code = str(response_dict["status_code"]) if response_dict else type(exception).__name__
    _counted(service, operation, code).inc()
    began = context.get(_BEGAN)
    if began is not None:
        _timed(service, operation).observe(time.perf_counter() - began)
