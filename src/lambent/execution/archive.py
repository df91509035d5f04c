"""Unpacking of uploaded zip archives: hostile ones are harmless, complete ones appear at once.

Plan first: `plan_archive` judges every entry (path, kind, mode, size) without writing; then `unpack` writes the plan
into a new private directory next to the target and renames it when all is well. Nothing outside can be written:

* paths are relative, without `..`, backslash, drive or NUL, and no entry lies below another that is not a directory;
* files are created exclusively, and symbolic links only after all files, so no write passes through a link;
* links must resolve inside, checked on the real tree before publishing;
* bytes are counted as they come out, never believed from headers.

Source: AWS Lambda API reference, "CreateFunction" (messages); AWS Lambda developer guide, "Lambda quotas".
"""

import logging
import os
import secrets
import shutil
import stat
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lambent.execution.errors import CodeError
from lambent.execution.settings import ArchiveLimits
from lambent.execution.zipdirectory import STORED, BadArchive, Member, data_offset, read_members

log = logging.getLogger(__name__)

_UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again."
_CHUNK = 64 * 1024
_LINK_BYTES = 4_096
_COMPONENT_BYTES = 255
_PERMISSIONS = 0o755


@dataclass(frozen=True, slots=True)
class Entry:
    """What one member becomes: `kind` is "file", "directory" or "link"; `mode` its permissions."""

    path: str
    kind: str
    mode: int
    member: Member


def plan_archive(file: BinaryIO, limits: ArchiveLimits) -> list[Entry]:
    """Judges an archive without writing anything; raises `CodeError`."""
    size = file.seek(0, os.SEEK_END)
    if size > limits.zipped_bytes:
        raise CodeError(
            "InvalidZipFileException", f"Request must be smaller than {limits.zipped_bytes} bytes", status=413
        )
    try:
        members = read_members(file, size=size, max_entries=limits.entries)
        _check_total(sum(member.unpacked_bytes for member in members), limits)
        entries = [entry for entry in (_entry(member, limits) for member in members) if entry is not None]
        _check_tree(entries)
    except BadArchive as error:
        raise _refused(error) from error
    return entries


