"""The control plane of the Lambda API as a `Service`: request bytes in, answer bytes out.

The stack, outermost first: the one catch-all, which turns errors into AWS's wire form; routing; the codec; the
handler. The facade is stateless, so any number of processes may serve it. Not here: Invoke (`lambent.invoke`).
"""

import logging
import re
import uuid
from collections.abc import Mapping
from functools import cached_property

from lambent.aws.answers import WireHeaders, encode_error
from lambent.aws.caller import CallerReader
from lambent.aws.errors import ServiceError
from lambent.aws.service_model import lambda_model
from lambent.errors import LambentError
from lambent.functions import messages
from lambent.functions.backend import Backend, Context, Handler, Parameters
from lambent.functions.codec import Router, corrections, parse_parameters, serialise, validate
from lambent.functions.operations import HANDLERS
from lambent.http.message import Request, Response
from lambent.kube.errors import Throttled, Unreachable
from lambent.telemetry import counter

log = logging.getLogger(__name__)

_REQUESTS = counter("lambda_api_requests_total", "Requests of the Lambda control plane", ["operation", "status"])
_SHORT_ACCOUNT = re.compile(r"^((?:arn:aws[\w-]*:[\w-]+:[\w-]*:)?)(\d{1,11})(:(?:function:|role/|layer:).*)$")
_ARN_PARAMETERS = ("FunctionName", "Role", "Resource")


class LambdaApi:
    """`backend` holds the parts; `handlers` may be replaced to serve a part of the API."""

    def __init__(
        self, backend: Backend, callers: CallerReader | None = None, *, handlers: Mapping[str, Handler] = HANDLERS
    ) -> None:
        self._backend = backend
        self._callers = callers or CallerReader(backend.store.account, backend.store.region)
        self._handlers = handlers

    @cached_property
    def router(self) -> Router:
        return Router(lambda_model())

    async def __call__(self, request: Request) -> Response:
        request_id = str(uuid.uuid4())
        try:
            status, headers, body = await self._answer(request, request_id)
        except ServiceError as error:
            status, headers, body = encode_error(error, request_id, typed=corrections().is_typed(error.message))
        except LambentError as error:
            log.warning("a part refused: %s", error, extra={"request_id": request_id})
            status, headers, body = encode_error(_of_part(error), request_id)
        except Exception:  # the one catch-all: a caller gets AWS's form, never a traceback
            log.exception("request failed", extra={"request_id": request_id})
            status, headers, body = encode_error(_internal(), request_id)
        return Response(status, headers, body)

    async def _answer(self, request: Request, request_id: str) -> tuple[int, WireHeaders, bytes]:
        matched = self.router.match(request.method, request.target)
        operation = lambda_model().operation_model(matched.operation)
        if len(request.body) > self._backend.limits.request:
            raise messages.request_too_large(self._backend.limits.request, matched.operation)
        handler = self._handlers.get(matched.operation)
        if handler is None:
            raise messages.not_implemented(matched.operation)
        shape = operation.input_shape
        parameters = _with_whole_accounts(parse_parameters(shape, matched, request.header, request.body))
        validate(shape, parameters)
        context = self._context(request, request_id, matched.operation)
        status, headers, body = serialise(operation, await handler(self._backend, context, parameters))
        _REQUESTS.labels(matched.operation, str(status)).inc()
        return status, [*headers, (b"x-amzn-requestid", request_id.encode())], body

    def _context(self, request: Request, request_id: str, operation: str) -> Context:
        caller = self._callers.read(request.header(b"authorization"))
        host = request.header(b"host").decode("latin-1")
        base_url = f"{request.scheme}://{host}"
        return Context(caller.account, caller.region, request_id, operation, base_url)


def _with_whole_accounts(parameters: Parameters) -> Parameters:
    """Account ids of fewer than 12 digits mean themselves padded with zeros."""
    for name in _ARN_PARAMETERS:
        value = parameters.get(name)
        found = _SHORT_ACCOUNT.match(value) if isinstance(value, str) else None
        if found:
            parameters[name] = f"{found[1]}{found[2].zfill(12)}{found[3]}"
    return parameters


def _internal() -> ServiceError:
    return ServiceError("ServiceException", "An internal error occurred.", status=500, capital_message=True)


def _of_part(error: LambentError) -> ServiceError:
    """A part that refused (mostly the Kubernetes API): overload is a 429, anything else a 500."""
    if isinstance(error, Throttled | Unreachable):
        return ServiceError("TooManyRequestsException", "Rate Exceeded.", status=429, retry_after_s=1)
    return _internal()
