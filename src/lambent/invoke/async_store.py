"""The durable queue of asynchronous events: one SQLite file, WAL, `synchronous=FULL`.

`EventStore` is plain, blocking SQL on one connection and is only ever called from its runner. `GroupCommitter` is that
runner: one thread that takes what has been asked within 2 ms and commits it in one transaction, so that callers share
the cost of reaching the disk; a call's future resolves after the commit. A lease is taken per attempt; leases of a
process that is gone are void as soon as the file is opened again, because a file has one owner.

Payloads over 64 KiB lie in files beside the database, written and flushed before the row that names them.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  account TEXT NOT NULL, region TEXT NOT NULL, function TEXT NOT NULL, qualifier TEXT,
  payload BLOB, payload_file TEXT,
  client_context TEXT NOT NULL, trace_id TEXT NOT NULL, tenant_id TEXT NOT NULL,
  accepted REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, deferrals INTEGER NOT NULL DEFAULT 0,
  due REAL NOT NULL, leased_until REAL, last_error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS events_due ON events (function, account, region, due) WHERE leased_until IS NULL;
CREATE INDEX IF NOT EXISTS events_leased ON events (leased_until) WHERE leased_until IS NOT NULL;
"""
_INLINE_BYTES = 65_536
_COLUMNS = (
    "id, request_id, account, region, function, qualifier, payload, payload_file, client_context, trace_id, tenant_id, "
    "accepted, attempts, deferrals, last_error"
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One accepted event. `accepted_s` and `due_s` are wall-clock seconds: they outlive the process."""

    request_id: str
    account: str
    region: str
    function: str
    qualifier: str | None
    payload: bytes
    client_context: str = ""
    trace_id: str = ""
    tenant_id: str = ""
    accepted_s: float = 0.0
    attempts: int = 0
    deferrals: int = 0
    last_error: str = ""
    id: int = 0
    payload_file: str | None = None


FunctionKey = tuple[str, str, str]
"""(account, region, function)."""


class EventStore:
    """Blocking; every method is one step of a transaction that the caller commits."""

    def __init__(self, path: Path) -> None:
        self._files = path.with_name("async")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._files.mkdir(exist_ok=True, mode=0o700)
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.executescript(_SCHEMA)
        self.connection.execute("UPDATE events SET leased_until = NULL WHERE leased_until IS NOT NULL")

    def close(self) -> None:
        self.connection.close()

    def add(self, event: StoredEvent) -> None:
        is_large = len(event.payload) > _INLINE_BYTES
        payload = None if is_large else event.payload
        file = self._write_payload(event.payload) if is_large else None
        self.connection.execute(
            "INSERT INTO events (request_id, account, region, function, qualifier, payload, payload_file,"
            " client_context, trace_id, tenant_id, accepted, due) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                event.request_id,
                event.account,
                event.region,
                event.function,
                event.qualifier,
                payload,
                file,
                event.client_context,
                event.trace_id,
                event.tenant_id,
                event.accepted_s,
                event.accepted_s,
            ),
        )

    def functions(self) -> list[FunctionKey]:
        """Every function that has an event which nobody works on."""
        return self.connection.execute(
            "SELECT DISTINCT account, region, function FROM events WHERE leased_until IS NULL"
        ).fetchall()

    def next_due_s(self) -> float | None:
        row = self.connection.execute("SELECT min(due) FROM events WHERE leased_until IS NULL").fetchone()
        return None if row[0] is None else float(row[0])

    def count(self) -> int:
        return int(self.connection.execute("SELECT count(*) FROM events").fetchone()[0])

    def lease(self, key: FunctionKey, *, now_s: float, until_s: float, limit: int) -> list[StoredEvent]:
        """Takes up to `limit` due events of one function."""
        rows = self.connection.execute(
            f"UPDATE events SET leased_until = ? WHERE id IN (SELECT id FROM events WHERE account = ? AND region = ?"
            f" AND function = ? AND leased_until IS NULL AND due <= ? ORDER BY due LIMIT ?) RETURNING {_COLUMNS}",
            (until_s, *key, now_s, limit),
        ).fetchall()
        return [self._event(row) for row in sorted(rows)]

    def expire_leases(self, *, now_s: float) -> int:
        """An attempt that outlived its lease makes its event due again."""
        return self.connection.execute(
            "UPDATE events SET leased_until = NULL WHERE leased_until IS NOT NULL AND leased_until <= ?", (now_s,)
        ).rowcount

    def postpone(self, event: StoredEvent, *, due_s: float, counts: bool, error: str) -> None:
        """Ends a lease; `counts` says whether the attempt is one of the retry policy's."""
        column = "attempts" if counts else "deferrals"
        self.connection.execute(
            f"UPDATE events SET leased_until = NULL, due = ?, {column} = {column} + 1, last_error = ? WHERE id = ?",
            (due_s, error[:1024], event.id),
        )

    def remove(self, event: StoredEvent) -> bool:
        """False when it was gone already."""
        was_there = self.connection.execute("DELETE FROM events WHERE id = ?", (event.id,)).rowcount > 0
        if event.payload_file and not self._is_named(event.payload_file):
            with suppress(FileNotFoundError):
                (self._files / event.payload_file).unlink()
        return was_there

    def clear(self) -> None:
        self.connection.execute("DELETE FROM events")
        for file in self._files.iterdir():
            file.unlink(missing_ok=True)

    def _is_named(self, file: str) -> bool:
        return (
            self.connection.execute("SELECT 1 FROM events WHERE payload_file = ? LIMIT 1", (file,)).fetchone()
            is not None
        )

    def _event(self, row: Sequence[Any]) -> StoredEvent:
        id_, request_id, account, region, function, qualifier, payload, file, *rest = row
        client_context, trace_id, tenant_id, accepted, attempts, deferrals, error = rest
        return StoredEvent(
            request_id=request_id,
            account=account,
            region=region,
            function=function,
            qualifier=qualifier,
            payload=(self._files / file).read_bytes() if file else payload,
            client_context=client_context,
            trace_id=trace_id,
            tenant_id=tenant_id,
            accepted_s=accepted,
            attempts=attempts,
            deferrals=deferrals,
            last_error=error,
            id=id_,
            payload_file=file,
        )

    def _write_payload(self, payload: bytes) -> str:
        name = hashlib.sha256(payload).hexdigest()
        target = self._files / name
        if not target.exists():
            temporary = target.with_suffix(".new")
            with temporary.open("wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            directory = os.open(self._files, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        return name


def in_transaction(store: EventStore, steps: Iterable[Any]) -> None:
    """Runs every step; all of them are on disk when this returns. Raises sqlite3.Error with nothing changed."""
    store.connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps:
            step()
        store.connection.execute("COMMIT")
    except BaseException:
        if store.connection.in_transaction:
            store.connection.execute("ROLLBACK")
        raise
