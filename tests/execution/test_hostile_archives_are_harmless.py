"""The corpus of hostile and odd zip archives: each is refused, or unpacks to exactly what it should; never outside.

`forge` writes archives record by record, so that every field can lie.
"""

import os
import random
import stat
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lambent.execution.archive import unpack
from lambent.execution.errors import CodeError
from lambent.execution.settings import ArchiveLimits

LINK, DIRECTORY, FILE = stat.S_IFLNK | 0o777, stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644
SMALL = ArchiveLimits(zipped_bytes=1 << 20, unzipped_bytes=1 << 20, entries=200)


def deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


@dataclass
class Entry:
    """One member; what is None is told truly."""

    name: bytes
    data: bytes = b""
    mode: int | None = FILE
    method: int = 0
    flags: int = 1 << 11
    host: int = 3
    packed: bytes | None = None
    crc: int | None = None
    packed_size: int | None = None
    size: int | None = None
    extra: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    offset: int | None = None
    disk: int = 0

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflate(self.data) if self.method == 8 else self.data

    def values(self) -> dict[str, Any]:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        packed = len(self.body()) if self.packed_size is None else self.packed_size
        size = len(self.data) if self.size is None else self.size
        return {"name": self.name, "method": self.method, "flags": self.flags, "crc": crc, "packed": packed,
                "size": size, "extra": self.extra, "sign": b"PK\x03\x04"}  # fmt: skip

    def local_record(self) -> bytes:
        told = {**self.values(), **self.local}
        head = struct.pack(
            "<4s5H3L2H", told["sign"], 20, told["flags"], told["method"], 0, 0, told["crc"], told["packed"],
            told["size"], len(told["name"]), len(told["extra"]),
        )  # fmt: skip
        return bytes(head + told["name"] + told["extra"] + self.body())

    def central_record(self, at: int) -> bytes:
        told = self.values()
        attributes = (self.mode or 0) << 16
        head = struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", self.host << 8 | 20, 20, told["flags"], told["method"], 0, 0, told["crc"],
            told["packed"], told["size"], len(self.name), len(self.extra), 0, self.disk, 0, attributes,
            at if self.offset is None else self.offset,
        )  # fmt: skip
        return head + self.name + self.extra


def forge(*entries: Entry, prefix: bytes = b"", suffix: bytes = b"", zip64: dict | None = None, **end: int) -> bytes:
    out, places = bytearray(prefix), []
    for entry in entries:
        places.append(len(out))
        out += entry.local_record()
    begins = len(out)
    for entry, at in zip(entries, places, strict=True):
        out += entry.central_record(at)
    truth = {"disk": 0, "count": len(entries), "size": len(out) - begins, "offset": begins, "comment": 0}
    if zip64 is not None:
        big = {**truth, **zip64}
        record_at = len(out)
        out += struct.pack(
            "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, big["count"], big["count"], big["size"], big["offset"]
        )
        out += struct.pack("<4sLQL", b"PK\x06\x07", 0, big.get("record_at", record_at), 1)
    told = {**truth, **end}
    out += struct.pack(
        "<4s4H2LH", b"PK\x05\x06", told["disk"], told["disk"], told["count"], told.get("count_here", told["count"]),
        told["size"], told["offset"], told["comment"],
    )  # fmt: skip
    return bytes(out) + suffix


def one(name: bytes, **told) -> bytes:
    return forge(Entry(name, b"x", **told))


