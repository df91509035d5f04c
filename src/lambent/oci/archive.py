"""An image as one file: an OCI image layout in a tar, written the same for the same image.

Source: OCI image specification 1.1, "Image Layout"; `org.opencontainers.image.ref.name` holds the tag.
"""

import io
import tarfile
from pathlib import Path
from typing import Any

import orjson

from lambent.oci.errors import ImageError
from lambent.oci.manifest import OCI_INDEX, Manifest, is_digest, parse
from lambent.oci.store import BlobStore

_REF_NAME = "org.opencontainers.image.ref.name"
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_SMALL = 4 * 1024 * 1024


def write_archive(manifest: Manifest, store: BlobStore, file: Path, *, tag: str = "") -> None:
    """Writes an image of the store; the file appears when it is complete."""
    entry: dict[str, Any] = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.content),
    }
    if tag:
        entry["annotations"] = {_REF_NAME: tag}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    draft = file.with_name(f".{file.name}.part")
    try:
        with tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, "oci-layout", _LAYOUT)
            _add(tar, "index.json", orjson.dumps(index))
            for digest in _all_blobs(manifest, store):
                with store.open_blob(digest) as blob:
                    info = tarfile.TarInfo(f"blobs/sha256/{digest[7:]}")
                    info.size = blob.seek(0, io.SEEK_END)
                    blob.seek(0)
                    tar.addfile(info, blob)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def read_archive(file: Path, store: BlobStore) -> Manifest:
    """Takes the archive's blobs into the store and gives its one image or index. Raises ImageError."""
    try:
        with tarfile.open(file, "r:*") as tar:
            index = b""
            for entry in tar:
                source = tar.extractfile(entry) if entry.isreg() else None
                if source is None:
                    continue
                name = entry.name.removeprefix("./")
                if name == "index.json" and entry.size <= _SMALL:
                    index = source.read()
                elif name.startswith("blobs/sha256/"):
                    _take(store, f"sha256:{name[13:]}", source)
    except (tarfile.TarError, EOFError) as error:
        raise ImageError(f"{file} is no OCI archive: {error}") from error
    if not index:
        raise ImageError(f"{file} is no OCI archive: it has no index.json")
    entries = parse(index, OCI_INDEX).manifests
    if len(entries) != 1:
        raise ImageError(f"{file} holds {len(entries)} images: give a file with one")
    return parse(store.read_blob(entries[0].digest), entries[0].media_type)


def _take(store: BlobStore, digest: str, source: Any) -> None:
    if not is_digest(digest):
        raise ImageError(f"the archive has a blob with a wrong name: {digest[:80]}")
    upload = store.begin_upload()
    while chunk := source.read(1024 * 1024):
        store.append_upload(upload, chunk)
    try:
        store.finish_upload(upload, digest)
    except ValueError:
        raise ImageError(f"the archive's blob {digest} has other content than its name says") from None


def _all_blobs(manifest: Manifest, store: BlobStore) -> list[str]:
    """Everything below a manifest and itself, sorted, each once."""
    found = {manifest.digest}
    for entry in manifest.manifests:
        found.update(_all_blobs(parse(store.read_blob(entry.digest), entry.media_type), store))
    found.update(layer.digest for layer in manifest.layers)
    if manifest.config is not None:
        found.add(manifest.config.digest)
    return sorted(found)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
