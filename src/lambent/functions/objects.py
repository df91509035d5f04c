"""Where code in a bucket comes from: one method of the object store, and nothing else of it."""

from typing import Protocol

from lambent.aws.errors import AwsError


class ObjectSource(Protocol):
    async def get_object(self, bucket: str, key: str, *, version: str | None, region: str) -> bytes:
        """Raises `AwsError` (NoSuchBucket, NoSuchKey, ...)."""
        ...


class NoObjects:
    """The source of a process without an object store."""

    async def get_object(self, bucket: str, key: str, *, version: str | None, region: str) -> bytes:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404, operation="GetObject")
