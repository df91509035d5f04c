"""Which archives are taken, how they are kept, and the links to them."""

import base64
import hashlib
import io
import os
import stat
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lambent.aws.errors import AwsError, ServiceError
from lambent.functions import ArtifactStore, CodeIntake, Downloads, ImageMissing, ResolvedImage
from lambent.functions.archives import check_archive
from lambent.functions.downloads import signed_query
from lambent.functions.sweeping import ArtifactSweeper
from lambent.http.message import Request

from .conftest import Service, zip_of

BROKEN = "Could not unzip uploaded file. Please check your file, then try to upload again."


def archive(*entries: tuple[str, bytes, int]) -> bytes:
    """Entries of (name, content, Unix mode with type)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            made.writestr(info, content)
    return buffer.getvalue()


FILE, LINK, FIFO, DEVICE = (kind | 0o644 for kind in (stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip",
        zip_of()[:-10],
        archive(("../up.py", b"", FILE)),
        archive(("a/../../up.py", b"", FILE)),
        archive(("/abs.py", b"", FILE)),
        archive(("C:/drive.py", b"", FILE)),
        archive(("back\\..\\up.py", b"", FILE)),
        archive(("a/b.py", b"", FILE), ("a/./b.py", b"", FILE)),
        archive(("link", b"/etc/passwd", LINK)),
        archive(("a/link", b"../../up", LINK)),
        archive(("pipe", b"", FIFO)),
        archive(("device", b"", DEVICE)),
    ],
)
def test_an_archive_that_could_leave_its_place_is_refused(content: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        check_archive(content)
    assert (caught.value.code, caught.value.message) == ("InvalidParameterValueException", BROKEN)


def test_links_that_stay_inside_and_directories_are_taken() -> None:
    check_archive(
        archive(("a/", b"", stat.S_IFDIR | 0o755), ("a/f", b"x", FILE), ("a/link", b"../a/f", LINK), ("b", b"", 0))
    )


def test_limits_hold_at_n_and_n_plus_one() -> None:
    content = archive(("f", b"x" * 100, FILE))
    check_archive(content, zipped_limit=len(content), unzipped_limit=101)
    with pytest.raises(ServiceError) as zipped:
        check_archive(content, zipped_limit=len(content) - 1)
    assert (zipped.value.status, zipped.value.code) == (413, "RequestEntityTooLargeException")
    with pytest.raises(ServiceError, match="Unzipped size must be smaller than 100 bytes"):
        check_archive(content, unzipped_limit=100)


async def test_an_artifact_is_kept_once_under_its_digest(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    first, second = await store.put(b"abc"), await store.put(b"abc")
    assert first == second
    assert os.listdir(tmp_path) == [hashlib.sha256(b"abc").hexdigest()]
    assert first.code_sha256 == base64.b64encode(hashlib.sha256(b"abc").digest()).decode()
    assert await store.read(first.sha256) == b"abc"
    store.close()


async def test_only_old_artifacts_that_nobody_names_are_swept(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    kept, old, young = [await store.put(content) for content in (b"kept", b"old", b"young")]
    for artifact in (kept, old):
        os.utime(store.path(artifact.sha256), (time.time() - 7200,) * 2)
    assert await store.sweep({kept.sha256}) == 1
    assert set(os.listdir(tmp_path)) == {kept.sha256, young.sha256}
    store.close()


async def test_archives_in_use_by_a_function_or_a_version_are_never_swept(service: Service) -> None:
    await service.active()
    await service.call("publish_version", FunctionName="fn")
    await service.call("update_function_code", FunctionName="fn", ZipFile=zip_of("new"))
    await service.wait("function_updated_v2", FunctionName="fn")
    artifacts = service.backend.artifacts
    for content in (zip_of(), zip_of("new"), b"left over"):
        path = artifacts.path((await artifacts.put(content)).sha256)
        os.utime(path, (time.time() - 7200,) * 2)
    assert await ArtifactSweeper(service.backend.store, artifacts).sweep() == 1
    await service.call("delete_function", FunctionName="fn", Qualifier="1")
    assert (await service.call("invoke", FunctionName="fn"))["StatusCode"] == 200


class Bucket:
    async def get_object(self, bucket: str, key: str, *, version: str | None, region: str) -> bytes:
        if bucket != "code":
            raise AwsError("NoSuchBucket", "The specified bucket does not exist")
        if key != "fn.zip":
            raise AwsError("NoSuchKey", "The specified key does not exist.")
        return zip_of()


class Registry:
    async def resolve(self, uri: str) -> ResolvedImage:
        if uri.endswith(":none"):
            raise ImageMissing(uri)
        return ResolvedImage("sha256:" + "a" * 64)


def _after(moment: datetime, seconds: int) -> datetime:
    return moment + timedelta(seconds=seconds)


S3_ERROR = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"S3Bucket": "none", "S3Key": "fn.zip"},
            S3_ERROR.format("NoSuchBucket", "The specified bucket does not exist"),
        ),
        ({"S3Bucket": "code", "S3Key": "none"}, S3_ERROR.format("NoSuchKey", "The specified key does not exist.")),
        ({"ImageUri": "r/fn:none"}, "Source image r/fn:none does not exist. Provide a valid source image."),
    ],
    ids=["bucket", "key", "image"],
)
async def test_code_that_is_not_there_is_refused_in_the_words_of_aws(
    tmp_path: Path, source: dict[str, Any], message: str
) -> None:
    intake = CodeIntake(ArtifactStore(tmp_path), Bucket(), Registry())
    with pytest.raises(ServiceError) as caught:
        await intake.take(source, region="us-east-1")
    assert (caught.value.code, caught.value.message) == ("InvalidParameterValueException", message)


async def test_code_comes_from_a_bucket_or_a_registry(tmp_path: Path) -> None:
    intake = CodeIntake(ArtifactStore(tmp_path), Bucket(), Registry())
    zipped = await intake.take({"S3Bucket": "code", "S3Key": "fn.zip"}, region="us-east-1")
    assert zipped.code_sha256 == base64.b64encode(hashlib.sha256(zip_of()).digest()).decode()
    image = await intake.take({"ImageUri": "registry/fn:1"}, region="us-east-1")
    assert (image.code_sha256, image.size) == ("a" * 64, 0)


async def test_the_location_of_the_code_gives_the_bytes_as_uploaded(service: Service) -> None:
    await service.active()
    found = await service.call("get_function", FunctionName="fn")
    location = urlsplit(found["Code"]["Location"])
    downloads = Downloads(service.backend.artifacts, service.backend.download_secret)
    response = await downloads(Request("GET", f"{location.path}?{location.query}".encode(), []))
    assert (response.status, response.body) == (200, zip_of())


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda query: query, 200),
        (lambda query: query.replace("signature=", "signature=0"), 403),
        (lambda query: "", 403),
    ],
    ids=["whole", "forged", "unsigned"],
)
async def test_a_link_is_good_for_ten_minutes_and_only_whole(
    tmp_path: Path, spoil: Callable[[str], str], status: int
) -> None:
    store = ArtifactStore(tmp_path)
    artifact = await store.put(b"abc")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    query = spoil(signed_query(artifact.sha256, secret=b"s", now=now))
    request = Request("GET", f"/_lambent/artifacts/{artifact.sha256}?{query}".encode(), [])
    for age_s, expected in ((599, status), (601, 403)):
        downloads = Downloads(store, b"s", clock=partial(_after, now, age_s))
        assert (await downloads(request)).status == expected
    store.close()
