"""What the service asks of a registry: which manifest an image URI means now.

`platform` gives an implementation over the image store. Not here: pulling layers, and running them (`execution`).
"""

from dataclasses import dataclass
from typing import Protocol

from lambent.errors import LambentError


class ImageMissing(LambentError):
    """No image under this URI that may be read."""

    http_status = 404
    reason = "InvalidImage"


@dataclass(frozen=True, slots=True)
class ResolvedImage:
    """`digest` is the manifest's, `sha256:<hex>`; `size` the sum of its layers in bytes."""

    digest: str
    size: int = 0


class ImageResolver(Protocol):
    async def resolve(self, uri: str) -> ResolvedImage:
        """Raises `ImageMissing`."""
        ...


class NoImages:
    """The resolver of a process without a registry: every image is missing."""

    async def resolve(self, uri: str) -> ResolvedImage:
        raise ImageMissing(f"no registry to find {uri} in")
