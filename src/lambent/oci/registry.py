"""The OCI distribution API over an image store: push, pull, delete, tags, catalog, referrers.

A plain function of a request: `handle(RegistryRequest) -> RegistryResponse`, blocking on the disk, so the caller runs
it in a thread and adapts it to its HTTP server. `space` is put before every repository's name (an
account and a region, say), and the API shows only what is below it.
Source: OCI distribution specification 1.1, "Endpoints"; error codes likewise.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, quote, unquote

import orjson

from lambent.errors import LambentError
from lambent.oci import uploads
from lambent.oci.errors import ImageError, RegistryError
from lambent.oci.manifest import OCI_INDEX, Manifest, is_digest, parse
from lambent.oci.reference import is_repository, is_tag
from lambent.oci.store import BlobStore

MANIFEST_LIMIT = 4 * 1024 * 1024
"""Bytes; the specification asks registries to take at least this."""


@dataclass(frozen=True, slots=True)
class RegistryRequest:
    """`target` is the raw path and query; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    space: str = ""

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.target.partition("?")[2], True).items()}


@dataclass(slots=True)
class RegistryResponse:
    """`file` with `start` and `length` instead of `body` means a part of that file."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: Path | None = None
    start: int = 0
    length: int = 0


class PushListener(Protocol):
    """Told of a push before the store changes, and refuses it by raising a LambentError. `repository` includes the
    space; `tag` is empty for a push by digest."""

    def image_pushed(self, repository: str, manifest: Manifest, *, tag: str) -> None: ...

    def image_deleted(self, repository: str, digest: str) -> None: ...


class NoListener:
    def image_pushed(self, repository: str, manifest: Manifest, *, tag: str) -> None:
        """Nobody asked."""

    def image_deleted(self, repository: str, digest: str) -> None:
        """Nobody asked."""


class Registry:
    def __init__(self, store: BlobStore, *, listener: PushListener | None = None) -> None:
        self.store = store
        self._listener: PushListener = listener or NoListener()
        self._uploads = uploads.Uploads(store)

    def tell_all(self) -> None:
        """Tells the listener of every image in the store, as if it were pushed now (after a start)."""
        for name in self.store.repositories():
            for digest in self.store.digests(name):
                manifest = self.store.manifest(name, digest)
                tags = [tag for tag in self.store.tags(name) if self.store.resolve(name, tag) == digest]
                if manifest is not None:
                    for tag in tags or [""]:
                        self._listener.image_pushed(name, manifest, tag=tag)

    def handle(self, request: RegistryRequest) -> RegistryResponse:
        """Answers; errors have the specification's JSON form."""
        try:
            return self._route(request)
        except RegistryError as error:
            return _refusal(error)

    def _route(self, request: RegistryRequest) -> RegistryResponse:
        path = unquote(request.target.partition("?")[0])
        if path in ("/v2", "/v2/"):
            return RegistryResponse(200, {"Docker-Distribution-Api-Version": "registry/2.0"}, b"{}")
        if path == "/v2/_catalog":
            return self._catalog(request)
        for pattern, methods in _ROUTES:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            if not is_repository(found["name"]):
                raise RegistryError("NAME_INVALID", f"{found['name'][:200]!r} is no repository name", status=400)
            method = methods.get(request.method)
            if method is None:
                raise RegistryError("UNSUPPORTED", f"{request.method} is not supported here", status=405)
            return method(self, request, _full(request, found["name"]), found.groupdict().get("target") or "")
        raise RegistryError("UNSUPPORTED", "there is no such path in the distribution API", status=404)

    # --- listing

    def _catalog(self, request: RegistryRequest) -> RegistryResponse:
        prefix = f"{request.space}/" if request.space else ""
        names = [name[len(prefix) :] for name in self.store.repositories() if name.startswith(prefix)]
        return _page(request, names, lambda page: {"repositories": page}, "/v2/_catalog")

    def _tags(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        self._need_repository(name)
        shown = _shown(request, name)
        return _page(
            request, self.store.tags(name), lambda page: {"name": shown, "tags": page}, f"/v2/{shown}/tags/list"
        )

    def _referrers(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        """Manifests of this repository whose subject is the digest (signatures, attestations)."""
        entries = []
        for digest in self.store.digests(name):
            manifest = self.store.manifest(name, digest)
            if manifest is not None and manifest.subject is not None and manifest.subject.digest == target:
                raw = orjson.loads(manifest.content)
                kind = raw.get("artifactType") or (manifest.config.media_type if manifest.config else None)
                entry = {"mediaType": manifest.media_type, "digest": digest, "size": len(manifest.content)}
                entry |= {"artifactType": kind} if kind else {}
                entries.append(entry | ({"annotations": raw["annotations"]} if raw.get("annotations") else {}))
        body = orjson.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
        return RegistryResponse(200, {"Content-Type": OCI_INDEX}, body)

    def _need_repository(self, name: str) -> None:
        if not self.store.has_repository(name):
            raise RegistryError("NAME_UNKNOWN", f"repository {name} does not exist", status=404)

    # --- manifests

    def _get_manifest(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        manifest = self.store.manifest(name, target)
        if manifest is None:
            raise RegistryError("MANIFEST_UNKNOWN", f"repository {name} has no manifest {target[:200]}", status=404)
        headers = {"Content-Type": manifest.media_type, "Docker-Content-Digest": manifest.digest}
        headers["Content-Length"] = str(len(manifest.content))
        return RegistryResponse(200, headers, b"" if request.method == "HEAD" else manifest.content)

    def _put_manifest(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        if len(request.body) > MANIFEST_LIMIT:
            raise RegistryError("SIZE_INVALID", f"a manifest has at most {MANIFEST_LIMIT} bytes", status=413)
        try:
            manifest = parse(request.body, request.headers.get("content-type", ""))
        except ImageError as error:
            raise RegistryError("MANIFEST_INVALID", str(error), status=400) from None
        if is_digest(target) and target != manifest.digest:
            raise RegistryError("DIGEST_INVALID", f"the manifest's digest is {manifest.digest}", status=400)
        if not is_digest(target) and not is_tag(target):
            raise RegistryError("TAG_INVALID", f"{target[:200]!r} is no tag", status=400)
        self._need_parts(name, manifest)
        tag = "" if is_digest(target) else target
        try:
            self._listener.image_pushed(name, manifest, tag=tag)
        except LambentError as error:
            raise RegistryError("DENIED", str(error), status=403) from error
        digest = self.store.put_manifest(name, manifest, tag)
        headers = {"Location": f"/v2/{_shown(request, name)}/manifests/{digest}", "Docker-Content-Digest": digest}
        if manifest.subject is not None:
            headers["OCI-Subject"] = manifest.subject.digest
        return RegistryResponse(201, headers)

    def _need_parts(self, name: str, manifest: Manifest) -> None:
        """A manifest is taken only when all it refers to is there, so that what can be resolved can be pulled."""
        parts = [*manifest.layers, *([manifest.config] if manifest.config else [])]
        missing = [part.digest for part in parts if self.store.blob_path(part.digest) is None]
        missing += [part.digest for part in manifest.manifests if self.store.resolve(name, part.digest) is None]
        if missing:
            raise RegistryError("MANIFEST_BLOB_UNKNOWN", f"not in the registry: {', '.join(missing)[:300]}", status=404)

    def _delete_manifest(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        if is_digest(target):
            done = self.store.delete_manifest(name, target)
            self._listener.image_deleted(name, target)
        else:
            done = is_tag(target) and self.store.delete_tag(name, target)
        if not done:
            raise RegistryError("MANIFEST_UNKNOWN", f"repository {name} has no manifest {target[:200]}", status=404)
        return RegistryResponse(202)

    # --- blobs

    def _get_blob(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        path = self.store.blob_path(target)
        if path is None:
            raise RegistryError("BLOB_UNKNOWN", f"there is no blob {target[:200]}", status=404)
        size = path.stat().st_size
        headers = {
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": target,
            "Accept-Ranges": "bytes",
        }
        if request.method == "HEAD":
            return RegistryResponse(200, headers | {"Content-Length": str(size)})
        first, last, is_part = _range(request.headers.get("range", ""), size)
        headers["Content-Length"] = str(last - first + 1)
        if is_part:
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return RegistryResponse(206 if is_part else 200, headers, file=path, start=first, length=last - first + 1)

    def _delete_blob(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        raise RegistryError("UNSUPPORTED", "blobs are shared; those without a manifest are swept", status=405)

    # --- uploads

    def _begin(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        query = request.query
        mounted = query.get("mount", "")
        if mounted and self.store.blob_path(mounted):
            return self._created(request, name, mounted)
        if query.get("digest"):
            self._uploads.whole(request.body, query["digest"])
            return self._created(request, name, query["digest"])
        return self._at(request, name, self._uploads.begin(), 0, status=202)

    def _patch(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        size = self._uploads.append(target, request.body, request.headers.get("content-range", ""))
        return self._at(request, name, target, size, status=202)

    def _finish(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        digest = request.query.get("digest", "")
        self._uploads.finish(target, request.body, request.headers.get("content-range", ""), digest)
        return self._created(request, name, digest)

    def _progress(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        return self._at(request, name, target, self._uploads.size(target), status=204)

    def _cancel(self, request: RegistryRequest, name: str, target: str) -> RegistryResponse:
        self._uploads.cancel(target)
        return RegistryResponse(204)

    def _created(self, request: RegistryRequest, name: str, digest: str) -> RegistryResponse:
        location = f"/v2/{_shown(request, name)}/blobs/{digest}"
        return RegistryResponse(201, {"Location": location, "Docker-Content-Digest": digest})

    def _at(self, request: RegistryRequest, name: str, upload: str, size: int, *, status: int) -> RegistryResponse:
        location = f"/v2/{_shown(request, name)}/blobs/uploads/{upload}"
        headers = {"Location": location, "Range": f"0-{max(0, size - 1)}", "Docker-Upload-UUID": upload}
        return RegistryResponse(status, headers)


_Method = Callable[[Registry, RegistryRequest, str, str], RegistryResponse]

_ROUTES: tuple[tuple[re.Pattern[str], dict[str, _Method]], ...] = (
    (re.compile(r"/v2/(?P<name>.+)/tags/list"), {"GET": Registry._tags}),
    (re.compile(r"/v2/(?P<name>.+)/referrers/(?P<target>[^/]+)"), {"GET": Registry._referrers}),
    (
        re.compile(r"/v2/(?P<name>.+)/manifests/(?P<target>[^/]+)"),
        {
            "GET": Registry._get_manifest,
            "HEAD": Registry._get_manifest,
            "PUT": Registry._put_manifest,
            "DELETE": Registry._delete_manifest,
        },
    ),
    (re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?"), {"POST": Registry._begin}),
    (
        re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<target>[^/]+)"),
        {"PATCH": Registry._patch, "PUT": Registry._finish, "GET": Registry._progress, "DELETE": Registry._cancel},
    ),
    (
        re.compile(r"/v2/(?P<name>.+)/blobs/(?P<target>[^/]+)"),
        {"GET": Registry._get_blob, "HEAD": Registry._get_blob, "DELETE": Registry._delete_blob},
    ),
)


def _full(request: RegistryRequest, name: str) -> str:
    return f"{request.space}/{name}" if request.space else name


def _shown(request: RegistryRequest, full: str) -> str:
    return full[len(request.space) + 1 :] if request.space else full


def _refusal(error: RegistryError) -> RegistryResponse:
    body = orjson.dumps({"errors": [{"code": error.code, "message": str(error), "detail": None}]})
    return RegistryResponse(error.status, {"Content-Type": "application/json"}, body)


def _page(
    request: RegistryRequest, names: list[str], content: Callable[[list[str]], object], path: str
) -> RegistryResponse:
    """Names after `last`, at most `n`, with a Link to the next page."""
    query = request.query
    after = [name for name in names if name > query.get("last", "")]
    count = query.get("n", "")
    if count and not count.isdecimal():
        raise RegistryError("PAGINATION_NUMBER_INVALID", "n is not a number", status=400)
    page = after[: int(count)] if count else after
    headers = {"Content-Type": "application/json"}
    if len(page) < len(after) and page:
        headers["Link"] = f'<{path}?n={count}&last={quote(page[-1])}>; rel="next"'
    return RegistryResponse(200, headers, orjson.dumps(content(page)))


def _range(header: str, size: int) -> tuple[int, int, bool]:
    """First and last byte of a single range, and whether it is one; anything else means the whole (RFC 9110, 14.2)."""
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", header)
    if found is None:
        return 0, size - 1, False
    first, last = int(found[1]), min(int(found[2] or size), size - 1)
    if first > last:
        raise RegistryError("RANGE_INVALID", f"the blob has {size} bytes", status=416)
    return first, last, True
