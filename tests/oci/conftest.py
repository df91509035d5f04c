import asyncio
import gzip
import io
import tarfile
from pathlib import Path

import pytest

from lambent.http import HttpServer, Limits, Request, Response
from lambent.oci.builder import ImageSettings, build_image
from lambent.oci.registry import Registry, RegistryRequest
from lambent.oci.store import BlobStore


@pytest.fixture
def store(tmp_path) -> BlobStore:
    return BlobStore(tmp_path / "images")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A function's directory."""
    folder = tmp_path / "app"
    (folder / "pkg").mkdir(parents=True)
    (folder / "app.py").write_text("def handler(event, context):\n    return event\n")
    (folder / "pkg" / "data.txt").write_text("data")
    (folder / "bootstrap").write_text("#!/bin/sh\n")
    (folder / "bootstrap").chmod(0o755)
    (folder / "link").symlink_to("pkg/data.txt")
    return folder


@pytest.fixture
def manifest(store, source):
    return build_image(source, settings=ImageSettings(command=["app.handler"]), store=store)


@pytest.fixture
def layer():
    """Makes a gzip layer of entries: (name, content), (name, None) for a directory, or a TarInfo."""

    def make(*entries) -> io.BytesIO:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for entry in entries:
                if isinstance(entry, tarfile.TarInfo):
                    tar.addfile(entry, io.BytesIO(b"\0" * entry.size))
                    continue
                name, content = entry
                info = tarfile.TarInfo(name)
                info.mode = 0o755 if content is None else 0o644
                info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
                info.size = len(content or b"")
                tar.addfile(info, io.BytesIO(content or b""))
        return io.BytesIO(gzip.compress(raw.getvalue(), mtime=0))

    return make


@pytest.fixture
async def registry_url(tmp_path):
    """A registry of its own store on a free port; gives its URL and its store."""
    store = BlobStore(tmp_path / "registry")
    registry = Registry(store)

    async def service(request: Request) -> Response:
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        asked = RegistryRequest(request.method, request.target.decode(), headers, request.body)
        answer = await asyncio.to_thread(registry.handle, asked)
        body = answer.body
        if answer.file is not None:
            body = answer.file.read_bytes()[answer.start : answer.start + answer.length]
        return Response(answer.status, [(n.lower().encode(), v.encode()) for n, v in answer.headers.items()], body)

    server = HttpServer(service, limits=Limits(body=lambda *_: 10**8))
    host, port = await server.startup("127.0.0.1", 0)
    yield f"http://{host}:{port}", store
    await server.shutdown(1)
