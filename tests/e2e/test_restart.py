"""Killed with SIGKILL in the middle of provisioning and started again, everything converges, and nothing twice."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.ledger import Ledger
from tests.e2e.programs import EXAMPLE, Running, clean_environment, has, lambent, platform, run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not has("kubectl"), reason="kubectl is not installed: restarts are not tested with it"),
]

READY = ("-n", "archives", "wait", "eventarchive/orders", "--for=condition=Ready", "--timeout=40s")


def test_up_killed_while_provisioning_converges_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with platform(state) as first:
        first.build_image()
        first.lambent("apply", str(EXAMPLE / "manifests"))
        first.lambent("apply", str(EXAMPLE / "archive.yaml"))
        first.kubectl("-n", "archives", "wait", "bucket.s3.services.k8s.aws/orders", "--for=create", "--timeout=20s")
        first.kill()
    with platform(state) as second:
        second.kubectl(*READY)
        assert "orders-" in second.aws("s3", "ls")
        assert '"key"' in second.lambent("invoke", "orders", "--payload", "{}")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An API server and an AWS endpoint, each a process of its own, that outlive the controller."""
    kube = Running("kubeserver", "--state", str(tmp_path / "kube"), "--kube-port", "0")
    try:
        kube.wait_for_line("is up")
        kubeconfig = str(tmp_path / "kube" / "kubeconfig")
        crds = lambent("crds")
        run("kubectl", "--kubeconfig", kubeconfig, "apply", "--server-side", "-f", "-", text=crds)
        state = str(tmp_path / "server")
        server = Running("server", "--kubeconfig", kubeconfig, "--state", state, "--aws-port", "0", "--admin-port", "0")
        try:
            line = server.wait_for_line("is up")
            yield {"kubeconfig": kubeconfig, "aws": line.split()[-1]}
        finally:
            server.stop()
    finally:
        kube.stop()


class Controllers:
    """The controller process, started again and again; `lose()` kills it without a word."""

    def __init__(self, kubeconfig: str, aws: str) -> None:
        self._words = ("controller", "--kubeconfig", kubeconfig, "--aws-endpoint", aws, "--admin-port", "0",
                       "--controllers-leader-election", "false")  # fmt: skip
        self._running = Running(*self._words)

    def lose(self) -> None:
        self._running.kill()

    def restart(self) -> None:
        self._running = Running(*self._words)

    def stop(self) -> None:
        self._running.stop()


@pytest.mark.timeout(120)
def test_each_create_is_sent_once_though_the_controller_dies_in_the_middle_of_every_one(
    tmp_path: Path, cluster: dict[str, str]
) -> None:
    env = clean_environment({"KUBECONFIG": cluster["kubeconfig"], "HOME": str(tmp_path)})
    lambent(
        "image", "build", str(EXAMPLE / "app"), "--handler", "archive.handler", "-t", "my-lambda-image:0.0.2",
        "--endpoint-url", cluster["aws"],
    )  # fmt: skip
    lambent("apply", str(EXAMPLE / "manifests"), str(EXAMPLE / "archive.yaml"), env=env)
    ledger = Ledger(cluster["aws"])
    died = threading.Event()
    controllers = Controllers(cluster["kubeconfig"], ledger.url)

    def die(name: str) -> None:
        controllers.lose()
        died.set()

    ledger.on_create = die
    try:
        for _ in range(4):
            assert died.wait(timeout=30), f"only {ledger.creates} were created"
            died.clear()
            controllers.restart()
        run("kubectl", *READY, env=env)
    finally:
        controllers.stop()
        ledger.close()
    kinds = [name.split("/")[0] for name in ledger.creates]
    assert sorted(kinds) == ["Bucket", "Function", "Policy", "Role"]
