"""The disk: one SQLite file in WAL mode with `synchronous=FULL`, written by one thread, what waits per transaction.

Tables: `change(rv, ...)` is the recent past (a watch survives a restart), `object(bucket, path, rv, body)` the state as
of version `folded`, `meta` the format version, the counter (which never goes back) and `folded`.

The thread takes all that was appended while it wrote (group commit): a lone change does not wait for others, and the
loop makes the next ones meanwhile. A commit writes each body once, into `change`. After it was reported, the oldest
changes are folded into `object`, a few at a time and only the newest of each object. A crash before that costs nothing:
what is not folded is in `change`, and opening the file folds it. A commit is one statement mostly, since each takes the
interpreter's lock once, for which the thread may wait as long as the loop is busy. Not here: what a change means
(`store`).
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lambent.errors import UsageError
from lambent.kubeserver.storage.history import KEEP_COUNT
from lambent.kubeserver.storage.records import Change

log = logging.getLogger(__name__)

FORMAT = 2  # in 1, `object` was always complete
_TRIM_EVERY = 1_000  # changes between two cuts of the change table: a cut costs a scan
_UNFOLDED = 2_000  # objects left for later: one that is written again within so many is folded once
_FOLDED_AT_ONCE = 64  # about as many as the loop needs a millisecond or two for
_UNFOLDED_AGE = KEEP_COUNT // 2  # changes after which an object is folded although few others wait
_ROWS = 150  # of one statement: every SQLite allows 999 variables
_LONGEST_BATCH = 3 * _ROWS  # what came first is not to wait for the writing of megabytes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object(
  bucket TEXT NOT NULL, path TEXT NOT NULL, rv INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(bucket, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change(
  rv INTEGER PRIMARY KEY, bucket TEXT NOT NULL, path TEXT NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""

Report = Callable[[int, Exception | None], None]
"""Is told, in the writer thread, how many more of the changes (oldest first) are on disk, or why they are not."""
_Unfolded = dict[tuple[str, str], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the file held at start: objects, the kept changes oldest first, the counter."""

    objects: list[tuple[str, int, bytes]]
    changes: list[tuple[int, str, str, bytes]]
    counter: int


