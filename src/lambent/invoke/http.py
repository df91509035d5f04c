"""Invoke over HTTP: the hot route. One dictionary lookup finds the function, the payload passes through as bytes.

    request -> name (table) -> caller (table) -> target (cache) -> payload check -> type:
        RequestResponse: slot -> transport -> 200 with payload
        Event:           durable queue -> 202
        DryRun:          204

Whether a function failed is said by the Runtime API path it used (`Result.is_error`), never read from its payload.
Source: AWS Lambda API reference, "Invoke".
"""

import asyncio
import base64
import logging
import os
import time
import uuid

import orjson

from lambent.aws.answers import encode_error
from lambent.aws.arn import FunctionId
from lambent.aws.caller import Caller, CallerReader
from lambent.aws.errors import ServiceError
from lambent.errors import LambentError
from lambent.http.message import Request, Response
from lambent.invoke import eventstream, refusals
from lambent.invoke.asynchronous import Acceptance
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.directory import Directory, Target
from lambent.invoke.limits import InvokeLimits
from lambent.invoke.names import Route, Routes
from lambent.invoke.payloads import checked_client_context, checked_payload
from lambent.invoke.transport import Transport
from lambent.runtime.errors import PoolClosed
from lambent.runtime.function_spec import FunctionSpec
from lambent.runtime.invocation import Event, RequestId, Result
from lambent.telemetry import counter

log = logging.getLogger(__name__)

_REQUESTS = counter("http_requests_total", "Invoke requests", ["function", "type", "status"])
_UNKNOWN = "_unknown"
_OCTETS = "application/octet-stream"
_CHUNK_BYTES = 1 << 20

_Headers = dict[bytes, bytes]


class InvokeService:
    """`queue` accepts Event invocations (None: they are refused with 503)."""

    def __init__(
        self,
        directory: Directory,
        transport: Transport,
        *,
        queue: Acceptance | None = None,
        callers: CallerReader | None = None,
        limits: InvokeLimits | None = None,
        concurrency: Concurrency | None = None,
    ) -> None:
        self._directory = directory
        self._transport = transport
        self._queue = queue
        self._callers = callers or CallerReader()
        self._limits = limits or InvokeLimits()
        self._concurrency = concurrency or Concurrency(self._limits.account_concurrency)
        self._routes = Routes()

    async def __call__(self, request: Request) -> Response:
        request_id = str(uuid.uuid4())
        try:
            return await self._invoke(request, request_id)
        except ServiceError as error:
            return _refused(error, request_id)
        except LambentError as error:
            log.warning("invocation not run: %s", error, extra={"request_id": request_id})
            return _refused(refusals.of_part(error), request_id)
        except Exception:  # the one catch-all: a caller gets AWS's form, never a traceback
            log.exception("invocation failed", extra={"request_id": request_id})
            return _refused(refusals.internal(), request_id)

    async def _invoke(self, request: Request, request_id: str) -> Response:
        route = self._routes.read(request.target)
        if route is None:
            raise ServiceError("UnknownOperationException", "Unknown operation", status=404)
        if request.method != "POST":
            return _method_not_allowed(request_id)
        headers: _Headers = dict(request.headers)
        function = _function(route, self._callers.read(headers.get(b"authorization", b"")))
        target = self._directory.resolve(function, route.qualifier)
        if target is None:
            target = await self._directory.look_up(function, route.qualifier)
        is_async = route.api == "InvokeAsync"
        kind = b"Event" if is_async else headers.get(b"x-amz-invocation-type", b"RequestResponse")
        if kind == b"RequestResponse":
            return await self._synchronous(request, headers, request_id, function=function, route=route, target=target)
        if kind == b"Event" and route.api != "InvokeWithResponseStream":
            return await self._event(request, headers, request_id, function=function, route=route)
        if kind == b"DryRun":
            return _empty(204, request_id)
        raise refusals.invalid_type(kind.decode("latin-1"))

    async def _synchronous(
        self,
        request: Request,
        headers: _Headers,
        request_id: str,
        *,
        function: FunctionId,
        route: Route,
        target: Target,
    ) -> Response:
        limits = self._limits
        payload = checked_payload(request.body, limit=limits.request, operation=route.api, limits=limits)
        spec = target.spec or await self._started(function, route.qualifier)
        deadline_s = asyncio.get_running_loop().time() + spec.timeout_s + limits.init_allowance_s + limits.queue_wait_s
        event = Event(
            RequestId(request_id),
            target.arn,
            payload,
            trace_id=_trace_id(headers),
            client_context=self._client_context(headers),
            tenant_id=headers.get(b"x-amz-tenant-id", b"").decode("latin-1"),
            wants_log_tail=_wants_log_tail(headers),
            deadline_s=deadline_s,
        )
        with self._concurrency.slot(function.arn, target.reserved_concurrency):
            try:
                async with asyncio.timeout_at(deadline_s + limits.reply_margin_s):
                    result = await self._run(spec, event, function=function, qualifier=route.qualifier)
            except TimeoutError:
                raise refusals.unknown_fate(target.arn) from None
        _REQUESTS.labels(function.name, "sync", "200").inc()
        answer = _stream_answer if route.api == "InvokeWithResponseStream" else _answer
        return answer(event, result, spec.version)

    async def _run(self, spec: FunctionSpec, event: Event, *, function: FunctionId, qualifier: str | None) -> Result:
        """A pool that was replaced between the lookup and now has not run the event: its successor gets it."""
        try:
            return await self._transport.invoke(spec, event)
        except PoolClosed:
            target = await self._directory.until_ready(function, qualifier, self._limits.start_budget_s)
            if target.spec is None or target.spec.pool_key == spec.pool_key:
                raise
            return await self._transport.invoke(target.spec, event)

    async def _started(self, function: FunctionId, qualifier: str | None) -> FunctionSpec:
        """Waits for a Pending function up to the start budget."""
        target = await self._directory.until_ready(function, qualifier, self._limits.start_budget_s)
        if target.spec is None:
            raise refusals.not_ready(target.arn, target.state, target.reason)
        return target.spec

    async def _event(
        self, request: Request, headers: _Headers, request_id: str, *, function: FunctionId, route: Route
    ) -> Response:
        limits = self._limits
        payload = checked_payload(request.body, limit=limits.event_request, operation=route.api, limits=limits)
        if self._queue is None:
            raise refusals.not_accepted("this process has no event queue")
        await self._queue.accept(
            request_id,
            function,
            route.qualifier,
            payload,
            client_context=self._client_context(headers),
            trace_id=_trace_id(headers),
            tenant_id=headers.get(b"x-amz-tenant-id", b"").decode("latin-1"),
        )
        _REQUESTS.labels(function.name, "event", "202").inc()
        return _empty(202, request_id, b'{"Status":202}' if route.api == "InvokeAsync" else b"")

    def _client_context(self, headers: _Headers) -> str:
        header = headers.get(b"x-amz-client-context")
        return checked_client_context(header, self._limits) if header else ""


