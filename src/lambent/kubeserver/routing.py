"""From the path of a resource to what serves it.

Source: Kubernetes API concepts, "Resource URIs". Not here: the other paths (`answers.elsewhere`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lambent.http.message import Request, Response
from lambent.kubeserver.access.reviews import Reviewer
from lambent.kubeserver.access.tokens import Tokens, check_request
from lambent.kubeserver.answers import discovery
from lambent.kubeserver.answers.elsewhere import Elsewhere
from lambent.kubeserver.answers.negotiation import check_builtin, form_of
from lambent.kubeserver.answers.openapi import Documents
from lambent.kubeserver.answers.rendering import answer, scale_table
from lambent.kubeserver.builtin.bodies import refuse_body
from lambent.kubeserver.call import Call, Place, User, parse_query, place_of, quoted, split_path
from lambent.kubeserver.pods import Pods
from lambent.kubeserver.reads.reading import Reader
from lambent.kubeserver.reads.watching import Hub
from lambent.kubeserver.requests.decoding import decode_body
from lambent.kubeserver.requests.durations import check_duration
from lambent.kubeserver.resources import Catalog, Resource
from lambent.kubeserver.status import (
    ApiError,
    bad_request,
    forbidden,
    no_resource,
    not_allowed,
    not_found,
    qualified,
)
from lambent.kubeserver.storage.store import Store
from lambent.kubeserver.validation import names
from lambent.kubeserver.writes.fencing import check_fence
from lambent.kubeserver.writes.scaling import Scaler
from lambent.kubeserver.writes.writing import Writer

_COLLECTION_VERBS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT_VERBS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
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
        self.other = Elsewhere(parts.catalog, lambda: parts.store.is_ready, parts.documents).serve

    def resolve(self, request: Request, user: User) -> Call | None:
        """The call a resource path means; None for a path of another kind. Raises 404 or 405."""
        path = request.raw_path
        if b"//" in path and not path.endswith(b"//"):
            raise no_resource() if path.startswith((b"/api/", b"/apis/")) else discovery.not_served()
        place = place_of(split_path(path))
        if place is None:
            return None
        resource = self._resource(place, request.method)
        query = parse_query(request.raw_query)
        if resource.custom and not place.name and request.method in ("PUT", "PATCH"):
            raise bad_request("name must be provided")
        if resource.traits.is_virtual and place.name:
            raise no_resource()
        verb = _verb(request.method, place, query, resource)
        _check_accept(request, resource, verb)
        if verb != "watch" and (timeout := query.get("timeout")):
            check_duration(timeout)
        if place.name and not place.subresource and (wrong := _wrong_name(place.name)):
            raise bad_request(f"Name parameter invalid: {quoted(place.name)}: {', '.join(wrong)}")
        subresource = place.subresource.partition("/")[0] if resource.custom else place.subresource
        call = Call(request, user, verb, resource, place.namespace, place.name, subresource, query)
        if resource.deprecation:
            call.warnings.append(resource.deprecation)
        return call

    def _resource(self, place: Place, method: str) -> Resource:
        table = self._parts.catalog.table
        resource = table.find(place.group, place.version, place.plural)
        if resource is None:
            raise no_resource() if discovery.is_builtin(table, place.group) else discovery.not_served()
        is_everywhere = resource.namespaced and not place.namespace
        may_name = resource.custom and place.is_watched
        if (place.namespace and not resource.namespaced) or (place.name and is_everywhere and not may_name):
            raise discovery.not_served() if resource.custom else no_resource()
        if resource.custom and is_everywhere and method not in ("GET", "HEAD"):
            raise discovery.not_served()
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
        if call.verb in ("create", "deletecollection") and resource.namespaced and not call.namespace:
            raise not_allowed()
        if call.verb == "delete" and resource.bucket == "namespaces" and call.name in _UNDELETABLE_NAMESPACES:
            raise forbidden("", "namespaces", call.name, "this namespace may not be deleted")
        return await self._verbs[call.verb](call)

    async def _subresource(self, call: Call) -> Response:
        name, resource = call.subresource, call.resource
        if name == "scale" and resource.scale is not None:
            if call.verb not in ("get", "update", "patch"):
                raise _no_verb(resource, call.verb) if resource.custom else not_allowed()
            return scale_table(call, await self._parts.scaler.handle(call))
        if name == "status" and resource.has_status and call.verb in ("get", "update", "patch"):
            return await self._verbs[call.verb](call)
        if name == "finalize" and resource.bucket == "namespaces" and call.verb == "update":
            return await self._verbs["update"](call)
        if resource.bucket == "pods":
            return await self._parts.pods.handle(call)
        if resource.bucket == "services" and name.partition("/")[0] == "proxy":
            raise self._parts.pods.no_endpoints(call)
        if name == "token" and resource.bucket == "serviceaccounts" and call.request.method == "POST":
            return self._mint(call)
        if resource.custom:
            raise _no_verb(resource, call.verb) if name == "status" and resource.has_status else call.not_found()
        raise not_allowed() if name in _subresources(resource) else no_resource()

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


def _dying(call: Call) -> ApiError:
    meta = decode_body(call).get("metadata")
    name = str(meta.get("name") or "") if isinstance(meta, dict) else ""
    why = "create not allowed while custom resource definition is terminating"
    return forbidden(call.resource.group, call.resource.plural, name, why)


_wrong_name = lru_cache(maxsize=4096)(names.path_segment)


def _check_accept(request: Request, resource: Resource, verb: str) -> None:
    """Raises 406 before the request does anything."""
    accept = request.header(b"accept").decode("latin-1")
    if not resource.custom:
        check_builtin(accept, is_list=verb in ("list", "watch"))
    if verb != "watch":
        form_of(accept)


def _subresources(resource: Resource) -> set[str]:
    """Names of those that a builtin kind has."""
    return {sub.name for sub in discovery.subresources(resource)}


def _verb(method: str, place: Place, query: dict[str, str], resource: Resource) -> str:
    verbs = _OBJECT_VERBS if place.name else _COLLECTION_VERBS
    verb = verbs.get("GET" if method == "HEAD" and resource.custom else method)
    if verb is None:
        if method == "POST" and (place.subresource or resource.custom):
            return "create"
        raise _no_method(place, resource)
    if place.is_watched:
        if place.subresource:
            raise _no_verb(resource, "watch") if resource.custom else no_resource()
        if verb not in ("list", "get"):
            raise not_allowed()
        if place.name:
            query["fieldSelector"] = f"metadata.name={place.name}"
        return "watch"
    return "watch" if verb == "list" and query.get("watch", "0").lower() not in ("0", "false") else verb


def _no_method(place: Place, resource: Resource) -> ApiError:
    """A path with a method that means nothing, unless the path means nothing either."""
    if resource.custom:
        is_known = place.subresource.partition("/")[0] in ("", "status", "scale")
        return _no_verb(resource) if is_known else not_found(resource.group, resource.plural, place.name)
    is_known = not place.subresource or place.subresource in _subresources(resource)
    return not_allowed() if is_known else no_resource()


def _no_verb(resource: Resource, verb: str = "") -> ApiError:
    text = f'{verb} is not supported on resources of kind "{qualified(resource.plural, resource.group)}"'
    return ApiError(405, text, details={"group": resource.group, "kind": resource.plural})
