"""What an uploaded zip must look like before it is kept.

Names must stay inside the root, links too; no devices, no duplicates after normalisation, nothing encrypted, at most
100,000 entries and 262,144,000 bytes unpacked. The central directory is checked here; that entries unpack to no more
than they declare is the unpacker's part (`execution`), which counts while it streams.
Source: AWS Lambda quotas; zip rules of ours where AWS is silent.
"""

import io
import posixpath
import stat
import zipfile
from collections.abc import Iterable

from lambent.functions import messages

ZIPPED_LIMIT = 52_428_800
UNZIPPED_LIMIT = 262_144_000
_ENTRY_LIMIT = 100_000
_ENCRYPTED = 0x1
_LINK_TARGET_LIMIT = 4096


def check_archive(content: bytes, *, zipped_limit: int = ZIPPED_LIMIT, unzipped_limit: int = UNZIPPED_LIMIT) -> None:
    """Raises the `ServiceError` that AWS answers."""
    if len(content) > zipped_limit:
        raise messages.zipped_too_large(zipped_limit)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_entries(archive, unzipped_limit)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise messages.broken_archive() from None


def _check_entries(archive: zipfile.ZipFile, unzipped_limit: int) -> None:
    entries = archive.infolist()
    if len(entries) > _ENTRY_LIMIT or _has_duplicates(entry.filename for entry in entries):
        raise messages.broken_archive()
    if sum(entry.file_size for entry in entries) >= unzipped_limit:
        raise messages.unzipped_too_large(unzipped_limit)
    for entry in entries:
        if not _is_acceptable(archive, entry):
            raise messages.broken_archive()


def _has_duplicates(names: Iterable[str]) -> bool:
    normal = [posixpath.normpath(name) for name in names]
    return len(set(normal)) < len(normal)


def _is_acceptable(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    if entry.flag_bits & _ENCRYPTED or not _stays_inside(entry.filename):
        return False
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return entry.file_size <= _LINK_TARGET_LIMIT and _link_stays_inside(archive, entry)
    return kind in (0, stat.S_IFREG, stat.S_IFDIR)


def _stays_inside(name: str) -> bool:
    has_drive = len(name) > 1 and name[1] == ":"
    parts = name.replace("\\", "/").split("/")
    return bool(name) and not name.startswith(("/", "\\")) and "\0" not in name and ".." not in parts and not has_drive


def _link_stays_inside(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    target = archive.read(entry).decode("utf-8", "replace")
    if target.startswith("/") or "\0" in target:
        return False
    return not posixpath.normpath(posixpath.join(posixpath.dirname(entry.filename), target)).startswith("..")
