"""`kube`'s client Protocol without a socket: the server's own request path, called directly.

Bodies cross as bytes, so no object is ever shared between server and caller. What a caller sees is what an HTTP client
would see; only the transport is missing.
"""

import builtins
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlencode

import orjson

from lambent.http.message import Request, Response, Service
from lambent.kube.discovery import KnownKinds
from lambent.kube.errors import Gone, NotFound, from_status, without_values
from lambent.kube.fencing import current_fence
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
from lambent.kubeserver.requests.decoding import IN_PROCESS, plain_json

_PATCH_TYPES: dict[str, bytes] = {
    "merge": b"application/merge-patch+json",
    "json": b"application/json-patch+json",
    "strategic": b"application/strategic-merge-patch+json",
    "apply": b"application/apply-patch+yaml",
}


_METADATA = b"application/json;as=PartialObjectMetadata%b;g=meta.k8s.io;v=v1"


class LocalClient:
    """Implements `kube.client.KubeClient`."""

    def __init__(self, service: Service, *, component: str) -> None:
        self._service = service
        self._agent = f"lambent-{component}/0".encode()
        self._known = KnownKinds()

    async def get(self, gvk: GVK, name: str, *, namespace: str | None = None, subresource: str = "") -> KubeObject:
        path = (await self.resolve(gvk)).path(namespace, name, subresource)
        return await self._object("GET", path, what=partial(_what, "get", gvk, namespace, name, subresource))

    async def list(
        self, gvk: GVK, *, namespace: str | None = None, selector: Selector = ALL, limit: int = 500
    ) -> AsyncIterator[Page]:
        path = (await self.resolve(gvk)).path(namespace)
        for page in await self._pages(gvk, path, selector, limit):
            yield page

    async def _pages(self, gvk: GVK, path: str, selector: Selector, limit: int) -> "builtins.list[Page]":
        """All pages before the first is given: a restart repeats what the pages before it had."""
        token, has_restarted, pages = "", False, builtins.list[Page]()
        while True:
            query = _query({"limit": str(limit), "continue": token, **_selection(selector)})
            accept = _METADATA % b"List" if selector.form == "metadata" else b""
            try:
                found: Any = await self._object(
                    "GET", path, query=query, accept=accept, what=lambda: f"list {gvk.kind}"
                )
            except Gone:
                # History no longer reaches the first page's version: once, begin again.
                if has_restarted or not token:
                    raise
                token, has_restarted, pages = "", True, []
                continue
            for item in found["items"]:
                # A builtin's list leaves both out.
                item.setdefault("apiVersion", gvk.api_version)
                item.setdefault("kind", gvk.kind)
            token = found["metadata"].get("continue", "")
            pages.append(Page(found["items"], found["metadata"]["resourceVersion"], token))
            if not token:
                return pages

    async def create(self, obj: KubeObject, *, manager: str = "", dry_run: bool = False) -> KubeObject:
        gvk = GVK.of(obj)
        path = (await self.resolve(gvk)).path(obj["metadata"].get("namespace"))
        query = _writing(manager, dry_run, "Strict")
        return await self._object("POST", path, query=query, body=obj, what=partial(_what_of, "create", obj))

    async def replace(
        self, obj: KubeObject, *, subresource: str = "", manager: str = "", dry_run: bool = False
    ) -> KubeObject:
        meta = obj["metadata"]
        path = (await self.resolve(GVK.of(obj))).path(meta.get("namespace"), meta["name"], subresource)
        query = _writing(manager, dry_run, "Ignore" if subresource else "Strict")
        what = partial(_what_of, "replace", obj, subresource)
        return await self._object("PUT", path, query=query, body=obj, what=what)

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
        path = (await self.resolve(gvk)).path(namespace, name, subresource)
        query = _writing(manager, dry_run, "Ignore" if subresource else "Strict")
        what = partial(_what, "patch", gvk, namespace, name, subresource)
        return await self._object("PATCH", path, query=query, body=body, media=_PATCH_TYPES[kind], what=what)

    async def apply(
        self, obj: KubeObject, *, manager: str, force: bool = False, subresource: str = "", dry_run: bool = False
    ) -> KubeObject:
        meta = obj["metadata"]
        path = (await self.resolve(GVK.of(obj))).path(meta.get("namespace"), meta["name"], subresource)
        validation = "Ignore" if subresource else "Strict"
        query = _writing(manager, dry_run, validation, force)
        what = partial(_what_of, "apply", obj, subresource)
        return await self._object("PATCH", path, query=query, body=obj, media=_PATCH_TYPES["apply"], what=what)

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
        path = (await self.resolve(gvk)).path(namespace, name)
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if propagation:
            body["propagationPolicy"] = propagation
        if preconditions is not None:
            held = {"uid": preconditions.uid, "resourceVersion": preconditions.resource_version}
            body["preconditions"] = {key: value for key, value in held.items() if value}
        if dry_run:
            body["dryRun"] = ["All"]
        await self._object("DELETE", path, body=body, what=partial(_what, "delete", gvk, namespace, name))

    async def watch(
        self, gvk: GVK, *, namespace: str | None = None, options: WatchOptions | None = None
    ) -> AsyncIterator[WatchEvent]:
        wanted = options or WatchOptions()
        path = (await self.resolve(gvk)).path(namespace)
        query = _query(
            {
                "watch": "1",
                "resourceVersion": wanted.resource_version,
                "timeoutSeconds": str(wanted.timeout_s),
                "allowWatchBookmarks": "true" if wanted.bookmarks else "",
                **_selection(wanted.selector),
            }
        )
        accept = _METADATA % b"" if wanted.selector.form == "metadata" else b""
        response = await self._send("GET", path, query=query, accept=accept, what=lambda: f"watch {gvk.kind}")
        stream: Any = response.body
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                for line in chunk.splitlines():
                    event = _event(orjson.loads(line), what=f"watch {gvk.kind}")
                    self._known.on_event(gvk, event)
                    yield event

    async def resolve(self, gvk: GVK) -> ResourceInfo:
        """Asked anew for an unknown kind; a known one is kept until its definition is seen to change."""
        known = self._known.get(gvk)
        if known is None:
            known = self._known[gvk] = await self._discover(gvk)
        return known

    async def _discover(self, gvk: GVK) -> ResourceInfo:
        root = f"/apis/{gvk.group}" if gvk.group else "/api"
        response = await self._service(Request("GET", f"{root}/{gvk.version}".encode(), [(b"user-agent", self._agent)]))
        found: Any = orjson.loads(_bytes(response)) if response.status == 200 else {"resources": []}
        subresources = set()
        for entry in found["resources"]:
            plural, _, sub = entry["name"].partition("/")
            if sub:
                subresources.add((plural, sub))
        for entry in found["resources"]:
            if entry["kind"] == gvk.kind and "/" not in entry["name"]:
                subs = frozenset(sub for plural, sub in subresources if plural == entry["name"])
                return ResourceInfo(gvk, entry["name"], entry["namespaced"], subs, frozenset(entry["verbs"]))
        raise NotFound(
            f"the server does not serve {gvk.kind} in {gvk.api_version}", code=404, what=f"resolve {gvk.kind}"
        )

    async def close(self) -> None:
        """Nothing is held."""

    async def _object(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: Any = None,
        media: bytes = b"application/json",
        accept: bytes = b"",
        what: Callable[[], str],
    ) -> KubeObject:
        response = await self._send(method, path, query=query, body=body, media=media, accept=accept, what=what)
        found: KubeObject = orjson.loads(_bytes(response))
        return found

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: Any = None,
        media: bytes = b"application/json",
        accept: bytes = b"",
        what: Callable[[], str],
    ) -> Response:
        target = f"{path}?{query}" if query else path
        headers = [(b"user-agent", self._agent)]
        if accept:
            headers.append((b"accept", accept))
        if body is not None:
            headers.append((b"content-type", media))
        if fence := current_fence.get():
            headers.append((b"lambent-fence", fence.encode()))
        plain = b"" if body is None else plain_json(body)
        raw, scheme = (orjson.dumps(body), "http") if plain is None else (plain, IN_PROCESS)
        response = await self._service(Request(method, target.encode(), headers, raw, scheme))
        if response.status >= 400:
            raise _error(response, path, what())
        return response


