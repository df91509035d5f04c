"""Applying an image's layers to a directory: files, links, whiteouts; hostile archives do no harm.

Everything is counted before it is written, so neither a bomb nor a wrong header passes the limits. Owners are not
kept, set-user-id bits are dropped, devices and FIFOs are left out (an unprivileged process can
neither make nor use them).
Source: OCI image specification 1.1, "Image Layer Filesystem Changeset".
"""

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Self, cast

from lambent.oci.errors import ImageError
from lambent.oci.rooted import Rooted, checked_parts, remove

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_GZIP_MAGIC = b"\x1f\x8b"
_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_EXTENDED_LIMIT = 1024 * 1024
"""Bytes of a header that holds long names or attributes; tarfile reads it into memory whole."""
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """For all layers of an image together. AWS allows images of 10 GB."""

    bytes: int = 10 * 1024**3
    entries: int = 500_000


class LayerWriter:
    """Writes layers into an empty directory, in order. `skipped` counts devices and FIFOs."""

    def __init__(self, root: Path, limits: UnpackLimits | None = None) -> None:
        self._rooted = Rooted(root)
        self._root = root
        self._limits = limits or UnpackLimits()
        self._bytes = 0
        self._entries = 0
        self._own: set[Path] = set()
        self._above_own: set[Path] = set()
        self.skipped = 0

    def apply(self, layer: BinaryIO, *, diff_id: str = "") -> None:
        """One layer: a tar, plain or gzip. Raises ImageError when it is broken, too large, hostile, or its
        uncompressed content is not what `diff_id` says."""
        self._own, self._above_own = set(), set()
        # Besides the files' bytes: a header block and padding for each entry, and extended headers.
        plain = _Hashed(_decompressed(layer), limit=self._limits.bytes + self._limits.entries * 2048)
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", plain), mode="r|", tarinfo=_Entry) as tar:
                for entry in tar:
                    self._write(tar, entry)
            plain.drain()
        except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, UnicodeError) as error:
            raise ImageError(f"a layer of the image is broken: {error}") from error
        if diff_id and plain.digest != diff_id:
            raise ImageError(f"a layer's content has the digest {plain.digest}, but the config says {diff_id}")

    def _write(self, tar: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        self._entries += 1
        self._bytes += entry.size if entry.isreg() else 0
        if self._entries > self._limits.entries or self._bytes > self._limits.bytes:
            limits = f"{self._limits.entries} entries and {self._limits.bytes} bytes"
            raise ImageError(f"the image has more than {limits} unpacked")
        if not entry.name.strip("./"):
            return  # the root itself
        name = checked_parts(entry.name)[-1]
        place = self._rooted.place(entry.name)
        if name == _OPAQUE:
            self._clear(place.parent)
        elif name.startswith(_WHITEOUT):
            self._remove_lower(place.with_name(name[len(_WHITEOUT) :] or _WHITEOUT))
        else:
            self._kind(entry)(tar, entry, place)
            self._mark_own(place)

    def _mark_own(self, place: Path) -> None:
        self._own.add(place)
        for parent in place.parents:
            if parent in self._above_own or parent == self._root:
                break
            self._above_own.add(parent)

    def _kind(self, entry: tarfile.TarInfo) -> "_Write":
        if entry.isdir():
            return self._directory
        if entry.isreg():
            return self._file
        if entry.issym():
            return self._symlink
        if entry.islnk():
            return self._hard_link
        return self._skip

    def _directory(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
        if place.is_symlink() or not place.is_dir():
            remove(place)
            place.mkdir()
        # We must be able to write below it and to delete it.
        place.chmod(entry.mode & 0o755 | 0o700)

    def _file(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
        source = tar.extractfile(entry)
        remove(place)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(place, flags, 0o600), "wb") as file:
            if source is not None:
                shutil.copyfileobj(source, file, 1024 * 1024)
            os.fchmod(file.fileno(), entry.mode & 0o755 | 0o400)

    def _symlink(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
        if not entry.linkname or "\0" in entry.linkname:
            raise ImageError(f"the image has a link without a target: {entry.name[:200]!r}")
        remove(place)
        place.symlink_to(self._rooted.link_target(place, entry.linkname))

    def _hard_link(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
        source = self._rooted.place(entry.linkname)
        if source.is_symlink() or not source.is_file():
            raise ImageError(f"the image has a hard link to what is no file: {entry.name[:200]!r}")
        if source != place:
            remove(place)
            os.link(source, place, follow_symlinks=False)

    def _skip(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
        self.skipped += 1

    # --- whiteouts: they hide what lower layers brought, never what this layer brings

    def _clear(self, folder: Path) -> None:
        for child in list(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []:
            self._remove_lower(child)

    def _remove_lower(self, path: Path) -> None:
        if path in self._above_own:
            self._clear(path)
        elif path not in self._own:
            remove(path)


_Write = Callable[[tarfile.TarFile, tarfile.TarInfo, Path], None]


class _Entry(tarfile.TarInfo):
    """Refuses headers that would make tarfile read without bound or count backwards."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        entry = super().frombuf(buf, encoding, errors)
        if entry.size < 0 or (entry.type in _EXTENDED and entry.size > _EXTENDED_LIMIT):
            raise ImageError("a layer of the image has a header with an impossible size")
        return entry


class _Hashed:
    """A stream that hashes and counts what is read from it."""

    def __init__(self, source: Any, *, limit: int) -> None:
        self._source = source
        self._left = limit
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._source.read(size)
        self._hash.update(data)
        self._left -= len(data)
        if self._left < 0:
            raise ImageError("the image is too large unpacked")
        return data

    def drain(self) -> None:
        """The padding behind the archive's end belongs to the layer's content."""
        while self.read(1024 * 1024):
            pass

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _decompressed(layer: BinaryIO) -> Any:
    magic = layer.read(4)
    layer.seek(0)
    if magic.startswith(_GZIP_MAGIC):
        return gzip.GzipFile(fileobj=layer, mode="rb")
    if magic == _ZSTD_MAGIC:
        raise ImageError("the image has a layer compressed with zstd, which is not supported: rebuild it with gzip")
    return layer
