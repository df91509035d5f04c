"""An in-memory Kubernetes API for tests, shipped beside the real client."""

from lambent.kube.fake.client import Call, FakeKube
from lambent.kube.fake.crashes import crash_at_every_write, lives_to_quiet, until_quiet
from lambent.kube.fake.faults import Chaos, Crash, Fault

__all__ = [
    "Call",
    "Chaos",
    "Crash",
    "FakeKube",
    "Fault",
    "crash_at_every_write",
    "lives_to_quiet",
    "until_quiet",
]
