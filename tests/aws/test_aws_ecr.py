"""Images of the store as the ECR API shows them."""

import pytest

from lambent.aws.embedded import EcrMirror, space_of_host
from lambent.oci.builder import ImageSettings, build_image
from lambent.oci.manifest import digest_of
from lambent.oci.registry import Registry, RegistryRequest
from lambent.oci.store import BlobStore

SPACE = "123456789012/us-east-1"


@pytest.mark.parametrize(
    ("host", "space"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", SPACE),
        ("123456789012.DKR.ecr.us-east-1.amazonaws.com:4566", SPACE),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "123456789012/cn-north-1"),
        ("123456789012.dkr-ecr.us-east-1.on.aws", SPACE),
        ("127.0.0.1:4566", None),
        ("public.ecr.aws", None),
        ("123.dkr.ecr.us-east-1.amazonaws.com", None),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com.evil", None),
    ],
)
def test_an_ecr_host_names_account_and_region(host, space):
    assert space_of_host(host) == space


@pytest.fixture
def registry(tmp_path) -> Registry:
    return Registry(BlobStore(tmp_path / "images"), listener=EcrMirror())


def _push(registry: Registry, tmp_path, text: str, tag: str) -> str:
    folder = tmp_path / "app"
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(text)
    manifest = build_image(folder, settings=ImageSettings(command=["app.handler"]), store=registry.store)
    headers = {"content-type": manifest.media_type}
    target = f"/v2/my-lambda-image/manifests/{tag or manifest.digest}"
    answer = registry.handle(RegistryRequest("PUT", target, headers, manifest.content, SPACE))
    assert answer.status == 201
    return digest_of(manifest.content)


async def _shown(aws, region: str = "us-east-1") -> dict[str, list[str]]:
    answer = await aws.clients().call("ecr", "DescribeImages", region=region, repositoryName="my-lambda-image")
    return {i["imageDigest"]: sorted(i.get("imageTags", [])) for i in answer["imageDetails"]}


async def test_a_pushed_image_is_described_by_ecr(aws, registry, tmp_path):
    digest = _push(registry, tmp_path, "one", "0.0.2")
    assert await _shown(aws) == {digest: ["0.0.2"]}
    repositories = (await aws.clients().call("ecr", "DescribeRepositories"))["repositories"]
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-lambda-image"
    assert [r["repositoryUri"] for r in repositories] == [uri]


async def test_a_tag_moves_with_the_push(aws, registry, tmp_path):
    first = _push(registry, tmp_path, "one", "live")
    second = _push(registry, tmp_path, "two", "live")
    shown = await _shown(aws)
    assert shown[second] == ["live"]
    assert shown.get(first, []) == []


async def test_the_same_push_again_changes_nothing(aws, registry, tmp_path):
    digest = _push(registry, tmp_path, "one", "live")
    for tag in ("live", ""):
        assert _push(registry, tmp_path, "one", tag) == digest
    assert await _shown(aws) == {digest: ["live"]}


async def test_an_immutable_tag_is_not_moved(aws, registry, tmp_path):
    await aws.clients().call(
        "ecr", "CreateRepository", repositoryName="my-lambda-image", imageTagMutability="IMMUTABLE"
    )
    first = _push(registry, tmp_path, "one", "live")
    with pytest.raises(AssertionError):
        _push(registry, tmp_path, "two", "live")
    assert registry.store.resolve(f"{SPACE}/my-lambda-image", "live") == first
    assert await _shown(aws) == {first: ["live"]}


def test_a_push_to_a_region_that_is_none_is_refused(registry, tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    manifest = build_image(folder, settings=ImageSettings(), store=registry.store)
    request = RegistryRequest("PUT", "/v2/x/manifests/1", {}, manifest.content, "123456789012/nowhere-1")
    assert registry.handle(request).status == 403


async def test_a_deleted_image_is_gone_from_ecr(aws, registry, tmp_path):
    digest = _push(registry, tmp_path, "one", "live")
    target = f"/v2/my-lambda-image/manifests/{digest}"
    assert registry.handle(RegistryRequest("DELETE", target, space=SPACE)).status == 202
    assert await _shown(aws) == {}


async def test_after_a_start_ecr_is_told_of_every_image(aws, registry, tmp_path):
    digest = _push(registry, tmp_path, "one", "a")
    _push(registry, tmp_path, "one", "b")
    await aws.embedded.reset()
    registry.tell_all()
    assert await _shown(aws) == {digest: ["a", "b"]}
