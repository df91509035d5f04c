"""An in-memory AWS (IAM, S3, Lambda) for tests of the resource controllers, shipped beside the real client."""

from lambent.resources.fake.aws import Asked, Crash, FakeAws

__all__ = ["Asked", "Crash", "FakeAws"]
