"""The embedded AWS's state on the disk: one file per service, written when something changed.

    <directory>/moto-<version>/<service>.pickle
    <directory>/contents/<sha256>                  of S3 objects too large to be kept in the snapshot

moto's version is in the name because its objects change with it: after an upgrade the old state is left alone and not
read. Saved are the services whose back ends consist of plain data; of the others (SQS and its messages, SSM, KMS and
all the rest) nothing outlives the process, which the log says at start.
"""

import logging
from importlib.metadata import version
from pathlib import Path

from lambent.aws.embedded import pickling
from lambent.aws.embedded.contents import Contents, write_whole

log = logging.getLogger(__name__)

SAVED = ("s3", "iam", "sts", "sns", "logs", "dynamodb", "events", "kinesis", "secretsmanager")


class Snapshot:
    """Blocks on the disk. Whoever calls `copy` while requests come in has the turn."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = directory / f"moto-{version('moto')}"
        self._files.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._contents = Contents(directory / "contents")
        self._written: dict[str, bytes] = {}
        self._used: dict[str, set[str]] = {}

    def restore(self) -> list[str]:
        """Loads what was saved; gives the services that could not be read (their files are kept under another name)."""
        broken = []
        for service in SAVED:
            data = pickling.read_file(self._files / f"{service}.pickle")
            if data is None:
                continue
            # Unpickling raises anything, and one broken file must not keep all of AWS down.
            try:
                pickling.load(service, data, self._contents)
            except Exception:
                log.exception("the saved state of a service cannot be read", extra={"service": service})
                (self._files / f"{service}.pickle").replace(self._files / f"{service}.unreadable")
                broken.append(service)
        self._tell_others()
        return broken

    def _tell_others(self) -> None:
        others = [p.name for p in self._directory.glob("moto-*") if p != self._files and any(p.glob("*.pickle"))]
        if others:
            log.warning("state saved by another version of moto is not read", extra={"found": ", ".join(others)})
        log.info("the embedded AWS keeps these services and no others", extra={"services": ", ".join(SAVED)})

    def copy(self) -> dict[str, bytes]:
        """The present state of every saved service in use; large contents are on the disk already."""
        copied: dict[str, bytes] = {}
        for service in SAVED:
            dumped = pickling.dump(service, self._contents)
            if dumped is not None:
                copied[service], self._used[service] = dumped
        return copied

    def write(self, copied: dict[str, bytes]) -> None:
        """Writes what differs from what was written last, and deletes contents that nothing refers to now."""
        for service in SAVED:
            data, path = copied.get(service), self._files / f"{service}.pickle"
            if data is None:
                path.unlink(missing_ok=True)
                self._used.pop(service, None)
            elif self._written.get(service) != data:
                write_whole(path, data)
        self._written = copied
        self._contents.keep_only(set().union(*self._used.values()))
