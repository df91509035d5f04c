"""The embedded ECR's view of the image store: every pushed image appears as a repository and an image.

`EcrMirror` is the registry's listener: it is told of pushes and deletions, and after a start of every image there is,
because moto's memory begins empty. Repositories of the store are named `<account>/<region>/<name>`; `space_of_host`
gives the first two from an ECR host name. Deleting through the ECR API does not reach the store.
"""

import re
from typing import Any, Protocol

from lambent.aws.embedded.turn import turn
from lambent.aws.errors import AwsError

_HOST = re.compile(r"(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)(?::\d+)?")
_DEFAULTS: dict[str, Any] = {
    "encryption_config": None,
    "image_scan_config": None,
    "image_tag_mutability": None,
    "tags": [],
}


class PushedManifest(Protocol):
    """What is needed of a manifest: its bytes as pushed, their type and digest."""

    @property
    def content(self) -> bytes: ...
    @property
    def media_type(self) -> str: ...
    @property
    def digest(self) -> str: ...


def space_of_host(host: str) -> str | None:
    """`<account>/<region>` of an ECR registry's host name, with or without a port; None for any other host."""
    found = _HOST.fullmatch(host.lower())
    return f"{found[1]}/{found[2]}" if found else None


class EcrMirror:
    """Called from any thread. Raises AwsError for what ECR refuses: a tag that may not move, a region without ECR."""

    def image_pushed(self, repository: str, manifest: PushedManifest, *, tag: str) -> None:
        """Creates the repository when missing, then the image; a tag moves to the image pushed last."""
        account, region, name = repository.split("/", 2)
        with turn():
            backend = _backend(account, region)
            _ensure(backend, name, account)
            _put(backend, name, manifest, tag)

    def create_repository(self, account: str, region: str, name: str) -> None:
        """Does nothing when it is there."""
        with turn():
            _ensure(_backend(account, region), name, account)

    def image_deleted(self, repository: str, digest: str) -> None:
        """Does nothing when it is not there."""
        account, region, name = repository.split("/", 2)
        with turn():
            backend = _backend(account, region)
            if name in backend.repositories:
                backend.batch_delete_image(repository_name=name, image_ids=[{"imageDigest": digest}])


def _ensure(backend: Any, name: str, account: str) -> None:
    if name not in backend.repositories:
        backend.create_repository(repository_name=name, registry_id=account, **_DEFAULTS)


def _put(backend: Any, name: str, manifest: PushedManifest, tag: str) -> None:
    there = [image for image in backend.repositories[name].images if image.get_image_digest() == manifest.digest]
    if there and (not tag or tag in there[0].image_tags):
        return
    from moto.core.exceptions import ServiceException

    try:
        backend.put_image(name, manifest.content.decode(), tag or None, manifest.media_type, manifest.digest)
    except ServiceException as error:
        raise AwsError(str(error.code), str(error.message), status=400, operation="PutImage") from error


def _backend(account: str, region: str) -> Any:
    from moto.ecr.models import ecr_backends

    try:
        return ecr_backends[account][region]
    except KeyError:
        raise AwsError("InvalidRegion", f"there is no ECR in region {region[:40]}", status=400) from None