def unpack(archive: Path, target: Path, limits: ArchiveLimits) -> None:
    """Unpacks into `target`, which appears complete or not at all; an existing one is kept. Blocking."""
    if target.exists():
        return
    staging = target.with_name(f".unpacking-{secrets.token_hex(8)}")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging.mkdir(mode=0o700)
    try:
        with archive.open("rb") as file:
            _write(file, plan_archive(file, limits), staging, limits)
        staging.chmod(_PERMISSIONS)
        _publish(staging, target)
    except (BadArchive, zlib.error) as error:
        raise _refused(error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _refused(error: Exception) -> CodeError:
    log.info("an archive was refused: %s", error)
    return CodeError("InvalidZipFileException", _UNREADABLE)


def _publish(staging: Path, target: Path) -> None:
    try:
        staging.rename(target)
    except OSError:
        # Someone else unpacked the same archive meanwhile; theirs is as good.
        if not target.is_dir():
            raise


def _check_total(total_bytes: int, limits: ArchiveLimits) -> None:
    if total_bytes > limits.unzipped_bytes:
        raise CodeError("InvalidZipFileException", f"Unzipped size must be smaller than {limits.unzipped_bytes} bytes")


# --- judging


def _entry(member: Member, limits: ArchiveLimits) -> Entry | None:
    text = _decode(member)
    is_directory = text.endswith("/") or stat.S_ISDIR(member.mode)
    path = _clean_path(text, limits)
    kind = _kind(member.mode, is_directory)
    if kind == "directory" and member.unpacked_bytes:
        raise BadArchive("a directory with data")
    if kind == "link" and member.unpacked_bytes > _LINK_BYTES:
        raise BadArchive("a link that is too long")
    if not path:
        if kind == "directory":
            return None
        raise BadArchive("an entry without a name")
    return Entry(path, kind, _mode(member.mode, kind), member)


def _decode(member: Member) -> str:
    try:
        return member.name.decode("utf-8" if member.is_utf8 else "cp437")
    except UnicodeDecodeError:
        raise BadArchive("a name that is no UTF-8") from None


def _clean_path(text: str, limits: ArchiveLimits) -> str:
    if "\0" in text or "\\" in text:
        raise BadArchive("a name with NUL or backslash")
    if text.startswith("/") or (len(text) > 1 and text[1] == ":" and text[0].isalpha()):
        raise BadArchive("an absolute name")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise BadArchive("a name with ..")
    path = "/".join(parts)
    if len(path.encode()) > limits.name_bytes or any(len(part.encode()) > _COMPONENT_BYTES for part in parts):
        raise BadArchive("a name that is too long")
    return path


def _kind(mode: int, is_directory: bool) -> str:
    file_type = stat.S_IFMT(mode)
    if file_type == stat.S_IFLNK and not is_directory:
        return "link"
    if file_type not in (0, stat.S_IFREG, stat.S_IFDIR) or (file_type == stat.S_IFREG and is_directory):
        raise BadArchive("an entry that is neither file, directory nor link")
    return "directory" if is_directory else "file"


def _mode(mode: int, kind: str) -> int:
    permissions = stat.S_IMODE(mode) & _PERMISSIONS
    if kind == "directory":
        # Ours must stay able to fill and to remove it.
        return (permissions or _PERMISSIONS) | 0o700
    return permissions or 0o644


def _check_tree(entries: list[Entry]) -> None:
    """No path twice (composed and decomposed Unicode count as one), nothing below a file or link."""
    kinds: dict[str, str] = {}
    for entry in entries:
        key = unicodedata.normalize("NFC", entry.path)
        if key in kinds:
            raise BadArchive("a name twice")
        kinds[key] = entry.kind
    for key in kinds:
        parent = key.rpartition("/")[0]
        while parent:
            if kinds.get(parent, "directory") != "directory":
                raise BadArchive("an entry below a file or link")
            parent = parent.rpartition("/")[0]


# --- writing


def _write(file: BinaryIO, entries: list[Entry], root: Path, limits: ArchiveLimits) -> None:
    budget = _Budget(limits)
    for entry in entries:
        if entry.kind == "directory":
            _make_directory(root, entry.path).chmod(entry.mode)
        elif entry.kind == "file":
            _write_file(file, entry, root, budget)
    links = [entry for entry in entries if entry.kind == "link"]
    for entry in links:
        _write_link(file, entry, root, budget)
    inside = os.path.realpath(root)
    for entry in links:
        if os.path.commonpath([inside, os.path.realpath(root / entry.path)]) != inside:
            raise BadArchive("a link that leaves the archive")


class _Budget:
    """Bytes that may still come out."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._used = 0

    def take(self, count: int) -> None:
        self._used += count
        _check_total(self._used, self._limits)


def _make_directory(root: Path, path: str) -> Path:
    directory = root / path
    directory.mkdir(mode=_PERMISSIONS, parents=True, exist_ok=True)
    return directory


def _write_file(file: BinaryIO, entry: Entry, root: Path, budget: _Budget) -> None:
    _make_directory(root, entry.path.rpartition("/")[0])
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(root / entry.path, flags, 0o600), "wb") as out:
        for data in _contents(file, entry.member, budget):
            out.write(data)
        os.fchmod(out.fileno(), entry.mode)


def _write_link(file: BinaryIO, entry: Entry, root: Path, budget: _Budget) -> None:
    target = b"".join(_contents(file, entry.member, budget))
    if not target or b"\0" in target or target.startswith(b"/"):
        raise BadArchive("a link to an absolute or empty path")
    _make_directory(root, entry.path.rpartition("/")[0])
    os.symlink(target, os.fsencode(root / entry.path))


def _contents(file: BinaryIO, member: Member, budget: _Budget) -> Iterator[bytes]:
    """The member's bytes in pieces; size and checksum must be the declared ones."""
    file.seek(data_offset(file, member))
    pieces = _packed(file, member) if member.method == STORED else _inflate(_packed(file, member))
    size, crc = 0, 0
    for data in pieces:
        size += len(data)
        if size > member.unpacked_bytes:
            raise BadArchive("an entry is longer than declared")
        budget.take(len(data))
        crc = zlib.crc32(data, crc)
        yield data
    if size != member.unpacked_bytes or crc != member.crc:
        raise BadArchive("an entry has another size or checksum than declared")


def _packed(file: BinaryIO, member: Member) -> Iterator[bytes]:
    left = member.packed_bytes
    while left:
        data = file.read(min(left, _CHUNK))
        if not data:
            raise BadArchive("an entry is cut short")
        left -= len(data)
        yield data


def _inflate(packed: Iterator[bytes]) -> Iterator[bytes]:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    for data in packed:
        is_behind = stream.eof
        while data and not stream.eof:
            yield stream.decompress(data, _CHUNK)
            data = stream.unconsumed_tail
        if is_behind or stream.unused_data:
            raise BadArchive("data behind the end of an entry")
    while not stream.eof:
        rest = stream.decompress(b"", _CHUNK)
        if not rest:
            raise BadArchive("an entry is cut short")
        yield rest
