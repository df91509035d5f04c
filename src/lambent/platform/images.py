"""Building and moving function images: what `lambent image` does, with no Docker and no daemon."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lambent.oci import BlobStore, ImageError, Manifest, parse_reference
from lambent.oci.archive import read_archive, write_archive
from lambent.oci.builder import ImageSettings, build_image
from lambent.oci.client import RegistryClient


def build_archive(directory: Path, *, handler: str, tag: str, file: Path) -> str:
    """Writes an OCI archive; the manifest's digest."""
    with _scratch() as store:
        manifest = _build(directory, handler, store)
        write_archive(manifest, store, file, tag=_reference(tag)[1])
        return manifest.digest


async def build_and_push(directory: Path, *, handler: str, tag: str, registry: str) -> str:
    """Builds and pushes to the registry at this URL; the manifest's digest."""
    repository, target = _reference(tag)
    with _scratch() as store:
        manifest = _build(directory, handler, store)
        async with RegistryClient(registry) as client:
            return await client.push(repository, target, manifest, store)


async def push_archive(archive: Path, *, tag: str, registry: str) -> str:
    """Pushes an archive that `build_archive`, or any other OCI tool, wrote."""
    repository, target = _reference(tag)
    with _scratch() as store:
        manifest = read_archive(archive, store)
        async with RegistryClient(registry) as client:
            return await client.push(repository, target, manifest, store)


async def list_images(registry: str) -> list[tuple[str, str, str]]:
    """(name, tag, digest) of everything in the registry, by name."""
    async with RegistryClient(registry) as client:
        return [
            (name, tag, (await client.manifest(name, tag)).digest)
            for name in await client.repositories()
            for tag in await client.tags(name)
        ]


def _build(directory: Path, handler: str, store: BlobStore) -> Manifest:
    module, _, function = handler.rpartition(".")
    if not module or not function:
        raise ImageError(f"handler {handler!r} is not of the form module.function")
    source = directory / Path(*module.split(".")).with_suffix(".py")
    if directory.is_dir() and not source.is_file() and not (source.with_suffix("") / "__init__.py").is_file():
        raise ImageError(f"{directory} holds no {source.name} for handler {handler!r}")
    return build_image(directory, settings=ImageSettings(command=(handler,)), store=store)


def _reference(tag: str) -> tuple[str, str]:
    """Repository and tag; a registry's host before them only says where the image will be known."""
    reference = parse_reference(tag)
    return reference.repository, reference.target


@contextmanager
def _scratch() -> Iterator[BlobStore]:
    """A blob store that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="lambent-image-") as directory:
        yield BlobStore(Path(directory))
