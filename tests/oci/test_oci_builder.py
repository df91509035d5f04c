"""Building images, and the way there and back through an archive."""

import os
import shutil

import pytest

from lambent.oci import ImageError
from lambent.oci.archive import read_archive, write_archive
from lambent.oci.builder import Base, ImageSettings, build_image
from lambent.oci.reader import ImageReader
from lambent.oci.store import BlobStore


def test_equal_files_give_an_equal_image_whatever_their_times_and_umask(store, source, manifest, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(source, copy, symlinks=True)
    for path in copy.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1, 1))
            path.chmod(0o700 if path.is_dir() or path.name == "bootstrap" else 0o600)
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "app.pyc").write_bytes(b"x")
    again = build_image(copy, settings=ImageSettings(command=["app.handler"]), store=BlobStore(tmp_path / "other"))
    assert again.digest == manifest.digest


def test_one_changed_byte_changes_the_image(store, source, manifest):
    (source / "pkg" / "data.txt").write_text("Data")
    assert build_image(source, settings=ImageSettings(command=["app.handler"]), store=store).digest != manifest.digest


def test_an_image_is_read_as_it_was_built(store, source, tmp_path):
    settings = ImageSettings(
        command=["app.handler"], entrypoint=["python3", "-m", "awslambdaric"], environment={"A": "1", "B": "x=y"}
    )
    manifest = build_image(source, settings=settings, store=store)
    store.put_manifest("my/image", manifest, "1.0")
    image = ImageReader(store).resolve("my/image", "1.0")
    assert image.digest == manifest.digest
    assert image.command == ("app.handler",)
    assert image.entrypoint == ("python3", "-m", "awslambdaric")
    assert image.environment == {"A": "1", "B": "x=y"}
    assert image.working_directory == "/var/task"
    ImageReader(store).unpack(image, tmp_path / "root")
    task = tmp_path / "root" / "var" / "task"
    assert (task / "app.py").read_text().startswith("def handler")
    assert (task / "bootstrap").stat().st_mode & 0o777 == 0o755
    assert (task / "app.py").stat().st_mode & 0o777 == 0o644
    assert (task / "link").read_text() == "data"


def test_a_base_comes_first_and_its_settings_stay_where_nothing_is_said(store, source, tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    (below / "app.py").write_text("old")
    (below / "base.txt").write_text("base")
    first = build_image(
        below,
        settings=ImageSettings(entrypoint=["/entry"], environment={"A": "base", "B": "base"}, architecture="arm64"),
        store=store,
    )
    reader = ImageReader(store)
    base = Base(first, reader.config(first))
    second = build_image(
        source, settings=ImageSettings(command=["app.handler"], environment={"A": "new"}), store=store, base=base
    )
    image = reader.image(second)
    assert (image.entrypoint, image.architecture) == (("/entry",), "arm64")
    assert image.environment == {"A": "new", "B": "base"}
    reader.unpack(image, tmp_path / "root")
    task = tmp_path / "root" / "var" / "task"
    assert (task / "base.txt").read_text() == "base"
    assert (task / "app.py").read_text().startswith("def handler")


def test_a_source_that_is_no_directory_is_refused(store, tmp_path):
    with pytest.raises(ImageError, match="is not a directory"):
        build_image(tmp_path / "absent", settings=ImageSettings(), store=store)


def test_an_archive_carries_an_image_to_another_store(store, manifest, tmp_path):
    write_archive(manifest, store, tmp_path / "image.tar", tag="my-image:1.0")
    write_archive(manifest, store, tmp_path / "again.tar", tag="my-image:1.0")
    assert (tmp_path / "image.tar").read_bytes() == (tmp_path / "again.tar").read_bytes()
    other = BlobStore(tmp_path / "other")
    taken = read_archive(tmp_path / "image.tar", other)
    assert taken.digest == manifest.digest
    ImageReader(other).unpack(ImageReader(other).image(taken), tmp_path / "root")
    assert (tmp_path / "root" / "var" / "task" / "app.py").is_file()


def test_a_file_that_is_no_archive_is_refused(store, tmp_path):
    (tmp_path / "x.tar").write_bytes(b"no archive" * 1000)
    with pytest.raises(ImageError, match="is no OCI archive"):
        read_archive(tmp_path / "x.tar", store)
