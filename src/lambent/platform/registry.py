"""The embedded container registry: the image store behind `/v2/`, seen by ECR, by the Lambda service and by execution.

A repository belongs to an account and a region, its *space*, which stands before its name in the store: `/v2/<name>`
is that of the defaults, a Host or image URI `<account>.dkr.ecr.<region>.amazonaws.com` names another. The registry
itself knows no HTTP server and blocks on the disk, so it runs in a thread and its answers are adapted here.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

from lambent.aws.embedded import EcrMirror, space_of_host
from lambent.functions import ImageMissing, ResolvedImage
from lambent.http.message import Request, Response
from lambent.oci import BlobStore, ImageError, parse_reference
from lambent.oci.reader import Image, ImageReader
from lambent.oci.registry import Registry, RegistryRequest, RegistryResponse
from lambent.settings import Settings

# Names under which clients on this machine reach the port itself.
_LOCAL_HOST = re.compile(r"^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$")
_CHUNK_BYTES = 1024 * 1024


class ImageRegistry:
    """A `Service` for `/v2/`; also the `ImageResolver` of functions and the `ImageSource` of execution."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._default_space = f"{settings.account_id}/{settings.region}"
        self._store = BlobStore(directory)
        self._reader = ImageReader(self._store)
        self._registry = Registry(self._store, listener=EcrMirror())

    def tell_ecr(self) -> None:
        """After a start: the embedded ECR begins empty, the store does not."""
        self._registry.tell_all()

    async def __call__(self, request: Request) -> Response:
        asked = RegistryRequest(
            request.method,
            request.target.decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers},
            request.body,
            space=self._space(request.header(b"host").decode("latin-1")),
        )
        return _adapt(await asyncio.to_thread(self._registry.handle, asked))

    async def resolve(self, uri: str) -> ResolvedImage:
        """Which manifest an image URI means now; raises `ImageMissing`."""
        image = await asyncio.to_thread(self._find, uri)
        return ResolvedImage(image.digest, image.size)

    async def unpack(self, uri: str, digest: str, destination: Path) -> Image:
        """Writes the image's files into a new directory; raises `ImageError`."""
        return await asyncio.to_thread(self._unpack, digest, destination)

    def _unpack(self, digest: str, destination: Path) -> Image:
        image = self._reader.by_digest(digest)
        destination.rmdir()  # given empty; the reader publishes a directory whole or not at all
        self._reader.unpack(image, destination)
        return image

    def _find(self, uri: str) -> Image:
        try:
            reference = parse_reference(uri)
            space = self._space(reference.registry, foreign="")
            if not space:
                raise ImageMissing(f"{uri}: only images of the embedded registry are known")
            return self._reader.resolve(f"{space}/{reference.repository}", reference.target)
        except ImageError as error:
            raise ImageMissing(str(error)) from error

    def _space(self, host: str, *, foreign: str | None = None) -> str:
        """Account and region of a registry's host name; `foreign` for one that is not ours (default: the defaults)."""
        space = space_of_host(host)
        if space:
            return space
        return self._default_space if foreign is None or not host or _LOCAL_HOST.match(host) else foreign


def _adapt(answer: RegistryResponse) -> Response:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if answer.file is None:
        return Response(answer.status, headers, answer.body)
    return Response(answer.status, headers, _read(answer.file, answer.start, answer.length))


async def _read(file: Path, start: int, length: int) -> AsyncIterator[bytes]:
    opened = await asyncio.to_thread(file.open, "rb")
    try:
        opened.seek(start)
        while length > 0 and (chunk := await asyncio.to_thread(opened.read, min(_CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk
    finally:
        opened.close()