GOOD = Entry(b"app.py", b"print()\n")
BOMB = deflate(b"\0" * 8_000_000)
ZIP64_SIZES = struct.pack("<2H2Q", 1, 16, 1, 1)
ZIP64_ENTRY = Entry(b"a", b"x", packed_size=0xFFFFFFFF, size=0xFFFFFFFF, extra=ZIP64_SIZES)
ZIP64 = forge(ZIP64_ENTRY, zip64={}, count=0xFFFF, size=0xFFFFFFFF, offset=0xFFFFFFFF)
SIZES_BEHIND = forge(Entry(b"a", b"x" * 9, flags=1 << 11 | 1 << 3, local={"crc": 0, "size": 0, "packed": 0}))
SIBLING_LINK = forge(Entry(b"a/x"), Entry(b"b/l", b"../a", mode=LINK))
LINK_THROUGH_LINK = forge(
    Entry(b"a/", mode=DIRECTORY), Entry(b"a/up", b"..", mode=LINK), Entry(b"out", b"a/up/../x", mode=LINK)
)
OVERLAP = Entry(b"a", b"x" * 100)

REFUSED: dict[str, bytes] = {
    # --- leaving the root by name
    "parent": one(b"../escape"),
    "parent inside": one(b"a/../../escape"),
    "parent at the end": one(b"a/.."),
    "parent that stays inside": one(b"a/../b"),
    "many parents": one(b"../" * 40 + b"tmp/escape"),
    "absolute": one(b"/tmp/escape"),
    "absolute twice": one(b"//tmp/escape"),
    "backslash parent": one(b"..\\escape"),
    "backslash absolute": one(b"\\escape"),
    "backslash inside": one(b"a\\..\\..\\escape"),
    "mixed slashes": one(b"a/..\\../escape"),
    "drive": one(b"C:/escape"),
    "drive relative": one(b"c:escape"),
    "network share": one(b"\\\\host\\share\\x"),
    "nul": one(b"a\0b"),
    "nul hides parent": one(b"a\0/../../x"),
    "nul at the end": one(b"app.py\0"),
    "empty name": one(b""),
    "only dots": one(b"."),
    "only slash": one(b"/"),
    "overlong utf-8 slash": one(b"..\xc0\xafescape"),
    "broken utf-8": one(b"\xff\xfe"),
    "surrogate utf-8": one(b"\xed\xa0\x80"),
    "long component": one(b"a" * 256),
    "long path": one(b"/".join([b"a" * 200] * 21)),
    # --- the same place twice
    "duplicate": forge(Entry(b"a", b"1"), Entry(b"a", b"2")),
    "duplicate after normalising": forge(Entry(b"a/b", b"1"), Entry(b"./a//b", b"2")),
    "duplicate composed": forge(Entry("é".encode(), b"1"), Entry("é".encode(), b"2")),
    "duplicate directory and file": forge(Entry(b"a/", mode=DIRECTORY), Entry(b"a", b"2")),
    "file as parent": forge(Entry(b"a", b"1"), Entry(b"a/b", b"2")),
    "file as parent, later": forge(Entry(b"a/b", b"2"), Entry(b"a", b"1")),
    "composed file as parent": forge(Entry("é".encode(), b"1"), Entry("é/b".encode(), b"2")),
    # --- links
    "link to absolute": forge(Entry(b"l", b"/etc/passwd", mode=LINK)),
    "link to parent": forge(Entry(b"l", b"../..", mode=LINK)),
    "link out from below": forge(Entry(b"a/b/l", b"../../../x", mode=LINK)),
    "link through link": LINK_THROUGH_LINK,
    "link chain leaves": forge(Entry(b"a", b"b", mode=LINK), Entry(b"b", b"../x", mode=LINK)),
    "write through link": forge(Entry(b"l", b".", mode=LINK), Entry(b"l/x", b"1")),
    "write through outer link": forge(Entry(b"l", b"/tmp", mode=LINK), Entry(b"l/escape", b"1")),
    "file over link": forge(Entry(b"l", b"/tmp/escape", mode=LINK), Entry(b"l", b"1")),
    "link with nul": forge(Entry(b"l", b"a\0b", mode=LINK)),
    "empty link": forge(Entry(b"l", b"", mode=LINK)),
    "huge link": forge(Entry(b"l", b"a/" * 4_000, mode=LINK)),
    # --- kinds
    "device": one(b"d", mode=stat.S_IFBLK | 0o600),
    "character device": one(b"d", mode=stat.S_IFCHR | 0o600),
    "fifo": one(b"d", mode=stat.S_IFIFO | 0o600),
    "socket": one(b"d", mode=stat.S_IFSOCK | 0o600),
    "unknown kind": one(b"d", mode=0o030000 | 0o600),
    "directory with data": one(b"d/", mode=DIRECTORY),
    "file named as directory": forge(Entry(b"d/", mode=FILE)),
    # --- lies about sizes and sums
    "longer than declared": forge(Entry(b"a", b"x" * 50, method=8, size=10)),
    "shorter than declared": forge(Entry(b"a", b"x" * 10, method=8, size=50)),
    "wrong checksum": forge(Entry(b"a", b"x", crc=1)),
    "stored with two sizes": forge(Entry(b"a", b"x" * 10, size=5)),
    "local sizes differ": forge(Entry(b"a", b"x" * 10, local={"size": 9, "packed": 9})),
    "local name differs": forge(Entry(b"a", b"x", local={"name": b"b"})),
    "local method differs": forge(Entry(b"a", b"x", local={"method": 8})),
    "local sign wrong": forge(Entry(b"a", b"x", local={"sign": b"PK\x03\x05"})),
    "local encrypted": forge(Entry(b"a", b"x", local={"flags": 1 << 11 | 1})),
    "deflate cut short": forge(Entry(b"a", b"x" * 50, method=8, packed=deflate(b"x" * 50)[:-2])),
    "deflate garbage": forge(Entry(b"a", b"x" * 50, method=8, packed=b"\xff" * 20)),
    "data behind deflate": forge(Entry(b"a", b"x" * 50, method=8, packed=deflate(b"x" * 50) + b"more")),
    "much data behind deflate": forge(Entry(b"a", b"x", method=8, packed=deflate(b"x") + b"m" * 200_000)),
    "bomb, declared": forge(Entry(b"a", b"\0" * 8_000_000, method=8)),
    "bomb, denied": forge(Entry(b"a", b"", method=8, packed=BOMB, size=100, crc=0)),
    "many small ones": forge(*(Entry(b"%d" % n, b"\0" * 20_000, method=8) for n in range(60))),
    "overlap": forge(OVERLAP, Entry(b"b", b"x", offset=10)),
    "same data twice": forge(OVERLAP, Entry(b"a2", b"x" * 100, packed=b"", packed_size=100, offset=0)),
    "data into directory": forge(Entry(b"a", b"x", packed_size=5_000, size=5_000)),
    "offset behind the file": forge(Entry(b"a", b"x", offset=1 << 30)),
    # --- features that are not served
    "encrypted": one(b"a", flags=1),
    "strongly encrypted": one(b"a", flags=1 << 6),
    "masked headers": one(b"a", flags=1 << 13),
    "bzip2": one(b"a", method=12),
    "lzma": one(b"a", method=14),
    "other disk": one(b"a", disk=1),
    "several disks": forge(GOOD, disk=1),
    # --- lies about the directory
    "count too low": forge(GOOD, Entry(b"b"), count=1),
    "count too high": forge(GOOD, count=2),
    "counts differ": forge(GOOD, count_here=3),
    "directory too long": forge(GOOD, size=500),
    "directory elsewhere": forge(GOOD, offset=1 << 20),
    "too many entries": forge(*(Entry(b"%d" % number) for number in range(201))),
    "zip64 contradicts": forge(GOOD, zip64={"count": 7}),
    "zip64 contradicts the count": forge(GOOD, zip64={"count": 7}, size=0xFFFFFFFF),
    "zip64 missing": forge(GOOD, count=0xFFFF, size=0xFFFFFFFF),
    "zip64 record outside": forge(GOOD, zip64={"record_at": 1 << 40}, size=0xFFFFFFFF),
    "zip64 count absurd": forge(GOOD, zip64={"count": 1 << 60}, count=0xFFFF),
    "zip64 size missing": forge(Entry(b"a", b"x", packed_size=0xFFFFFFFF, size=0xFFFFFFFF)),
    "extra cut short": forge(Entry(b"a", b"x", packed_size=0xFFFFFFFF, size=0xFFFFFFFF, extra=b"\x01\0\xff\0")),
    "data behind the end": forge(GOOD, suffix=b"tail"),
    "comment too long": forge(GOOD, comment=9),
    "no archive": b"this is no archive",
    "empty file": b"",
    "end record cut": forge(GOOD)[:-5],
    "only the start": forge(GOOD)[:30],
    "two archives": forge(GOOD) + forge(GOOD)[:-1],
}  # fmt: skip

