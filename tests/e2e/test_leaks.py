"""Ten times created and deleted, the platform is as it was: processes, objects, tasks, descriptors, memory."""

import json
import os
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.programs import EXAMPLE, Platform, descendants, has, platform

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not has("kubectl"), reason="kubectl is not installed: leaks are not tested with it"),
]

RSS_GROWTH = 1.05  # after the third round, when caches and allocator arenas are warm


def _rss_pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


KINDS = (
    "eventarchives",
    "buckets.s3.services.k8s.aws",
    "policies.iam.services.k8s.aws",
    "roles.iam.services.k8s.aws",
    "functions.lambda.services.k8s.aws",
    "lambdafunctions.lambent.dev",
)


def _objects(up: Platform) -> list[str]:
    return up.kubectl("get", "-A", ",".join(KINDS), "-o", "name").split()


def _tasks(up: Platform) -> int:
    with urllib.request.urlopen(up.variables["AWS_ENDPOINT_URL"] + "/_lambent/info", timeout=10) as answer:
        return int(json.load(answer)["tasks"])


def _round(up: Platform) -> None:
    up.kubectl("apply", "-f", str(EXAMPLE / "archive.yaml"))
    up.kubectl("-n", "archives", "wait", "eventarchive/orders", "--for=condition=Ready", "--timeout=30s")
    up.lambent("invoke", "orders")
    up.kubectl("-n", "archives", "delete", "eventarchive/orders")
    for kind in ("function.lambda", "role.iam", "policy.iam", "bucket.s3"):
        up.kubectl("-n", "archives", "wait", f"{kind}.services.k8s.aws/orders", "--for=delete", "--timeout=30s")
    up.kubectl("wait", "lambdafunctions.lambent.dev", "-A", "--all", "--for=delete", "--timeout=30s")


@pytest.mark.timeout(240)
def test_ten_rounds_leave_nothing_behind(tmp_path: Path) -> None:
    with platform(tmp_path / "state") as up:
        up.build_image()
        up.lambent("apply", str(EXAMPLE / "manifests"))
        measured = []
        for _ in range(10):
            _round(up)
            pid = up.process.pid
            measured.append((len(descendants(pid)), _objects(up), _tasks(up), _descriptors(pid), _rss_pages(pid)))
        print("rounds (children, objects, tasks, descriptors, rss pages):", measured)
        children, objects, tasks, descriptors, pages = zip(*measured, strict=True)
        assert objects == ([],) * 10
        for counts in (children, tasks, descriptors):
            # What is just ending may be in any one sample; what each round leaves is in all of the last.
            assert min(counts[-3:]) <= max(counts[:3])
        assert pages[-1] <= pages[2] * RSS_GROWTH
