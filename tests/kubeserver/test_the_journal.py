"""The journal folds what is committed into the present state later, and a crash at any point loses nothing of it."""

import queue
import random
import shutil
import sqlite3
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from lambent.kube.types import KubeObject
from lambent.kubeserver.storage import journal as module
from lambent.kubeserver.storage.journal import Journal
from lambent.kubeserver.storage.records import Change, record_of

_KEPT = 60


def _change(rv: int, name: str, kind: str) -> Change:
    obj: KubeObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    return Change(rv, "configmaps", kind, record_of(obj, rv), None)  # type: ignore[arg-type]  # one of the three


class Written:
    """A journal, and what it reports; `at_commit` runs in the writer thread, between a commit and the next folding."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path, self._report)
        self.journal.open()
        self._at_commit: Callable[[], object] = bool
        self._reports: queue.SimpleQueue[tuple[int, Exception | None]] = queue.SimpleQueue()

    def _report(self, count: int, error: Exception | None) -> None:
        self._at_commit()
        self._reports.put((count, error))

    def append(self, batch: list[Change], at_commit: Callable[[], object] = bool) -> None:
        """Returns when all of it is on disk."""
        self._at_commit = at_commit
        for change in batch:
            self.journal.append(change, change.rv - _KEPT)
        left = len(batch)
        while left:
            count, error = self._reports.get(timeout=30)
            assert error is None
            left -= count


def _state(path: Path) -> tuple[dict[bytes, int], int]:
    journal = Journal(path, lambda count, error: None)
    found = journal.open()
    journal.close()
    return {body: rv for _, rv, body in found.objects}, found.counter


def _copy(path: Path, target: Path) -> None:
    """The files as another process would find them if this one ended now."""
    target.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.parent / name, target / name)


@pytest.mark.parametrize("seed", range(4))
def test_a_crash_between_commit_and_folding_loses_nothing(tmp_path, monkeypatch, seed):
    for name, value in {"_TRIM_EVERY": 10, "_UNFOLDED": 8, "_UNFOLDED_AGE": 30}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "_FOLDED_AT_ONCE", 3)
    choose = random.Random(seed)
    path = tmp_path / "kube.db"
    written = Written(path)
    wanted: dict[str, Change] = {}
    rv = 0
    for turn in range(61):
        batch = []
        for _ in range(choose.randint(1, 6)):
            # Two hot names and some cold ones: a cold one is folded although its neighbours are never left alone.
            name = f"n{choose.randint(0, 1) if choose.random() < 0.9 else choose.randint(2, 30)}"
            rv += 1
            kind = "ADDED" if name not in wanted else choose.choice(("MODIFIED", "MODIFIED", "DELETED"))
            batch.append(_change(rv, name, kind))
            wanted[name] = batch[-1]
            if kind == "DELETED":
                del wanted[name]
        if turn % 12:
            written.append(batch)
            continue
        # Each change by itself, so that the last commit has them all before it.
        for change in batch[:-1]:
            written.append([change])
        written.append(batch[-1:], partial(_copy, path, tmp_path / f"{turn}"))
        assert _state(tmp_path / f"{turn}" / path.name) == ({c.record.body: c.rv for c in wanted.values()}, rv)
    written.journal.close()
    assert _state(path) == ({c.record.body: c.rv for c in wanted.values()}, rv)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM change").fetchone()[0] <= _KEPT + 10 + 6


def test_a_file_of_the_first_format_is_read(tmp_path):
    path = tmp_path / "kube.db"
    first = Written(path)
    first.append([_change(1, "a", "ADDED"), _change(2, "b", "ADDED")])
    first.journal.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM meta WHERE key = 'folded'")
        db.execute("UPDATE meta SET value = 1 WHERE key = 'format'")
        db.execute("DELETE FROM change")
    state, counter = _state(path)
    assert sorted(state.values()) == [1, 2]
    assert counter == 2


def test_a_stored_body_takes_no_more_memory_than_its_text():
    obj: KubeObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    obj["data"] = {"x": "y" * 3_000}  # type: ignore[typeddict-unknown-key]  # a ConfigMap's own member
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = [record_of(obj, rv).body for rv in range(100)]
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used < 1.2 * sum(map(len, kept))


def test_after_a_failed_commit_nothing_more_is_written(tmp_path, monkeypatch):
    path = tmp_path / "kube.db"
    reports: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
    journal = Journal(path, lambda count, error: reports.put(error))
    journal.open()

    def full(*_given: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Journal, "_write", full)
        journal.append(_change(1, "a", "ADDED"), 0)
        assert isinstance(reports.get(timeout=30), sqlite3.OperationalError)
    journal.append(_change(2, "b", "ADDED"), 0)  # was made on top of the lost one
    assert isinstance(reports.get(timeout=30), sqlite3.OperationalError)
    journal.close()
    assert _state(path) == ({}, 0)


@pytest.mark.parametrize("count", [1, 150, 151, 1_000])
def test_a_batch_of_any_length_is_written_whole(tmp_path, count):
    written = Written(tmp_path / "kube.db")
    written.append([_change(rv, f"n{rv}", "ADDED") for rv in range(1, count + 1)])
    written.journal.close()
    state, counter = _state(tmp_path / "kube.db")
    assert (len(state), counter) == (count, count)
