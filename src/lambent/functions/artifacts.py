"""Code archives, content addressed: a directory of files named by the SHA-256 of their bytes.

A blob is written beside its place, flushed to the disk, and renamed; the directory is flushed too. So a file that has
its name is whole, after a crash as well. Blobs are never changed; those that no object names any more go by `sweep`,
after an hour, because a reference may be about to be written.
"""

import asyncio
import base64
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

_SWEEP_AGE_S = 3600.0
_THREADS = 2  # flushing is one disk's work; a second thread reads while the first waits for it

P = ParamSpec("P")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Artifact:
    """`sha256` in hex; `size` in bytes."""

    sha256: str
    size: int

    @property
    def code_sha256(self) -> str:
        """AWS's CodeSha256: standard base64 of the digest of the bytes as uploaded."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


class ArtifactStore:
    """Blocking work runs on threads of its own, so that no other user of the loop's default threads can keep it
    waiting; the path of a blob is stable for its life."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="lambent-artifacts")

    def close(self) -> None:
        """Ends the threads once they are idle."""
        self._threads.shutdown(wait=False)

    def path(self, sha256: str) -> Path:
        return self._directory / sha256

    @staticmethod
    def describe(content: bytes) -> Artifact:
        """What `put` would answer, without keeping anything."""
        return Artifact(hashlib.sha256(content).hexdigest(), len(content))

    async def put(self, content: bytes) -> Artifact:
        """Raises OSError when the disk refuses."""
        return await self.on_thread(self._put, content)

    async def read(self, sha256: str) -> bytes:
        """Raises FileNotFoundError."""
        return await self.on_thread(self.path(sha256).read_bytes)

    async def sweep(self, referenced: Set[str], *, older_than_s: float = _SWEEP_AGE_S) -> int:
        """Removes unreferenced blobs of that age; the number removed."""
        return await self.on_thread(self._sweep, referenced, older_than_s)

    async def on_thread(self, work: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
        """Runs blocking work on an archive beside the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))

    def _put(self, content: bytes) -> Artifact:
        artifact = self.describe(content)
        target = self.path(artifact.sha256)
        if target.exists():
            os.utime(target)  # young again: the sweep must not take it before the new reference is written
            return artifact
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=self._directory, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _flush_directory(self._directory)
        return artifact

    def _sweep(self, referenced: Set[str], older_than_s: float) -> int:
        if not self._directory.is_dir():
            return 0
        limit = time.time() - older_than_s
        doomed = [
            file for file in self._directory.iterdir() if file.name not in referenced and file.stat().st_mtime <= limit
        ]
        for file in doomed:
            file.unlink(missing_ok=True)
        return len(doomed)


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