ACCEPTED: dict[str, tuple[bytes, dict[str, int | str]]] = {
    "plain": (forge(GOOD), {"app.py": 0o644}),
    "empty archive": (forge(), {}),
    "deflated": (forge(Entry(b"a", b"x" * 5_000, method=8)), {"a": 0o644}),
    "executable": (one(b"bootstrap", mode=stat.S_IFREG | 0o755), {"bootstrap": 0o755}),
    "set-uid is dropped": (one(b"a", mode=stat.S_IFREG | 0o6755), {"a": 0o755}),
    "sticky and group write are dropped": (one(b"a", mode=stat.S_IFREG | 0o1777), {"a": 0o755}),
    "no mode": (one(b"a", mode=None), {"a": 0o644}),
    "made elsewhere": (one(b"a", mode=stat.S_IFBLK | 0o777, host=0), {"a": 0o644}),
    "empty directory": (forge(Entry(b"d/", mode=DIRECTORY)), {"d": 0o755}),
    "directory by mode": (forge(Entry(b"d", mode=DIRECTORY)), {"d": 0o755}),
    "directory without mode": (forge(Entry(b"d/", mode=stat.S_IFDIR), Entry(b"d/x")), {"d": 0o755, "d/x": 0o644}),
    "directory after its file": (forge(Entry(b"d/x"), Entry(b"d/", mode=DIRECTORY)), {"d": 0o755, "d/x": 0o644}),
    "locked directory": (forge(Entry(b"d/", mode=stat.S_IFDIR | 0o500), Entry(b"d/x")), {"d": 0o700, "d/x": 0o644}),
    "dots and slashes": (one(b"./a//b/./c"), {"a": 0o755, "a/b": 0o755, "a/b/c": 0o644}),
    "the root itself": (forge(Entry(b"./", mode=DIRECTORY), GOOD), {"app.py": 0o644}),
    "old code page": (one(b"\x81.py", flags=0), {"ü.py": 0o644}),
    "full-width dots": (one("．．/a".encode()), {"．．": 0o755, "．．/a": 0o644}),
    "three dots": (one(b".../a"), {"...": 0o755, ".../a": 0o644}),
    "link inside": (forge(Entry(b"a/x", b"1"), Entry(b"l", b"a/x", mode=LINK)), {"a": 0o755, "a/x": 0o644, "l": "a/x"}),
    "link to a sibling": (SIBLING_LINK, {"a": 0o755, "a/x": 0o644, "b": 0o755, "b/l": "../a"}),
    "link in a circle": (forge(Entry(b"l", b"l", mode=LINK)), {"l": "l"}),
    "dangling link": (forge(Entry(b"l", b"gone", mode=LINK)), {"l": "gone"}),
    "zip64": (ZIP64, {"a": 0o644}),
    "sizes behind the data": (SIZES_BEHIND, {"a": 0o644}),
    "comment": (forge(GOOD, comment=3, suffix=b"hey"), {"app.py": 0o644}),
    "program in front": (forge(GOOD, prefix=b"#!/bin/sh\n"), {"app.py": 0o644}),
}  # fmt: skip