def _query(given: dict[str, str]) -> str:
    """Encoded, without what is empty."""
    return urlencode({name: value for name, value in given.items() if value})


def _error(response: Response, path: str, what: str) -> Exception:
    raw = _bytes(response)
    try:
        status = orjson.loads(raw)
    except orjson.JSONDecodeError:
        status = {"code": response.status, "message": raw.decode(errors="replace").strip()}
    if "/secrets" in path:
        status = without_values(status)
    after = next((float(value) for name, value in response.headers if name == b"retry-after"), None)
    return from_status(status, what=what, retry_after_s=after)


def _event(line: Any, *, what: str) -> WatchEvent:
    if line["type"] == "ERROR":
        raise from_status(line["object"], what=what)
    return WatchEvent(line["type"], line["object"])


def _bytes(response: Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""


def _what_of(verb: str, obj: KubeObject, subresource: str = "") -> str:
    meta = obj["metadata"]
    name = meta.get("name") or meta.get("generateName", "")
    return _what(verb, GVK.of(obj), meta.get("namespace"), name, subresource)


def _what(verb: str, gvk: GVK, namespace: str | None, name: str, subresource: str = "") -> str:
    """What an error says of the request; see `http_client`."""
    return f"{verb} {gvk.kind} {f'{namespace}/' if namespace else ''}{name}{f'/{subresource}' if subresource else ''}"


@lru_cache(maxsize=256)
def _writing(manager: str, dry_run: bool, validation: str, force: bool = False) -> str:
    """The query of a write."""
    given = {"fieldManager": manager, "dryRun": "All" if dry_run else "", "fieldValidation": validation}
    return _query(given | {"force": "true" if force else ""})


def _selection(selector: Selector) -> dict[str, str]:
    return {"labelSelector": selector.labels, "fieldSelector": selector.fields}
