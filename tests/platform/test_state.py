"""The state directory has one owner at a time and tells others where it listens."""

from pathlib import Path

import pytest

from lambent.errors import UsageError
from lambent.platform.state import Endpoints, StateDirectory

WHERE = Endpoints(
    pid=7, aws="http://127.0.0.1:1", kubernetes="https://127.0.0.1:2", kubeconfig="k", region="r", account_id="1"
)


def test_a_second_owner_is_refused_with_the_way_out(tmp_path: Path) -> None:
    first, second = StateDirectory(tmp_path / "s"), StateDirectory(tmp_path / "s")
    first.acquire()
    first.publish(WHERE)
    with pytest.raises(UsageError, match=r"in use by process 7; .*--state"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_endpoints_are_told_only_while_the_owner_lives(tmp_path: Path) -> None:
    owner, reader = StateDirectory(tmp_path), StateDirectory(tmp_path)
    assert reader.endpoints() is None
    owner.acquire()
    assert reader.endpoints() is None
    owner.publish(WHERE)
    assert reader.endpoints() == WHERE
    owner.release()
    assert reader.endpoints() is None


def test_the_directory_is_the_owners_alone(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "s")
    state.acquire()
    assert state.path.stat().st_mode & 0o777 == 0o700
    state.release()
