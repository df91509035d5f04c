"""The registry knows whose images are meant: by host name, by image URI, by default."""

from pathlib import Path

import pytest

from lambent.functions import ImageMissing
from lambent.http.message import Request
from lambent.oci import BlobStore
from lambent.oci.builder import ImageSettings, build_image
from lambent.platform.registry import ImageRegistry
from lambent.settings import Settings


@pytest.fixture
def registry(tmp_path: Path) -> ImageRegistry:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text("def handler(event, context): return 1\n")
    store = BlobStore(tmp_path / "images")
    manifest = build_image(tmp_path / "app", settings=ImageSettings(command=("app.handler",)), store=store)
    store.put_manifest("123456789012/us-east-1/mine", manifest, "1")
    store.put_manifest("999999999999/eu-west-1/theirs", manifest, "1")
    return ImageRegistry(tmp_path / "images", Settings())


@pytest.mark.parametrize(
    "uri",
    [
        "mine:1",
        "localhost:4566/mine:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
        "999999999999.dkr.ecr.eu-west-1.amazonaws.com/theirs:1",
    ],
)
async def test_an_image_is_found_by_every_name_it_has(registry: ImageRegistry, uri: str) -> None:
    assert (await registry.resolve(uri)).digest.startswith("sha256:")


@pytest.mark.parametrize("uri", ["mine:2", "theirs:1", "registry.example.com/mine:1", "not an image"])
async def test_an_image_that_is_not_ours_is_missing(registry: ImageRegistry, uri: str) -> None:
    with pytest.raises(ImageMissing):
        await registry.resolve(uri)


async def test_an_image_is_unpacked_into_the_given_directory(registry: ImageRegistry, tmp_path: Path) -> None:
    found = await registry.resolve("mine:1")
    target = tmp_path / "root"
    target.mkdir()
    image = await registry.unpack("mine:1", found.digest, target)
    assert image.command == ("app.handler",)
    assert (target / "var" / "task" / "app.py").is_file()


async def test_a_host_name_of_ecr_selects_account_and_region(registry: ImageRegistry) -> None:
    host = (b"host", b"999999999999.dkr.ecr.eu-west-1.amazonaws.com:4566")
    answer = await registry(Request("GET", b"/v2/theirs/tags/list", [host]))
    assert answer.status == 200
    assert (await registry(Request("GET", b"/v2/theirs/tags/list", []))).status == 404
