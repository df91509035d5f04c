"""Pushing to and pulling from a registry over the distribution API.

Only what is missing is sent: blobs are asked for first. A registry that asks for a token gets one from the server it
names (RFC 6750; Docker's token protocol), anonymous or with the given user and password; no other host sees either.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin

import aiohttp
import orjson

from lambent.oci.errors import RegistryError
from lambent.oci.manifest import INDEXES, MANIFESTS, Descriptor, Manifest, is_digest, parse
from lambent.oci.store import BlobStore

_CHUNK = 1024 * 1024
_ACCEPT = ", ".join((*MANIFESTS, *INDEXES))
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class RegistryClient:
    """`endpoint` is the registry's URL without `/v2`. Use as a context manager. Methods raise RegistryError (status 0
    when no answer came)."""

    def __init__(self, endpoint: str, *, user: str = "", password: str = "", timeout_s: float = 60.0) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._authorization = ""
        if user:
            self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._basic = self._authorization
        self._timeout = aiohttp.ClientTimeout(total=None, connect=10, sock_read=timeout_s)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    # --- push

    async def push(self, repository: str, target: str, manifest: Manifest, store: BlobStore) -> str:
        """Pushes an image, or an index with all its images, under a tag or digest; gives the digest."""
        for entry in manifest.manifests:
            part = parse(await asyncio.to_thread(store.read_blob, entry.digest), entry.media_type)
            await self.push(repository, entry.digest, part, store)
        for blob in _blobs(manifest):
            await self._push_blob(repository, blob, store)
        headers = {"Content-Type": manifest.media_type}
        url = f"/v2/{repository}/manifests/{target}"
        async with self._ask("PUT", url, data=manifest.content, headers=headers):
            return manifest.digest

    async def _push_blob(self, repository: str, blob: Descriptor, store: BlobStore) -> None:
        if await self.has_blob(repository, blob.digest):
            return
        async with self._ask("POST", f"/v2/{repository}/blobs/uploads/") as answer:
            location = urljoin(str(answer.url), answer.headers["Location"])
        joint = "&" if "?" in location else "?"
        path = store.blob_path(blob.digest)
        if path is None:
            raise RegistryError("BLOB_UNKNOWN", f"the image lacks blob {blob.digest}", status=0)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        async with self._ask("PUT", f"{location}{joint}digest={blob.digest}", data=path, headers=headers):
            return

    async def has_blob(self, repository: str, digest: str) -> bool:
        try:
            async with self._ask("HEAD", f"/v2/{repository}/blobs/{digest}"):
                return True
        except RegistryError as error:
            if error.status == 404:
                return False
            raise

    # --- pull

    async def manifest(self, repository: str, target: str) -> Manifest:
        """By tag or digest; a digest is checked."""
        async with self._ask("GET", f"/v2/{repository}/manifests/{target}", headers={"Accept": _ACCEPT}) as answer:
            manifest = parse(await answer.read(), answer.headers.get("Content-Type", ""))
        if is_digest(target) and manifest.digest != target:
            raise RegistryError("DIGEST_INVALID", f"the registry gave another manifest than {target}", status=0)
        return manifest

    async def pull(self, repository: str, target: str, store: BlobStore, *, into: str, tag: str = "") -> Manifest:
        """Copies an image, or an index with all its images, into a repository of the store; gives its manifest."""
        manifest = await self.manifest(repository, target)
        for entry in manifest.manifests:
            await self.pull(repository, entry.digest, store, into=into)
        for blob in _blobs(manifest):
            await self._pull_blob(repository, blob, store)
        await asyncio.to_thread(store.put_manifest, into, manifest, tag)
        return manifest

    async def _pull_blob(self, repository: str, blob: Descriptor, store: BlobStore) -> None:
        if store.blob_path(blob.digest) is not None:
            return
        upload = store.begin_upload()
        try:
            async with self._ask("GET", f"/v2/{repository}/blobs/{blob.digest}") as answer:
                size = 0
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    size = await asyncio.to_thread(store.append_upload, upload, chunk)
                    if size > blob.size:
                        break
            await asyncio.to_thread(store.finish_upload, upload, blob.digest)
        except ValueError:
            raise RegistryError(
                "DIGEST_INVALID", f"the registry gave wrong bytes for {blob.digest}", status=0
            ) from None
        finally:
            store.cancel_upload(upload)

    # --- listing

    async def tags(self, repository: str) -> list[str]:
        return [str(tag) for tag in (await self._json(f"/v2/{repository}/tags/list"))["tags"] or ()]

    async def repositories(self) -> list[str]:
        return [str(name) for name in (await self._json("/v2/_catalog"))["repositories"] or ()]

    async def _json(self, path: str) -> dict[str, Any]:
        async with self._ask("GET", path) as answer:
            found: dict[str, Any] = orjson.loads(await answer.read())
            return found

    # --- HTTP

    @asynccontextmanager
    async def _ask(
        self, method: str, target: str, *, data: bytes | Path | None = None, headers: dict[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request; on 401 once more with a token."""
        url = target if "://" in target else self._endpoint + target
        try:
            for is_last in (False, True):
                async with self._send(method, url, data, headers or {}) as answer:
                    challenge = answer.headers.get("WWW-Authenticate", "")
                    if answer.status == 401 and not is_last and challenge.lower().startswith("bearer "):
                        self._authorization = await self._token(challenge)
                        continue
                    if answer.status >= 400:
                        raise await _refusal(answer, method)
                    yield answer
                    return
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RegistryError("UNAVAILABLE", f"{method} {url}: {error or type(error).__name__}", status=0) from error

    @asynccontextmanager
    async def _send(
        self, method: str, url: str, data: bytes | Path | None, headers: dict[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        is_ours = url.startswith(f"{self._endpoint}/")
        own = {"Authorization": self._authorization} if self._authorization and is_ours else {}
        with data.open("rb") if isinstance(data, Path) else nullcontext(data) as body:
            async with self._session.request(method, url, data=body, headers={**own, **headers}) as answer:
                yield answer

    async def _token(self, challenge: str) -> str:
        fields = dict(_CHALLENGE.findall(challenge))
        query = {name: fields[name] for name in ("service", "scope") if name in fields}
        headers = {"Authorization": self._basic} if self._basic else {}
        async with self._session.get(fields.get("realm", ""), params=query, headers=headers) as answer:
            if answer.status >= 400:
                raise await _refusal(answer, "GET")
            told = orjson.loads(await answer.read())
        return f"Bearer {told.get('token') or told.get('access_token') or ''}"


def _blobs(manifest: Manifest) -> list[Descriptor]:
    return [*manifest.layers, *([manifest.config] if manifest.config else [])]


async def _refusal(answer: aiohttp.ClientResponse, method: str) -> RegistryError:
    """The registry's own words, when it gave some in the specification's form."""
    code, message = "UNKNOWN", answer.reason or ""
    try:
        first = orjson.loads(await answer.read())["errors"][0]
        code, message = str(first["code"]), str(first.get("message") or "")
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        pass
    text = f"{method} {answer.url.path}: {answer.status} {code}: {message}"
    return RegistryError(code, text[:500], status=answer.status)
