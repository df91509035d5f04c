"""The store on the disk."""

import threading

import pytest

from lambent.oci import ImageError
from lambent.oci.manifest import digest_of
from lambent.oci.reader import ImageReader
from lambent.oci.store import BlobStore


def test_a_store_opened_again_has_images_and_no_unfinished_uploads(store, manifest, tmp_path):
    store.put_manifest("a/b", manifest, "1")
    upload = store.begin_upload()
    again = BlobStore(tmp_path / "images")
    assert again.repositories() == ["a/b"]
    assert again.tags("a/b") == ["1"]
    assert again.resolve("a/b", "1") == manifest.digest
    assert again.upload_size(upload) is None


def test_a_repository_may_lie_below_another(store, manifest):
    for name in ("a", "a/b", "a/b/c"):
        store.put_manifest(name, manifest, "1")
    assert store.repositories() == ["a", "a/b", "a/b/c"]


@pytest.mark.parametrize("name", ["../x", "a/../b", "/a", "A", "a/_tags", ""])
def test_a_name_that_would_leave_the_store_is_refused(store, manifest, name):
    with pytest.raises(ImageError):
        store.put_manifest(name, manifest, "1")
    assert store.resolve(name, "1") is None


@pytest.mark.parametrize("target", ["../1", "a/b", "", "sha256:../x"])
def test_a_tag_that_would_leave_the_store_means_nothing(store, manifest, target):
    store.put_manifest("a", manifest, "1")
    assert store.resolve("a", target) is None


def test_a_sweep_takes_only_old_blobs_that_no_image_needs(store, manifest):
    store.put_manifest("a", manifest, "1")
    loose = store.put_blob(b"loose")
    modified = store.blob_path(loose).stat().st_mtime
    assert store.sweep(older_than_s=60, now=lambda: modified + 30) == 0
    assert store.sweep(older_than_s=60, now=lambda: modified + 3600) == 1
    assert store.blob_path(loose) is None
    ImageReader(store).resolve("a", "1")
    store.delete_manifest("a", manifest.digest)
    assert store.sweep(older_than_s=60, now=lambda: modified + 3600) == 3


def test_many_threads_may_unpack_one_image_at_once(store, manifest, tmp_path):
    reader = ImageReader(store)
    image = reader.image(manifest)
    errors: list[Exception] = []

    def unpack() -> None:
        try:
            reader.unpack(image, tmp_path / "rootfs" / "x")
        except Exception as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=unpack) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (tmp_path / "rootfs" / "x" / "var" / "task" / "app.py").is_file()
    assert [path.name for path in (tmp_path / "rootfs").iterdir()] == ["x"]


def test_an_image_that_cannot_be_unpacked_leaves_nothing(store, manifest, tmp_path):
    image = ImageReader(store).image(manifest)
    layer = store.blob_path(manifest.layers[0].digest)
    layer.write_bytes(layer.read_bytes()[:100])
    with pytest.raises(ImageError, match="broken"):
        ImageReader(store).unpack(image, tmp_path / "rootfs" / "x")
    assert list((tmp_path / "rootfs").iterdir()) == []


def test_a_missing_image_is_named(store):
    with pytest.raises(ImageError, match=r"there is no image a/b:1\.0"):
        ImageReader(store).resolve("a/b", "1.0")


def test_a_digest_is_that_of_the_bytes(store):
    assert store.put_blob(b"abc") == digest_of(b"abc")
