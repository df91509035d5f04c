"""The Runtime API of one instance without its sockets: a complete request in, the bytes of an answer out.

`RuntimeApi.receive` finds the route, checks headers and sizes, asks the `Exchange` (the instance) and gives the wire
form of the answer, or None when the request is a poll that stays parked until the exchange delivers an event to its
`Poller`. Identity is the API object itself: each instance has its own listener, and neither path nor Host header is
trusted for it.

Source: AWS Lambda developer guide, "Using the Lambda runtime API". Not here: sockets (`runtime.door`), the life cycle
(`runtime.states`), extensions and telemetry routes (they join `_ROUTES`).
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import orjson

from lambent.runtime.metrics import API_ERRORS

_VERSION = b"/2018-06-01/"
_INVOCATION = b"/2018-06-01/runtime/invocation/"
_JSON = b"application/json"
_ERROR_TYPE = b"lambda-runtime-function-error-type"
_ERROR_BODY = b"lambda-runtime-function-error-body"

Headers = Mapping[bytes, bytes]
"""Lower-case names, trailers included; the last value of a repeated one."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success: status, Lambda's error type, text."""

    status: int
    error_type: str
    message: str


INVALID_REQUEST_ID = Refusal(400, "InvalidRequestID", "Invalid request ID")
INVALID_TRANSITION = Refusal(403, "InvalidStateTransition", "State transition is not allowed in the current state")


class Poller(Protocol):
    """A parked `GET /next`."""

    def deliver(self, head: bytes, payload: bytes) -> None:
        """Sends the event; the head ends with its blank line."""
        ...


class Exchange(Protocol):
    """What the API asks of its instance. Every method answers at once; None is success."""

    def poll(self, poller: Poller) -> Refusal | None: ...

    def poll_lost(self, poller: Poller, *, undelivered: bool) -> None:
        """The connection of a poll closed: while parked, or before the event's last byte left (`undelivered`)."""
        ...

    def respond(self, request_id: str, body: bytes, *, token: str) -> Refusal | None: ...

    def respond_too_large(self, request_id: str) -> Refusal | None: ...

    def respond_truncated(self, request_id: str) -> None: ...

    def respond_error(self, request_id: str, body: bytes, *, error_type: str) -> Refusal | None: ...

    def init_error(self, body: bytes, *, error_type: str) -> Refusal | None: ...

    def connections_gone(self) -> None:
        """The last open connection has closed."""
        ...


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """`body` is None when it exceeded the limit of its route and was thrown away."""

    method: bytes
    path: bytes
    headers: Headers
    body: bytes | None
    poller: Poller