class Journal:
    """Owns the file; `append` returns at once. After a commit that failed none is tried any more."""

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        self._report = report
        self._queue: queue.SimpleQueue[tuple[Change, int] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._since_trim = 0
        self._unfolded: _Unfolded = {}  # by (bucket, path), oldest change first; the writer thread's own
        self._last = 0

    def open(self) -> Snapshot:
        """Opens or makes the file (mode 0600) and reads it; raises UsageError when another process owns it."""
        self._path.touch(mode=0o600)
        db = self._connect()
        try:
            snapshot = _read(db)
        except sqlite3.OperationalError as error:
            raise UsageError(f"{self._path}: {error}") from error
        finally:
            db.close()
        ready: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="kube-journal", daemon=True)
        self._thread.start()
        failure = ready.get()
        if failure is not None:
            raise failure
        return snapshot

    def append(self, change: Change, floor: int) -> None:
        """Changes up to version `floor` need not be kept any longer."""
        self._queue.put((change, floor))

    def close(self) -> None:
        """Waits until all that was appended is on disk."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=0.2)
        try:
            db.execute("PRAGMA page_size=8192")  # of a new file; two bodies of 3 kB do not fit half of that
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
        failure: sqlite3.Error | None = None
        while waiting := self._waiting():
            batch = [change for change, _ in waiting]
            try:
                if failure is None:
                    self._write(db, batch, waiting[-1][1])
            except sqlite3.Error as error:
                failure = error
                if db.in_transaction:
                    db.execute("ROLLBACK")
            self._report(len(batch), failure)
            if len(self._unfolded) > _UNFOLDED or self._last - self._folded() > _UNFOLDED_AGE:
                self._try_to_fold(db, max(_FOLDED_AT_ONCE, len(batch)))
        self._try_to_fold(db, len(self._unfolded))
        db.close()

    def _waiting(self) -> list[tuple[Change, int]]:
        """What was appended and not taken yet, some at least; nothing once the journal is closed."""
        out: list[tuple[Change, int]] = []
        with suppress(queue.Empty):
            while len(out) < _LONGEST_BATCH:
                job = self._queue.get(block=not out)
                if job is None:
                    self._queue.put(None)  # for the next look
                    break
                out.append(job)
        return out

    def _write(self, db: sqlite3.Connection, batch: Sequence[Change], floor: int) -> None:
        is_cut = self._since_trim + len(batch) >= _TRIM_EVERY
        is_one_statement = len(batch) <= _ROWS and not is_cut  # which is a transaction of its own
        if not is_one_statement:
            db.execute("BEGIN IMMEDIATE")
        for start in range(0, len(batch), _ROWS):
            part = batch[start : start + _ROWS]
            values = [v for c in part for v in (c.rv, c.bucket, c.record.path, c.type, c.record.body)]
            db.execute(f"INSERT INTO change VALUES {_lists('(?,?,?,?,?)', len(part))}", values)
        if is_cut:
            db.execute("DELETE FROM change WHERE rv <= ?", (min(floor, self._folded()),))
        if not is_one_statement:
            db.execute("COMMIT")
        self._since_trim = 0 if is_cut else self._since_trim + len(batch)
        for change in batch:
            key = (change.bucket, change.record.path)
            self._unfolded.pop(key, None)  # so that it goes to the end
            self._unfolded[key] = (change.rv, change.type)
        self._last = batch[-1].rv

    def _folded(self) -> int:
        """The version up to which `object` has everything."""
        return next((rv - 1 for rv, _ in self._unfolded.values()), self._last)

    def _try_to_fold(self, db: sqlite3.Connection, count: int) -> None:
        """What cannot be folded now stays in `change`, where it is safe."""
        try:
            # A fold repeats what is on disk already, so its own commit need not wait for the disk.
            db.execute("PRAGMA synchronous=NORMAL")
            _fold(db, self._unfolded, count, self._last)
        except sqlite3.Error as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            log.warning("changes could not be folded: %s", error)
        finally:
            db.execute("PRAGMA synchronous=FULL")


def _lists(one: str, count: int) -> str:
    return ",".join([one] * count)


def _fold(db: sqlite3.Connection, unfolded: _Unfolded, count: int, last: int) -> None:
    """Brings the oldest `count` objects of `unfolded` into `object`, and forgets them; `last` is the newest version."""
    if not unfolded:
        return
    chosen = list(islice(unfolded.items(), count))
    kept = [rv for _, (rv, kind) in chosen if kind != "DELETED"]
    gone = [key for key, (_, kind) in chosen if kind == "DELETED"]
    left = next(islice(unfolded.values(), count, None), None)
    db.execute("BEGIN IMMEDIATE")
    for start in range(0, len(kept), _ROWS):
        part = kept[start : start + _ROWS]
        db.execute(
            "INSERT OR REPLACE INTO object SELECT bucket, path, rv, body FROM change "
            f"WHERE rv IN ({_lists('?', len(part))})",
            part,
        )
    db.executemany("DELETE FROM object WHERE bucket = ? AND path = ?", gone)
    db.execute("UPDATE meta SET value = ? WHERE key = 'counter'", (last,))
    db.execute("UPDATE meta SET value = ? WHERE key = 'folded'", (left[0] - 1 if left else last,))
    db.execute("COMMIT")
    for key, _ in chosen:
        del unfolded[key]


def _read(db: sqlite3.Connection) -> Snapshot:
    meta: dict[str, int] = dict(db.execute("SELECT key, value FROM meta").fetchall())
    if meta["format"] > FORMAT:
        raise UsageError(f"the store has format {meta['format']}, this version reads {FORMAT}")
    (newest,) = db.execute("SELECT max(rv) FROM change").fetchone()
    counter = max(meta["counter"], newest or 0)
    if "folded" not in meta:
        db.execute("UPDATE meta SET value = ? WHERE key = 'format'", (FORMAT,))
        db.execute("INSERT INTO meta VALUES ('folded', ?)", (counter,))
    rest = db.execute(
        "SELECT bucket, path, rv, type FROM change WHERE rv > ? ORDER BY rv", (meta.get("folded", counter),)
    )
    unfolded: _Unfolded = {(bucket, path): (rv, kind) for bucket, path, rv, kind in rest}
    _fold(db, unfolded, len(unfolded), counter)
    return Snapshot(
        objects=db.execute("SELECT bucket, rv, body FROM object").fetchall(),
        changes=db.execute("SELECT rv, bucket, type, body FROM change ORDER BY rv").fetchall(),
        counter=counter,
    )
