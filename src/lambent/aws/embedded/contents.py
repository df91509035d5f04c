"""Contents of S3 objects as files named by their sha256, each written once and deleted when no snapshot needs it."""

import hashlib
import os
from pathlib import Path


class Contents:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, data: bytes) -> str:
        """Stores bytes; gives their hex digest."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._directory / digest
        if not path.exists():
            write_whole(path, data)
        return digest

    def has(self, digest: str) -> bool:
        return (self._directory / digest).exists()

    def read(self, digest: str) -> bytes:
        """Raises FileNotFoundError."""
        return (self._directory / digest).read_bytes()

    def keep_only(self, used: set[str]) -> None:
        for path in list(self._directory.iterdir()):
            if path.name not in used:
                path.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """The file has its old content or the new one, after a crash too."""
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
