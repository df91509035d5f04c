"""When a write is answered, shown and undone: one commit for all that waits, and what a failed one leaves."""

import asyncio
import sqlite3
import threading
from typing import Any

import pytest

from lambent.http.message import Request
from lambent.kubeserver import KubeServer
from lambent.kubeserver.storage.journal import Journal
from lambent.kubeserver.storage.records import Change
from tests.kubeserver.asking import CONFIGMAPS, MERGE, Asker, configmap

REAL_TIME = True


@pytest.fixture
async def stored(tmp_path):
    server = KubeServer(state_dir=tmp_path)
    await server.open()
    await Asker(server)("POST", CONFIGMAPS, configmap("first"))
    yield server
    await server.shutdown()


class Held:
    """The journal's `append`, held back until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.changes: list[tuple[Any, ...]] = []
        self._append = Journal.append
        monkeypatch.setattr(Journal, "append", lambda journal, *given: self.changes.append((journal, *given)))

    def let_go(self) -> None:
        for change in self.changes:
            self._append(*change)
        self.changes.clear()


async def _turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_writes_that_wait_are_one_commit(stored, monkeypatch):
    held = Held(monkeypatch)
    write_out, commits, is_busy, is_free = Journal._write, [], threading.Event(), threading.Event()

    def slow(journal: Journal, db: sqlite3.Connection, batch: list[Change], floor: int) -> None:
        commits.append([change.record.name for change in batch])
        is_busy.set()
        assert is_free.wait(30)
        write_out(journal, db, batch, floor)

    monkeypatch.setattr(Journal, "_write", slow)
    writes = [asyncio.create_task(Asker(stored)("POST", CONFIGMAPS, configmap(f"c{n}"))) for n in range(33)]
    await _turns()
    first, *others = held.changes
    held.changes = [first]
    held.let_go()
    assert await asyncio.to_thread(is_busy.wait, 30)
    held.changes = others
    held.let_go()
    is_free.set()
    answers = [await write for write in writes]
    assert commits == [["c0"], [f"c{n}" for n in range(1, 33)]]
    versions = [int(made["metadata"]["resourceVersion"]) for _, made in answers]
    assert versions == sorted(versions)


async def test_nothing_is_answered_or_shown_before_its_commit(stored, monkeypatch):
    held, ask = Held(monkeypatch), Asker(stored)
    _, stream = await ask("GET", f"{CONFIGMAPS}?watch=1&timeoutSeconds=60")
    await anext(stream)
    assert b"first" in await anext(stream)
    event = asyncio.create_task(anext(stream))
    write = asyncio.create_task(Asker(stored)("POST", CONFIGMAPS, configmap("a")))
    await _turns()
    assert not write.done()
    assert not event.done()
    assert (await ask("GET", f"{CONFIGMAPS}/a"))[0] == 404
    assert len((await ask("GET", CONFIGMAPS))[1]["items"]) == 1
    held.let_go()
    assert (await write)[0] == 201
    assert b'"name":"a"' in await event
    await stream.aclose()


async def test_a_write_is_checked_against_what_is_not_committed_yet(stored, monkeypatch):
    held = Held(monkeypatch)
    first = asyncio.create_task(Asker(stored)("POST", CONFIGMAPS, configmap("a", {"x": "1"})))
    await _turns()
    again = asyncio.create_task(Asker(stored)("POST", CONFIGMAPS, configmap("a")))
    patch = asyncio.create_task(Asker(stored)("PATCH", f"{CONFIGMAPS}/a", {"data": {"y": "2"}}, media=MERGE))
    await _turns()
    assert (await again)[0] == 409
    held.let_go()
    assert (await first)[0] == 201
    assert (await patch)[1]["data"] == {"x": "1", "y": "2"}


async def test_a_commit_that_fails_takes_all_that_waits_back(tmp_path, monkeypatch):
    server = KubeServer(state_dir=tmp_path)
    await server.open()
    ask = Asker(server)
    _, before = await ask("POST", CONFIGMAPS, configmap("first"))

    def fail(*_given: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Journal, "_write", fail)
        writes = [ask("POST", CONFIGMAPS, configmap(f"c{n}")) for n in range(8)]
        writes += [ask("PATCH", f"{CONFIGMAPS}/first", {"data": {"x": "1"}}, media=MERGE)]
        answers = await asyncio.gather(*writes)
    assert {(status, answer["reason"]) for status, answer in answers} == {(500, "InternalError")}
    _, found = await ask("GET", CONFIGMAPS)
    assert [item["metadata"] for item in found["items"]] == [before["metadata"]]
    assert (await ask("GET", "/readyz"))[0] == 500
    assert (await server.service(Request("GET", b"/livez", []))).status == 200
    for name in ("c0", "later"):  # nothing of the batch is in the way, but nothing more is written either
        assert (await ask("POST", CONFIGMAPS, configmap(name)))[0] == 500
    await server.shutdown()

    again = KubeServer(state_dir=tmp_path)
    await again.open()
    _, made = await Asker(again)("POST", CONFIGMAPS, configmap("c0"))
    assert (await Asker(again)("GET", "/readyz"))[0] == 200
    await again.shutdown()
    assert int(made["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


async def test_a_get_gives_the_stored_bytes(stored):
    record = stored._store.get("configmaps", "default/first")
    bearer = (b"authorization", f"Bearer {stored.token}".encode())
    response = await stored.service(Request("GET", f"{CONFIGMAPS}/first".encode(), [bearer]))
    assert response.body is record.body


async def test_the_file_is_in_wal_mode_and_waits_for_the_disk(tmp_path, monkeypatch):
    seen: list[str] = []
    connect = Journal._connect

    def spied(journal: Journal) -> sqlite3.Connection:
        db = connect(journal)
        seen.extend(str(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("journal_mode", "synchronous"))
        return db

    monkeypatch.setattr(Journal, "_connect", spied)
    server = KubeServer(state_dir=tmp_path)
    await server.open()
    await server.shutdown()
    assert seen[:2] == ["wal", "2"]  # 2 is FULL