def tree(directory: Path) -> dict[str, int | str]:
    """Path -> permissions, or the target of a link."""
    found: dict[str, int | str] = {}
    for path in sorted(directory.rglob("*")):
        mode = path.lstat().st_mode
        name = str(path.relative_to(directory))
        found[name] = os.readlink(path) if stat.S_ISLNK(mode) else stat.S_IMODE(mode)
    return found


@pytest.fixture
def attempt(tmp_path: Path) -> Callable[[bytes], Path]:
    """Unpacks into a directory several levels below one where every escape would be seen."""

    def run(content: bytes) -> Path:
        target = tmp_path / "a/b/code/target"
        archive = tmp_path / "archive.zip"
        archive.write_bytes(content)
        try:
            unpack(archive, target, SMALL)
        finally:
            allowed = {"archive.zip", "a", "a/b", "a/b/code", "a/b/code/target"}
            seen = {name for name in tree(tmp_path) if not name.startswith("a/b/code/target/")}
            assert seen <= allowed, "nothing outside the target, no unfinished directory"
        return target

    return run


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_archive_is_refused_and_leaves_nothing(attempt, tmp_path, content):
    with pytest.raises(CodeError) as caught:
        attempt(content)
    assert caught.value.reason_code == "InvalidZipFileException"
    assert not (tmp_path / "a/b/code/target").exists()


