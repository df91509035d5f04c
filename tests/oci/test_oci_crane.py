"""A foreign client, crane (go-containerregistry), against the registry."""

import asyncio
import shutil

import pytest

from lambent.oci.client import RegistryClient
from lambent.oci.reader import ImageReader

CRANE = shutil.which("crane")

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(CRANE is None, reason="crane is not installed")]


async def _crane(*arguments: str) -> str:
    assert CRANE is not None  # the module is skipped otherwise
    process = await asyncio.create_subprocess_exec(
        CRANE, "--insecure", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()
    return out.decode().strip()


async def test_crane_validates_copies_lists_and_deletes_our_images(registry_url, store, manifest):
    url, _ = registry_url
    host = url.removeprefix("http://")
    async with RegistryClient(url) as client:
        await client.push("echo", "1", manifest, store)
    await _crane("validate", "--remote", f"{host}/echo:1")
    assert await _crane("digest", f"{host}/echo:1") == manifest.digest
    await _crane("copy", f"{host}/echo:1", f"{host}/team/echo:2")
    assert (await _crane("catalog", host)).split() == ["echo", "team/echo"]
    await _crane("delete", f"{host}/team/echo@{manifest.digest}")
    assert await _crane("ls", f"{host}/team/echo") == ""


async def test_what_crane_pushes_is_read_here(registry_url, store, manifest, tmp_path):
    url, theirs = registry_url
    host = url.removeprefix("http://")
    async with RegistryClient(url) as client:
        await client.push("echo", "1", manifest, store)
    await _crane("pull", f"{host}/echo:1", str(tmp_path / "image.tar"))
    await _crane("push", str(tmp_path / "image.tar"), f"{host}/docker:1")
    await _crane("index", "append", "-m", f"{host}/docker:1", "-t", f"{host}/multi:1")
    reader = ImageReader(theirs)
    for name in ("docker", "multi"):
        image = reader.resolve(name, "1")
        reader.unpack(image, tmp_path / name)
        assert (tmp_path / name / "var" / "task" / "app.py").is_file()
