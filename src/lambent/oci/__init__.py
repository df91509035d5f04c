"""Container images without Docker: store, registry, builder, client, reader. It knows no Lambda and no ECR names."""

from lambent.oci.errors import ImageError, RegistryError
from lambent.oci.manifest import Manifest
from lambent.oci.reference import Reference, parse_reference
from lambent.oci.store import BlobStore

__all__ = ["BlobStore", "ImageError", "Manifest", "Reference", "RegistryError", "parse_reference"]
