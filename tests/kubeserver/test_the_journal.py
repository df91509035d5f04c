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


def _append(journal: Journal, batch: list[Change], at_commit: Callable[[], object] = bool) -> None:
    """`at_commit` runs in the writer thread, between the commit and what is folded after it."""
    done: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def report(error: Exception | None) -> None:
        at_commit()
        done.put(error)

    journal.append(batch, batch[-1].rv - _KEPT, report)
    assert done.get(timeout=10) is None


def _state(path: Path) -> tuple[dict[bytes, int], int]:
    journal = Journal(path)
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
    journal = Journal(path)
    journal.open()
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
            _append(journal, batch)
            continue
        _append(journal, batch, partial(_copy, path, tmp_path / f"{turn}"))
        assert _state(tmp_path / f"{turn}" / path.name) == ({c.record.body: c.rv for c in wanted.values()}, rv)
    journal.close()
    assert _state(path) == ({c.record.body: c.rv for c in wanted.values()}, rv)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM change").fetchone()[0] <= _KEPT + 10 + 6


def test_a_file_of_the_first_format_is_read(tmp_path):
    path = tmp_path / "kube.db"
    first = Journal(path)
    first.open()
    _append(first, [_change(1, "a", "ADDED"), _change(2, "b", "ADDED")])
    first.close()
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
