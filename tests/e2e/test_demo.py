"""`lambent demo` does the whole chain, tells the truth in its exit code and leaves nothing behind."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.programs import COMMAND, Running, clean_environment, lambent_processes, run

pytestmark = pytest.mark.e2e


def test_the_demo_goes_from_nothing_to_an_invoked_function_and_leaves_nothing(tmp_path: Path) -> None:
    env = clean_environment({"TMPDIR": str(tmp_path)})
    report = json.loads(run(*COMMAND, "demo", "-o", "json", env=env))
    assert report["ok"]
    assert [step["status"] for step in report["steps"]] == ["ok"] * 8
    assert list(tmp_path.iterdir()) == []
    assert lambent_processes(tmp_path) == []


def test_a_poisoned_aws_profile_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text("[profile broken]\nregion = nowhere-1\nendpoint_url = http://127.0.0.1:1\n")
    (home / ".aws" / "credentials").write_text("this is no credentials file\n")
    poison = {
        "HOME": str(home),
        "AWS_PROFILE": "broken",
        "AWS_REGION": "nowhere-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/nowhere",
    }
    assert json.loads(run(*COMMAND, "demo", "-o", "json", env=clean_environment(poison)))["ok"]


def test_an_interrupted_demo_stops_everything(tmp_path: Path) -> None:
    demo = Running("demo", env=clean_environment({"TMPDIR": str(tmp_path)}))
    demo.wait_for_line("apply the manifests")
    os.kill(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(timeout=30) == 1
    assert list(tmp_path.iterdir()) == []
    assert lambent_processes(tmp_path) == []
