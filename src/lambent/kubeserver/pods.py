"""The subresources of Pods: logs come from whoever runs them, eviction is deletion, binding is refused.

There is no scheduler and no kubelet here; an execution back end registers itself as the source of logs. Source:
Kubernetes API reference, Pod: `log`, `eviction`, `binding`.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from lambent.http.message import Response
from lambent.kubeserver.answers.rendering import answer
from lambent.kubeserver.builtin.bodies import refuse_body
from lambent.kubeserver.call import Call
from lambent.kubeserver.lifecycle.deletion import DeleteOptions, Deleter
from lambent.kubeserver.requests.decoding import decode_body
from lambent.kubeserver.requests.options import check_dry_run, check_options
from lambent.kubeserver.status import ApiError, bad_request, invalid, no_resource, not_allowed
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.validation import errors

_TEXT = [(b"content-type", b"text/plain")]


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Which part of which log: `tail_lines` and `since_s` None mean all of it; `since_time` is RFC 3339 or ""."""

    namespace: str
    pod: str
    container: str
    follow: bool = False
    tail_lines: int | None = None
    since_s: int | None = None
    since_time: str = ""
    previous: bool = False
    timestamps: bool = False


class LogSource(Protocol):
    """Who has the output of containers."""

    def read(self, request: LogRequest) -> AsyncIterator[bytes]:
        """Chunks of the log; ends unless `follow`. Raises KeyError for a container it does not know."""
        ...


class Pods:
    def __init__(self, store: Store, deleter: Deleter) -> None:
        self._store = store
        self._deleter = deleter
        self._source: LogSource | None = None

    def register(self, source: LogSource) -> None:
        self._source = source

    async def handle(self, call: Call) -> Response:
        """`pods/x/{log,eviction,binding}`."""
        match call.subresource, call.verb:
            case "log", "get":
                return self._log(call)
            case "eviction", "create":
                return await self._evict(call)
            case "binding", "create":
                raise ApiError(403, "pods are not scheduled by this server: binding is refused", details={})
            case "log" | "eviction" | "binding" | "status", _:
                raise not_allowed()
        if call.subresource.partition("/")[0] in ("exec", "attach", "portforward", "proxy"):
            raise self._no_connection(call)
        raise no_resource()

    def _no_connection(self, call: Call) -> ApiError:
        """As of a Pod that no node has yet: here none ever has it."""
        record = self._store.peek(call.resource.bucket, call.path)
        if record is None:
            return call.not_found()
        if call.subresource.startswith("proxy"):
            return bad_request("address not allowed")
        if call.subresource in ("exec", "attach"):
            _container(call, record.load())
        return bad_request(f"pod {call.name} does not have a host assigned")

    def no_endpoints(self, call: Call) -> ApiError:
        """What a Service's proxy answers: nothing here stands behind one."""
        if self._store.peek(call.resource.bucket, call.path) is None:
            return call.not_found()
        return ApiError(503, f'no endpoints available for service "{call.name}"', reason="ServiceUnavailable")

    def _log(self, call: Call) -> Response:
        record = self._store.get(call.resource.bucket, call.path)
        if record is None:
            raise call.not_found()
        _check_log(call)
        container = _container(call, record.load())
        if self._source is None:  # as of a Pod that no node has yet
            return Response(200, list(_TEXT), b"")
        return Response(200, list(_TEXT), self._source.read(_request(call, container)))

    async def _evict(self, call: Call) -> Response:
        check_options(call, "CreateOptions")
        body: Any = decode_body(call)
        record = self._store.peek(call.resource.bucket, call.path)
        if record is None:
            raise call.not_found()
        refuse_body("policy", "v1", "Eviction", body)
        options = body.get("deleteOptions") or {}
        is_dry_run = call.is_dry_run or check_dry_run(options.get("dryRun") or [])
        await self._deleter.delete(call.resource, record, DeleteOptions(is_dry_run=is_dry_run))
        return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


def _container(call: Call, pod: Any) -> str:
    """The container that is asked for, or the only one; raises 400 when it is none of the Pod's."""
    spec = pod.get("spec") or {}
    kinds = ("initContainers", "containers", "ephemeralContainers")
    names = [one["name"] for kind in kinds for one in spec.get(kind) or ()]
    main: list[Any] = spec.get("containers") or []
    container = call.query.get("container") or (main[0]["name"] if len(main) == 1 else "")
    if not container:
        listed = " ".join(names)
        raise bad_request(f"a container name must be specified for pod {call.name}, choose one of: [{listed}]")
    if container not in names:
        raise bad_request(f"container {container} is not valid for pod {call.name}")
    return str(container)


def _check_log(call: Call) -> None:
    """Raises 422 for a part of a log that cannot be."""
    has = call.query
    found = []
    if has.get("tailLines") and call.number("tailLines") < 0:
        found.append(errors.invalid("tailLines", call.number("tailLines"), errors.NOT_NEGATIVE))
    if has.get("limitBytes") and call.number("limitBytes") < 1:
        found.append(errors.invalid("limitBytes", call.number("limitBytes"), errors.POSITIVE))
    if has.get("sinceSeconds") and has.get("sinceTime"):
        found.append(errors.forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif has.get("sinceSeconds") and call.number("sinceSeconds") < 1:
        found.append(errors.invalid("sinceSeconds", call.number("sinceSeconds"), errors.POSITIVE))
    if has.get("stream"):
        found.append(errors.forbidden("stream", "may not be specified"))
    if found:
        raise invalid("", "PodLogOptions", call.name, found)


def _request(call: Call, container: str) -> LogRequest:
    has = call.query.get
    return LogRequest(
        namespace=call.namespace,
        pod=call.name,
        container=container,
        follow=call.flag("follow"),
        tail_lines=call.number("tailLines") if has("tailLines") else None,
        since_s=call.number("sinceSeconds") if has("sinceSeconds") else None,
        since_time=has("sinceTime", ""),
        previous=call.flag("previous"),
        timestamps=call.flag("timestamps"),
    )
