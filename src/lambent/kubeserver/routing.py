"""From a path to what serves it: resources, discovery, documents, health, version.

Source: Kubernetes API concepts, "Resource URIs"; kube-apiserver's non-resource endpoints.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lambent.http.message import Request, Response
from lambent.kubeserver.access.reviews import Reviewer
from lambent.kubeserver.access.tokens import Tokens, check_request
from lambent.kubeserver.answers import discovery
from lambent.kubeserver.answers.openapi import Documents, version_2
from lambent.kubeserver.answers.rendering import answer
from lambent.kubeserver.builtin.bodies import refuse_body
from lambent.kubeserver.call import Call, Place, User, parse_query, place_of, split_path
from lambent.kubeserver.pods import Pods
from lambent.kubeserver.reads.reading import Reader
from lambent.kubeserver.reads.watching import Hub
from lambent.kubeserver.requests.decoding import decode_body
from lambent.kubeserver.resources import Catalog, Resource
from lambent.kubeserver.status import ApiError, bad_request, forbidden, no_resource, not_allowed, qualified
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.writes.fencing import check_fence
from lambent.kubeserver.writes.scaling import Scaler
from lambent.kubeserver.writes.writing import Writer
from lambent.telemetry import render_metrics

EMULATED = ("1", "34", "v1.34.0+lambent")
_HEALTH_PATHS = (b"/livez", b"/readyz", b"/healthz", b"/metrics")
_ROOT_PATHS = ("/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v3", "/readyz", "/version")
OPEN_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/version"})

_COLLECTION_VERBS = {"GET": "list", "POST": "create", "DELETE": "deletecollection", "HEAD": "list"}
_OBJECT_VERBS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "HEAD": "get"}
_UNDELETABLE_NAMESPACES = ("default", "kube-system", "kube-public", "lambent-system")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes lead to."""

    store: Store
    catalog: Catalog
    reader: Reader
    writer: Writer
    hub: Hub
    scaler: Scaler
    reviewer: Reviewer
    pods: Pods
    tokens: Tokens
    documents: Documents


