"""Killed with SIGKILL in the middle of provisioning and started again, everything converges, and nothing twice."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.ledger import Ledger, Moment
from tests.e2e.programs import EXAMPLE, Running, clean_environment, has, lambent, platform, run
from tests.promises.figures import figure

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not has("kubectl"), reason="kubectl is not installed: restarts are not tested with it"),
]

KINDS = ("bucket.s3.services.k8s.aws", "policy.iam.services.k8s.aws", "role.iam.services.k8s.aws",
         "function.lambda.services.k8s.aws")  # fmt: skip
READY = ("-n", "archives", "wait", "eventarchive/orders", "--for=condition=Ready", "--timeout=40s")
SEEN = (*READY[:4], "--for=jsonpath={.status.observedGeneration}=2", "--timeout=40s")


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


# Where a process dies: before a request leaves for good, or when it has been carried out and nobody has heard of it.
CREATING: list[tuple[Moment, str]] = [
    ("before", "CreateBucket"),
    ("after", "CreateBucket"),
    ("after", "CreatePolicy"),
    ("before", "CreateRole"),
    ("after", "CreateRole"),
    ("after", "CreateFunction"),
]
CHANGING: list[tuple[Moment, str]] = [("after", "CreatePolicyVersion")]
DELETING: list[tuple[Moment, str]] = [
    ("before", "DeleteFunction"),
    ("before", "DeletePolicy"),
    ("before", "DeleteBucket"),
]
CREATES = ("CreateBucket", "CreatePolicy", "CreateRole", "CreateFunction", "CreatePolicyVersion")


class Controllers:
    """The controller process: killed at the points that are due, and started again each time."""

    def __init__(self, kubeconfig: str, ledger: Ledger) -> None:
        self._words = ("controller", "--kubeconfig", kubeconfig, "--aws-endpoint", ledger.url, "--admin-port", "0",
                       "--controllers-leader-election", "false")  # fmt: skip
        self._running = Running(*self._words)
        self._turn = threading.Lock()
        self._due: list[tuple[Moment, str]] = []
        self._ledger = ledger
        ledger.around = self._dies

    def _dies(self, moment: Moment, change: str) -> bool:
        if (moment, change) not in self._due:
            return False
        self._due.remove((moment, change))
        with self._turn:
            self._running.kill()
        return True

    def live_through(self, points: list[tuple[Moment, str]], act: Callable[[], object]) -> None:
        """Acts, and restarts the process until it has died at each of them, in whatever order they come."""
        self._due = list(points)
        act()
        for _ in points:
            assert self._ledger.died.wait(timeout=60), f"it never came to {self._due}"
            self._ledger.died.clear()
            with self._turn:
                self._running = Running(*self._words)

    def stop(self) -> None:
        self._running.stop()


@pytest.mark.timeout(300)
def test_a_controller_killed_at_ten_points_of_a_life_sends_every_create_once(
    tmp_path: Path, cluster: dict[str, str]
) -> None:
    env = clean_environment({"KUBECONFIG": cluster["kubeconfig"], "HOME": str(tmp_path)})
    lambent(
        "image", "build", str(EXAMPLE / "app"), "--handler", "archive.handler", "-t", "my-lambda-image:0.0.2",
        "--endpoint-url", cluster["aws"],
    )  # fmt: skip
    ledger = Ledger(cluster["aws"])
    controllers = Controllers(cluster["kubeconfig"], ledger)
    orders = ("kubectl", "-n", "archives")
    reads = ("patch", "eventarchive/orders", "--type=merge", "-p", '{"spec":{"access":"read"}}')
    goes = ("delete", "eventarchive/orders", "--wait=false")
    gone = ("wait", "--for=delete", "eventarchive/orders", *(f"{kind}/orders" for kind in KINDS), "--timeout=40s")
    manifests = (str(EXAMPLE / "manifests"), str(EXAMPLE / "archive.yaml"))
    try:
        controllers.live_through(CREATING, lambda: lambent("apply", *manifests, env=env))
        run("kubectl", *READY, env=env)
        controllers.live_through(CHANGING, lambda: run(*orders, *reads, env=env))
        run("kubectl", *SEEN, env=env)
        run("kubectl", *READY, env=env)
        controllers.live_through(DELETING, lambda: run(*orders, *goes, env=env))
        run(*orders, *gone, env=env)
    finally:
        controllers.stop()
        ledger.close()
    assert len([*CREATING, *CHANGING, *DELETING]) == figure("R1", r"(\d+) of them with real processes")
    assert {change: ledger.sent.count(change) for change in CREATES} == dict.fromkeys(CREATES, 1)
