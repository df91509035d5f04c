"""Reading the directory of a zip file that nobody vouches for.

Own reader instead of the standard library's, because every disagreement between the records is an attack and must be
an error: end record, zip64 records, central directory and local headers have to tell the same, data ranges must lie
before the directory and must not overlap, and the number of entries is bounded *before* they become objects.

Gives `Member`s; names, modes and contents are judged by `execution.archive`. Source: PKWARE APPNOTE 6.3.10,
sections 4.3 and 4.4.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import BinaryIO

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED = 1 | 1 << 6 | 1 << 13
_UTF8 = 1 << 11
_DESCRIPTOR = 1 << 3
_ZIP64_EXTRA = 1
_UNIX_HOSTS = (3, 19)
STORED, DEFLATED = 0, 8


class BadArchive(Exception):
    """The archive breaks a rule; the text says which, never with contents."""


class TooManyEntries(BadArchive):
    """More entries than allowed."""


@dataclass(frozen=True, slots=True)
class Member:
    """One entry as all records agree on it; `mode` is the Unix mode or 0 when the archive states none."""

    name: bytes
    is_utf8: bool
    method: int
    crc: int
    packed_bytes: int
    unpacked_bytes: int
    header_at: int
    mode: int


@dataclass(frozen=True, slots=True)
class _Directory:
    begins: int
    size: int
    count: int
    base: int


def read_members(file: BinaryIO, *, size: int, max_entries: int) -> list[Member]:
    """All entries in the order of the directory; raises `BadArchive`."""
    directory = _find_directory(file, size)
    if directory.count > max_entries:
        raise TooManyEntries(f"more than {max_entries} entries")
    members = list(_central(file, directory))
    _check_ranges(members, directory.begins)
    return members


def data_offset(file: BinaryIO, member: Member) -> int:
    """Where the member's data begins, after its local header was compared with the directory."""
    file.seek(member.header_at)
    raw = file.read(_LOCAL.size)
    if len(raw) < _LOCAL.size:
        raise BadArchive("a local header is cut short")
    sign, _, flags, method, _, _, crc, packed, unpacked = _LOCAL.unpack(raw)[:9]
    name_size: int = _LOCAL.unpack(raw)[9]
    extra_size: int = _LOCAL.unpack(raw)[10]
    if sign != b"PK\x03\x04" or method != member.method or flags & _ENCRYPTED:
        raise BadArchive("a local header contradicts the directory")
    if file.read(name_size) != member.name:
        raise BadArchive("a local header has another name than the directory")
    if not flags & _DESCRIPTOR:
        packed, unpacked, _ = _zip64(file.read(extra_size), packed, unpacked, 0)
        if (crc, packed, unpacked) != (member.crc, member.packed_bytes, member.unpacked_bytes):
            raise BadArchive("a local header has other sizes than the directory")
    return member.header_at + _LOCAL.size + name_size + extra_size


# --- end records


def _find_directory(file: BinaryIO, size: int) -> _Directory:
    tail_size = min(size, _END.size + _MAX_16)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise BadArchive("no end record")
    _, disk, first_disk, here, count, length, offset, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise BadArchive("data behind the end record")
    if (disk, first_disk) != (0, 0) or here != count:
        raise BadArchive("split over several disks")
    end_at = size - tail_size + at
    if _MAX_16 in (count,) or _MAX_32 in (length, offset):
        count, length, offset, end_at = _end64(file, end_at, (count, length, offset))
    base = end_at - length - offset
    if base < 0:
        raise BadArchive("the directory does not fit in the file")
    return _Directory(offset + base, length, count, base)


def _end64(file: BinaryIO, end_at: int, short: tuple[int, int, int]) -> tuple[int, int, int, int]:
    locator_at = end_at - _END64_LOCATOR.size
    if locator_at < 0:
        raise BadArchive("no zip64 record")
    file.seek(locator_at)
    sign, disk, record_at, disks = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
    if sign != b"PK\x06\x07" or disk != 0 or disks > 1 or record_at + _END64.size > locator_at:
        raise BadArchive("no zip64 record")
    file.seek(record_at)
    sign, _, _, _, disk, first_disk, here, count, length, offset = _END64.unpack(file.read(_END64.size))
    if sign != b"PK\x06\x06" or (disk, first_disk) != (0, 0) or here != count:
        raise BadArchive("the zip64 record is wrong")
    for full, brief, unknown in zip((count, length, offset), short, (_MAX_16, _MAX_32, _MAX_32), strict=True):
        if brief not in (unknown, full):
            raise BadArchive("the zip64 record contradicts the end record")
    return count, length, offset, record_at


# --- central directory


def _central(file: BinaryIO, directory: _Directory) -> Iterator[Member]:
    file.seek(directory.begins)
    left = directory.size
    for _ in range(directory.count):
        member, used = _entry(file, directory.base, left)
        left -= used
        yield member
    if left:
        raise BadArchive("the directory is longer than its entries")


def _entry(file: BinaryIO, base: int, left: int) -> tuple[Member, int]:
    if left < _CENTRAL.size:
        raise BadArchive("the directory is shorter than its entries")
    fields = _CENTRAL.unpack(file.read(_CENTRAL.size))
    sign, made_by, _, flags, method, _, _, crc, packed, unpacked = fields[:10]
    name_size, extra_size, comment_size, disk, _, attributes, offset = fields[10:]
    used = _CENTRAL.size + name_size + extra_size + comment_size
    if sign != b"PK\x01\x02" or used > left or disk not in (0, _MAX_16):
        raise BadArchive("an entry of the directory is wrong")
    if flags & _ENCRYPTED:
        raise BadArchive("an entry is encrypted")
    if method not in (STORED, DEFLATED):
        raise BadArchive("an entry has a compression method other than stored or deflate")
    name, extra = file.read(name_size), file.read(extra_size)
    file.seek(comment_size, 1)
    packed, unpacked, offset = _zip64(extra, packed, unpacked, offset)
    if method == STORED and packed != unpacked:
        raise BadArchive("a stored entry has two sizes")
    mode = attributes >> 16 if made_by >> 8 in _UNIX_HOSTS else 0
    return Member(name, bool(flags & _UTF8), method, crc, packed, unpacked, base + offset, mode), used


def _zip64(extra: bytes, packed: int, unpacked: int, offset: int) -> tuple[int, int, int]:
    """Fills fields that say "see the zip64 extra"; a needed value that is not there is an error."""
    values = _zip64_values(extra)
    filled = []
    for value in (unpacked, packed, offset):
        if value == _MAX_32:
            if not values:
                raise BadArchive("a zip64 value is missing")
            value = values.pop(0)
        filled.append(value)
    return filled[1], filled[0], filled[2]


def _zip64_values(extra: bytes) -> list[int]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if at + 4 + length > len(extra):
            raise BadArchive("an extra field is cut short")
        if kind == _ZIP64_EXTRA:
            body = extra[at + 4 : at + 4 + length // 8 * 8]
            return [value for (value,) in struct.iter_unpack("<Q", body)]
        at += 4 + length
    return []


def _check_ranges(members: list[Member], directory_at: int) -> None:
    """No entry may reach into the next one or into the directory: overlaps multiply data (zip bombs)."""
    ordered = sorted(members, key=lambda each: each.header_at)
    for member, following in zip_longest(ordered, ordered[1:]):
        limit = following.header_at if following else directory_at
        if member.header_at + _LOCAL.size + len(member.name) + member.packed_bytes > limit:
            raise BadArchive("entries overlap")
