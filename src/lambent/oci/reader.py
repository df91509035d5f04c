"""Reading an image of the store: which manifest a reference means, its settings, its files.

`unpack` writes into a directory of its own and renames it when everything is there, so a folder named after a digest
is always complete. Not here: getting an image from another registry (`oci.client`), running it.
"""

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from lambent.oci.errors import ImageError
from lambent.oci.layers import LayerWriter, UnpackLimits
from lambent.oci.manifest import INDEXES, Manifest, choose, parse
from lambent.oci.rooted import remove
from lambent.oci.store import BlobStore

_INDEX_DEPTH = 4  # an index may name an index


@dataclass(frozen=True, slots=True)
class Image:
    """One platform's image. `digest` is its manifest's; `size` the sum of its layers as stored, in bytes."""

    digest: str
    manifest: Manifest
    architecture: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: dict[str, str]
    working_directory: str
    diff_ids: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum(layer.size for layer in self.manifest.layers)


class ImageReader:
    """Blocks on the disk. All methods raise ImageError that names the image."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def resolve(self, repository: str, target: str, *, architecture: str = "amd64") -> Image:
        """The image that a tag or digest means now; of an index the entry for this architecture (Go's words)."""
        manifest = self._store.manifest(repository, target)
        if manifest is None:
            raise ImageError(f"there is no image {repository}:{target}"[:400])
        return self.image(self._single(manifest, architecture))

    def by_digest(self, digest: str, *, architecture: str = "amd64") -> Image:
        """The image of a manifest that is in the store, in whichever repository."""
        return self.image(self._single(parse(self._store.read_blob(digest)), architecture))

    def _single(self, manifest: Manifest, architecture: str) -> Manifest:
        for _ in range(_INDEX_DEPTH):
            if manifest.media_type not in INDEXES:
                return manifest
            manifest = parse(self._store.read_blob(choose(manifest, architecture=architecture).digest))
        raise ImageError("the image's indexes are nested too deep")

    def image(self, manifest: Manifest) -> Image:
        """The settings of an image manifest."""
        config = self.config(manifest)
        run = _object(config.get("config"))
        pairs = [pair.partition("=") for pair in _texts(run.get("Env"))]
        return Image(
            digest=manifest.digest,
            manifest=manifest,
            architecture=str(config.get("architecture") or "amd64"),
            entrypoint=_texts(run.get("Entrypoint")),
            command=_texts(run.get("Cmd")),
            environment={name: value for name, _, value in pairs if name},
            working_directory=str(run.get("WorkingDir") or ""),
            diff_ids=_texts(_object(config.get("rootfs")).get("diff_ids")),
        )

    def config(self, manifest: Manifest) -> dict[str, Any]:
        """The image's config as parsed JSON."""
        if manifest.config is None:
            raise ImageError("an index has no config of its own")
        try:
            return _object(orjson.loads(self._store.read_blob(manifest.config.digest)))
        except orjson.JSONDecodeError:
            raise ImageError(f"the config of image {manifest.digest} is not JSON") from None

    def unpack(self, image: Image, directory: Path, *, limits: UnpackLimits | None = None) -> None:
        """Makes `directory` hold the image's files; does nothing when it is there. Parents are made."""
        if directory.is_dir():
            return
        directory.parent.mkdir(parents=True, exist_ok=True)
        draft = directory.with_name(f".{directory.name}.{uuid.uuid4().hex}")
        draft.mkdir(0o755)
        try:
            self._write_layers(image, draft, limits)
            _publish(draft, directory)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _write_layers(self, image: Image, draft: Path, limits: UnpackLimits | None) -> None:
        if len(image.diff_ids) not in (0, len(image.manifest.layers)):
            raise ImageError(f"image {image.digest} has another number of layers than its config says")
        writer = LayerWriter(draft, limits)
        diff_ids = image.diff_ids or ("",) * len(image.manifest.layers)
        for layer, diff_id in zip(image.manifest.layers, diff_ids, strict=True):
            with self._store.open_blob(layer.digest) as blob:
                writer.apply(blob, diff_id=diff_id)


def _publish(draft: Path, directory: Path) -> None:
    try:
        os.rename(draft, directory)
    except OSError:
        # Another thread was faster with the same image; its folder is as good as ours.
        if not directory.is_dir():
            remove(directory)
            os.rename(draft, directory)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
