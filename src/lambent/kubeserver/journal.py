"""The disk: one SQLite file in WAL mode with `synchronous=FULL`, written by one thread, a batch per transaction.

Tables: `object(bucket, path, rv, body)` is the present, `change(rv, ...)` the recent past (a watch survives a restart),
`meta` the format version and the counter, which therefore never goes back. Not here: what a batch means (`store`).
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambent.errors import UsageError
from lambent.kubeserver.history import KEEP_COUNT
from lambent.kubeserver.records import Change

FORMAT = 1
_TRIM_EVERY = 1_000  # changes between two cuts of the change table: a cut costs a scan

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object(
  bucket TEXT NOT NULL, path TEXT NOT NULL, rv INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(bucket, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change(
  rv INTEGER PRIMARY KEY, bucket TEXT NOT NULL, path TEXT NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""

Done = Callable[[Exception | None], None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the file held at start: objects, the kept changes oldest first, the counter."""

    objects: list[tuple[str, int, bytes]]
    changes: list[tuple[int, str, str, bytes]]
    counter: int


class Journal:
    """Owns the file; `append` returns at once, `done` is called in the writer thread after the commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[tuple[Sequence[Change], Done] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._since_trim = 0

    def open(self) -> Snapshot:
        """Opens or makes the file (mode 0600) and reads it; raises UsageError when another process owns it."""
        self._path.touch(mode=0o600)
        db = self._connect()
        try:
            snapshot = _read(db)
        finally:
            db.close()
        ready: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="kube-journal", daemon=True)
        self._thread.start()
        failure = ready.get()
        if failure is not None:
            raise failure
        return snapshot

    def append(self, batch: Sequence[Change], done: Done) -> None:
        self._queue.put((batch, done))

    def close(self) -> None:
        """Waits until all that was appended is on disk."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=0.2)
        try:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")  # one process owns the file; also spares the shared-memory file
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?), ('counter', 0)", (FORMAT,))
            db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            db.close()
            raise UsageError(f"{self._path}: {error}; is another server using this state directory?") from error
        return db

    def _run(self, ready: "queue.SimpleQueue[Exception | None]") -> None:
        try:
            db = self._connect()
        except UsageError as error:
            ready.put(error)
            return
        ready.put(None)
        while (job := self._queue.get()) is not None:
            batch, done = job
            try:
                self._write(db, batch)
            except sqlite3.Error as error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                done(error)
            else:
                done(None)
        db.close()

    def _write(self, db: sqlite3.Connection, batch: Sequence[Change]) -> None:
        last = {(change.bucket, change.record.path): change for change in batch}
        kept = [(b, p, c.rv, c.record.body) for (b, p), c in last.items() if c.type != "DELETED"]
        gone = [key for key, change in last.items() if change.type == "DELETED"]
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)", kept)
        db.executemany("DELETE FROM object WHERE bucket = ? AND path = ?", gone)
        db.executemany(
            "INSERT INTO change VALUES (?, ?, ?, ?, ?)",
            [(c.rv, c.bucket, c.record.path, c.type, c.record.body) for c in batch],
        )
        db.execute("UPDATE meta SET value = ? WHERE key = 'counter'", (batch[-1].rv,))
        self._since_trim += len(batch)
        if self._since_trim >= _TRIM_EVERY:
            self._since_trim = 0
            db.execute("DELETE FROM change WHERE rv <= ?", (batch[-1].rv - KEEP_COUNT,))
        db.execute("COMMIT")


def _read(db: sqlite3.Connection) -> Snapshot:
    (format_version,) = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if format_version != FORMAT:
        raise UsageError(f"the store has format {format_version}, this version reads {FORMAT}")
    return Snapshot(
        objects=db.execute("SELECT bucket, rv, body FROM object").fetchall(),
        changes=db.execute("SELECT rv, bucket, type, body FROM change ORDER BY rv").fetchall(),
        counter=db.execute("SELECT value FROM meta WHERE key = 'counter'").fetchone()[0],
    )
