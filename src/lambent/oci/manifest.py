"""Digests, descriptors, manifests and indexes as data.

A manifest is kept as the bytes it was pushed with: its digest is of these bytes, never of a re-encoded form.
Source: OCI image specification 1.1; Docker image manifest version 2, schema 2 (the same shape by other names).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from lambent.oci.errors import ImageError

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_LIST)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def is_digest(text: str) -> bool:
    """Whether this is a whole sha256 digest, the one algorithm we keep."""
    return _DIGEST.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content: `size` in bytes."""

    media_type: str
    digest: str
    size: int
    platform: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: Any) -> "Descriptor":
        """Raises ImageError."""
        try:
            digest, size = str(raw["digest"]), int(raw["size"])
            media_type, platform = str(raw.get("mediaType", "")), dict(raw.get("platform") or {})
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ImageError("the manifest has a descriptor without digest or size") from None
        if not is_digest(digest) or size < 0:
            raise ImageError(f"the manifest has a descriptor with an invalid digest or size: {digest[:80]}")
        return cls(media_type, digest, size, platform)

    def as_json(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest or an index, parsed. `content` is the bytes as pushed."""

    content: bytes
    media_type: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEXES


def parse(content: bytes, media_type: str = "") -> Manifest:
    """Raises ImageError for what is neither a manifest nor an index. The content's own mediaType must agree with the
    given one, which closes the door to one document read in two ways."""
    try:
        raw = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ImageError("the manifest is not JSON") from None
    if not isinstance(raw, dict) or raw.get("schemaVersion") != 2:
        raise ImageError("the manifest is not of schema version 2")
    kind = _kind(raw, media_type)
    if kind in INDEXES:
        manifests = tuple(Descriptor.of(entry) for entry in _list(raw, "manifests"))
        return Manifest(content, kind, None, (), manifests, _subject(raw))
    config = Descriptor.of(raw.get("config"))
    layers = tuple(Descriptor.of(entry) for entry in _list(raw, "layers"))
    return Manifest(content, kind, config, layers, (), _subject(raw))


def _kind(raw: dict[str, Any], media_type: str) -> str:
    own = str(raw.get("mediaType") or "")
    given = media_type.partition(";")[0].strip()
    if own and given and own != given:
        raise ImageError(f"the manifest calls itself {own[:80]} but was given as {given[:80]}")
    guess = OCI_INDEX if "manifests" in raw else OCI_MANIFEST
    kind = own or given or guess
    if kind not in MANIFESTS + INDEXES:
        raise ImageError(f"manifests of type {kind[:80]} are not supported")
    if ("manifests" in raw) != (kind in INDEXES) or ("layers" in raw and kind in INDEXES):
        raise ImageError(f"the manifest's content does not fit its type {kind}")
    return kind


def _list(raw: dict[str, Any], name: str) -> list[Any]:
    value = raw.get(name)
    if not isinstance(value, list):
        raise ImageError(f"the manifest has no list of {name}")
    return value


def _subject(raw: dict[str, Any]) -> Descriptor | None:
    return Descriptor.of(raw["subject"]) if raw.get("subject") else None


def choose(index: Manifest, *, architecture: str, os: str = "linux") -> Descriptor:
    """The entry of an index for a platform. Raises ImageError that names what there is."""
    for entry in index.manifests:
        platform = entry.platform
        if platform.get("os") == os and platform.get("architecture") == architecture:
            return entry
    there = sorted(f"{e.platform.get('os', '?')}/{e.platform.get('architecture', '?')}" for e in index.manifests)
    raise ImageError(f"the image has no entry for {os}/{architecture}, only {', '.join(there)[:200] or 'none'}")