@pytest.mark.parametrize(("content", "expected"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_an_odd_but_honest_archive_is_unpacked(attempt, content, expected):
    assert tree(attempt(content)) == expected


def test_the_corpus_is_large_enough():
    assert len(REFUSED) >= 60


def test_a_broken_archive_is_refused_in_lambdas_words(attempt):
    with pytest.raises(CodeError, match="Could not unzip uploaded file"):
        attempt(b"junk")


def test_an_archive_above_the_limit_is_too_large(attempt):
    with pytest.raises(CodeError) as caught:
        attempt(b"\0" * (SMALL.zipped_bytes + 1))
    assert caught.value.status == 413


def test_a_second_unpacking_keeps_the_first(attempt):
    target = attempt(forge(GOOD))
    (target / "mark").touch()
    attempt(forge(GOOD))
    assert (target / "mark").exists()


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_archive_is_refused_or_harmless(attempt, seed):
    """Every byte of a small archive, changed: an error of ours or a tree inside, never anything else."""
    content = forge(
        GOOD, Entry(b"d/", mode=DIRECTORY), Entry(b"l", b"app.py", mode=LINK), Entry(b"z", b"z" * 99, method=8)
    )
    for position in random.Random(seed).sample(range(len(content)), 60):
        damaged = bytearray(content)
        damaged[position] ^= random.Random(position + seed).randrange(1, 256)
        try:
            target = attempt(bytes(damaged))
        except CodeError:
            continue
        for path in tree(target):
            (target / path).unlink() if not (target / path).is_dir() else None


@pytest.mark.e2e
def test_bombs_cost_little_memory(tmp_path):
    """A million entries, and gigabytes behind a few kilobytes, under Lambda's real limits."""
    entry = Entry(b"x" * 4).central_record(0)
    count = 52_000_000 // len(entry)
    directory = entry * count
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    (tmp_path / "0.zip").write_bytes(directory + record + locator + end)
    (tmp_path / "1.zip").write_bytes(
        directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(directory), 0, 0)
    )
    bomb = deflate(b"\0" * 10_000_000)
    (tmp_path / "2.zip").write_bytes(forge(Entry(b"a", method=8, packed=bomb, size=200_000_000, crc=0)))
    program = """import resource, sys
from pathlib import Path
from lambent.execution.archive import unpack
from lambent.execution.errors import CodeError
from lambent.execution.settings import ArchiveLimits
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number in range(3):
    try:
        unpack(Path(sys.argv[1], f"{number}.zip"), Path(sys.argv[1], "t"), ArchiveLimits())
        sys.exit("accepted")
    except CodeError:
        pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 32
