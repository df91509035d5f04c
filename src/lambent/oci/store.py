"""The image store: blobs by their sha256, and per repository its manifests and tags, as files.

    blobs/sha256/<hex>                      content, shared by all repositories
    uploads/<id>                            unfinished uploads; cleared when the store is opened
    repositories/<name>/_manifests/<hex>    holds the media type; the content is a blob
    repositories/<name>/_tags/<tag>         holds a digest

Every file appears whole, by a rename within the store's directory, so a crash leaves at most an upload. A repository's
name may have parts (`a/b`); `_` begins no part of a name, so the two folders cannot clash with one.
Not here: the distribution protocol (`oci.registry`). All methods block on the disk.
"""

import hashlib
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from lambent.oci.errors import ImageError
from lambent.oci.manifest import Manifest, digest_of, is_digest, parse
from lambent.oci.reference import is_repository, is_tag

_CHUNK = 1024 * 1024


class BlobStore:
    """One process at a time; its threads may share an instance."""

    def __init__(self, directory: Path) -> None:
        self._blobs = directory / "blobs" / "sha256"
        self._uploads = directory / "uploads"
        self._repositories = directory / "repositories"
        self._lock = threading.Lock()
        shutil.rmtree(self._uploads, ignore_errors=True)
        for folder in (self._blobs, self._uploads, self._repositories):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    # --- blobs

    def blob_path(self, digest: str) -> Path | None:
        """Where a blob's file is, or None."""
        if not is_digest(digest):
            return None
        path = self._blobs / digest[7:]
        return path if path.is_file() else None

    def open_blob(self, digest: str) -> BinaryIO:
        """Raises ImageError when it is not there."""
        path = self.blob_path(digest)
        if path is None:
            raise ImageError(f"the image store has no blob {digest[:80]}")
        return path.open("rb")

    def read_blob(self, digest: str, *, limit: int = 16 * _CHUNK) -> bytes:
        """A small blob whole; ImageError when it is missing or larger than `limit` bytes."""
        with self.open_blob(digest) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise ImageError(f"blob {digest} is larger than {limit} bytes")
        return data

    def put_blob(self, data: bytes) -> str:
        """Stores bytes; gives their digest."""
        digest = digest_of(data)
        if self.blob_path(digest) is None:
            upload = self.begin_upload()
            self.append_upload(upload, data)
            self.finish_upload(upload, digest)
        return digest

    # --- uploads

    def begin_upload(self) -> str:
        upload = uuid.uuid4().hex
        (self._uploads / upload).touch(0o600)
        return upload

    def upload_size(self, upload: str) -> int | None:
        """Bytes received so far, or None when there is no such upload."""
        path = self._upload_path(upload)
        return path.stat().st_size if path is not None else None

    def append_upload(self, upload: str, data: bytes) -> int:
        """Adds bytes; gives the new size. Raises KeyError for an unknown upload."""
        path = self._upload_path(upload)
        if path is None:
            raise KeyError(upload)
        with path.open("ab") as file:
            file.write(data)
            return file.tell()

    def finish_upload(self, upload: str, digest: str) -> None:
        """Publishes the upload as a blob. Raises KeyError for an unknown upload, ValueError when its content has
        another digest (the upload is gone then)."""
        path = self._upload_path(upload)
        if path is None:
            raise KeyError(upload)
        found = f"sha256:{_hash_file(path)}"
        if found != digest:
            path.unlink()
            raise ValueError(f"the content's digest is {found}")
        _publish(path, self._blobs / digest[7:])

    def cancel_upload(self, upload: str) -> bool:
        path = self._upload_path(upload)
        if path is not None:
            path.unlink(missing_ok=True)
        return path is not None

    def _upload_path(self, upload: str) -> Path | None:
        # Ids come from the wire: only names that this store could have given are looked up.
        if len(upload) != 32 or not upload.isalnum():
            return None
        path = self._uploads / upload
        return path if path.is_file() else None

    # --- repositories

    def create_repository(self, name: str) -> None:
        for folder in ("_manifests", "_tags"):
            (self._repositories / name / folder).mkdir(parents=True, exist_ok=True, mode=0o700)

    def has_repository(self, name: str) -> bool:
        return is_repository(name) and (self._repositories / name / "_manifests").is_dir()

    def repositories(self) -> list[str]:
        """All names, sorted."""
        found = self._repositories.glob("**/_manifests")
        return sorted(str(path.parent.relative_to(self._repositories)) for path in found)

    def tags(self, name: str) -> list[str]:
        return sorted(_names(self._repositories / name / "_tags"))

    def digests(self, name: str) -> list[str]:
        return [f"sha256:{digest}" for digest in sorted(_names(self._repositories / name / "_manifests"))]

    def put_manifest(self, name: str, manifest: Manifest, tag: str = "") -> str:
        """Stores a manifest in a repository, made when missing, and points the tag at it. Raises ImageError for names
        that cannot be."""
        if not is_repository(name) or (tag and not is_tag(tag)):
            raise ImageError(f"{name[:200]}:{tag[:200]} is not a name of an image")
        digest = self.put_blob(manifest.content)
        with self._lock:
            self.create_repository(name)
            self._write(self._repositories / name / "_manifests" / digest[7:], manifest.media_type)
            if tag:
                self._write(self._repositories / name / "_tags" / tag, digest)
        return digest

    def resolve(self, name: str, target: str) -> str | None:
        """The digest that a tag or digest means in a repository, or None."""
        if not is_repository(name):
            return None
        if is_digest(target):
            return target if (self._repositories / name / "_manifests" / target[7:]).is_file() else None
        return _read(self._repositories / name / "_tags" / target) if is_tag(target) else None

    def manifest(self, name: str, target: str) -> Manifest | None:
        """By tag or digest."""
        digest = self.resolve(name, target)
        if digest is None:
            return None
        media_type = _read(self._repositories / name / "_manifests" / digest[7:])
        return parse(self.read_blob(digest), media_type or "") if media_type else None

    def delete_tag(self, name: str, tag: str) -> bool:
        return _remove(self._repositories / name / "_tags" / tag)

    def delete_manifest(self, name: str, digest: str) -> bool:
        """Takes a manifest and its tags out of a repository; blobs stay until `sweep`."""
        with self._lock:
            for tag in self.tags(name):
                if self.resolve(name, tag) == digest:
                    self.delete_tag(name, tag)
            return is_digest(digest) and _remove(self._repositories / name / "_manifests" / digest[7:])

    # --- garbage

    def sweep(self, *, older_than_s: float, now: Callable[[], float]) -> int:
        """Deletes blobs that no manifest reaches and that are older than this (an image's blobs come before its
        manifest); gives how many. `now` is wall-clock seconds, as file times are."""
        used = {
            digest[7:] for name in self.repositories() for d in self.digests(name) for digest in self._reached(name, d)
        }
        count = 0
        for path in list(self._blobs.iterdir()):
            if path.name not in used and now() - path.stat().st_mtime > older_than_s:
                path.unlink(missing_ok=True)
                count += 1
        return count

    def _reached(self, name: str, digest: str) -> Iterator[str]:
        manifest = self.manifest(name, digest)
        if manifest is not None:
            yield digest
            yield from (d.digest for d in (*manifest.layers, *manifest.manifests))
            if manifest.config is not None:
                yield manifest.config.digest

    def _write(self, path: Path, text: str) -> None:
        draft = self._uploads / uuid.uuid4().hex
        draft.write_text(text)
        _publish(draft, path)


def _publish(draft: Path, path: Path) -> None:
    """Makes a finished file appear under its name, on the disk before in the folder."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