class Router:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._verbs: dict[str, Callable[[Call], Awaitable[Response]]] = {
            "get": parts.reader.get,
            "list": parts.reader.list_page,
            "watch": parts.hub.watch,
            "create": parts.writer.create,
            "update": parts.writer.update,
            "patch": parts.writer.patch,
            "delete": parts.writer.delete,
            "deletecollection": parts.writer.delete_collection,
        }

    def resolve(self, request: Request, user: User) -> Call | None:
        """The call a resource path means; None for a path of another kind. Raises 404 or 405."""
        place = place_of(split_path(request.raw_path))
        if place is None:
            return None
        resource = self._resource(place)
        query = parse_query(request.raw_query)
        if resource.custom and not place.name and request.method in ("PUT", "PATCH"):
            raise bad_request("name must be provided")
        verb = _verb(request.method, place, query)
        call = Call(request, user, verb, resource, place.namespace, place.name, place.subresource, query)
        if resource.deprecation:
            call.warnings.append(resource.deprecation)
        return call

    def _resource(self, place: Place) -> Resource:
        table = self._parts.catalog.table
        resource = table.find(place.group, place.version, place.plural)
        if resource is None:
            builtin = place.group in table.groups and not any(
                r.custom for rs in table.groups[place.group].values() for r in rs
            )
            raise no_resource() if builtin else discovery.not_served()
        if place.namespace and not resource.namespaced:
            raise no_resource()
        if place.name and resource.namespaced and not place.namespace:
            raise no_resource()
        return resource

    async def serve(self, call: Call) -> Response:
        """Runs a resolved call."""
        resource = call.resource
        check_fence(call, self._parts.store)
        if resource.traits.is_virtual:
            if call.verb != "create":
                raise not_allowed()
            return self._parts.reviewer.handle(call)
        if call.subresource:
            return await self._subresource(call)
        if call.verb not in resource.verbs and not (resource.custom and call.verb in ("update", "patch")):
            # Of a dying custom kind, discovery no longer tells update and patch; finalizers are removed by them.
            if resource.custom and call.verb == "create":
                raise _dying(call)
            raise not_allowed()
        if call.verb == "create" and resource.namespaced and not call.namespace:
            raise not_allowed()
        if call.verb == "delete" and resource.bucket == "namespaces" and call.name in _UNDELETABLE_NAMESPACES:
            raise forbidden("", "namespaces", call.name, "this namespace may not be deleted")
        return await self._verbs[call.verb](call)

    async def _subresource(self, call: Call) -> Response:
        name, resource = call.subresource, call.resource
        if name == "scale":
            return await self._parts.scaler.handle(call)
        if name == "status" and resource.has_status and call.verb in ("get", "update", "patch"):
            return await self._verbs[call.verb](call)
        if name == "finalize" and resource.bucket == "namespaces" and call.verb == "update":
            return await self._verbs["update"](call)
        if resource.bucket == "pods":
            return await self._parts.pods.handle(call)
        if name == "token" and resource.bucket == "serviceaccounts" and call.request.method == "POST":
            return self._mint(call)
        if resource.custom:
            raise _unsupported(call) if name == "status" and resource.has_status else call.not_found()
        raise no_resource()

    def _mint(self, call: Call) -> Response:
        record = self._parts.store.get("serviceaccounts", call.path)
        if record is None:
            raise call.not_found()
        body: Any = decode_body(call)
        refuse_body("authentication.k8s.io", "v1", "TokenRequest", body)
        spec = body.get("spec") or {}
        check_request(spec)
        status = self._parts.tokens.mint(call.namespace, call.name, record.uid, spec)
        head = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}
        meta = {"name": call.name, "namespace": call.namespace, "creationTimestamp": None}
        return answer({**head, "metadata": meta, "spec": spec, "status": status}, 201)

    def other(self, request: Request) -> Response:
        """Discovery, documents, health and version."""
        table = self._parts.catalog.table
        parts = split_path(request.raw_path)
        if request.method not in ("GET", "HEAD"):
            raise not_allowed()
        if request.raw_path in _HEALTH_PATHS:
            return self._health(request.raw_path)
        if parts == ("version",):
            return answer(_version())
        match parts:
            case ("api",):
                return self._aggregated(request, core=True) or answer(discovery.api_versions())
            case ("apis",):
                return self._aggregated(request, core=False) or answer(discovery.group_list(table))
            case ("api", version):
                return answer(discovery.resource_list(table, "", version))
            case ("apis", group):
                return answer(discovery.one_group(table, group))
            case ("apis", group, version):
                return answer(discovery.resource_list(table, group, version))
            case ("openapi", "v2"):
                return version_2(request)
            case ("openapi", "v3", *rest):
                return self._document(request, rest)
            case ():
                return answer({"paths": list(_ROOT_PATHS)})
        return Response(404, [(b"content-type", b"text/plain; charset=utf-8")], b"404 page not found\n")

    def _document(self, request: Request, rest: list[str]) -> Response:
        table = self._parts.catalog.table
        match rest:
            case [] if not request.raw_path.endswith(b"/"):
                return self._parts.documents.index(table)
            case ["api", version]:
                return self._parts.documents.one(table, request, "", version)
            case ["apis", group, version]:
                return self._parts.documents.one(table, request, group, version)
        raise no_resource()

    def _aggregated(self, request: Request, *, core: bool) -> Response | None:
        if not discovery.wants_aggregated(request):
            return None
        return discovery.aggregated(self._parts.catalog.table, request, core=core)

    def _health(self, path: bytes) -> Response:
        if path == b"/metrics":
            return Response(200, [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")], render_metrics())
        is_good = path != b"/readyz" or self._parts.store.is_ready
        if not is_good:
            raise ApiError(500, "the store cannot be written", reason="InternalError")
        return Response(200, [(b"content-type", b"text/plain; charset=utf-8")], b"ok")


def _unsupported(call: Call) -> ApiError:
    resource = call.resource
    text = f'{call.verb} is not supported on resources of kind "{qualified(resource.plural, resource.group)}"'
    return ApiError(405, text, details={"group": resource.group, "kind": resource.plural})


def _dying(call: Call) -> ApiError:
    meta = decode_body(call).get("metadata")
    name = str(meta.get("name") or "") if isinstance(meta, dict) else ""
    why = "create not allowed while custom resource definition is terminating"
    return forbidden(call.resource.group, call.resource.plural, name, why)


def _verb(method: str, place: Place, query: dict[str, str]) -> str:
    verbs = _OBJECT_VERBS if place.name else _COLLECTION_VERBS
    verb = verbs.get(method)
    if verb is None:
        if place.subresource and method == "POST":
            return "create"
        raise not_allowed()
    if place.is_watched:
        if verb not in ("list", "get") or place.subresource:
            raise not_allowed()
        if place.name:
            query["fieldSelector"] = f"metadata.name={place.name}"
        return "watch"
    return "watch" if verb == "list" and query.get("watch", "").lower() in ("1", "true") else verb


def _version() -> dict[str, str]:
    major, minor, text = EMULATED
    return {
        "major": major,
        "minor": minor,
        "gitVersion": text,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    }
