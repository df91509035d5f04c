"""Pushing and pulling over HTTP."""

import json

import pytest

from lambent.http import HttpServer, Request, Response
from lambent.oci import RegistryError
from lambent.oci.client import RegistryClient
from lambent.oci.manifest import OCI_INDEX, digest_of, parse
from lambent.oci.reader import ImageReader
from lambent.oci.store import BlobStore


async def test_a_pushed_image_can_be_pulled_into_another_store(registry_url, store, manifest, tmp_path):
    url, _ = registry_url
    other = BlobStore(tmp_path / "other")
    async with RegistryClient(url) as client:
        assert await client.push("my/image", "1.0", manifest, store) == manifest.digest
        assert await client.tags("my/image") == ["1.0"]
        assert await client.repositories() == ["my/image"]
        await client.pull("my/image", "1.0", other, into="copy", tag="x")
    image = ImageReader(other).resolve("copy", "x")
    assert image.digest == manifest.digest
    ImageReader(other).unpack(image, tmp_path / "root")
    assert (tmp_path / "root" / "var" / "task" / "app.py").is_file()


async def test_an_index_is_pushed_and_pulled_with_its_images(registry_url, store, manifest, tmp_path):
    url, _ = registry_url
    entry = {"mediaType": manifest.media_type, "digest": manifest.digest, "size": len(manifest.content)}
    entry["platform"] = {"os": "linux", "architecture": "amd64"}
    index = parse(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode())
    store.put_blob(index.content)
    other = BlobStore(tmp_path / "other")
    async with RegistryClient(url) as client:
        await client.push("my/image", "1.0", index, store)
        await client.pull("my/image", "1.0", other, into="copy", tag="x")
    assert ImageReader(other).resolve("copy", "x").digest == manifest.digest


async def test_what_the_registry_has_is_not_sent_again(registry_url, store, manifest):
    url, theirs = registry_url
    async with RegistryClient(url) as client:
        await client.push("a", "1", manifest, store)
        times = {d.digest: theirs.blob_path(d.digest).stat().st_mtime_ns for d in manifest.layers}
        await client.push("b", "1", manifest, store)
    assert {d: theirs.blob_path(d).stat().st_mtime_ns for d in times} == times


async def test_a_refusal_has_the_registrys_code_and_words(registry_url):
    url, _ = registry_url
    async with RegistryClient(url) as client:
        with pytest.raises(RegistryError, match="MANIFEST_UNKNOWN") as refused:
            await client.manifest("absent", "1.0")
    assert (refused.value.code, refused.value.status) == ("MANIFEST_UNKNOWN", 404)


async def test_no_answer_is_an_error_with_status_0(unused_tcp_port):
    async with RegistryClient(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(RegistryError) as refused:
            await client.manifest("a", "1")
    assert refused.value.status == 0


async def test_a_blob_with_other_bytes_than_its_digest_never_enters_the_store(registry_url, store, manifest, tmp_path):
    url, theirs = registry_url
    other = BlobStore(tmp_path / "other")
    async with RegistryClient(url) as client:
        await client.push("a", "1", manifest, store)
        theirs.blob_path(manifest.layers[0].digest).write_bytes(b"wrong")
        with pytest.raises(RegistryError, match="wrong bytes"):
            await client.pull("a", "1", other, into="a")
    assert other.blob_path(manifest.layers[0].digest) is None
    assert other.repositories() == []


async def test_a_registry_that_asks_for_a_token_gets_one():
    seen: list[tuple[str, str]] = []

    async def service(request: Request) -> Response:
        authorization = request.header(b"authorization").decode()
        seen.append((request.raw_path.decode(), authorization))
        if request.raw_path == b"/token":
            return Response(body=b'{"token": "T"}')
        if authorization != "Bearer T":
            realm = f"http://{request.header(b'host').decode()}/token"
            return Response(401, [(b"www-authenticate", f'Bearer realm="{realm}",service="s"'.encode())])
        return Response(body=b'{"repositories": []}')

    server = HttpServer(service)
    host, port = await server.startup("127.0.0.1", 0)
    try:
        async with RegistryClient(f"http://{host}:{port}", user="u", password="p") as client:
            assert await client.repositories() == []
    finally:
        await server.shutdown(1)
    assert seen == [("/v2/_catalog", "Basic dTpw"), ("/token", "Basic dTpw"), ("/v2/_catalog", "Bearer T")]


def test_a_digest_of_nothing_is_the_known_one():
    assert digest_of(b"").startswith("sha256:e3b0c44298fc1c14")
