"""Image references: `<registry>/<repository>[:<tag>][@<digest>]`.

The registry is the first part when it looks like a host (a dot, a colon, or `localhost`), as Docker decides it.
Source: OCI distribution specification, "Pulling manifests"; Docker's reference grammar.
"""

import re
from dataclasses import dataclass

from lambent.oci.errors import ImageError
from lambent.oci.manifest import is_digest

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?")

_REPOSITORY_LIMIT = 255


def is_repository(name: str) -> bool:
    return len(name) <= _REPOSITORY_LIMIT and _REPOSITORY.fullmatch(name) is not None


def is_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Reference:
    """`registry` is empty when the reference names none; `digest` wins over `tag`."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def target(self) -> str:
        """What to ask a registry for: the digest, else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        name = f"{self.registry}/{self.repository}" if self.registry else self.repository
        return name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """Without tag and digest the tag is `latest`. Raises ImageError."""
    rest, _, digest = text.partition("@")
    first, slash, path = rest.partition("/")
    registry = first if slash and ("." in first or ":" in first or first == "localhost") else ""
    name = path if registry else rest
    repository, _, tag = name.partition(":")
    is_valid = (
        is_repository(repository)
        and (not registry or _HOST.fullmatch(registry))
        and (is_tag(tag) if ":" in name else True)
        and (is_digest(digest) if "@" in text else True)
    )
    if not is_valid:
        raise ImageError(f"{text[:200]!r} is not an image reference (<registry>/<repository>:<tag> or @sha256:<hex>)")
    return Reference(registry, repository, tag or ("" if digest else "latest"), digest)
