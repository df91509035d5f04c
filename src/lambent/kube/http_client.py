"""`HttpClient`: the client Protocol over HTTP, for any Kubernetes API server.

Verbs become requests here; what happens on the wire (retries, credentials, TLS) is `kube.transport`. Main objects are
written with strict field validation, status with none: a CRD that is not ours may lack a member of a status.
Source: Kubernetes API concepts.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from time import perf_counter
from typing import Any, Self, TypeVar, cast

import orjson

from lambent.kube import discovery, metrics
from lambent.kube.errors import Gone, Invalid, KubeError, NotFound, ServerError, Unreachable
from lambent.kube.http_request import HttpRequest, RetryPolicy
from lambent.kube.kubeconfig import ClusterConfig
from lambent.kube.types import (
    ALL,
    GVK,
    KubeObject,
    Page,
    PatchBody,
    PatchKind,
    Preconditions,
    Propagation,
    ResourceInfo,
    Selector,
    WatchEvent,
    WatchOptions,
)
from lambent.kube.watch import WatchDecoder, error_of

_PATCH_TYPES: Mapping[PatchKind, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
_POD = GVK("", "v1", "Pod")
_APPLY_TYPE = "application/apply-patch+yaml"
_METADATA = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1,application/json"
# Beyond the server's own limit of the watch: whoever follows the stream notices a dead peer before this does.
_WATCH_GRACE_S = 15.0

_Answer = TypeVar("_Answer")


class HttpClient:
    """Implements `kube.client.KubeClient`. Namespaced calls without a namespace use the configuration's.

    An async context manager; `close` ends all connections. Lists are gathered whole before the first page is given,
    so that an expired page token can start again without anyone seeing a page twice.
    """

    def __init__(self, config: ClusterConfig, *, component: str = "client", retry: RetryPolicy | None = None) -> None:
        # Brings aiohttp: three quarters of this module's import, for programs that only may meet a cluster.
        from lambent.kube.transport import Transport

        self.config = config
        self._transport = Transport(config, component=component, retry=retry)
        self._kinds = discovery.KnownKinds()
        self._has_discovered = False
        self._discovery = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def get(self, gvk: GVK, name: str, *, namespace: str | None = None, subresource: str = "") -> KubeObject:
        path, words = await self._object("get", gvk, name, namespace, subresource)
        return await self._call("get", gvk, HttpRequest("GET", path, words, is_repeatable=True))

    async def list(
        self, gvk: GVK, *, namespace: str | None = None, selector: Selector = ALL, limit: int = 500
    ) -> AsyncIterator[Page]:
        for page in await self._pages(gvk, namespace, selector, limit):
            yield page

    async def create(self, obj: KubeObject, *, manager: str = "", dry_run: bool = False) -> KubeObject:
        gvk, meta = GVK.of(obj), obj["metadata"]
        info = await self.resolve(gvk)
        namespace = self._namespace(info, meta.get("namespace"))
        path = info.path(namespace)
        words = ("create", gvk.kind, namespace or "", meta.get("name") or meta.get("generateName", ""))
        query = _write_query(manager, dry_run, "")
        return await self._call("create", gvk, HttpRequest("POST", path, words, query, orjson.dumps(obj)))

    async def replace(
        self, obj: KubeObject, *, subresource: str = "", manager: str = "", dry_run: bool = False
    ) -> KubeObject:
        gvk, meta = GVK.of(obj), obj["metadata"]
        path, words = await self._object("replace", gvk, meta["name"], meta.get("namespace"), subresource)
        request = HttpRequest(
            "PUT",
            path,
            words,
            _write_query(manager, dry_run, subresource),
            orjson.dumps(obj),
            is_repeatable=bool(meta.get("resourceVersion")),
        )
        return await self._call("replace", gvk, request)

    async def patch(
        self,
        gvk: GVK,
        name: str,
        body: PatchBody,
        *,
        namespace: str | None = None,
        kind: PatchKind = "merge",
        subresource: str = "",
        manager: str = "",
        dry_run: bool = False,
    ) -> KubeObject:
        if kind == "strategic" and gvk.is_custom:
            message = "a custom resource takes no strategic merge patch"
            raise Invalid(message, code=415, status_reason="UnsupportedMediaType", what=f"patch {gvk.kind} {name}")
        path, words = await self._object("patch", gvk, name, namespace, subresource)
        request = HttpRequest(
            "PATCH",
            path,
            words,
            _write_query(manager, dry_run, subresource),
            orjson.dumps(body),
            _PATCH_TYPES[kind],
            is_repeatable=_has_precondition(body),
        )
        return await self._call("patch", gvk, request)

    async def apply(
        self, obj: KubeObject, *, manager: str, force: bool = False, subresource: str = "", dry_run: bool = False
    ) -> KubeObject:
        gvk, meta = GVK.of(obj), obj["metadata"]
        query = _write_query(manager, dry_run, subresource)
        if force:
            query["force"] = "true"
        path, words = await self._object("apply", gvk, meta["name"], meta.get("namespace"), subresource)
        request = HttpRequest(
            "PATCH",
            path,
            words,
            query,
            orjson.dumps(obj),
            _APPLY_TYPE,
            # Without a revision it could take back what others did since, or make anew what they deleted.
            is_repeatable=bool(meta.get("resourceVersion")),
        )
        return await self._call("apply", gvk, request)

    async def delete(
        self,
        gvk: GVK,
        name: str,
        *,
        namespace: str | None = None,
        propagation: Propagation | None = None,
        preconditions: Preconditions | None = None,
        dry_run: bool = False,
    ) -> None:
        path, words = await self._object("delete", gvk, name, namespace, "")
        options = _delete_options(propagation, preconditions, dry_run)
        is_held = bool(options.get("preconditions"))
        request = HttpRequest("DELETE", path, words, body=orjson.dumps(options), is_repeatable=is_held)
        await self._call("delete", gvk, request)

    async def watch(
        self, gvk: GVK, *, namespace: str | None = None, options: WatchOptions | None = None
    ) -> AsyncIterator[WatchEvent]:
        options = options or WatchOptions()
        info = await self.resolve(gvk)
        path = info.path(namespace)
        accept = _METADATA.format("") if options.selector.form == "metadata" else "application/json"
        request = HttpRequest("GET", path, ("watch", gvk.kind), _watch_query(options), accept=accept)
        opening = self._transport.stream(request, timeout_s=options.timeout_s + _WATCH_GRACE_S)
        response = await self._counted("watch", gvk, opening)
        decoder = WatchDecoder(options.resource_version)
        try:
            async for chunk in response.content.iter_any():
                for event in decoder.feed(chunk):
                    if event.type == "ERROR":
                        raise error_of(event, request.what)
                    self._kinds.on_event(gvk, event)
                    yield event
            decoder.finish()
        except self._transport.BREAKS as error:
            raise Unreachable(f"the watch broke: {type(error).__name__}", what=request.what) from error
        finally:
            # A watch that is left early is cut: its connection cannot be used again.
            response.close()

    async def logs(
        self,
        pod: str,
        *,
        namespace: str | None = None,
        container: str = "",
        follow: bool = False,
        tail_lines: int | None = None,
        silence_s: float = 300.0,
    ) -> AsyncIterator[bytes]:
        """Chunks of a container's output as they come; Unreachable after `silence_s` without any."""
        query = {"container": container, "follow": "true" if follow else ""}
        if tail_lines is not None:
            query["tailLines"] = str(tail_lines)
        path, words = await self._object("get", _POD, pod, namespace, "log")
        given = {name: value for name, value in query.items() if value}
        request = HttpRequest("GET", path, words, given, accept="*/*")
        response = await self._transport.stream(request, timeout_s=silence_s)
        try:
            async for chunk in response.content.iter_any():
                yield chunk
        except self._transport.BREAKS as error:
            raise Unreachable(f"the log broke: {type(error).__name__}", what=request.what) from error
        finally:
            response.close()

    async def evict(
        self,
        pod: str,
        *,
        namespace: str | None = None,
        preconditions: Preconditions | None = None,
        dry_run: bool = False,
    ) -> None:
        """Deletes a pod unless a disruption budget forbids it (Throttled)."""
        path, words = await self._object("create", _POD, pod, namespace, "eviction")
        options = _delete_options(None, preconditions, dry_run)
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}, "deleteOptions": options}
        await self._call("evict", _POD, HttpRequest("POST", path, words, body=orjson.dumps(body)))

    async def resolve(self, gvk: GVK) -> ResourceInfo:
        if (info := self._kinds.get(gvk)) is not None:
            return info
        async with self._discovery:
            if gvk not in self._kinds:
                await self._discover(gvk)
        try:
            return self._kinds[gvk]
        except KeyError:
            message = "the server does not serve this kind"
            raise NotFound(
                message, code=404, status_reason="NotFound", what=f"resolve {gvk.api_version} {gvk.kind}"
            ) from None

    async def _discover(self, gvk: GVK) -> None:
        """All kinds in two requests the first time; later, and on old servers, the one group and version asked for."""
        if not self._has_discovered:
            for root in ("/api", "/apis"):
                document = await self._document(root, discovery.ACCEPT)
                if discovery.is_aggregated(document):
                    self._kinds.update((info.gvk, info) for info in discovery.from_aggregated(document))
            self._has_discovered = True
        if gvk not in self._kinds:
            root = f"/apis/{gvk.group}" if gvk.group else "/api"
            with suppress(NotFound):
                document = await self._document(f"{root}/{gvk.version}", "application/json")
                self._kinds.update((info.gvk, info) for info in discovery.from_legacy(document))

    async def _document(self, path: str, accept: str) -> dict[str, Any]:
        request = HttpRequest("GET", path, ("discover", path), accept=accept, is_repeatable=True)
        return _decoded(await self._transport.send(request), request)

    async def _pages(self, gvk: GVK, namespace: str | None, selector: Selector, limit: int) -> "Pages":
        try:
            return await self._pages_once(gvk, namespace, selector, limit)
        except Gone:
            return await self._pages_once(gvk, namespace, selector, limit)

    async def _pages_once(self, gvk: GVK, namespace: str | None, selector: Selector, limit: int) -> "Pages":
        info = await self.resolve(gvk)
        path = info.path(namespace)
        query = {"limit": str(limit), **_selector_query(selector)}
        accept = _METADATA.format("List") if selector.form == "metadata" else "application/json"
        pages: Pages = []
        while True:
            request = HttpRequest("GET", path, ("list", gvk.kind), query, accept=accept, is_repeatable=True)
            body = cast(dict[str, Any], await self._call("list", gvk, request))
            meta = body.get("metadata") or {}
            items = [_typed(item, gvk) for item in body.get("items") or ()]
            token = meta.get("continue") or ""
            pages.append(Page(items, meta.get("resourceVersion", ""), token))
            if not token:
                return pages
            query = {**query, "continue": token}

    async def _call(self, verb: str, gvk: GVK, request: HttpRequest) -> KubeObject:
        return cast(KubeObject, _decoded(await self._counted(verb, gvk, self._transport.send(request)), request))

    async def _counted(self, verb: str, gvk: GVK, answer: Awaitable[_Answer]) -> _Answer:
        """The answer, noted in the metrics; a call that is cancelled has none."""
        began = perf_counter()
        code = "none"
        try:
            found = await answer
            code = "200"
            return found
        except KubeError as error:
            code = str(error.code or "none")
            self._kinds.on_error(gvk, error)
            raise
        finally:
            metrics.note_request(verb, gvk.kind, code, perf_counter() - began)

    async def _object(
        self, verb: str, gvk: GVK, name: str, namespace: str | None, subresource: str
    ) -> tuple[str, tuple[str, ...]]:
        """Its path, and the words that name the request in an error."""
        info = self._kinds.get(gvk) or await self.resolve(gvk)
        place = self._namespace(info, namespace) or ""
        return info.path(place, name, subresource), (verb, gvk.kind, place, name, subresource)

    def _namespace(self, info: ResourceInfo, namespace: str | None) -> str | None:
        return (namespace or self.config.namespace) if info.namespaced else None