class RuntimeApi:
    """See the module; `response_limit_bytes` and `error_limit_bytes` are the limits of posted bodies."""

    def __init__(self, exchange: Exchange, *, response_limit_bytes: int, error_limit_bytes: int) -> None:
        self.exchange = exchange
        self._response_limit = response_limit_bytes
        self._error_limit = error_limit_bytes

    def body_limit(self, path: bytes) -> int:
        """Bytes of a body worth keeping on this path; more is read and thrown away."""
        return self._response_limit if path.endswith(b"/response") else self._error_limit

    def receive(self, request: ApiRequest) -> bytes | None:
        """The answer's bytes; None when the request stays parked."""
        path = request.path
        if path.startswith(_INVOCATION):
            return self._invocation(request, path[len(_INVOCATION) :])
        route = _ROUTES.get(path)
        if route is None:
            return _refuse(Refusal(404, "NotFound", "Not found"))
        method, handler = route
        return handler(self, request) if request.method == method else _wrong_method(method)

    def _invocation(self, request: ApiRequest, rest: bytes) -> bytes | None:
        if rest == b"next":
            return self._next(request) if request.method == b"GET" else _wrong_method(b"GET")
        request_id, slash, verb = rest.partition(b"/")
        handler = _INVOCATION_VERBS.get(verb)
        if not slash or handler is None:
            return _refuse(Refusal(404, "NotFound", "Not found"))
        if request.method != b"POST":
            return _wrong_method(b"POST")
        return handler(self, request, request_id.decode("latin-1"))

    def _next(self, request: ApiRequest) -> bytes | None:
        refusal = self.exchange.poll(request.poller)
        return _refuse(refusal) if refusal else None

    def _response(self, request: ApiRequest, request_id: str) -> bytes:
        mode = request.headers.get(b"lambda-runtime-function-response-mode", b"")
        if mode.lower() not in (b"", b"streaming"):
            return _refuse(Refusal(400, "Runtime.InvalidResponseModeHeader", "Invalid response mode header value"))
        if request.body is None:
            refusal = self.exchange.respond_too_large(request_id)
            return _refuse(refusal or _too_large(self._response_limit))
        if mode and _ERROR_TYPE in request.headers:
            return self._failed_stream(request, request_id)
        token = request.headers.get(b"lambda-runtime-invocation-id", b"").decode("latin-1")
        return _accept(self.exchange.respond(request_id, request.body, token=token))

    def _failed_stream(self, request: ApiRequest, request_id: str) -> bytes:
        """Trailers behind a streamed body say that it failed midway; their body is what the caller gets."""
        try:
            body = base64.b64decode(request.headers.get(_ERROR_BODY, b""), validate=True)
        except ValueError:
            body = b""
        return _accept(self.exchange.respond_error(request_id, body, error_type=_error_type(request.headers)))

    def _error(self, request: ApiRequest, request_id: str) -> bytes:
        body = request.body or b""
        return _accept(self.exchange.respond_error(request_id, body, error_type=_error_type(request.headers)))

    def _init_error(self, request: ApiRequest) -> bytes:
        return _accept(self.exchange.init_error(request.body or b"", error_type=_error_type(request.headers)))

    def _ping(self, request: ApiRequest) -> bytes:
        return _answer(200, b"pong", content_type=b"text/plain")


_ROUTES: Mapping[bytes, tuple[bytes, Callable[[RuntimeApi, ApiRequest], bytes | None]]] = {
    _VERSION + b"ping": (b"GET", RuntimeApi._ping),
    _VERSION + b"runtime/init/error": (b"POST", RuntimeApi._init_error),
}
_INVOCATION_VERBS: Mapping[bytes, Callable[[RuntimeApi, ApiRequest, str], bytes]] = {
    b"response": RuntimeApi._response,
    b"error": RuntimeApi._error,
}


def _error_type(headers: Headers) -> str:
    """The posted word when it has the documented form; anything else counts as unknown (labels stay bounded)."""
    text = headers.get(_ERROR_TYPE, b"").decode("latin-1")
    area, dot, word = text.partition(".")
    is_known = area in ("Runtime", "Function", "Extension") and dot and word.isalnum() and len(word) <= 64
    return text if is_known else "Function.Unknown"


def _too_large(limit_bytes: int) -> Refusal:
    return Refusal(413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({limit_bytes} bytes).")


def _accept(refusal: Refusal | None) -> bytes:
    return _refuse(refusal) if refusal else ACCEPTED


def _refuse(refusal: Refusal) -> bytes:
    API_ERRORS.labels(code=refusal.error_type).inc()
    body = orjson.dumps({"errorMessage": refusal.message, "errorType": refusal.error_type})
    return _answer(refusal.status, body)


def _wrong_method(allowed: bytes) -> bytes:
    body = orjson.dumps({"errorMessage": "Method not allowed", "errorType": "MethodNotAllowed"})
    return _answer(405, body, extra=b"Allow: " + allowed + b"\r\n")


def _answer(status: int, body: bytes, *, content_type: bytes = _JSON, extra: bytes = b"") -> bytes:
    line = b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())
    return b"%sContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n%s" % (line, content_type, extra, len(body), body)


ACCEPTED = _answer(202, b'{"status":"OK"}\n')
BAD_REQUEST = _answer(
    400, b'{"errorMessage":"Malformed request","errorType":"InvalidRequest"}', extra=b"Connection: close\r\n"
)
