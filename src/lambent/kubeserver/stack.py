"""The path of a request, as one function: `build_stack`, and `build_inner_stack` for callers in the process.

    write out -> refusals -> authenticate -> route -> audit -> verb
                 refusals ----------------> route -> audit -> verb

Each stage is a small closure around the next. What a written object passes after that is `stages.Admission`. `refusals`
is around all others, so that every error of any stage is a Status; outside of it is only what HTTP adds: the headers
every answer has, and the choice of the text (JSON, JSON with line breaks, or YAML).
"""

import hmac
import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, count
from urllib.parse import urlsplit

from lambent.http.message import Request, Response, Service
from lambent.kubeserver.access.impersonation import acting_as
from lambent.kubeserver.access.tokens import Tokens
from lambent.kubeserver.answers.elsewhere import OPEN_PATHS
from lambent.kubeserver.answers.negotiation import in_yaml
from lambent.kubeserver.answers.writing_out import write_pretty, write_yaml
from lambent.kubeserver.call import ANONYMOUS, Call, User, parse_query
from lambent.kubeserver.routing import Router
from lambent.kubeserver.status import ApiError
from lambent.telemetry import Counter, counter

log = logging.getLogger(__name__)

_requests = counter("kubeserver_requests_total", "Requests to the embedded API server.", ["verb", "resource", "code"])
_RUN = str(uuid.uuid4())[:23].encode()  # an audit id is this and a number: unique without asking the system each time
_numbers = count(1)
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "[::1]", ""})


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who asked for what, and the answer's code; `name` is empty for a collection."""

    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    user: str
    code: int


AuditSink = Callable[[AuditEvent], None]
Identify = Callable[[Request], User]
_Handler = Callable[[Request, User], Awaitable[Response]]


def build_stack(router: Router, *, identify: Identify, audit: AuditSink | None = None) -> Service:
    """The whole path of a request over HTTP, innermost stage first; each line wraps the one before."""
    watched = _audited(router.serve, audit)
    routed = _routed(router, watched)
    known = _authenticated(routed, identify)
    safe = _refusals(known)
    return _written_out(safe)


def build_inner_stack(router: Router, *, user: User, audit: AuditSink | None = None) -> Service:
    """The same for callers in the process, all of them this user: they read JSON, and no headers."""
    watched = _audited(router.serve, audit)
    routed = _routed(router, watched)
    return _refusals(lambda request: routed(request, user))


@lru_cache(maxsize=4096)
def _counted(verb: str, plural: str, code: int) -> Counter:
    return _requests.labels(verb, plural, str(code))


def _audited(
    run: Callable[[Call], Awaitable[Response]], sink: AuditSink | None
) -> Callable[[Call], Awaitable[Response]]:
    """Counts, and tells the sink, which the test of minimal RBAC rules is built on."""

    def note(call: Call, code: int) -> None:
        _counted(call.verb, call.resource.plural, code).inc()
        if sink is not None:
            resource, name = call.resource, call.user.name
            event = AuditEvent(
                call.verb, resource.group, resource.plural, call.subresource, call.namespace, call.name, name, code
            )
            sink(event)

    async def handle(call: Call) -> Response:
        try:
            response = await run(call)
        except ApiError as error:
            note(call, error.code)
            error.headers.extend(_warnings(call))
            raise
        note(call, response.status)
        if call.warnings:
            response.headers += _warnings(call)
        return response

    return handle


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_CHARACTERS, _MOST_OF_ONE = 4096, 256


def _warnings(call: Call) -> list[tuple[bytes, bytes]]:
    """No warning is made of a text with a line break or the like, which a header cannot hold. Where all of them are too
    long, each is cut and the last are left out.
    """
    texts = [text for text in dict.fromkeys(call.warnings) if _CONTROL.search(text) is None]
    if sum(map(len, texts)) > _MOST_CHARACTERS:
        texts = [text[:_MOST_OF_ONE] for text in texts]
        before = accumulate(map(len, texts), initial=0)
        texts = [text for text, length in zip(texts, before, strict=False) if length < _MOST_CHARACTERS]
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return [(b"warning", f'299 - "{text}"'.encode()) for text in escaped]


