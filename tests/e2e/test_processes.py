"""Processes: one clear error for a taken port, an orderly end, and no orphan even after kill -9."""

import json
import os
import select
import signal
import socket
from pathlib import Path

import pytest

from tests.e2e.programs import EXAMPLE, Platform, descendants, lambent, lambent_processes, platform

pytestmark = pytest.mark.e2e


def _with_a_running_function(up: Platform) -> list[int]:
    """Starts the example's function; the processes it runs as."""
    up.build_image()
    up.lambent("apply", str(EXAMPLE / "manifests"))
    up.lambent("apply", str(EXAMPLE / "archive.yaml"))
    up.kubectl("-n", "archives", "wait", "eventarchive/orders", "--for=condition=Ready", "--timeout=30s")
    up.lambent("invoke", "orders")
    children = descendants(up.process.pid)
    assert children
    return children


def _ended(pids: list[int]) -> bool:
    """Waits, by the kernel's own notice, until none of them lives."""
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        signal.pidfd_send_signal(fd, 0)
        ready = select.select([fd], [], [], 10)[0]
        os.close(fd)
        if not ready:
            return False
    return True


def test_no_process_outlives_a_killed_platform(tmp_path: Path) -> None:
    with platform(tmp_path / "state") as up:
        children = _with_a_running_function(up)
        up.kill()
        assert _ended(children)
    assert lambent_processes(tmp_path) == []


def test_a_stopped_platform_ends_in_order_and_leaves_no_process(tmp_path: Path) -> None:
    with platform(tmp_path / "state") as up:
        children = _with_a_running_function(up)
        assert up.stop() == 0
        assert _ended(children)
    assert "Traceback" not in "".join(up.lines)


def test_a_taken_port_is_named_with_the_option_that_changes_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = lambent("up", "--state", str(tmp_path), "--aws-port", port, "--kube-port", "0", check=False)
    assert port in told
    assert "--aws-port" in told
    assert "Traceback" not in told


def test_a_second_platform_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with platform(tmp_path / "state") as up:
        told = lambent("up", "--state", str(up.state), "--aws-port", "0", "--kube-port", "0", check=False)
        assert f"in use by process {up.process.pid}" in told
        assert json.loads(up.lambent("status", "-o", "json"))["problems"] == []
