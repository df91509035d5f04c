"""Building an image from a directory, in plain Python: one layer, one config, one manifest.

Equal files give an equal digest on every machine with the same zlib: entries are sorted, owners are 0, times are 0,
modes are 0644 or 0755 by the owner's execute bit, the gzip header holds no name and no time. A base image's layers come
first and its settings are kept where the new image does not say otherwise.
"""

import gzip
import io
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from lambent.oci.errors import ImageError
from lambent.oci.manifest import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, Descriptor, Manifest, digest_of, parse
from lambent.oci.store import BlobStore

TASK_ROOT = "var/task"
_SKIPPED = frozenset(("__pycache__", ".git", ".DS_Store"))


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What the image says about running it. `command` is the handler for a Lambda image; `architecture` is in Go's
    words."""

    command: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = f"/{TASK_ROOT}"
    labels: Mapping[str, str] = field(default_factory=dict)
    architecture: str = "amd64"


@dataclass(frozen=True, slots=True)
class Base:
    """A base image: its manifest, and its config as parsed JSON. Its blobs are where the new image's go."""

    manifest: Manifest
    config: dict[str, Any]


def build_image(source: Path, *, settings: ImageSettings, store: BlobStore, base: Base | None = None) -> Manifest:
    """Puts layer, config and manifest content into the store and gives the manifest, in no repository yet.
    `source` becomes /var/task. Raises ImageError when it is no directory or holds what an image cannot."""
    tar = task_layer(source)
    layer = gzip.compress(tar, compresslevel=9, mtime=0)
    layer_digest = store.put_blob(layer)
    config = orjson.dumps(_config(settings, digest_of(tar), base), option=orjson.OPT_SORT_KEYS)
    config_digest = store.put_blob(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": Descriptor(OCI_CONFIG, config_digest, len(config)).as_json(),
        "layers": [
            *(entry.as_json() for entry in (base.manifest.layers if base else ())),
            Descriptor(OCI_LAYER_GZIP, layer_digest, len(layer)).as_json(),
        ],
    }
    content = orjson.dumps(manifest)
    store.put_blob(content)
    return parse(content)


def task_layer(source: Path) -> bytes:
    """The directory as an uncompressed tar under var/task, the same bytes for the same files."""
    if not source.is_dir():
        raise ImageError(f"{source} is not a directory")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder in ("var", TASK_ROOT):
            tar.addfile(_entry(folder, tarfile.DIRTYPE, 0o755))
        for path in _walk(source):
            _add(tar, path, f"{TASK_ROOT}/{path.relative_to(source).as_posix()}")
    return buffer.getvalue()


def _walk(folder: Path) -> Iterator[Path]:
    """Everything below, parents first, in the order of the names' code points."""
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name in _SKIPPED:
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    if path.is_symlink():
        entry = _entry(name, tarfile.SYMTYPE, 0o777)
        entry.linkname = os.readlink(path)
        tar.addfile(entry)
    elif path.is_dir():
        tar.addfile(_entry(name, tarfile.DIRTYPE, 0o755))
    elif path.is_file():
        data = path.read_bytes()
        entry = _entry(name, tarfile.REGTYPE, 0o755 if path.stat().st_mode & 0o100 else 0o644)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    else:
        raise ImageError(f"{path} is neither file, directory nor link: an image cannot hold it")


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    """Owner 0, no owner names, time 0: TarInfo's own defaults."""
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.mode = mode
    return entry


def _config(settings: ImageSettings, diff_id: str, base: Base | None) -> dict[str, Any]:
    below = base.config if base else {}
    run = dict(below.get("config") or {})
    environment = dict(pair.split("=", 1) for pair in run.get("Env") or () if "=" in pair)
    environment |= settings.environment
    run["Env"] = [f"{name}={value}" for name, value in environment.items()]
    run["WorkingDir"] = settings.working_directory
    if settings.entrypoint:
        run["Entrypoint"] = list(settings.entrypoint)
    if settings.command:
        run["Cmd"] = list(settings.command)
    if settings.labels:
        run["Labels"] = {**(run.get("Labels") or {}), **settings.labels}
    diff_ids = list((below.get("rootfs") or {}).get("diff_ids") or ())
    return {
        "architecture": below.get("architecture") or settings.architecture,
        "os": below.get("os") or "linux",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [*diff_ids, diff_id]},
    }
