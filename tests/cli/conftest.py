"""Fixtures of the command line's tests."""

from pathlib import Path

import pytest

from tests.cli.files import Commands, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(capsys)
