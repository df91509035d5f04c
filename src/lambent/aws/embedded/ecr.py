"""The embedded ECR's view of the image store: every pushed image appears as a repository and an image.

The registry (`oci.registry`) tells of pushes and deletions; `aws ecr describe-images` then shows them. After a start
the store is told again, because moto's memory begins empty.
"""

from typing import Any


class EcrMirror:
    """Called from any thread; an unknown region raises KeyError (moto knows the real ones)."""

    def put_image(
        self,
        account: str,
        region: str,
        repository: str,
        *,
        tag: str | None,
        digest: str,
        media_type: str,
        manifest: bytes,
    ) -> None:
        """Creates the repository when missing, then the image; a tag moves to the image pushed last."""
        self.create_repository(account, region, repository)
        backend = _backend(account, region)
        backend.put_image(repository, manifest.decode(), tag, media_type, digest)

    def create_repository(self, account: str, region: str, repository: str) -> None:
        """Does nothing when it is there."""
        backend = _backend(account, region)
        if repository not in backend.repositories:
            backend.create_repository(
                repository_name=repository,
                registry_id=account,
                encryption_config=None,
                image_scan_config=None,
                image_tag_mutability=None,
                tags=[],
            )

    def delete_image(self, account: str, region: str, repository: str, *, digest: str) -> None:
        """Does nothing when it is not there."""
        backend = _backend(account, region)
        if repository in backend.repositories:
            backend.batch_delete_image(repository_name=repository, image_ids=[{"imageDigest": digest}])


def _backend(account: str, region: str) -> Any:
    from moto.ecr.models import ecr_backends

    return ecr_backends[account][region]