def _function(route: Route, caller: Caller) -> FunctionId:
    name = route.name
    if name.region is not None and name.region != caller.region:
        raise refusals.other_region(name.region, caller.region)
    if name.account is not None and name.account != caller.account:
        raise refusals.other_account()
    return FunctionId(caller.account, caller.region, name.name)


def _trace_id(headers: _Headers) -> str:
    given = headers.get(b"x-amzn-trace-id")
    if given:
        return given.decode("latin-1")
    entropy = os.urandom(20).hex()
    return f"Root=1-{int(time.time()):08x}-{entropy[:24]};Parent={entropy[24:]};Sampled=0"


def _wants_log_tail(headers: _Headers) -> bool:
    kind = headers.get(b"x-amz-log-type")
    if kind not in (None, b"None", b"Tail"):
        raise refusals.invalid_log_type(kind.decode("latin-1"))
    return kind == b"Tail"


def _answer(event: Event, result: Result, version: str) -> Response:
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-requestid", event.request_id.encode()),
        (b"x-amz-executed-version", version.encode()),
        (b"x-amzn-trace-id", event.trace_id.encode("latin-1")),
    ]
    if result.is_error:
        headers.append((b"x-amz-function-error", b"Unhandled"))
    if event.wants_log_tail:
        headers.append((b"x-amz-log-result", base64.b64encode(result.log_tail[-4096:])))
    return Response(200, headers, result.payload)


def _stream_answer(event: Event, result: Result, version: str) -> Response:
    """A runtime that answers as a whole answers in chunks of its payload, then with InvokeComplete, as on AWS."""
    complete: dict[str, str] = {}
    if event.wants_log_tail:
        complete["LogResult"] = base64.b64encode(result.log_tail[-4096:]).decode()
    chunks = []
    if result.is_error:
        complete |= {"ErrorCode": "Unhandled", "ErrorDetails": result.payload.decode("utf-8", "replace")}
    else:
        pieces = (result.payload[at : at + _CHUNK_BYTES] for at in range(0, len(result.payload), _CHUNK_BYTES))
        chunks = [eventstream.event("PayloadChunk", piece, content_type=_OCTETS) for piece in pieces]
    chunks.append(eventstream.event("InvokeComplete", orjson.dumps(complete), content_type="application/json"))
    headers = [
        (b"content-type", b"application/vnd.amazon.eventstream"),
        (b"x-amzn-requestid", event.request_id.encode()),
        (b"x-amz-executed-version", version.encode()),
        (b"x-amzn-trace-id", event.trace_id.encode("latin-1")),
    ]
    return Response(200, headers, b"".join(chunks))


def _empty(status: int, request_id: str, body: bytes = b"") -> Response:
    return Response(status, [(b"x-amzn-requestid", request_id.encode())], body)


def _refused(error: ServiceError, request_id: str) -> Response:
    _REQUESTS.labels(_UNKNOWN, "refused", str(error.status)).inc()
    return Response(*encode_error(error, request_id))


def _method_not_allowed(request_id: str) -> Response:
    error = ServiceError("MethodNotAllowedException", "Only POST invokes a function", status=405)
    response = _refused(error, request_id)
    response.headers.append((b"allow", b"POST"))
    return response
