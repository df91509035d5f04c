"""The state directory: what an embedded platform keeps, and the lock that makes it the only writer.

The lock is the leader election of `up`: one process owns the directory, the kernel drops the lock when the process
ends in whatever way, and the file's content tells other commands where the platform listens.
"""

import errno
import fcntl
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from lambent.errors import UsageError


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a running platform listens; written to the lock file once everything is ready."""

    pid: int
    aws: str
    kubernetes: str
    kubeconfig: str
    region: str
    account_id: str


class StateDirectory:
    """Paths inside the directory (DESIGN: "Shared names"), mode 0700, locked by its owner."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock_fd: int | None = None

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def acquire(self) -> None:
        """Makes the directory and takes its lock; raises `UsageError` when another process has it."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        fd = os.open(self / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            running = self.endpoints()
            who = f"process {running.pid}" if running else "another process"
            raise UsageError(
                f"{self.path} is in use by {who}; stop it, or choose another directory with --state"
            ) from error
        os.ftruncate(fd, 0)
        self._lock_fd = fd

    def publish(self, endpoints: Endpoints) -> None:
        """Tells other commands where the platform listens."""
        assert self._lock_fd is not None
        os.pwrite(self._lock_fd, orjson.dumps(asdict(endpoints)), 0)

    def release(self) -> None:
        if self._lock_fd is not None:
            os.ftruncate(self._lock_fd, 0)
            os.close(self._lock_fd)
            self._lock_fd = None

    def endpoints(self) -> Endpoints | None:
        """Of the platform that runs on this directory; None when none does."""
        if not self.is_locked():
            return None
        text = (self / "lock").read_bytes()
        return Endpoints(**orjson.loads(text)) if text else None

    def is_locked(self) -> bool:
        """Whether some process, this one included, holds the lock."""
        if self._lock_fd is not None:
            return True
        try:
            fd = os.open(self / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(fd)
        return False