Pages = list[Page]


def _decoded(body: bytes, request: HttpRequest) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], orjson.loads(body))
    except orjson.JSONDecodeError:
        raise ServerError("the answer is not JSON", what=request.what) from None


def _write_query(manager: str, dry_run: bool, subresource: str) -> dict[str, str]:
    query = {"fieldValidation": "Ignore" if subresource else "Strict"}
    if manager:
        query["fieldManager"] = manager
    if dry_run:
        query["dryRun"] = "All"
    return query


def _selector_query(selector: Selector) -> dict[str, str]:
    pairs = (("labelSelector", selector.labels), ("fieldSelector", selector.fields))
    return {name: value for name, value in pairs if value}


def _watch_query(options: WatchOptions) -> dict[str, str]:
    query = {"watch": "1", "timeoutSeconds": str(options.timeout_s), **_selector_query(options.selector)}
    if options.bookmarks:
        query["allowWatchBookmarks"] = "true"
    if options.resource_version:
        query["resourceVersion"] = options.resource_version
    return query


def _delete_options(
    propagation: Propagation | None, preconditions: Preconditions | None, dry_run: bool
) -> dict[str, Any]:
    options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if propagation is not None:
        options["propagationPolicy"] = propagation
    if preconditions is not None:
        pairs = (("uid", preconditions.uid), ("resourceVersion", preconditions.resource_version))
        options["preconditions"] = {name: value for name, value in pairs if value is not None}
    if dry_run:
        options["dryRun"] = ["All"]
    return options


def _has_precondition(body: PatchBody) -> bool:
    if isinstance(body, list):
        return any(operation.get("op") == "test" for operation in body)
    return bool((body.get("metadata") or {}).get("resourceVersion"))


def _typed(item: dict[str, Any], gvk: GVK) -> KubeObject:
    """Items of a builtin's list carry no kind; an object of ours always does."""
    item.setdefault("apiVersion", gvk.api_version)
    item.setdefault("kind", gvk.kind)
    return cast(KubeObject, item)