def _routed(router: Router, handle: Callable[[Call], Awaitable[Response]]) -> _Handler:
    async def route(request: Request, user: User) -> Response:
        call = router.resolve(request, user)
        return router.other(request) if call is None else await handle(call)

    return route


def _authenticated(handle: _Handler, identify: Identify) -> Callable[[Request], Awaitable[Response]]:
    async def authenticate(request: Request) -> Response:
        user = identify(request)
        try:
            response = await handle(request, user)
        except ApiError as error:
            response = error.response()
        if user is not ANONYMOUS:
            response.headers += [_FLOW, _PRIORITY]
        return response

    return authenticate


# Clients log these; there is one flow and one priority here.
_FLOW = (b"x-kubernetes-pf-flowschema-uid", str(uuid.uuid5(uuid.NAMESPACE_DNS, "lambent-flow")).encode())
_PRIORITY = (b"x-kubernetes-pf-prioritylevel-uid", str(uuid.uuid5(uuid.NAMESPACE_DNS, "lambent-priority")).encode())


def _refusals(handle: Callable[[Request], Awaitable[Response]]) -> Service:
    async def serve(request: Request) -> Response:
        try:
            return await handle(request)
        except ApiError as error:
            return error.response()
        except Exception:
            log.exception(
                "a request failed", extra={"method": request.method, "path": request.raw_path.decode("latin-1")}
            )
            return ApiError(500, "Internal error occurred", reason="InternalError").response()

    return serve


def _written_out(handle: Service) -> Service:
    """The headers every answer has; YAML where that is asked for most, and line breaks for those who read them."""

    async def serve(request: Request) -> Response:
        response = await handle(request)
        response.headers.append((b"audit-id", b"%b-%012x" % (_RUN, next(_numbers))))
        if b"cache-control" not in dict(response.headers):
            response.headers.append((b"cache-control", b"no-cache, private"))
        if not request.target.startswith(b"/api"):
            return response
        accept = request.header(b"accept")
        if b"yaml" in accept and in_yaml(accept, is_refusal=response.status >= 400):
            write_yaml(response)
        elif (b"pretty" in request.target and b"pretty" in request.raw_query) or request.header(
            b"user-agent"
        ).startswith(_BY_HAND):
            write_pretty(response, parse_query(request.raw_query).get("pretty"))
        return response

    return serve


_BY_HAND = (b"curl", b"Wget", b"Mozilla/5.0")


def by_token(tokens: Tokens) -> Identify:
    """Who a request's bearer token belongs to; raises 401. Health and version are open to all."""

    def identify(request: Request) -> User:
        _check_host(request)
        value = request.header(b"authorization").decode("latin-1")
        scheme, _, token = value.partition(" ")
        user = tokens.user_of(token.strip()) if hmac.compare_digest(scheme.lower().encode(), b"bearer") else None
        if user is not None:
            return acting_as(request, user)
        has_token = scheme.lower() == "bearer" and token.strip()
        if request.raw_path.decode("latin-1") in OPEN_PATHS and not has_token:
            return ANONYMOUS
        raise ApiError(401, "Unauthorized")

    return identify


def _is_local(origin: str) -> bool:
    """Not so: "null", which a sandboxed page sends, and what is no URL."""
    try:
        return urlsplit(origin).hostname in _LOCAL_NAMES
    except ValueError:
        return False


def _check_host(request: Request) -> None:
    """A page that rebinds its name to loopback is refused: its Host and Origin are its own."""
    host = request.header(b"host").decode("latin-1")
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    origin = request.header(b"origin").decode("latin-1")
    if name not in _LOCAL_NAMES or (origin and not _is_local(origin)):
        raise ApiError(403, f"the host name {name!r} is not this server's; use 127.0.0.1 or localhost")
