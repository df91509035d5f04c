"""The durable queue's file and its committing thread."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from lambent.invoke import EventStore, GroupCommitter, QueueUnavailable
from lambent.invoke.async_store import StoredEvent

REAL_TIME = True


def event(request_id: str = "r", payload: bytes = b"{}", function: str = "fn") -> StoredEvent:
    return StoredEvent(request_id, "1", "us-east-1", function, None, payload, accepted_s=1.0)


async def test_calls_that_come_together_are_committed_together(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "async.db")
    commits = []
    store.connection.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    committer = GroupCommitter(store)
    await asyncio.gather(*(committer.run(lambda s, n=n: s.add(event(f"r{n}"))) for n in range(200)))  # type: ignore[misc]
    assert await committer.run(EventStore.count) == 200
    assert len(commits) < 20
    await committer.shutdown()


async def test_a_call_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    committer = GroupCommitter(EventStore(tmp_path / "async.db"))

    def broken(store: EventStore) -> None:
        store.add(event("half"))
        raise sqlite3.OperationalError("disk full")

    good, bad = await asyncio.gather(
        committer.run(lambda store: store.add(event("whole"))), committer.run(broken), return_exceptions=True
    )
    assert good is None
    assert isinstance(bad, QueueUnavailable)
    assert await committer.run(EventStore.count) == 1
    await committer.shutdown()
    with pytest.raises(QueueUnavailable):
        await committer.run(EventStore.count)


def test_a_large_payload_lies_in_a_file_that_goes_with_its_last_event(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "async.db")
    large = b'"' + b"x" * 70_000 + b'"'
    store.add(event("a", large))
    store.add(event("b", large))
    files = tmp_path / "async"
    assert len(list(files.iterdir())) == 1
    first, second = store.lease(("1", "us-east-1", "fn"), now_s=2, until_s=60, limit=9)
    assert first.payload == second.payload == large
    store.remove(first)
    assert len(list(files.iterdir())) == 1
    store.remove(second)
    assert list(files.iterdir()) == []
    store.close()


def test_an_expired_lease_makes_its_event_due_again(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "async.db")
    store.add(event())
    key = ("1", "us-east-1", "fn")
    assert store.lease(key, now_s=2, until_s=60, limit=1)
    assert store.expire_leases(now_s=59) == 0
    assert store.lease(key, now_s=59, until_s=99, limit=1) == []
    assert store.expire_leases(now_s=60) == 1
    assert store.lease(key, now_s=60, until_s=99, limit=1)
    store.close()


def test_due_events_are_found_by_index(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "async.db")
    plan = store.connection.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM events WHERE account = '1' AND region = 'r' AND function = 'f'"
        " AND leased_until IS NULL AND due <= 5 ORDER BY due LIMIT 3"
    ).fetchall()
    assert any("events_due" in row[3] for row in plan)
    assert not any("SCAN" in row[3] or "TEMP B-TREE" in row[3] for row in plan)
    store.close()
